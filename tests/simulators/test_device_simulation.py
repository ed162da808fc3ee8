import math
import struct

import pytest

from device_profiles.library import load_profile, profile_ids
from device_profiles.profile import Encoding, Profile, Register
from simulators.device_simulation import example_values, literal_unit, profile_unit
from simulators.errors import SimulatorError
from simulators.faults import Request
from simulators.loads import constant
from simulators.modbus_unit import ModbusUnit

MODBUS_PROFILES = [name for name in profile_ids() if load_profile(name).protocol == "modbus"]


def read(unit: ModbusUnit, register: Register) -> bytes:
    """The bytes of one register, as a master gets them."""
    request = struct.pack(">BHH", register.function_code, register.address, register.count)
    reply = unit.reply(Request(1, request)).pdu
    assert reply[0] == register.function_code, (register, reply)
    return reply[2:]


def unit_of(profile: Profile, at_s: float = 30.0) -> ModbusUnit:
    return profile_unit(profile, example_values(profile, 1), lambda: at_s)


@pytest.mark.parametrize("name", MODBUS_PROFILES)
def test_every_profile_has_a_value_in_every_register(name: str) -> None:
    profile = load_profile(name)
    unit = unit_of(profile)
    for register in (*profile.registers, *profile.helpers):
        data = read(unit, register)
        if register.encoding in {Encoding.F32, Encoding.F64} and register.byte_order == register.word_order == "big":
            assert math.isfinite(struct.unpack(">f" if register.encoding is Encoding.F32 else ">d", data)[0]), register
        if register.function_code in {3, 4}:
            assert len(data) == 2 * register.count
            raw = int.from_bytes(data, "big")
            absent = {code & ((1 << 8 * len(data)) - 1) for code in register.invalid}
            in_order = register.byte_order == register.word_order == "big"
            assert not in_order or raw not in absent, register


@pytest.mark.parametrize("name", MODBUS_PROFILES)
def test_every_profile_identifies_itself(name: str) -> None:
    profile = load_profile(name)
    unit = unit_of(profile)
    for entry in profile.identification:
        data = read(unit, entry.register)
        if entry.values and entry.register.count == 1:
            assert int.from_bytes(data, "big") in entry.values


def test_a_given_load_is_what_the_meter_shows() -> None:
    profile = load_profile("eastron/sdm630")
    unit = profile_unit(profile, example_values(profile, 1, constant(-1500.0)), lambda: 7200.0)
    assert struct.unpack(">f", read(unit, profile.register("active_power_total")))[0] == -1500
    assert struct.unpack(">f", read(unit, profile.register("active_energy_export_total")))[0] == pytest.approx(3.0)


def test_literal_registers_of_a_carlo_gavazzi_answer_3_and_4() -> None:
    unit = literal_unit(load_profile("carlo-gavazzi/em24-ethernet"), {4: {40: 1000, 41: 0}})
    for code in (3, 4):
        assert unit.reply(Request(1, bytes((code, 0, 40, 0, 2)))).pdu == bytes((code, 4, 0x03, 0xE8, 0, 0))


def test_literal_registers_of_an_inverter_may_be_one_model_or_the_whole_chain() -> None:
    profile = load_profile("sunspec/inverter")
    marker = Request(1, bytes((3,)) + (40000).to_bytes(2, "big") + bytes((0, 2)))
    power = Request(1, bytes((3,)) + (40000 + 70 + 14).to_bytes(2, "big") + bytes((0, 1)))
    unit = literal_unit(profile, {3: {14: 4321}})
    assert unit.reply(marker).pdu[2:] == b"SunS"
    assert unit.reply(power).pdu[2:] == (4321).to_bytes(2, "big")
    unit = literal_unit(profile, {3: {40000: 0x5375, 40001: 0x6E53}})
    assert unit.reply(marker).pdu[2:] == b"SunS"
    assert unit.reply(power).pdu == bytes((0x83, 2))


def test_a_scale_has_no_registers() -> None:
    profile = load_profile("scales/mt-sics")
    with pytest.raises(SimulatorError, match="mt_sics"):
        profile_unit(profile, example_values(profile, 1), lambda: 0.0)
