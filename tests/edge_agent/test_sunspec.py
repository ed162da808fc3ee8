import pytest

from device_profiles.library import load_profile
from edge_agent.clock import SystemClock
from edge_agent.errors import UnusableReplyError
from edge_agent.modbus_line import ModbusLine
from edge_agent.sunspec import SunspecDevice, walk_device
from edge_agent.totals import Totals
from edge_agent.transports import TcpAddress
from simulators.modbus_server import ModbusTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from tests.servers.ports import LOOPBACK
from wire_format.quality import Quality

INVERTER_START = 40_000 + 2 + 68


def chain(*models: tuple[int, list[int]]) -> dict[int, int]:
    """A device's registers: the marker, models with their words, the end."""
    words = [0x5375, 0x6E53]
    for number, content in models:
        words += [number, len(content), *content]
    words += [0xFFFF, 0]
    return dict(enumerate(words, 40_000))


def inverter(power: int, power_factor_of_ten: int, energy: int) -> list[int]:
    """Model 103 from its third register on; what is not set is "not implemented"."""
    content = [0xFFFF] * 50
    for offset in (6, 13, 15, 17, 19, 21, 23, 26, 28, 30, 32, 37):
        content[offset - 2] = 0
    for offset in (18, 20, 22, 31, 33, 34, 35, 36):
        content[offset - 2] = 0x8000
    content[14 - 2] = power & 0xFFFF
    content[15 - 2] = power_factor_of_ten & 0xFFFF
    content[24 - 2], content[25 - 2] = energy >> 16, energy & 0xFFFF
    return content


async def read_words(registers: dict[int, int], address: int, count: int) -> bytes:
    return b"".join(registers.get(at, 0).to_bytes(2, "big") for at in range(address, address + count))


async def test_the_chain_is_walked_to_its_end() -> None:
    registers = chain((1, [0] * 66), (103, inverter(0, 0, 0)), (64_001, []))
    models = await walk_device(lambda address, count: read_words(registers, address, count))
    assert [(model.model, model.start, model.count) for model in models] == [
        (1, 40_002, 68),
        (103, INVERTER_START, 52),
        (64_001, INVERTER_START + 52, 2),
    ]


async def test_a_device_without_marker_is_told_so() -> None:
    with pytest.raises(UnusableReplyError, match="no SunSpec marker"):
        await walk_device(lambda address, count: read_words({}, address, count))


async def test_a_chain_without_end_is_bounded() -> None:
    registers = {40_000: 0x5375, 40_001: 0x6E53}
    with pytest.raises(UnusableReplyError, match="no end"):
        await walk_device(lambda address, count: read_words(registers, address, count))


async def test_an_inverter_behind_another_model_is_read_with_its_scale_factors() -> None:
    registers = chain((1, [0] * 66), (103, inverter(4321, 1, 70_000)))
    async with ModbusTcpServer({1: ModbusUnit(LiteralRegisters({3: registers}))}, LOOPBACK, 0) as server:
        clock = SystemClock()
        line = ModbusLine("pv", TcpAddress(LOOPBACK, server.port), clock, timeout_s=0.2)
        device = SunspecDevice("pv-inverter", 1, load_profile("sunspec/inverter"), line, clock, Totals())
        values: dict[str, tuple[float | None, Quality]] = {}
        for tier in device.tiers:
            sample = await device.read(tier)
            for column, integer, quality in zip(sample.shape, sample.integers, sample.quality, strict=True):
                value = None if integer is None else integer * 10.0**column.exponent
                values[column.quantity] = value, quality
        device.close()
    assert values["active_power_total"] == (43_210.0, Quality.GOOD)
    assert values["active_energy_export_total"] == (70.0, Quality.GOOD)
    assert values["voltage_l1_n"] == (None, Quality.DEVICE_ERROR)


def meter(power: int, imported: int) -> list[int]:
    """Model 203 from its third register on: powers of ten are 0, the rest is "not implemented"."""
    content = [0x8000] * 105
    for offset in (6, 15, 17, 22, 27, 32, 37, 54, 71, 104):
        content[offset - 2] = 0
    content[18 - 2] = power & 0xFFFF
    content[46 - 2], content[47 - 2] = imported >> 16, imported & 0xFFFF
    return content


async def test_an_inverter_and_two_meters_behind_it_share_a_unit() -> None:
    chained = chain(
        (1, [0] * 66), (103, inverter(4321, 0, 0)), (1, [0] * 66), (203, meter(-4000, 7)), (203, meter(250, 81_000))
    )
    read: dict[tuple[str, int], tuple[int | None, int | None]] = {}
    async with ModbusTcpServer({1: ModbusUnit(LiteralRegisters({3: chained}))}, LOOPBACK, 0) as server:
        clock = SystemClock()
        line = ModbusLine("pv", TcpAddress(LOOPBACK, server.port), clock, timeout_s=0.2)
        for profile_id, block in (("sunspec/inverter", 1), ("sunspec/meter", 1), ("sunspec/meter", 2)):
            device = SunspecDevice("one", 1, load_profile(profile_id), line, clock, Totals(), block=block)
            sample = await device.read("fast")
            integers = {column.quantity: integer for column, integer in zip(sample.shape, sample.integers, strict=True)}
            read[profile_id, block] = integers["active_power_total"], integers.get("active_energy_import_total")
        device = SunspecDevice("one", 1, load_profile("sunspec/meter"), line, clock, Totals(), block=3)
        third = await device.read("fast")
        line.close()
    assert read == {
        ("sunspec/inverter", 1): (43_210, None),
        ("sunspec/meter", 1): (-40_000, 7),
        ("sunspec/meter", 2): (2_500, 81_000),
    }
    assert not third.answered


async def test_a_device_that_is_no_inverter_is_missing_and_told(caplog: pytest.LogCaptureFixture) -> None:
    registers = chain((1, [0] * 66), (203, [0] * 105))
    async with ModbusTcpServer({1: ModbusUnit(LiteralRegisters({3: registers}))}, LOOPBACK, 0) as server:
        clock = SystemClock()
        line = ModbusLine("pv", TcpAddress(LOOPBACK, server.port), clock, timeout_s=0.2)
        device = SunspecDevice("pv-inverter", 1, load_profile("sunspec/inverter"), line, clock, Totals())
        sample = await device.read("fast")
        device.close()
    assert set(sample.quality) == {Quality.LINK_ERROR}
    assert not sample.answered
    assert "has SunSpec models 1, 203; profile sunspec/inverter covers none of them" in caplog.text


async def test_looking_for_the_model_takes_no_longer_than_the_sampler_has() -> None:
    async with ModbusTcpServer({2: ModbusUnit(LiteralRegisters({3: {}}))}, LOOPBACK, 0) as server:
        clock = SystemClock()
        line = ModbusLine("pv", TcpAddress(LOOPBACK, server.port), clock, timeout_s=20)
        device = SunspecDevice("pv-inverter", 1, load_profile("sunspec/inverter"), line, clock, Totals())
        began_s = clock.monotonic_s()
        assert not (await device.read("fast", 0.1)).answered
        assert clock.monotonic_s() - began_s < 10
        device.close()
