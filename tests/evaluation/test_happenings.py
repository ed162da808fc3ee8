"""Intervals without mains, and intervals between readings that a full outbox has thinned."""

import pytest

from tests.evaluation.memory_store import MemoryStore
from tests.evaluation.test_evaluator import OVEN_METER, START_MS, evaluator, put
from wire_format.events import Event, EventKind

INTERVAL_MS = 900_000
SITE = "bakery"


def outage(device: str, first_minute: float, last_minute: float | None, subject: str = "voltage") -> Event:
    numbers = {} if last_minute is None else {"until_ms": START_MS + last_minute * 60_000}
    return Event(device, EventKind.OUTAGE, START_MS + round(first_minute * 60_000), subject, "", numbers)


async def qualities(store: MemoryStore, *readings: tuple[float, float]) -> list[str]:
    """Of the oven's intervals of an hour and a half, after readings (minute, kWh)."""
    marks = {put(store, "oven-meter", minute, value) for minute, value in readings}
    await evaluator(store, OVEN_METER).evaluate({"oven-meter": marks})
    rows = [row for row in store.interval_rows.values() if row.point == "oven"]
    return [row.quality for row in sorted(rows, key=lambda row: row.start_ms)]


STEADY = [(float(minute), minute * 0.1) for minute in range(91)]
CUT_OFF = [(minute, value) for minute, value in STEADY if minute <= 20]
BACK_AT_70 = [(float(minute), 2.01 + (minute - 70) * 0.1) for minute in range(70, 91)]
"""After fifty minutes in which it has counted next to nothing."""


@pytest.mark.parametrize(
    ("device", "subject"), [("oven-meter", "voltage"), ("agent-edge-1", "voltage"), ("agent-edge-1", "agent")]
)
async def test_intervals_without_mains_are_neither_idle_nor_a_gap(device: str, subject: str) -> None:
    store = MemoryStore()
    store.happened[SITE] = [outage(device, 20, 70, subject)]
    found = await qualities(store, *CUT_OFF, *BACK_AT_70)
    assert found == ["measured", "outage", "outage", "outage", "outage", "measured"]


async def test_an_outage_of_another_device_or_time_changes_nothing() -> None:
    store = MemoryStore()
    store.happened[SITE] = [
        outage("mixer-meter", 20, 70),
        outage("oven-meter", -60, -5),
        outage("oven-meter", 100, 120),
    ]
    assert await qualities(store, *STEADY) == ["measured"] * 6


async def test_a_moment_without_mains_spoils_no_interval() -> None:
    store = MemoryStore()
    store.happened[SITE] = [outage("oven-meter", 20, 21)]
    assert await qualities(store, *STEADY) == ["measured"] * 6


async def test_an_outage_goes_on_until_its_end_is_told() -> None:
    store = MemoryStore()
    store.happened[SITE] = [outage("oven-meter", 20, None)]
    assert await qualities(store, *STEADY) == ["measured", *["outage"] * 5]


async def test_an_agent_whose_plug_was_pulled_is_no_outage_when_the_meter_has_counted_on() -> None:
    store = MemoryStore()
    store.happened[SITE] = [outage("agent-edge-1", 20, 70, "agent")]
    assert (await qualities(store, *STEADY[:16]))[0] == "measured"
    found = await qualities(store, *STEADY[16:21], *STEADY[70:])
    assert "outage" not in found


async def test_interpolated_intervals_between_thinned_rows_are_thinned() -> None:
    store = MemoryStore()
    store.happened[SITE] = [
        Event(
            "oven-meter", EventKind.ROWS_THINNED, START_MS + 15 * 60_000, numbers={"until_ms": START_MS + 2_700_000.0}
        )
    ]
    thin = [(minute, value) for minute, value in STEADY if minute <= 15 or minute in {30, 45} or minute >= 60]
    found = await qualities(store, *thin)
    assert found == ["measured", "thinned", "thinned", "thinned", "measured", "measured"]
