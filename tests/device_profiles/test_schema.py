from pathlib import Path
from textwrap import dedent

import pytest

from device_profiles.errors import ProfileError
from device_profiles.library import load_profile_file
from device_profiles.profile import Encoding, Profile

HEAD = """
maker: Maker
models: [Model 1]
resource: electricity
grade: B
source: [a data sheet]
function_code: 3
type: f32
units: [V, kW]
"""
ONLY_VOLTS = HEAD.replace("[V, kW]", "[V]")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "maker").mkdir()
    return tmp_path / "maker" / "model-1.yaml"


def load(file: Path, body: str, head: str = HEAD) -> Profile:
    file.write_text(head + dedent(body), encoding="utf-8")
    return load_profile_file(file)


def test_the_shortest_profile_takes_everything_else_from_the_top(file: Path) -> None:
    profile = load(file, "registers: {voltage_l1_n: 10}", ONLY_VOLTS)
    (register,) = profile.registers
    assert (profile.id, profile.maker, profile.models) == ("maker/model-1", "Maker", ("Model 1",))
    assert (register.address, register.count, register.function_code) == (10, 2, 3)
    assert (register.encoding, register.unit, register.scale, register.tier) == (Encoding.F32, "V", 1.0, "fast")


def test_documents_that_count_from_1_are_sent_one_lower(file: Path) -> None:
    profile = load(
        file, "address_base: 1\nregisters: {voltage_l1_n: 3028, active_power_total: {address: 1, type: u16}}"
    )
    assert [register.address for register in profile.registers] == [3027, 0]


def test_units_are_converted_exactly(file: Path) -> None:
    profile = load(
        file,
        """
        registers:
          active_power_total: {address: 0, type: s32, scale: 0.01}
          active_power_l1: {address: 2, type: s16, unit: W, scale: 10}
          active_power_l2: {address: 3, range: [0, 5]}
          voltage_l1_n: {address: 5, type: u16, scale: 0.1}
        """,
    )
    total, l1, l2, voltage = profile.registers
    assert (total.unit, total.scale, total.exponent) == ("W", 10.0, 1)
    assert (l1.scale, l1.exponent) == (10.0, 1)
    assert (l2.scale, l2.exponent, l2.minimum, l2.maximum) == (1000.0, -1, 0.0, 5000.0)
    assert (voltage.scale, voltage.exponent) == (0.1, -1)


def test_sentinels_are_bit_patterns_and_each_type_has_its_own(file: Path) -> None:
    profile = load(
        file,
        """
        invalid: {s16: 0x8000, u16: 0xFFFF}
        registers:
          voltage_l1_n: {address: 0, type: s16}
          voltage_l2_n: {address: 1, type: u16}
          voltage_l3_n: {address: 2, type: u16, invalid: [0xFFFE, 0xFFFF]}
          voltage_l1_l2: {address: 3, type: u16, invalid: []}
          active_power_total: {address: 4, type: s32, invalid: -1}
        """,
    )
    found = [register.invalid for register in profile.registers]
    assert found == [(-32768,), (0xFFFF,), (0xFFFE, 0xFFFF), (), (-1,)]


def test_the_first_of_several_function_codes_is_used(file: Path) -> None:
    profile = load(
        file, "registers: {voltage_l1_n: 0}", ONLY_VOLTS.replace("function_code: 3", "function_code: [4, 3]")
    )
    assert profile.registers[0].function_code == 4
    assert profile.function_codes_alike == (4, 3)


def test_what_is_read_seldom_is_slow_unless_the_file_says_otherwise(file: Path) -> None:
    profile = load(
        file,
        """
        registers:
          active_energy_import_total: {address: 0, unit: kWh}
          active_energy_import_l1: {address: 2, unit: kWh}
          active_energy_import_l2: {address: 4, unit: kWh, tier: fast}
          power_factor_l1: 6
          voltage_l1_n: 8
          active_power_total: 10
        """,
    )
    assert [register.tier for register in profile.registers] == ["fast", "slow", "fast", "slow", "fast", "fast"]


def test_ratios_and_units_that_the_device_tells(file: Path) -> None:
    profile = load(
        file,
        """
        helpers:
          ct_ratio: {address: 100, type: u16, scale: 0.1}
          volume_unit: {address: 101, type: u16}
        registers:
          active_power_total: {address: 0, multiply_by: ct_ratio}
          voltage_l1_n: 2
          water_volume_forward: {address: 4, type: u32, unit_by: {helper: volume_unit, codes: {0: m3, 8: L}}}
        """,
    )
    power, _, volume = profile.registers
    assert (power.multiplier, power.multiplier_table) == ("ct_ratio", ())
    assert (volume.multiplier, volume.multiplier_table, volume.exponent) == ("volume_unit", ((0, 1.0), (8, 0.001)), -4)


def test_identification_registers_and_what_their_codes_mean(file: Path) -> None:
    profile = load(
        file,
        """
        registers: {voltage_l1_n: 0, active_power_total: 2}
        identification:
          model_code: {address: 11, type: u16, values: {71: AV9, 72: AV5}}
          serial_number: {address: 5000, type: ascii, count: 7}
        """,
    )
    code, serial = profile.identification
    assert (code.register.address, code.values) == (11, {71: "AV9", 72: "AV5"})
    assert (serial.register.encoding, serial.register.count) == (Encoding.ASCII, 7)


WRONG = {
    "an unknown quantity": ("{voltage_l9: 0}", "registers.voltage_l9: the catalogue has no quantity 'voltage_l9'"),
    "an unknown key": (
        "{voltage_l1_n: {address: 0, adress: 1}}",
        "registers.voltage_l1_n.adress: there is no such key",
    ),
    "no unit": ("{current_l1: 0}", "registers.current_l1: unit is missing; give it here or list it in units"),
    "an unknown unit": ("{current_l1: {address: 0, unit: kW}}", "registers.current_l1.unit: 'kW' is no unit of"),
    "no such type": ("{voltage_l1_n: {address: 0, type: f16}}", "registers.voltage_l1_n.type: Input should be"),
    "no address": ("{voltage_l1_n: {type: f32}}", "registers.voltage_l1_n.address: is missing"),
    "a text as address": ("{voltage_l1_n: '0'}", "registers.voltage_l1_n:"),
    "an address beyond the last": ("{voltage_l1_n: 65535}", "voltage_l1_n.address: reaches beyond 65535"),
    "a text as scale": ("{voltage_l1_n: {address: 0, scale: 1e-3}}", "registers.voltage_l1_n.scale: Input should be"),
    "a scale of 0": ("{voltage_l1_n: {address: 0, scale: 0}}", "registers.voltage_l1_n.scale: 0 makes every value 0"),
    "a width that is fixed": ("{voltage_l1_n: {address: 0, count: 4}}", "voltage_l1_n.count: f32 takes 2 registers"),
    "a width that is missing": ("{voltage_l1_n: {address: 0, type: bcd}}", "voltage_l1_n: count is missing"),
    "too many digits": ("{voltage_l1_n: {address: 0, type: bcd, count: 5}}", "voltage_l1_n.count: bcd takes at most 4"),
    "a text as quantity": ("{voltage_l1_n: {address: 0, type: ascii, count: 5}}", "voltage_l1_n.type: ascii is for"),
    "a sentinel of a float": ("{voltage_l1_n: {address: 0, invalid: 1}}", "voltage_l1_n.invalid: of a f32, NaN"),
    "a sentinel too wide": (
        "{voltage_l1_n: {address: 0, type: u16, invalid: 65536}}",
        "invalid: 65536 does not fit u16",
    ),
    "no helper": ("{voltage_l1_n: {address: 0, scale_factor: V_SF}}", "scale_factor: there is no helper 'V_SF'"),
    "two quantities in one place": (
        "{voltage_l1_n: 0, voltage_l2_n: 1}",
        "voltage_l2_n.address: overlaps voltage_l1_n",
    ),
    "a range upside down": ("{voltage_l1_n: {address: 0, range: [2, 1]}}", "range is [lowest, highest]"),
    "a counter of floats": ("{voltage_l1_n: {address: 0, counter_modulus: 99}}", "counter_modulus: a f32 does not"),
    "no such function code": (
        "{voltage_l1_n: {address: 0, function_code: 5}}",
        "registers.voltage_l1_n.function_code: Input should be",
    ),
    "coils with a type": (
        "{voltage_l1_n: {address: 0, function_code: 1, type: u32}}",
        "voltage_l1_n.type: function code 1 reads single bits, which have no type",
    ),
}


@pytest.mark.parametrize(("registers", "rule"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_names_file_key_and_rule_in_one_line(file: Path, registers: str, rule: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load(file, f"registers: {registers}\n", ONLY_VOLTS)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert rule in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("serial_default: {}", "serial_default: there is no such key"),
        ("quantities: [voltage_l1_n]", "protocol modbus has no quantities"),
        ("helpers: {W_SF: {address: 9, type: s16}}", "helpers.W_SF: no register uses it"),
        ("max_registers_per_request: 1", "registers.voltage_l1_n: needs 2 registers, 1 may be asked for"),
        ("max_registers_per_request: 126", "max_registers_per_request: Input should be less than or equal to 125"),
        ("address_base: 2", "address_base: Input should be 0 or 1"),
        ("address_base: 1", "registers.voltage_l1_n.address: 0 cannot be sent (address_base 1)"),
        ("maker: Again", "line 11: 'maker' stands twice"),
        ("pause_s: {", "line "),
    ],
)
def test_a_mistake_at_the_top_is_named_too(file: Path, line: str, rule: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load(file, f"registers: {{voltage_l1_n: 0}}\n{line}\n", ONLY_VOLTS)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["maker", "models", "resource", "grade", "source", "function_code", "type"])
def test_what_every_profile_needs(file: Path, key: str) -> None:
    head = "\n".join(line for line in ONLY_VOLTS.splitlines() if not line.startswith(f"{key}:"))
    with pytest.raises(ProfileError, match=f"{key}.* is missing"):
        load(file, "\nregisters: {voltage_l1_n: 0}", head)


def test_a_unit_that_measures_nothing_here_is_a_mistake(file: Path) -> None:
    with pytest.raises(ProfileError, match="units: 'kW' is used by no quantity"):
        load(file, "registers: {voltage_l1_n: 0}")


def test_two_units_of_the_same_kind_leave_open_which_is_meant(file: Path) -> None:
    with pytest.raises(ProfileError, match="units: W and kW measure the same"):
        load(file, "registers: {active_power_total: 0}", HEAD.replace("[V, kW]", "[W, kW]"))


@pytest.mark.parametrize("content", ["", "- a\n- list\n", "just text"])
def test_a_file_that_is_no_mapping(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(ProfileError, match="a profile is a mapping of keys"):
        load_profile_file(file)


def test_a_file_that_is_not_text(file: Path) -> None:
    file.write_bytes(b"maker: \xff\xfe")
    with pytest.raises(ProfileError, match="not UTF-8 text"):
        load_profile_file(file)


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ProfileError, match=r"model-1\.yaml: file: No such file"):
        load_profile_file(file)


def test_a_name_that_is_no_id(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"a file is <maker>/<model>\.yaml"):
        load_profile_file(tmp_path / "SDM 630.yaml")
