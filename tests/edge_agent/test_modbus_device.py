"""A device read over TCP from a simulated unit: whole cycles, with what goes wrong in the field."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from device_profiles.profile import Encoding, Identification, Profile, Register
from edge_agent.clock import SystemClock
from edge_agent.doubts import FROZEN_AFTER_S
from edge_agent.modbus_device import PROBE_MINIMUM_S, ModbusDevice
from edge_agent.modbus_line import ModbusLine
from edge_agent.samples import Sample
from edge_agent.totals import Totals
from edge_agent.transports import TcpAddress
from simulators.faults import Reply, Request
from simulators.modbus_server import ModbusTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from tests.edge_agent.registers import register
from tests.servers.ports import LOOPBACK
from wire_format.events import Event
from wire_format.quality import Quality

TIMEOUT_S = 0.1


class ShiftedClock(SystemClock):
    """The system's clock, which a test may move on."""

    shift_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.shift_s

    def wall_ms(self) -> float:
        return super().wall_ms() + self.shift_s * 1000


class OnRequest:
    """Changes the replies to requests for one address."""

    def __init__(self, address: int, change: Callable[[Reply], Reply]) -> None:
        self._address = address
        self._change = change
        self.active = True

    def apply(self, request: Request, reply: Reply) -> Reply:
        return self._change(reply) if self.active and request.address == self._address else reply


class Ignores:
    """Says nothing to a request that reaches an address, instead of refusing it."""

    def __init__(self, address: int) -> None:
        self._address = address
        self.ignored = 0

    def apply(self, request: Request, reply: Reply) -> Reply:
        first, count = request.address or 0, request.count or 0
        if not first <= self._address < first + count:
            return reply
        self.ignored += 1
        return replace(reply, silent=True)


def silent(reply: Reply) -> Reply:
    return replace(reply, silent=True)


def exception(code: int) -> Callable[[Reply], Reply]:
    return lambda reply: replace(reply, pdu=bytes((reply.pdu[0] | 0x80, code)))


def meter_profile(*registers: Register, helpers: tuple[Register, ...] = ()) -> Profile:
    return Profile("maker/meter", "Maker", ("Meter",), "electricity", "modbus", "A", ("test",), registers, helpers)


# Two requests, since the addresses lie far apart.
VOLTAGE = register(0, quantity="voltage_l1_n", unit="V", exponent=-1, scale=0.1)
CURRENT = register(1, quantity="current_l1", unit="A", exponent=-2, scale=0.01)
POWER = register(500, 2, quantity="active_power_total", unit="W", encoding=Encoding.S32)
ENERGY = register(502, 2, quantity="active_energy_import_total", unit="kWh", exponent=-2, scale=0.01)
FREQUENCY = register(900, quantity="frequency", unit="Hz", exponent=-2, scale=0.01, tier="slow")
WORDS = {0: 2301, 1: 512, 500: 0xFFFF, 501: 0xFFFE, 502: 1, 503: 2, 900: 5001}
VALUES = {"voltage_l1_n": 2301, "current_l1": 512, "active_power_total": -2, "active_energy_import_total": 65538}


class Bench:
    """A device and the unit that it reads."""

    def __init__(
        self, device: ModbusDevice, words: dict[int, int], unit: ModbusUnit, clock: ShiftedClock, totals: Totals
    ) -> None:
        self.device = device
        self.totals = totals
        self.words = words
        self.unit = unit
        self.clock = clock

    async def read(self) -> dict[str, int | Quality]:
        """The integer of each quantity, or the quality of a missing one."""
        return cells(await self.device.read("fast"))


def cells(sample: Sample) -> dict[str, int | Quality]:
    return {
        column.quantity: quality if integer is None else integer
        for column, integer, quality in zip(sample.shape, sample.integers, sample.quality, strict=True)
    }


@asynccontextmanager
async def bench(
    *faults: OnRequest | Ignores,
    profile: Profile | None = None,
    words: dict[int, int] | None = None,
    frozen_after_s: float = FROZEN_AFTER_S,
) -> AsyncIterator[Bench]:
    words = dict(WORDS) if words is None else words
    unit = ModbusUnit(LiteralRegisters({3: words}), faults=faults)
    async with ModbusTcpServer({1: unit}, LOOPBACK, 0) as server:
        clock = ShiftedClock()
        line = ModbusLine("main", TcpAddress(LOOPBACK, server.port), clock, timeout_s=TIMEOUT_S)
        profile = profile or meter_profile(VOLTAGE, CURRENT, POWER, ENERGY, FREQUENCY)
        totals = Totals()
        device = ModbusDevice("main-meter", 1, profile, line, clock, totals, frozen_after_s=frozen_after_s)
        try:
            yield Bench(device, words, unit, clock, totals)
        finally:
            device.close()


async def test_a_cycle_reads_all_quantities_of_its_tier() -> None:
    async with bench() as meter:
        before_ms = meter.clock.wall_ms()
        sample = await meter.device.read("fast")
        assert cells(sample) == VALUES
        assert before_ms - 1 <= sample.time_ms <= meter.clock.wall_ms() + 1
        assert set(sample.quality) == {Quality.GOOD}
        assert meter.unit.requests == 2
        assert cells(await meter.device.read("slow")) == {"frequency": 5001}


async def test_a_device_that_is_not_believed_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    words = dict(WORDS)
    async with bench(words=words, frozen_after_s=0.0) as meter:
        await meter.read()
        # 10 kW move a total that counted 0.01 kWh; in the hour that passes it should count more.
        words |= {500: 0, 501: 10_000, 503: 3}
        assert await meter.read() == VALUES | {"active_power_total": 10_000, "active_energy_import_total": 65539}
        meter.clock.shift_s += 3600
        seen = [await meter.read() for _ in range(6)]
        assert set(seen[-1].values()) == {Quality.DEVICE_ERROR}
        words[503] = 4
        assert (await meter.read())["active_energy_import_total"] == 65540
    doubted = [event for event in meter.totals.events if isinstance(event, Event)]
    assert [(event.kind, event.device, event.subject) for event in doubted] == [
        ("device_doubted", "main-meter", "frozen")
    ]
    assert [record.getMessage() for record in caplog.records if "last bit" in record.getMessage()] == [
        (
            "main-meter (unit 1, line main): repeats itself to the last bit, so it has ceased to measure; "
            "switch it off and on"
        )
    ]


async def test_the_time_is_the_middle_of_the_transaction() -> None:
    async with bench(OnRequest(500, lambda reply: replace(reply, delay_s=0.08))) as meter:
        await meter.read()
        before_ms = meter.clock.wall_ms()
        sample = await meter.device.read("fast")
        after_ms = meter.clock.wall_ms()
        assert abs(sample.time_ms - (before_ms + after_ms) / 2) < 10


async def test_a_block_that_fails_costs_its_own_cells_only() -> None:
    async with bench(OnRequest(500, exception(4))) as meter:
        found = await meter.read()
        assert found == VALUES | {
            "active_power_total": Quality.DEVICE_ERROR,
            "active_energy_import_total": Quality.DEVICE_ERROR,
        }


async def test_a_silent_device_costs_one_timeout_a_cycle() -> None:
    async with bench(OnRequest(0, silent), OnRequest(500, silent)) as meter:
        sample = await meter.device.read("fast")
        assert set(cells(sample).values()) == {Quality.LINK_ERROR}
        assert not sample.answered
        assert meter.unit.requests == 1


async def test_a_device_that_stops_answering_within_a_cycle_keeps_what_it_said() -> None:
    async with bench(OnRequest(500, silent)) as meter:
        sample = await meter.device.read("fast")
        assert cells(sample)["voltage_l1_n"] == 2301
        assert cells(sample)["active_power_total"] is Quality.LINK_ERROR
        assert sample.answered


VOLTAGES = [register(address, quantity=f"voltage_{address}", unit="V") for address in range(8)]


async def read_until(meter: Bench, fault: Ignores, expected: dict[str, int | Quality], most: int) -> None:
    """Read until the device is read like that, of each cycle no more than one request in vain."""
    found: dict[str, int | Quality] = {}
    for _ in range(most):
        before = fault.ignored
        found = await meter.read()
        if found == expected:
            return
        assert fault.ignored - before <= 1
    assert found == expected, f"not within {most} cycles"


async def test_what_a_device_says_nothing_to_is_found_and_left_out_as_what_it_refuses() -> None:
    expected: dict[str, int | Quality] = {f"voltage_{address}": address for address in range(8)}
    expected |= {"voltage_5": Quality.DEVICE_ERROR, "frequency": 5001}
    words = {address: address for address in range(8)} | {900: 5001}
    fault = Ignores(5)
    async with bench(fault, profile=meter_profile(*VOLTAGES, replace(FREQUENCY, tier="fast")), words=words) as meter:
        first = await meter.read()
        assert set(first.values()) == {Quality.LINK_ERROR}
        await read_until(meter, fault, expected, most=30)
        for _ in range(3):
            assert await meter.read() == expected


async def test_a_device_with_one_request_that_it_says_nothing_to_is_still_found() -> None:
    expected: dict[str, int | Quality] = {f"voltage_{address}": address for address in range(8)}
    expected |= {"voltage_0": Quality.DEVICE_ERROR}
    words = {address: address for address in range(8)}
    fault = Ignores(0)
    async with bench(fault, profile=meter_profile(*VOLTAGES), words=words) as meter:
        assert set((await meter.read()).values()) == {Quality.LINK_ERROR}
        await read_until(meter, fault, expected, most=40)


async def test_a_device_that_comes_back_is_read_as_before_whatever_it_is_asked_first() -> None:
    faults = [OnRequest(address, silent) for address in range(8)]
    words = {address: address for address in range(8)}
    async with bench(*faults, profile=meter_profile(*VOLTAGES), words=words) as meter:
        for silences in range(1, 7):
            for fault in faults:
                fault.active = True
            for _ in range(silences):
                await meter.read()
            for fault in faults:
                fault.active = False
            assert (await meter.read())["voltage_7"] == 7
            assert [request.count for request in meter.device.requests("fast")] == [8]


async def test_a_request_that_is_not_answered_once_in_a_while_stays_whole() -> None:
    fault = OnRequest(500, silent)
    async with bench(fault) as meter:
        for _ in range(6):
            fault.active = True
            await meter.read()
            await meter.read()
            fault.active = False
            assert await meter.read() == VALUES
        assert [request.count for request in meter.device.requests("fast")] == [2, 4]


async def test_a_serial_number_that_is_not_told_costs_nothing_else() -> None:
    serial_number = Identification(register(800, 2, quantity="serial_number"))
    profile = replace(meter_profile(VOLTAGE, ENERGY), identification=(serial_number,))
    async with bench(Ignores(800), profile=profile, words=dict(WORDS) | {800: 1, 801: 2}) as meter:
        for _ in range(5):
            assert (await meter.read())["voltage_l1_n"] == 2301
        assert meter.unit.requests == 5 * 2 + 3


async def test_a_gateway_that_speaks_for_a_silent_device_is_a_link_error() -> None:
    async with bench(OnRequest(0, exception(11))) as meter:
        sample = await meter.device.read("fast")
        assert set(cells(sample).values()) == {Quality.LINK_ERROR}
        assert not sample.answered


async def test_a_register_that_the_device_lacks_is_found_and_left_out() -> None:
    registers = [register(address, quantity=f"voltage_{address}", unit="V") for address in range(8)]
    words = {address: address for address in range(8) if address != 5}
    async with bench(profile=meter_profile(*registers), words=words) as meter:
        for _ in range(5):
            found = await meter.read()
        assert found == {f"voltage_{address}": address for address in range(8) if address != 5} | {
            "voltage_5": Quality.DEVICE_ERROR
        }
        before = meter.unit.requests
        await meter.read()
        assert meter.unit.requests - before == 2


async def test_a_register_left_out_is_tried_again_after_a_while() -> None:
    registers = [register(address, quantity=f"voltage_{address}", unit="V") for address in range(4)]
    words = dict.fromkeys((0, 1, 3), 7)
    async with bench(profile=meter_profile(*registers), words=words) as meter:
        for _ in range(5):
            await meter.read()
        meter.words[2] = 9
        assert (await meter.read())["voltage_2"] is Quality.DEVICE_ERROR
        meter.clock.shift_s = PROBE_MINIMUM_S + 1
        await meter.read()
        assert (await meter.read())["voltage_2"] == 9


async def test_a_total_that_reads_zero_once_is_no_reset() -> None:
    async with bench() as meter:
        await meter.read()
        meter.words.update({502: 0, 503: 0})
        assert (await meter.read())["active_energy_import_total"] is Quality.DEVICE_ERROR
        meter.words.update({502: 1, 503: 3})
        assert (await meter.read())["active_energy_import_total"] == 65539


async def test_a_scale_factor_is_read_with_its_value() -> None:
    scaled = register(0, quantity="active_power_total", unit="W", exponent=-1, scale_factor="W_SF")
    helper = register(1, quantity="W_SF", unit="1", encoding=Encoding.S16)
    profile = meter_profile(scaled, helpers=(helper,))
    async with bench(profile=profile, words={0: 1234, 1: 1}) as meter:
        assert (await meter.read())["active_power_total"] == 123_400


async def test_a_problem_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    fault = OnRequest(0, silent)
    async with bench(fault) as meter:
        with caplog.at_level("INFO"):
            for _ in range(4):
                await meter.read()
            fault.active = False
            await meter.read()
            await meter.read()
    told = [record.message for record in caplog.records if "main-meter" in record.message]
    assert told == ["main-meter (unit 1, line main): no reply", "main-meter (unit 1, line main) answers"]


async def test_a_meter_without_a_total_gets_an_estimated_one() -> None:
    async with bench(profile=meter_profile(VOLTAGE, POWER), words={0: 2301, 500: 0, 501: 36_000}) as meter:
        first = await meter.device.read("fast")
        assert cells(first)["active_energy_import_total"] == 0
        await asyncio.sleep(0.2)
        second = await meter.device.read("fast")
    # 36 kW are 10 Wh a second.
    expected_wh = 10 * (second.time_ms - first.time_ms) / 1000
    wh = cells(second)["active_energy_import_total"]
    assert isinstance(wh, int)
    assert abs(wh - expected_wh) <= 1
    assert cells(second)["active_energy_export_total"] == 0
    assert second.quality[2:] == [Quality.ESTIMATED, Quality.ESTIMATED]


async def test_the_serial_number_is_read_once_and_after_silence() -> None:
    serial_number = Identification(register(800, 2, quantity="serial_number"))
    profile = replace(meter_profile(VOLTAGE, ENERGY), identification=(serial_number,))
    words = dict(WORDS) | {800: 0x1234, 801: 0x5678}
    fault = OnRequest(0, silent)
    fault.active = False
    async with bench(fault, profile=profile, words=words) as meter:
        for _ in range(3):
            await meter.read()
        assert meter.unit.requests == 1 + 3 * 2
        fault.active = True
        await meter.read()
        fault.active = False
        # Another meter was put in its place, whose total is a little higher.
        words.update({801: 0x5679, 503: 50})
        assert (await meter.read())["active_energy_import_total"] == VALUES["active_energy_import_total"]
        words.update({503: 51})
        assert (await meter.read())["active_energy_import_total"] == VALUES["active_energy_import_total"] + 1


async def test_coils_are_read_as_bits() -> None:
    # A status bit in front of a word that is read by another function code.
    state = register(3, 1, 1, quantity="operating_state", unit="1")
    unit = ModbusUnit(LiteralRegisters({1: {2: 0, 3: 1, 4: 0}, 3: dict(WORDS)}))
    async with ModbusTcpServer({1: unit}, LOOPBACK, 0) as server:
        line = ModbusLine("main", TcpAddress(LOOPBACK, server.port), SystemClock(), timeout_s=TIMEOUT_S)
        device = ModbusDevice("main-meter", 1, meter_profile(state, VOLTAGE), line, SystemClock(), Totals())
        assert cells(await device.read("fast")) == {"operating_state": 1, "voltage_l1_n": 2301}
        device.close()


async def test_steps_of_a_reading_leave_the_line_to_others_in_between() -> None:
    async with bench() as meter:
        reading = meter.device.begin("fast")
        assert await reading.step() is None
        assert cells(await meter.device.read("slow")) == {"frequency": 5001}
        sample = await reading.step()
        assert sample is not None
        assert cells(sample) == VALUES
