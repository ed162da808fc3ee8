from device_profiles.library import load_profile
from device_profiles.profile import Encoding, Profile, Register
from simulators.register_image import SERIAL_NUMBER, ImageEncoder, encode_image, gap_addresses


def test_an_eastron_shows_floats_at_its_addresses() -> None:
    image = encode_image(load_profile("eastron/sdm630"), {"voltage_l1_n": 230.2, "active_power_total": -1.5})
    assert (image[4][0], image[4][1]) == (0x4366, 0x3333)
    assert (image[4][52], image[4][53]) == (0xBFC0, 0x0000)
    assert (image[4][2], image[4][3]) == (0x7FC0, 0x0000)  # no value given


def test_an_abb_shows_scaled_integers_and_sentinels() -> None:
    image = encode_image(load_profile("abb/b23"), {"active_energy_import_total": 6874.0, "active_power_total": -0.02})
    assert [image[3][address] for address in range(20480, 20484)] == [0, 0, 0x000A, 0x7D28]
    assert [image[3][address] for address in (23316, 23317)] == [0xFFFF, 0xFFFE]
    assert [image[3][address] for address in (23296, 23297)] == [0xFFFF, 0xFFFF]


def test_a_schneider_shows_kilowatts_and_watt_hours() -> None:
    image = encode_image(
        load_profile("schneider/iem3155"), {"active_power_total": 1500.0, "active_energy_import_total": 0.258}
    )
    assert (image[3][3059], image[3][3060]) == (0x3FC0, 0)
    assert [image[3][address] for address in range(3203, 3207)] == [0, 0, 0, 258]


def test_a_carlo_gavazzi_answers_3_and_4_alike_and_tells_its_model_when_asked_alone() -> None:
    encoder = ImageEncoder(load_profile("carlo-gavazzi/em24-ethernet"))
    image = encoder.encode({"active_power_total": 100.0, "voltage_l3_l1": 400.0})
    assert image[3] == image[4]
    assert (image[4][40], image[4][41]) == (1000, 0)  # low word first
    assert (image[3][10], image[3][11]) == (4000, 0)
    alone = {(entry.function_code, entry.address): entry.words for entry in encoder.read_alone}
    assert alone[3, 11] == alone[4, 11] == (1648,)


def test_a_water_meter_shows_its_units_and_reversed_floats() -> None:
    image = encode_image(load_profile("arad/octave"), {"water_volume_forward": 1.0})
    assert [image[4][address] for address in range(24, 28)] == [0, 0, 0, 0xF03F]
    assert image[4][23] == 0  # m3
    assert image[4][1] == int.from_bytes(str(SERIAL_NUMBER)[:2].encode(), "big")


def scaled_profile() -> Profile:
    return Profile(
        id="example/inverter",
        maker="Example",
        models=("X",),
        resource="electricity",
        protocol="modbus",
        grade="A",
        source=(),
        registers=(
            Register("active_power_total", "W", 3, 14, 1, Encoding.S16, exponent=-1, scale_factor="W_SF"),
            Register("active_power_l1", "W", 3, 15, 1, Encoding.S16, exponent=-1, scale_factor="W_SF"),
        ),
        helpers=(Register("W_SF", "", 3, 16, 1, Encoding.S16),),
    )


def test_a_scale_factor_leaves_headroom_then_only_becomes_coarser() -> None:
    encoder = ImageEncoder(scaled_profile())
    table = encoder.encode({"active_power_total": 120.0, "active_power_l1": 40.0})[3]
    assert (table[14], table[15], table[16]) == (1200, 400, 0xFFFF)  # 10^-1: ten times 120 W fit
    table = encoder.encode({"active_power_total": 50_000.0, "active_power_l1": 40.0})[3]
    assert (table[14], table[15], table[16]) == (5000, 4, 1)
    table = encoder.encode({"active_power_total": 120.0, "active_power_l1": 40.0})[3]
    assert (table[14], table[16]) == (12, 1)


def test_a_scale_factor_can_be_fixed() -> None:
    table = ImageEncoder(scaled_profile(), {"W_SF": 2}).encode({"active_power_total": 1200.0})[3]
    assert (table[14], table[16]) == (12, 2)


def test_a_ratio_is_1_unless_it_is_set() -> None:
    profile = Profile(
        id="example/meter",
        maker="Example",
        models=("X",),
        resource="electricity",
        protocol="modbus",
        grade="A",
        source=(),
        registers=(
            Register("current_l1", "A", 4, 0, 1, Encoding.U16, scale=0.001, exponent=-3, multiplier="ct_ratio"),
        ),
        helpers=(Register("ct_ratio", "", 4, 1, 1, Encoding.U16, scale=0.1),),
    )
    assert ImageEncoder(profile).encode({"current_l1": 12.5})[4] == {0: 12500, 1: 10}
    assert ImageEncoder(profile, {"ct_ratio": 400}).encode({"current_l1": 100.0})[4] == {0: 2500, 1: 400}


def test_an_integer_with_a_unit_code_takes_the_unit_that_resolves_it() -> None:
    profile = Profile(
        id="example/water",
        maker="Example",
        models=("X",),
        resource="water",
        protocol="modbus",
        grade="A",
        source=(),
        registers=(
            Register(
                "water_volume_forward", "m3", 4, 0, 2, Encoding.U32, exponent=-3, multiplier="resolution",
                multiplier_table=((1, 0.001), (2, 0.01), (4, 1.0)),
            ),
        ),
        helpers=(Register("resolution", "", 4, 2, 1, Encoding.U16),),
    )  # fmt: skip
    assert ImageEncoder(profile).encode({"water_volume_forward": 1.284})[4] == {0: 0, 1: 1284, 2: 1}


def test_only_narrow_gaps_belong_to_the_device() -> None:
    assert gap_addresses([0, 1, 4, 40], gap_max=2) == {2, 3}
    assert gap_addresses([0, 1, 4, 40], gap_max=1) == frozenset()
