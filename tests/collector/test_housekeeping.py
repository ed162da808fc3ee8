from pathlib import Path

from collector.housekeeping import mark_recomputations
from store.entities import Entities
from store.schema import INTERVAL_MS
from store.sqlite_readings import SqliteReadings
from tests.store.rows import START_MS, powers
from tests.store.test_entities import site


async def test_changed_assignments_mark_what_their_devices_have_readings_of(tmp_path: Path) -> None:
    entities = Entities(tmp_path / "entities.sqlite")
    readings = SqliteReadings(tmp_path / "readings.sqlite")
    await entities.import_site(site(), "ana")
    energies = powers("oven-meter", {0: 10, 3000: 20}, "active_energy_import_total")
    await readings.write("bakery", [energies, powers("other", {0: 10}, "active_energy_import_total")])
    await mark_recomputations(entities, readings)
    first = START_MS - START_MS % INTERVAL_MS
    last = START_MS + 3_000_000
    last -= last % INTERVAL_MS
    marks = [(mark.device, mark.interval_start_ms) for mark in await entities.dirty(100)]
    assert marks == [("oven-meter", start) for start in range(last, first - 1, -INTERVAL_MS)]
    assert len(marks) >= 4
    assert await entities.recomputations() == ()
    await entities.close()
    await readings.close()
