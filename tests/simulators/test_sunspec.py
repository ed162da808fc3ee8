import pytest

from device_profiles.library import load_profile
from simulators.errors import SimulatorError
from simulators.sunspec import chain_encoder, lay_out, simulated_layout


def text(words: list[int]) -> str:
    return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0").decode("ascii")


def test_the_chain_leads_from_the_marker_to_the_end() -> None:
    table = lay_out(103, {14: 4321}, maker="Maker", name="Model", serial_number="0815")[3]
    words = [table[address] for address in range(40000, 40000 + len(table))]
    assert bytes([words[0] >> 8, words[0] & 0xFF, words[1] >> 8, words[1] & 0xFF]) == b"SunS"
    common = 2
    assert words[common : common + 2] == [1, 66]
    assert text(words[common + 2 : common + 18]) == "Maker"
    assert text(words[common + 18 : common + 34]) == "Model"
    assert text(words[common + 50 : common + 66]) == "0815"
    inverter = common + 2 + words[common + 1]
    assert words[inverter : inverter + 2] == [103, 50]
    assert words[inverter + 14] == 4321
    end = inverter + 2 + words[inverter + 1]
    assert words[end:] == [0xFFFF, 0]


def test_what_has_no_value_is_not_implemented() -> None:
    block = 40000 + 2 + 68
    table = lay_out(103, {})[3]
    assert table[block + 2] == 0xFFFF  # A, unsigned
    assert table[block + 6] == 0x8000  # A_SF
    assert table[block + 14] == 0x8000  # W, signed
    assert (table[block + 24], table[block + 25]) == (0, 0)  # WH, an accumulator
    assert (table[block + 40], table[block + 41]) == (0xFFFF, 0xFFFF)  # Evt1, a bit field


def test_values_go_into_model_103_with_their_scale_factors() -> None:
    block = 40000 + 2 + 68
    encode = chain_encoder(load_profile("sunspec/inverter"))
    table = encode({"active_power_total": 4000.0, "active_energy_export_total": 9400.123, "operating_state": 4.0})[3]
    assert table[block] == 103
    power_factor = table[block + 15] - 0x10000 if table[block + 15] & 0x8000 else table[block + 15]
    assert table[block + 14] * 10.0**power_factor == 4000
    energy_factor = table[block + 26] - 0x10000 if table[block + 26] & 0x8000 else table[block + 26]
    assert (table[block + 24] << 16 | table[block + 25]) * 10.0**energy_factor == pytest.approx(9_400_123)
    assert table[block + 38] == 4


def test_a_meter_shows_what_it_counts_and_leaves_out_the_rest() -> None:
    block = 40000 + 2 + 68
    encode = chain_encoder(load_profile("sunspec/meter"))
    table = encode({"active_power_total": -4000.0, "active_energy_import_total": 0.0})[3]
    assert (table[block], table[block + 1]) == (203, 105)
    power_factor = table[block + 22] - 0x10000 if table[block + 22] & 0x8000 else table[block + 22]
    assert (table[block + 18] - 0x10000) * 10.0**power_factor == -4000
    assert table[block + 33] == 0x8000  # PF, signed
    assert (table[block + 38], table[block + 39]) == (0, 0)  # TotWhExp, an accumulator
    assert (table[block + 107], table[block + 108]) == (0xFFFF, 0)


def test_a_profile_without_a_known_model_is_refused_by_name() -> None:
    with pytest.raises(SimulatorError, match="abb/b23"):
        simulated_layout(load_profile("abb/b23"))
