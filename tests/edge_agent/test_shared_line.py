"""Ten devices on one serial line: one silent, one slow, one with an illegal address, and seven that must not mind."""

import asyncio
import itertools
import logging
from collections import defaultdict
from pathlib import Path

import pytest

from device_profiles.profile import Encoding, Profile
from edge_agent.clock import SystemClock
from edge_agent.modbus_device import ModbusDevice
from edge_agent.modbus_line import ModbusLine
from edge_agent.sampler import Sampler
from edge_agent.samples import Sample
from edge_agent.totals import Totals
from edge_agent.transports import SerialPort
from simulators.line_pacing import LineSpeed
from simulators.modbus_server import RtuSerialServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from simulators.serial_port import PseudoTerminal
from tests.edge_agent.registers import register
from tests.scale import scaled
from wire_format.quality import Quality

log = logging.getLogger(__name__)

BAUD = 19_200
POLL_INTERVAL_S = 1.0
DURATION_S = float(scaled(12, 120))
SETTLING_S = 3.0

SILENT, SLOW, ILLEGAL = 3, 5, 8
HEALTHY = [unit_id for unit_id in range(1, 11) if unit_id not in {SILENT, SLOW, ILLEGAL}]

FAST = tuple(
    register(address, 2, quantity=f"voltage_{address}", unit="V", encoding=Encoding.S32) for address in range(0, 12, 2)
)
SLOW_ONES = tuple(
    register(address, 2, quantity=f"harmonic_{address}", unit="V", encoding=Encoding.S32, tier="slow")
    for address in range(100, 300, 2)
)
METER = Profile("maker/meter", "Maker", ("Meter",), "electricity", "modbus", "A", ("test",), (*FAST, *SLOW_ONES))
WORDS = {address: address for address in (*range(12), *range(100, 300))}


def units() -> dict[int, ModbusUnit]:
    """All answer after 3 ms, as meters on a good day; the slow one after 0.25 s; unit 3 does not exist."""
    found = {
        unit_id: ModbusUnit(LiteralRegisters({3: WORDS}), reply_delay_s=0.25 if unit_id == SLOW else 0.003)
        for unit_id in range(1, 11)
        if unit_id != SILENT
    }
    without = {address: value for address, value in WORDS.items() if address not in {4, 5}}
    found[ILLEGAL] = ModbusUnit(LiteralRegisters({3: without}), reply_delay_s=0.003)
    return found


async def sampled(path: Path) -> dict[str, list[Sample]]:
    rows: dict[str, list[Sample]] = defaultdict(list)
    clock, totals = SystemClock(), Totals()
    with PseudoTerminal(path) as terminal:
        async with RtuSerialServer(units(), terminal, LineSpeed(BAUD)):
            line = ModbusLine("rs485-1", SerialPort(str(terminal.path), BAUD), clock, timeout_s=1.0)
            sampler = Sampler(
                line.line_id,
                [ModbusDevice(f"meter-{unit_id}", unit_id, METER, line, clock, totals) for unit_id in range(1, 11)],
                clock,
                lambda sample: rows[sample.device].append(sample),
                poll_interval_s=POLL_INTERVAL_S,
                slow_interval_s=10.0,
            )
            began_ms = clock.wall_ms()
            task = asyncio.create_task(sampler.run())
            await asyncio.sleep(DURATION_S)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    settled_ms = began_ms + SETTLING_S * 1000
    return {device: [sample for sample in samples if sample.time_ms > settled_ms] for device, samples in rows.items()}


async def test_seven_devices_do_not_mind_three_bad_ones(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = await sampled(tmp_path / "rs485")
    for unit_id in HEALTHY:
        fast = [row for row in rows[f"meter-{unit_id}"] if len(row.shape) == len(FAST)]
        seconds = [row.time_ms // 1000 for row in fast]
        assert seconds == list(range(seconds[0], seconds[-1] + 1)), f"meter-{unit_id} lost a poll"
        assert len(seconds) >= DURATION_S - SETTLING_S - 1
        steps_s = [(after.time_ms - before.time_ms) / 1000 for before, after in itertools.pairwise(fast)]
        mean_s = sum(steps_s) / len(steps_s)
        log.info(
            "meter-%d: %d rows, none lost, mean %.4f s, %.3f to %.3f s",
            unit_id, len(fast), mean_s, min(steps_s), max(steps_s),
        )  # fmt: skip
        assert abs(mean_s - POLL_INTERVAL_S) < 0.1 * POLL_INTERVAL_S
        assert all(set(row.quality) == {Quality.GOOD} for row in fast)
    assert any(len(row.shape) == len(SLOW_ONES) for unit_id in HEALTHY for row in rows[f"meter-{unit_id}"])
    slow_one = [row for row in rows[f"meter-{SLOW}"] if row.answered]
    assert len(slow_one) >= DURATION_S - SETTLING_S - 2
    last = [row for row in rows[f"meter-{ILLEGAL}"] if len(row.shape) == len(FAST)][-1]
    assert [quality is Quality.GOOD for quality in last.quality] == [True, True, False, True, True, True]
    assert not any(row.answered for row in rows[f"meter-{SILENT}"])
    told = [record.getMessage() for record in caplog.records if record.name.startswith("edge_agent")]
    assert sorted(told) == [
        f"meter-{SILENT} (unit {SILENT}, line rs485-1): no reply",
        f"meter-{ILLEGAL} has no register 4 (voltage_4); it is left out",
    ]
