import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evaluation.site_model import SiteModel
from store.protocol import StoreUnavailableError
from tests.visit.bakery import HOUR_MS, SITE, Bakery, column, missing, power_w
from visit.reader import LiveReader, NamedSite
from wire_format.batch import DeviceRows
from wire_format.quality import Quality

AFTERNOON_MS = 1_795_010_400_000 + 20 * 60_000


@pytest.fixture
async def bakery(tmp_path: Path) -> AsyncIterator[Bakery]:
    made = Bakery(tmp_path, AFTERNOON_MS)
    await made.declare()
    yield made
    await made.close()


class Clock:
    def __init__(self) -> None:
        self.now_ms = AFTERNOON_MS

    def __call__(self) -> int:
        return self.now_ms


def reader_of(bakery: Bakery, clock: Clock, *, example: bool = False) -> LiveReader:
    async def load() -> NamedSite | None:
        entry = await bakery.entities.site(SITE)
        if entry is None:
            return None
        points, assignments = await bakery.entities.points(SITE), await bakery.entities.assignments(SITE)
        return NamedSite(entry.name, SiteModel(SITE, entry.time_zone, points, assignments))

    return LiveReader(bakery.readings, SITE, load, example=example, now_ms=clock)


async def test_the_view_has_the_numbers_of_the_store(bakery: Bakery) -> None:
    await bakery.fill(hours=5, every_s=20)
    await bakery.evaluate()
    reader = reader_of(bakery, Clock())

    await reader.refresh()

    lines = {line.id: line for line in reader.view.points}
    latest = await bakery.readings.latest(SITE, 0)
    expected_w = sum(latest[device, "active_power_total"].value for device in ("main-meter", "pv-inverter"))
    assert reader.view.site_power_kw == pytest.approx(expected_w / 1000)
    assert lines["oven"].rate == pytest.approx(power_w("oven-meter", AFTERNOON_MS) / 1000)
    days = {row.point: row for row in await bakery.readings.days(SITE, 0, AFTERNOON_MS + 1)}
    assert {name: lines[name].today for name in ("oven", "water", "product")} == {
        name: days[name].amount for name in ("oven", "water", "product")
    }
    assert lines["unmetered"].today == pytest.approx(days["main.unmetered"].amount)
    assert reader.view.site_name == "Panadería El Sol"


async def test_a_value_that_is_not_read_any_more_keeps_its_age(bakery: Bakery) -> None:
    await bakery.fill(hours=1)
    clock = Clock()
    reader = reader_of(bakery, clock)
    await reader.refresh()

    clock.now_ms += 400_000
    await reader.refresh()

    assert (reader.view.state, reader.view.site_power_age_s) == ("old", 400.0)


async def test_why_a_meter_is_silent(bakery: Bakery) -> None:
    await bakery.fill(hours=1)
    clock = Clock()
    clock.now_ms += 30_000
    times = tuple(range(AFTERNOON_MS + 1000, clock.now_ms, 1000))
    await bakery.write(
        [DeviceRows("oven-meter", times, (missing("active_power_total", Quality.LINK_ERROR, len(times)),))]
    )
    reader = reader_of(bakery, clock)

    await reader.refresh()

    notes = {line.id: line.note for line in reader.view.points}
    assert notes["oven"] == "No answer from oven-meter, 30 s ago"
    assert notes["mixer"] == "30 s ago"


async def test_the_curve_follows_and_refines(bakery: Bakery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visit.reader.CURVE_INTERVAL_S", 0.0)
    await bakery.fill(hours=1, every_s=10)
    clock = Clock()
    reader = reader_of(bakery, clock, example=True)
    await reader.refresh()
    first = reader.curve
    known = [value for value in first.site_kw if value is not None]
    assert len(known) == len(first.site_kw) == len(first.example_kw) == 60
    assert sum(known) / len(known) == pytest.approx(12.0, abs=4.0)

    clock.now_ms += 120_000
    times = tuple(range(AFTERNOON_MS + 10_000, clock.now_ms + 1, 10_000))
    await bakery.write(
        [
            DeviceRows(device, times, (column("active_power_total", [1000.0] * len(times)),))
            for device in ("main-meter", "pv-inverter")
        ]
    )
    await reader.refresh()

    assert reader.curve.times_ms[:60] == first.times_ms
    assert reader.curve.site_kw[:60] == first.site_kw
    assert len(reader.curve.site_kw) == 62
    assert reader.curve.site_kw[-1] == pytest.approx(2.0)


async def test_yesterday_is_not_in_todays_curve(bakery: Bakery) -> None:
    await bakery.fill(hours=20, every_s=120)
    reader = reader_of(bakery, Clock())

    await reader.refresh()

    assert reader.curve.end_ms - reader.curve.start_ms == 24 * HOUR_MS
    assert reader.curve.start_ms <= reader.curve.times_ms[0] < reader.curve.start_ms + 300_000


async def test_a_store_that_does_not_answer_is_shown_and_tried_again(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await bakery.fill(hours=1)
    reader = reader_of(bakery, Clock())
    await reader.refresh()
    power = reader.view.site_power_kw

    async def fail(*_: object) -> None:
        raise StoreUnavailableError("disk gone")

    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(bakery.readings, "latest", fail)
        await reader.refresh()
        await reader.refresh()
        assert (reader.view.state, reader.view.site_power_kw) == ("store", power)
    assert caplog.text.count("disk gone") == 1
    await reader.refresh()
    assert reader.view.state == "live"


async def test_a_site_that_is_declared_later_appears(tmp_path: Path) -> None:
    bakery = Bakery(tmp_path, AFTERNOON_MS)
    reader = reader_of(bakery, Clock())
    await reader.refresh()
    assert (reader.view.state_text, reader.view.points) == ("No measuring points are set up", ())

    await bakery.declare()
    await bakery.fill(hours=0.5)
    await reader.refresh()

    assert reader.view.state == "live"
    await bakery.close()


@pytest.mark.parametrize("every_s", [1, 5, 30, 60])
async def test_a_site_that_is_read_seldom_has_a_line_too(bakery: Bakery, every_s: int) -> None:
    await bakery.fill(hours=0.1, every_s=every_s)
    clock = Clock()
    reader = reader_of(bakery, clock)
    for _ in range(2):
        await reader.refresh()
        drawn = reader.curve.site_kw
        assert drawn.count(None) <= len(drawn) / 10
        clock.now_ms += 1000
        reader._due["curve"] = 0.0
