from collections.abc import Sequence
from pathlib import Path

import pytest

from collector.series_limits import SeriesLimits
from store.edge_ledger import EdgeLedger
from store.server_file import LimitsSection
from tests.store.rows import START_MS, column, powers, rows
from wire_format.batch import DeviceRows
from wire_format.events import Event
from wire_format.topics import EdgeAddress

EDGE = EdgeAddress("bakery", "edge-1")


async def opened(ledger: EdgeLedger, **limits: int) -> SeriesLimits:
    return SeriesLimits(LimitsSection.model_validate(limits), ledger, await ledger.series())


def named(accepted: Sequence[DeviceRows]) -> list[tuple[str, list[str]]]:
    return [(given.device, [one.quantity for one in given.columns]) for given in accepted]


async def test_what_was_there_goes_on_and_what_is_too_much_is_refused(tmp_path: Path) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    limits = await opened(ledger, devices_per_edge=2)
    given = [powers("oven", {0: 1}), powers("mixer", {0: 2, 1: 3}), powers("fridge", {0: 4, 1: 5})]
    for _ in range(2):
        admitted = await limits.admit(EDGE, given)
        accepted, refused = admitted.accepted, admitted.refused
        assert [one.device for one in accepted] == ["oven", "mixer"]
        assert [(one.device, one.time_ms) for one in refused] == [("fridge", START_MS), ("fridge", START_MS + 1000)]
        assert "devices_per_edge" in refused[0].reason
    # Another edge has bounds of its own, and a restart forgets nothing.
    assert (await limits.admit(EdgeAddress("bakery", "b"), given[2:])).refused == ()
    again = await opened(ledger, devices_per_edge=2)
    admitted = await again.admit(EDGE, given[::-1])
    assert sorted(one.device for one in admitted.accepted) == ["mixer", "oven"]
    await ledger.close()


async def test_events_count_as_series_too(tmp_path: Path) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    limits = await opened(ledger, devices_per_edge=1, quantities_per_device=2)
    happened = [Event("oven", "counter_reset", START_MS, "energy"), Event("oven", "counter_reset", START_MS, "volume")]
    strange = [Event("oven", "a_third", START_MS + 1), Event("mixer", "counter_reset", START_MS + 2)]
    for _ in range(2):
        admitted = await limits.admit_events(EDGE, [*happened, *strange])
        assert admitted.accepted == happened
        assert [row.time_ms for row in admitted.refused] == [START_MS + 1, START_MS + 2]
    await ledger.close()


@pytest.mark.parametrize(
    ("limit", "reason"), [({"quantities_per_device": 2}, "quantities_per_device"), ({"series_per_edge": 2}, "series")]
)
async def test_a_quantity_too_many_costs_its_column_only(tmp_path: Path, limit: dict[str, int], reason: str) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    limits = await opened(ledger, **limit)
    given = rows("oven", [START_MS], column("a", 1), column("b", 2), column("c", 3))
    admitted = await limits.admit(EDGE, [given])
    assert named(admitted.accepted) == [("oven", ["a", "b"])]
    assert named(admitted.beyond) == [("oven", ["c"])]
    assert [one.time_ms for one in admitted.refused] == [START_MS]
    assert reason in admitted.refused[0].reason
    assert await ledger.series() == {EDGE: {"oven": {"a", "b"}}}
    await ledger.close()
