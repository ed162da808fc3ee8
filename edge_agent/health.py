"""How the agent itself does: readings of its own device, Prometheus metrics, and `leanmeter edge status`."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import BatcherStatistics
from edge_agent.device_watch import DeviceWatch
from edge_agent.outbox import Outbox
from edge_agent.publisher import Publisher
from edge_agent.sampler import Sampler
from edge_agent.samples import ColumnShape, Sample
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES

HEALTH_INTERVAL_S = 60.0
REQUEST_NAME = "status.request"
ANSWER_NAME = "status.json"
CLOCK_SOURCES = ("none", "visitor", "collector", "hardware", "ntp")
"""In order of trust: `clock_source` is the place in this list."""


class AgentHealth:
    """Measures on demand.

    Args:
        agent: the edge's own device.
        max_bytes: of the outbox.
        is_waiting: whether samples wait for their times.
    """

    def __init__(
        self,
        agent: str,
        clock: AgentClock,
        outbox: Outbox,
        max_bytes: int,
        publisher: Publisher,
        batches: BatcherStatistics,
        samplers: Sequence[Sampler],
        watch: DeviceWatch,
        is_waiting: Callable[[], bool],
    ) -> None:
        self.agent = agent
        self._clock = clock
        self._outbox = outbox
        self._max_bytes = max_bytes
        self._publisher = publisher
        self._batches = batches
        self._samplers = samplers
        self._watch = watch
        self._is_waiting = is_waiting
        self._started_s = clock.monotonic_s()
        self._measured_s = self._started_s
        self._busy_s = [0.0] * len(samplers)
        self._bus_use = [0.0] * len(samplers)

    def numbers(self) -> dict[str, float]:
        """Each number by its quantity; those of docs/observability.md."""
        self._measure_bus_use()
        publisher = self._publisher.statistics()
        waiting = self._outbox.unacknowledged()
        states = self._watch.devices.values()
        samplers = [sampler.statistics for sampler in self._samplers]
        found: dict[str, float | None] = {
            "uptime_s": self._clock.monotonic_s() - self._started_s,
            "broker_connected": publisher.connected,
            "outbox_bytes": self._outbox.bytes_used,
            "outbox_use_percent": 100 * self._outbox.bytes_used / self._max_bytes,
            "outbox_records": sum(map(len, waiting)),
            "outbox_oldest_age_s": self._oldest_age_s(waiting),
            "outbox_thinned_rows_total": self._outbox.report.thinned_rows,
            "outbox_write_failures_total": self._batches.write_failures,
            "undated_waiting": self._is_waiting(),
            "disk_free_bytes": _disk_free_bytes(self._outbox.directory),
            "batches_in_flight": publisher.in_flight,
            "acknowledgement_age_s": publisher.silent_for_s,
            "acknowledgement_timeouts_total": publisher.timeouts,
            "delay_p99_s": None if publisher.delay_p99_ms is None else publisher.delay_p99_ms / 1000,
            "rows_refused_total": publisher.refused_rows,
            "batches_rejected_total": publisher.rejected_batches,
            "values_sampled_total": self._batches.values_sampled,
            "devices_installed": len(self._watch.devices),
            "devices_alive": self._watch.alive(),
            "link_errors_total": sum(state.link_errors for state in states),
            "device_errors_total": sum(state.device_errors for state in states),
            "implausible_rows_total": sum(state.implausible for state in states),
            "polls_unanswered_total": sum(statistics.unanswered for statistics in samplers),
            "polls_skipped_total": sum(statistics.skipped_polls for statistics in samplers),
            "bus_use_percent": max(self._bus_use, default=0.0),
            "clock_source": CLOCK_SOURCES.index(self._clock.source),
            "clock_offset_s": self._clock.offset_ms / 1000,
            "memory_bytes": _memory_bytes(),
        }
        return {name: float(value) for name, value in found.items() if value is not None}

    def sample(self) -> Sample:
        """The same as a row of the edge's own device."""
        numbers = self.numbers()
        shape = tuple(ColumnShape(name, QUANTITIES[name].unit, QUANTITIES[name].exponent) for name in numbers)
        integers = [round(numbers[column.quantity] / 10.0**column.exponent) for column in shape]
        return Sample(self.agent, shape, round(self._clock.wall_ms()), integers, [Quality.GOOD] * len(shape))

    def status(self) -> dict[str, Any]:
        """Everything that `leanmeter edge status` shows, ready for JSON."""
        numbers = self.numbers()
        counts = self._batches.devices
        return {
            "running": True,
            "agent": self.agent,
            "clock_source": self._clock.source,
            "time_known": self._clock.is_known,
            "outbox_limit_bytes": self._max_bytes,
            "health": numbers,
            "lines": {
                sampler.line_id: {"bus_use_percent": use}
                for sampler, use in zip(self._samplers, self._bus_use, strict=True)
            },
            "devices": {
                name: {
                    **asdict(state),
                    "silent_for_s": self._watch.silent_for_s(name),
                    "values": counts[name].values if name in counts else 0,
                }
                for name, state in self._watch.devices.items()
            },
        }

    def _measure_bus_use(self) -> None:
        now_s = self._clock.monotonic_s()
        passed_s = now_s - self._measured_s
        if passed_s < 1.0:
            return
        busy_s = [sampler.statistics.busy_s for sampler in self._samplers]
        self._bus_use = [100 * (now - before) / passed_s for now, before in zip(busy_s, self._busy_s, strict=True)]
        self._busy_s, self._measured_s = busy_s, now_s

    def _oldest_age_s(self, waiting: Sequence[range]) -> float:
        records = self._outbox.read(waiting[0][:1]) if waiting else []
        return max(0.0, (self._clock.wall_ms() - records[0].first_ms) / 1000) if records else 0.0


def answer_status(data_dir: Path, health: AgentHealth) -> None:
    """Answer `leanmeter edge status` when somebody asks; raises OSError when the answer cannot be written."""
    request, answer = data_dir / REQUEST_NAME, data_dir / ANSWER_NAME
    if request.exists():
        unfinished = answer.with_suffix(".new")
        unfinished.write_text(json.dumps(health.status()), encoding="utf-8")
        unfinished.replace(answer)
        request.unlink(missing_ok=True)


def _disk_free_bytes(directory: Path) -> float | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def _memory_bytes() -> float | None:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
