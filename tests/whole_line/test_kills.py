"""kill -9 of any program at any moment: what the operating system was given is stored exactly once."""

import random
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from site_config.schema import load_site
from store.factory import open_readings
from store.protocol import ReadingStore
from store.settings import StoreSettings
from tests.servers.influxdb import InfluxDB
from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import Processes
from tests.servers.waiting import eventually
from tests.whole_line.line import SITE, Cell, Line, start_line

SETTINGS = {"acknowledgement_timeout_s": 1.0, "sync_interval_s": 1.0}
LATEST_MS = 4_000_000_000_000


async def stored_cells(store: ReadingStore, devices_and_quantities: set[tuple[str, str]]) -> dict[Cell, float]:
    cells: dict[Cell, float] = {}
    for device, quantity in devices_and_quantities:
        series = await store.readings(SITE, device, quantity, 0, LATEST_MS)
        cells.update({(device, quantity, at): value for at, value in zip(series.times_ms, series.values, strict=True)})
    return cells


async def assert_stored_exactly_once(line: Line, storage: Mapping[str, object]) -> None:
    done, intended = line.journal()
    assert len(done) > 100
    store = open_readings(StoreSettings.model_validate(storage))
    try:
        stored = await stored_cells(store, {(device, quantity) for device, quantity, _ in intended})
        count = await store.count(SITE)
    finally:
        await store.close()
    missing = sorted(set(done) - set(stored))
    assert not missing, f"{len(missing)} of {len(done)} values lost, the first {missing[:3]}"
    assert set(stored) <= set(intended)
    assert stored == {cell: intended[cell] for cell in stored}
    assert count.duplicates == 0
    assert count.values == len(stored)


def kill_at_random_moments(line: Line, names: list[str], seed: int) -> None:
    chance = random.Random(seed)
    for name in names:
        time.sleep(chance.uniform(0.0, 1.5))  # the moment itself is what is tried out
        line.kill(name)
        time.sleep(chance.uniform(0.0, 0.5))
        line.restart(name)


def wait_for_samples(line: Line, more_than: int) -> None:
    eventually(lambda: len(line.journal()[0]) > more_than, timeout_s=30, what="samples in the outbox")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ["edge", "broker", "collector", "evaluation"])
async def test_killing_one_program_loses_nothing_and_doubles_nothing(
    name: str, tmp_path: Path, processes: Processes, mosquitto: Mosquitto
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201  # shown when the test fails
    storage = {"sqlite": str(tmp_path / "readings.sqlite")}
    line = start_line(tmp_path / "line", processes, mosquitto, storage, settings=SETTINGS)
    wait_for_samples(line, 100)
    kill_at_random_moments(line, [name] * 5, seed)
    wait_for_samples(line, len(line.journal()[0]))
    line.end_agent()
    await assert_stored_exactly_once(line, storage)


@pytest.mark.timeout(180)
async def test_killing_every_program_in_turn_loses_nothing_in_influxdb(
    tmp_path: Path, processes: Processes, mosquitto: Mosquitto, influxdb: InfluxDB
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201  # shown when the test fails
    influxdb.create_bucket(bucket := f"kills-{seed}")
    storage = {"influx": {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": bucket}}
    line = start_line(tmp_path / "line", processes, mosquitto, storage, settings=SETTINGS)
    wait_for_samples(line, 100)
    kill_at_random_moments(line, ["edge", "broker", "collector", "evaluation"], seed)
    wait_for_samples(line, len(line.journal()[0]))
    line.end_agent()
    await assert_stored_exactly_once(line, storage)


@pytest.mark.timeout(180)
async def test_intervals_agree_with_the_meters_after_evaluation_was_killed(
    tmp_path: Path, processes: Processes, mosquitto: Mosquitto
) -> None:
    storage = {"sqlite": str(tmp_path / "readings.sqlite")}
    line = start_line(tmp_path / "line", processes, mosquitto, storage, settings=SETTINGS)
    wait_for_samples(line, 100)
    kill_at_random_moments(line, ["evaluation"] * 4, seed=7)
    line.end_agent()
    line.processes["evaluation"].stop()
    once = processes.run_leanmeter("evaluation", "run", "--config", line.directory / "server.yaml", "--once")
    assert once.returncode == 0, once.stderr
    site = load_site(line.site_file)
    store = open_readings(StoreSettings.model_validate(storage))
    try:
        rows = await store.intervals(SITE, 0, LATEST_MS)
        for assignment in site.assignments:
            if assignment.export_quantity is not None:
                continue
            series = await store.readings(SITE, assignment.device, assignment.amount_quantity, 0, LATEST_MS)
            amount = sum(row.amount for row in rows if row.point == assignment.point)
            # Coarse totals are shaped, and right to a step.
            tolerance = {"packing": 0.1, "cold-room": 0.01}.get(assignment.point, 1e-6)
            assert amount == pytest.approx(series.values[-1] - series.values[0], abs=tolerance), assignment.point
    finally:
        await store.close()
