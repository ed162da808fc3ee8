"""Backups are made while everything runs, and what is restored is equal, value by value."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.quarantine import Quarantine
from evaluation.worker import run as run_evaluation
from store.backup import MANIFEST, READINGS, _copy_sqlite, back_up, restore
from store.entities import Entities
from store.factory import open_readings
from store.protocol import IntervalRow, OperatedReadingStore, StoreConfigurationError
from store.schema import INTERVAL_MS
from store.server_file import ServerFile
from store.settings import StoreSettings
from store.sqlite_readings import SqliteReadings
from tests.servers.influxdb import InfluxDB
from tests.servers.processes import Processes
from tests.store.rows import START_MS, column, powers, rows
from tests.visit.bakery import SITE, Bakery
from wire_format.batch import BatchId
from wire_format.events import Event
from wire_format.quality import Quality

NAMES = ("active_power_total", "frequency")


@pytest.fixture
async def empty(
    settings: StoreSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[StoreSettings]:
    """A second store of the same kind."""
    if settings.influx is None:
        yield StoreSettings.model_validate({"sqlite": tmp_path / "restored" / "readings.sqlite"})
        return
    server: InfluxDB = request.getfixturevalue("influxdb")
    bucket_id = server.create_bucket(f"{settings.influx.bucket}-restored")
    yield settings.model_copy(
        update={"influx": settings.influx.model_copy(update={"bucket": f"{settings.influx.bucket}-restored"})}
    )
    server.delete_bucket(bucket_id)


async def fill(store: OperatedReadingStore) -> None:
    for hour in range(0, 60, 7):
        start_ms = START_MS + hour * 3_600_000
        times = [start_ms + 1000 * n for n in range(50)]
        values = [7 * n if n % 5 else None for n in range(50)]
        marks = [Quality.GOOD if n % 5 else Quality.LINK_ERROR for n in range(50)]
        one = column(NAMES[0], *values, exponent=-3, quality=marks)
        await store.write("bakery", [rows("oven", times, one, column(NAMES[1], *range(50)))])
        await store.write("laundry", [rows("press", times, column(NAMES[0], *[3 * n for n in range(50)], exponent=17))])
    event = Event("oven", "counter_reset", START_MS, NAMES[0], 'said "no",\nwent = away\\', {"before": 0.1 + 0.2})
    await store.write_events("bakery", [event, Event("agent-edge-1", "outage", START_MS + 1)])
    interval = IntervalRow(
        "bakery", "oven", START_MS - START_MS % INTERVAL_MS, 1 / 3, 4 / 3, 0.5, "partial", "electricity"
    )
    await store.write_intervals([interval])
    await store.write_days(
        [IntervalRow("bakery", "oven", START_MS, 2.0, None, 1.0, "measured", "electricity", month="2026-11")]
    )


async def everything(store: OperatedReadingStore) -> list[Any]:
    end_ms = START_MS + 100 * 3_600_000
    found: list[Any] = []
    for site, device in (("bakery", "oven"), ("laundry", "press")):
        for name in NAMES:
            found.append(await store.readings(site, device, name, 0, end_ms))
            found.append(await store.qualities(site, device, name, 0, end_ms))
    found += [await store.events("bakery", 0, end_ms), await store.intervals("bakery", 0, end_ms)]
    return [*found, await store.days("bakery", 0, end_ms), await store.count("laundry")]


def tables(path: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608  # of the file itself
    connection.close()
    return found


async def test_what_is_restored_is_equal_value_by_value(
    settings: StoreSettings, empty: StoreSettings, store: OperatedReadingStore, tmp_path: Path
) -> None:
    await fill(store)
    path = tmp_path / "entities.sqlite"
    entities, quarantine = Entities(path), Quarantine(path)
    await entities.mark_dirty("bakery", [("oven", START_MS - START_MS % INTERVAL_MS)])
    await quarantine.keep_payload(
        "leanmeter/v1/bakery/edge-1/batch", BatchId("00112233445566ff", 1), b"\x00\xff", "no batch"
    )

    expected = await everything(store)
    await back_up(settings, path, tmp_path / "backup")
    # What comes after it is not in it.
    await store.write("bakery", [powers("oven", {200_000: 1})])
    restored = tmp_path / "restored" / "entities.sqlite"
    await restore(empty, restored, tmp_path / "backup")

    opened = open_readings(empty)
    assert await everything(opened) == expected != await everything(store)
    await opened.close()
    before, after = tables(path), tables(restored)
    for either in (before, after):
        del either["lease"], either["migration"]
    assert after == before
    await entities.close()
    await quarantine.close()


async def test_what_is_evaluated_while_a_backup_is_made_is_marked_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals come into the store after its readings were copied: the backup must not think that it has them."""
    bakery = Bakery(tmp_path)
    await bakery.declare()
    await bakery.fill(hours=6)
    evaluation = ServerFile.model_validate(bakery.storage)

    def copy_and_evaluate(source: Path, target: Path) -> None:
        _copy_sqlite(source, target)
        if target.name == READINGS:
            asyncio.run(run_evaluation(evaluation, asyncio.Event(), once=True))

    monkeypatch.setattr("store.backup._copy_sqlite", copy_and_evaluate)
    await back_up(evaluation.store, evaluation.entities, tmp_path / "backup")
    expected = await bakery.readings.intervals(SITE, 0, bakery.now_ms + 1)
    assert expected
    await bakery.close()

    folder = tmp_path / "restored"
    new = ServerFile.model_validate({"store": {"sqlite": folder / "r.sqlite"}, "entities": folder / "e.sqlite"})
    await restore(new.store, new.entities, tmp_path / "backup")
    await run_evaluation(new, asyncio.Event(), once=True)
    readings = SqliteReadings(folder / "r.sqlite")
    assert await readings.intervals(SITE, 0, bakery.now_ms + 1) == expected
    await readings.close()


async def test_one_command_each_and_one_line_for_a_mistake(tmp_path: Path, processes: Processes) -> None:
    bakery = Bakery(tmp_path)
    await bakery.declare()
    await bakery.fill(hours=1)
    config, other = tmp_path / "server.yaml", tmp_path / "other.yaml"
    config.write_text(yaml.safe_dump(bakery.storage))
    new = {"store": {"sqlite": str(tmp_path / "new" / "r.sqlite")}, "entities": str(tmp_path / "new" / "e.sqlite")}
    other.write_text(yaml.safe_dump(new))
    backup = tmp_path / "backup"

    def run(*arguments: str | Path) -> tuple[int, str]:
        ended = processes.run_leanmeter(*arguments)
        return ended.returncode, ended.stdout + ended.stderr

    assert run("backup", "--config", other, backup)[0] == 2
    code, text = run("backup", "--config", config, backup)
    assert (code, text.count("\n")) == (0, 1), text
    code, text = run("restore", "--config", other, backup)
    assert (code, "restored what stood there on" in text) == (0, True), text
    restored = SqliteReadings(tmp_path / "new" / "r.sqlite")
    assert await restored.count(SITE) == await bakery.readings.count(SITE)
    await restored.close()
    await bakery.close()
    for arguments, words in (
        (("backup", "--config", config, backup), "exists already"),
        (("restore", "--config", other, backup), "nothing is overwritten"),
        (("restore", "--config", other, tmp_path), "is no backup"),
    ):
        code, text = run(*arguments)
        assert (code, words in text, text.count("\n")) == (2, True, 1), text


async def test_a_damaged_backup_is_not_restored(tmp_path: Path) -> None:
    bakery = Bakery(tmp_path)
    await bakery.declare()
    settings = StoreSettings.model_validate(bakery.storage["store"])
    await back_up(settings, tmp_path / "e.sqlite", tmp_path / "backup")
    await bakery.close()
    kept = tmp_path / "backup" / "readings.sqlite"
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    new = StoreSettings.model_validate({"sqlite": tmp_path / "new" / "r.sqlite"})
    with pytest.raises(StoreConfigurationError, match="is not what was backed up"):
        await restore(new, tmp_path / "new" / "e.sqlite", tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(StoreConfigurationError, match="format 2; this program knows 1"):
        await restore(new, tmp_path / "new" / "e.sqlite", tmp_path / "backup")
    assert not (tmp_path / "new").exists()


async def test_a_bucket_with_data_is_not_restored_into(
    influxdb: InfluxDB, influxdb_bucket: str, tmp_path: Path
) -> None:
    influx = {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": influxdb_bucket}
    settings = StoreSettings.model_validate({"influx": influx})
    influxdb.write(influxdb_bucket, f"reading,site=a,device=b c=1 {START_MS}")
    await Entities(tmp_path / "e.sqlite").close()
    await back_up(settings, tmp_path / "e.sqlite", tmp_path / "backup")
    with pytest.raises(StoreConfigurationError, match="name an empty bucket"):
        await restore(settings, tmp_path / "new.sqlite", tmp_path / "backup")
    sqlite = StoreSettings.model_validate({"sqlite": tmp_path / "r.sqlite"})
    with pytest.raises(StoreConfigurationError, match="configured store needs"):
        await restore(sqlite, tmp_path / "new.sqlite", tmp_path / "backup")
