from pathlib import Path

from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import BatcherStatistics
from edge_agent.device_watch import DeviceWatch
from edge_agent.health import AgentHealth
from edge_agent.outbox import Outbox
from edge_agent.publisher import Publisher
from edge_agent.sampler import Sampler
from edge_agent.samples import ColumnShape, Sample, missing_sample
from site_config.schema import MqttSettings
from tests.edge_agent.clocks import ManualClock
from tests.edge_agent.outbox_helpers import rows
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES
from wire_format.topics import EdgeAddress

SHAPE = (ColumnShape("active_power_total", "W", 0), ColumnShape("frequency", "Hz", 0))
START_MS = 1_795_000_000_000.0
DOCUMENT = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")


def sample(*quality: Quality) -> Sample:
    return Sample("oven", SHAPE, 0, (1, 2), quality)


def test_a_device_is_silent_since_it_was_last_heard_and_its_errors_are_told_apart() -> None:
    clock = ManualClock()
    watch = DeviceWatch(clock, ["oven", "mixer"])
    watch.look(sample(Quality.GOOD, Quality.GOOD))
    clock.advance(5)
    watch.look(sample(Quality.DEVICE_ERROR, Quality.OUT_OF_RANGE))
    assert (watch.alive(), watch.silent_for_s("oven"), watch.silent_for_s("mixer")) == (1, 0.0, None)
    clock.advance(7)
    watch.look(missing_sample("oven", SHAPE, 0, Quality.LINK_ERROR))
    watch.look(missing_sample("agent-edge-1", SHAPE, 0, Quality.LINK_ERROR))
    state = watch.devices["oven"]
    assert (watch.alive(), watch.silent_for_s("oven")) == (0, 7.0)
    assert (state.link_errors, state.device_errors, state.implausible) == (1, 1, 1)


def test_health_is_a_row_of_known_quantities_that_the_document_explains(tmp_path: Path) -> None:
    system = ManualClock(START_MS)
    clock = AgentClock(system, lambda: "ntp", lambda: "boot-1")
    with Outbox.open(tmp_path, max_bytes=1_000_000) as outbox:
        publisher = Publisher(outbox, EdgeAddress("bakery", "edge-1"), MqttSettings(), run_id="00" * 8)
        sampler = Sampler("rs485", [], clock, lambda _: None, poll_interval_s=1, slow_interval_s=10)
        watch = DeviceWatch(clock, ["oven"])
        health = AgentHealth(
            *("agent-edge-1", clock, outbox, 1_000_000, publisher, BatcherStatistics(), [sampler], watch),
            lambda: False,
        )
        outbox.append(rows(round(START_MS / 1000)), "ntp", b"")
        system.advance(40)
        sampler.statistics.busy_s = 10
        numbers = health.numbers()
        told = health.sample()
    assert numbers["outbox_oldest_age_s"] == 40
    assert (numbers["outbox_records"], numbers["bus_use_percent"], numbers["clock_source"]) == (1, 25, 4)
    assert (numbers["devices_installed"], numbers["devices_alive"], numbers["uptime_s"]) == (1, 0, 40)
    assert told.time_ms == clock.wall_ms()
    assert [column.quantity for column in told.shape] == list(numbers)
    for column in told.shape:
        known = QUANTITIES[column.quantity]
        assert (known.unit, known.exponent) == (column.unit, column.exponent)
        assert f"`{column.quantity}`" in DOCUMENT
