"""What other registers of a device say about a value: bits, signs, sums, ratios, decimals."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from device_profiles.configuration import configured
from device_profiles.decoding import Block, compile_decoder, decode_registers
from device_profiles.errors import ProfileError
from device_profiles.library import load_profile_file
from device_profiles.profile import Profile
from simulators.register_image import ImageEncoder
from wire_format.quality import Quality

HEAD = """
maker: Maker
models: [Model 1]
resource: any
grade: B
source: [a data sheet]
function_code: 3
"""

Load = Callable[[str], Profile]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    path = tmp_path / "maker" / "model-1.yaml"
    path.parent.mkdir()

    def write(body: str) -> Profile:
        path.write_text(HEAD + body)
        return load_profile_file(path)

    return write


TRANSMITTER = """
helpers:
  gross_is_negative: {address: 0, type: u16, bits: 7}
  cell_error: {address: 0, type: u16, bits: [0, 1]}
  decimals: {address: 9, type: u16, scale: -1}
registers:
  weight_gross:
    {address: 1, type: u32, unit: g, scale_factor: decimals, negative_if: gross_is_negative, unusable_if: cell_error}
  weight_stable: {address: 0, type: u16, bits: 11}
  alarms: {address: 0, type: u16, bits: [2, 5]}
  operating_state: {address: 0, type: u16, bits: 12, inverted: true}
"""


def test_a_magnitude_gets_its_sign_and_its_decimals_from_other_registers(load: Load) -> None:
    # Status: bit 11 stable, bit 7 negative, bits 2 and 4 alarms, bit 12 not set.
    words = {0: 0b1000_1001_0100, 1: 1, 2: 2000, 9: 2}
    expected = {"weight_gross": -0.67536, "weight_stable": 1.0, "alarms": 5.0, "operating_state": 1.0}
    assert decode_registers(load(TRANSMITTER), {3: words}) == expected


def test_an_error_bit_spoils_the_values_that_name_it_and_no_other(load: Load) -> None:
    profile = load(TRANSMITTER)
    decoder = compile_decoder(profile.registers, profile.helpers, [Block(3, 0, 10)])
    weight, stable, *_ = decoder.decode([struct.pack(">10H", 0b1000_0000_0010, 0, 5, 0, 0, 0, 0, 0, 0, 0)])
    assert weight == (None, Quality.DEVICE_ERROR)
    assert stable == (1, Quality.GOOD)


def test_single_bits_are_read_by_function_codes_1_and_2(load: Load) -> None:
    profile = load(
        "registers: {operating_state: {address: 5, function_code: 2}, alarms: {address: 13, function_code: 2}}"
    )
    decoder = compile_decoder(profile.registers, (), [Block(2, 5, 9)])
    assert decoder.decode([b"\x01\x01"]) == ((1, Quality.GOOD), (1, Quality.GOOD))
    assert decoder.decode([b"\xfe\xfe"]) == ((0, Quality.GOOD), (0, Quality.GOOD))
    assert decoder.decode([b"\x01"]) == ((None, Quality.LINK_ERROR),) * 2
    assert decode_registers(profile, {2: {5: 1, 13: 0}}) == {"operating_state": 1.0, "alarms": 0.0}


def test_power_of_both_directions_becomes_one_signed_power(load: Load) -> None:
    profile = load("""
units: [W]
helpers: {export: {address: 2, type: u32}}
registers: {active_power_total: {address: 0, type: u32, scale: 0.1, minus: export}}
""")
    assert decode_registers(profile, {3: {0: 0, 1: 0, 2: 0, 3: 12345}}) == {"active_power_total": -1234.5}


def test_a_total_in_two_parts_is_their_sum(load: Load) -> None:
    profile = load("""
helpers: {fraction: {address: 2, type: f32}}
registers: {water_volume_forward: {address: 0, type: s32, unit: L, plus: fraction}}
""")
    high, low = struct.unpack(">2H", struct.pack(">f", 0.25))
    assert decode_registers(profile, {3: {0: 0, 1: 1500, 2: high, 3: low}}) == {"water_volume_forward": 1.50025}


def test_two_ratios_of_which_one_is_in_the_device_and_one_in_the_site_file(load: Load) -> None:
    profile = load("""
units: [W, A]
settings: {current_transformer_ratio: {question: 'Ratio of the current transformers?', range: [1, 5000]}}
helpers: {vt_ratio: {address: 9, type: u16, scale: 0.1}}
registers:
  active_power_total: {address: 0, type: s16, scale: 0.01, multiply_by: [current_transformer_ratio, vt_ratio]}
  current_l1: {address: 1, type: u16, scale: 0.001, multiply_by: current_transformer_ratio}
""")
    installed = configured(profile, {"current_transformer_ratio": 40})
    assert decode_registers(installed, {3: {0: 65036, 1: 2500, 9: 1000}}) == {
        "active_power_total": -20000.0,  # -500 x 0.01 W x 40 x 100.0
        "current_l1": 100.0,
    }
    assert installed.registers[1].exponent == -2
    for wrong, message in (
        ({}, "settings.current_transformer_ratio: is missing. Ratio of"),
        ({"current_transformer_ratio": 5001}, "5001 is not from 1 to 5000"),
        ({"current_transformer_ratio": "a"}, "'a' is no number"),
        ({"ratio": 1}, "settings.ratio: maker/model-1 has no such setting, only current_transformer_ratio"),
    ):
        with pytest.raises(ProfileError, match=message):
            configured(profile, wrong)


def test_unit_and_decimals_that_only_the_owner_knows(load: Load) -> None:
    profile = load("""
settings:
  weight_unit: {question: 'Which unit does the display show?', units: [kg, g, t]}
  decimals: {question: 'How many decimals does the display show?', default: 0}
registers:
  weight_net:
    address: 0
    type: s32
    unit_by: {setting: weight_unit}
    multiply_by: {by: decimals, codes: {0: 1, 3: 0.001}}
    range: [-5, 5]
""")
    assert [setting.choices for setting in profile.settings] == [("kg", "g", "t"), (0, 3)]
    words = {3: {0: 0, 1: 3055}}
    assert decode_registers(configured(profile, {"weight_unit": "kg", "decimals": 3}), words) == {"weight_net": 3.055}
    tons = configured(profile, {"weight_unit": "t"})
    assert decode_registers(tons, words) == {"weight_net": 3_055_000.0}
    assert tons.registers[0].maximum == 5000.0
    with pytest.raises(ProfileError, match=r"weight_unit: is missing\. .* \(one of kg, g, t\)"):
        configured(profile, {})


def test_an_order_that_the_document_leaves_open(load: Load) -> None:
    profile = load("""
settings: {word_order: {question: 'Which word comes first?', default: little}}
registers: {weight_net: {address: 0, type: s32, unit: kg}}
""")
    words = {3: {0: 1, 1: 0}}
    assert decode_registers(configured(profile, {}), words) == {"weight_net": 1.0}
    assert decode_registers(configured(profile, {"word_order": "big"}), words) == {"weight_net": 65536.0}
    with pytest.raises(ProfileError, match="'middle' is none of big, little"):
        configured(profile, {"word_order": "middle"})


def test_signed_groups_of_four_digits(load: Load) -> None:
    profile = load("units: [W]\nregisters: {active_power_total: {address: 0, type: mod10k_signed, count: 2}}")
    assert decode_registers(profile, {3: {0: 65533, 1: 61036}}) == {"active_power_total": -34500.0}
    assert decode_registers(profile, {3: {0: 3, 1: 4500}}) == {"active_power_total": 34500.0}
    assert decode_registers(profile, {3: {0: 0, 1: 10000}}) == {}


def test_what_a_device_does_not_answer_is_known(load: Load) -> None:
    profile = load(
        "address_base: 1\nunits: [V]\nunreadable: [3, [5, 6]]\nregisters: {voltage_l1_n: {address: 1, type: u32}}"
    )
    assert profile.unreadable == {(3, 2), (3, 4), (3, 5)}


@pytest.mark.parametrize("weight", [-1234.5, 0.0, 67.5])
def test_the_simulators_encode_what_the_agent_decodes(load: Load, weight: float) -> None:
    profile = load(TRANSMITTER)
    values = {"weight_gross": weight, "weight_stable": 1.0, "alarms": 9.0, "operating_state": 0.0}
    assert decode_registers(profile, ImageEncoder(profile).encode(values)) == values


@pytest.mark.parametrize("power_w", [-34500.0, 0.0, 12.0])
def test_the_simulators_encode_sums_and_signed_groups(load: Load, power_w: float) -> None:
    profile = load("""
units: [W, m3]
helpers: {export: {address: 2, type: u16}, fraction: {address: 6, type: f32}}
registers:
  active_power_total: {address: 1, type: u16, minus: export}
  active_power_l1: {address: 10, type: mod10k_signed, count: 2}
  water_volume_forward: {address: 4, type: s32, plus: fraction}
""")
    values = {"active_power_total": power_w, "active_power_l1": power_w, "water_volume_forward": 17.25}
    assert decode_registers(profile, ImageEncoder(profile).encode(values)) == values


WRONG = {
    "registers: {alarms: {address: 0, type: u16, bits: 16}}": "alarms.bits: [first, last] of 0 to 15",
    "registers: {alarms: {address: 0, type: f32, bits: 1}}": "alarms.bits: a f32 has none",
    "registers: {alarms: {address: 0, type: u16, inverted: true}}": "alarms.inverted: only bits",
    "registers: {alarms: {address: 0, type: u16, negative_if: sign}}": "alarms.negative_if: there is no helper 'sign'",
    "registers: {alarms: {address: 0, type: u16, plus: a, minus: b}}": "plus and minus exclude each other",
    "unreadable: [0]\nregisters: {alarms: {address: 0, type: u16}}": "unreadable: 0 belongs to alarms",
    "settings: {a: {question: b}}\nregisters: {alarms: {address: 0, type: u16}}": "settings.a: no register uses it",
    "settings: {u: {question: b, units: [kg, V]}}\n"
    "registers: {weight_net: {address: 0, type: u16, unit_by: {setting: u}}}": "settings.u.units: 'V' is no unit of",
    "settings: {u: {question: b, default: 0}}\n"
    "registers: {alarms: {address: 0, type: u16, multiply_by: u}}": "settings.u.default: 0 is not above 0",
    "registers: {weight_net: {address: 0, type: u16, unit_by: {setting: u}}}": "there is no setting 'u' with units",
    "registers: {weight_net: {address: 0, type: u16, unit_by: {}}}": "unit_by is {helper: ..., codes: {...}} or",
}


@pytest.mark.parametrize(("body", "rule"), WRONG.items(), ids=WRONG.values())
def test_a_mistake_names_its_key(load: Load, body: str, rule: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load(body)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_family_shares_its_registers(tmp_path: Path) -> None:
    folder = tmp_path / "maker"
    folder.mkdir()
    (folder / "one.yaml").write_text(
        HEAD + "units: [V, A]\nregisters: {voltage_l1_n: {address: 0, type: u16}, current_l1: {address: 1, type: u16}}"
    )
    two = folder / "two.yaml"
    two.write_text(
        "based_on: maker/one\nmodels: [Two]\nunits: [V]\n"
        "registers: {current_l1: null, voltage_l2_n: {address: 8, type: u16}}"
    )
    profile = load_profile_file(two, extra_directories=[tmp_path])
    assert (profile.maker, profile.models) == ("Maker", ("Two",))
    assert {register.quantity: register.address for register in profile.registers} == {
        "voltage_l1_n": 0,
        "voltage_l2_n": 8,
    }
    for base in ("maker/two", "maker/three", "nothing"):
        two.write_text(f"based_on: {base}\nmodels: [Two]")
        with pytest.raises(ProfileError, match=f"based_on: '{base}' is no other profile"):
            load_profile_file(two, extra_directories=[tmp_path])
