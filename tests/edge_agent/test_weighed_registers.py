"""Weighings on transmitters that are read by Modbus: a real model's registers, over TCP."""

from device_profiles.configuration import configured
from device_profiles.library import load_profile
from device_profiles.profile import Encoding
from edge_agent.clock import SystemClock
from edge_agent.modbus_device import ModbusDevice
from edge_agent.modbus_line import ModbusLine
from edge_agent.samples import Sample
from edge_agent.totals import Totals
from edge_agent.transports import TcpAddress
from edge_agent.weighed_registers import WeighedTotal, weighed_totals
from edge_agent.weighing import WeighingEvent
from simulators.modbus_server import ModbusTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from tests.edge_agent.registers import register
from tests.servers.ports import LOOPBACK
from wire_format.quality import Quality

GOOD = Quality.GOOD
STABLE, NET_IS_NEGATIVE, LOAD_CELL_ERROR = 1 << 11, 1 << 8, 1 << 0
"""Status bits of a Laumas transmitter."""

TLB4 = configured(load_profile("laumas/tlb4"), {"weight_unit": "kg", "decimals": 2})


def cell(sample: Sample, quantity: str) -> tuple[float | None, Quality]:
    index = [column.quantity for column in sample.shape].index(quantity)
    integer = sample.integers[index]
    value = None if integer is None else integer * 10.0 ** sample.shape[index].exponent
    return value if value is None else round(value, 9), sample.quality[index]


class Transmitter:
    """A Laumas TLB4 with two decimals, and the driver that reads it."""

    def __init__(self, port: int, words: dict[int, int], totals: Totals) -> None:
        self._words = words
        clock = SystemClock()
        line = ModbusLine("bins", TcpAddress(LOOPBACK, port), clock, timeout_s=0.5)
        self.driver = ModbusDevice("bin-scale", 1, TLB4, line, clock, totals, weighing_threshold_kg=1.0)

    async def weigh(self, kg: float, status: int = STABLE) -> tuple[float | None, Quality]:
        hundredths = round(kg * 100)
        self._words |= {6: status, 7: hundredths >> 16, 8: hundredths & 0xFFFF, 9: hundredths >> 16}
        self._words[10] = hundredths & 0xFFFF
        return cell(await self.driver.read("fast"), "weighed_mass_total")


async def test_loads_count_once_they_stand_still_and_the_sum_outlives_a_restart() -> None:
    words = dict.fromkeys(range(32), 0)
    totals = Totals()
    async with ModbusTcpServer({1: ModbusUnit(LiteralRegisters({3: words}))}, LOOPBACK, 0) as server:
        scale = Transmitter(server.port, words, totals)
        assert await scale.weigh(0.0) == (0.0, GOOD)
        assert await scale.weigh(12.0, status=0) == (0.0, GOOD)
        assert await scale.weigh(12.34) == (12.34, GOOD)
        assert await scale.weigh(12.35) == (12.34, GOOD)
        assert await scale.weigh(0.4) == (12.34, GOOD)
        assert await scale.weigh(0.9) == (12.34, GOOD)
        assert await scale.weigh(700.0) == (712.34, GOOD)
        # A container taken off, and a transmitter that does not measure.
        assert await scale.weigh(50.0, STABLE | NET_IS_NEGATIVE) == (712.34, GOOD)
        assert await scale.weigh(50.0, STABLE | LOAD_CELL_ERROR) == (None, Quality.DEVICE_ERROR)
        scale.driver.close()
        assert [event.mass for event in totals.events if isinstance(event, WeighingEvent)] == [1234, 70_000]

        restarted = Totals()
        restarted.restore(totals.encode())
        scale = Transmitter(server.port, words, restarted)
        assert await scale.weigh(2.0) == (714.34, GOOD)
        scale.driver.close()


def test_a_transmitter_that_does_not_tell_stands_still_when_it_says_the_same_twice() -> None:
    registers = [register(0, 2, quantity="weight_gross", unit="kg", exponent=-1, encoding=Encoding.S32)]
    total = WeighedTotal("hopper", "weighed_mass_total", registers, Totals(), threshold_kg=1.0)
    found = [total.update([weight], [GOOD], 0)[0] for weight in (0, 0, 50, 120, 125, 125, 0, 0, 300, 300)]
    assert found == [0, 0, 0, 0, 0, 125, 125, 125, 125, 425]


def test_each_scale_of_a_transmitter_has_its_own_total() -> None:
    profile = load_profile("dini-argeo/dgt4x-independent")
    names = weighed_totals(profile.quantities)
    assert names == tuple(f"weighed_mass_total_ch{channel}" for channel in range(1, 5))
    totals = Totals()
    registers = [
        register(0, 2, quantity="weight_net_ch1", exponent=-2),
        register(2, 2, quantity="weight_net_ch2", exponent=-3),
        register(4, quantity="weight_stable_ch1"),
        register(5, quantity="weight_stable_ch2"),
    ]
    first, second = (WeighedTotal("bins", name, registers, totals, 0.1) for name in names[:2])
    assert first.update([500, 9000, 1, 0], [GOOD] * 4, 0) == (500, GOOD)
    assert second.update([500, 9000, 1, 0], [GOOD] * 4, 0) == (0, GOOD)


def test_gross_stands_for_a_net_weight_that_is_not_told() -> None:
    registers = [
        register(0, 2, quantity="weight_gross", exponent=0),
        register(2, 2, quantity="weight_net", exponent=-1),
        register(4, quantity="weight_stable"),
    ]
    total = WeighedTotal("hopper", "weighed_mass_total", registers, Totals(), threshold_kg=1.0)
    assert total.update([25, None, 1], [GOOD, Quality.DEVICE_ERROR, GOOD], 0) == (250, GOOD)
