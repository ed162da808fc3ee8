from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notifications.content import Destination, Message
from notifications.ledger import LEASE, Ledger
from notifications.site_reader import SiteReader
from notifications.watch import Watch
from site_config.notification_settings import NotificationsSection
from store.edge_ledger import EdgeLedger, LastBatch, Reconciliation, ToldDay
from store.protocol import IntervalRow, StoreUnavailableError
from store.schema import INTERVAL_MS, SERVER_SITE, WEEKS
from tests.notifications.factory import SITE, ZONE, Factory
from wire_format.batch import Column, DeviceRows
from wire_format.topics import EdgeAddress

LIMA = ZoneInfo(ZONE)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MAIL, HOOK = Destination("ana", "email"), Destination("ana", "webhook")
ANA: dict[str, Any] = {
    "id": "ana", "email": "ana@example.org", "language": "es", "quiet_hours": "21:00-07:00", "weekly": False,
}  # fmt: skip
DEVICES = ("main-meter", "oven-meter", "mixer-meter")


def lima(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=LIMA).timestamp() * 1000)


NOON_MS = lima("2026-11-19T12:00")
"""A Thursday."""


class Site:
    """The factory, who watches it, and a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.factory = Factory(folder, DEVICES)
        self.path = folder / "entities.sqlite"
        self.edges = EdgeLedger(self.path)
        self.ledger = Ledger(self.path, "me")

    async def begin(self) -> None:
        await self.factory.declare()
        assert await self.factory.entities.acquire_lease(LEASE, "me", 3600)

    def watch(self, *recipients: dict[str, Any], **keys: Any) -> Watch:
        section = NotificationsSection.model_validate(
            {"smtp": {"host": "x", "sender": "a@b"}, "recipients": recipients or [ANA], **keys}
        )
        reader = SiteReader(self.factory.readings, self.factory.entities, self.edges)
        return Watch(section, self.factory.entities, reader, self.ledger)

    async def batch(self, time_ms: int, edge: str = "edge-1") -> None:
        await self.edges.note_batches({EdgeAddress(SITE, edge): LastBatch(time_ms, time_ms, "ntp")})

    async def sent(self, destination: Destination = MAIL) -> list[Message]:
        """All that waits, as if it were sent now."""
        found = []
        while (message := await self.ledger.next_message(destination)) is not None:
            await self.ledger.note_end(message.number, message.created_ms)
            found.append(message)
        return found

    async def subjects(self, destination: Destination = MAIL) -> list[str]:
        return [message.content.subject for message in await self.sent(destination)]

    async def close(self) -> None:
        await self.ledger.close()
        await self.edges.close()
        await self.factory.close()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    opened = Site(tmp_path)
    await opened.begin()
    yield opened
    await opened.close()


async def test_a_silent_device_is_told_once_and_again_when_it_is_back(site: Site) -> None:
    watch = site.watch()
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS)
    await watch.check(NOON_MS + MINUTE_MS)
    assert await site.sent() == []
    for minute in range(10, 60, 10):
        at_ms = NOON_MS + minute * MINUTE_MS
        await site.factory.read(DEVICES[:2], at_ms)
        await site.batch(at_ms)
        await watch.check(at_ms)
    (message,) = await site.sent()
    assert message.content.subject == "Panadería El Sol: Atención: mixer-meter (Point of mixer-meter) no responde"
    assert "No da lecturas desde: jue, 19 nov, 12:00" in message.content.text
    assert message.content.data["alarms"][0]["kind"] == "device_silent"
    back_ms = NOON_MS + HOUR_MS
    await site.factory.read(DEVICES, back_ms)
    for minute in range(11):
        await site.batch(back_ms + minute * MINUTE_MS)
        await watch.check(back_ms + minute * MINUTE_MS)
    (message,) = await site.sent()
    assert message.content.subject == "Panadería El Sol: Terminó: mixer-meter (Point of mixer-meter) no responde"
    assert "Todo en orden desde: jue, 19 nov, 13:00. Empezó: jue, 19 nov, 12:00." in message.content.text


async def test_an_edge_without_data_is_one_alarm_not_one_for_each_device(site: Site) -> None:
    watch = site.watch()
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS)
    await site.edges.add_series(EdgeAddress(SITE, "edge-1"), [(device, "active_power_total") for device in DEVICES])
    await watch.check(NOON_MS + HOUR_MS)
    assert await site.subjects() == ["Panadería El Sol: Atención: No llegan datos de edge-1"]


async def test_a_subject_names_the_site_once_where_no_edge_is_known(site: Site) -> None:
    watch = site.watch()
    await site.factory.read(DEVICES, NOON_MS)
    await watch.check(NOON_MS + HOUR_MS)
    assert await site.subjects() == ["Panadería El Sol: Atención: No llegan datos"]


async def test_a_site_that_nobody_declared_is_told_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    watch = site.watch({**ANA, "sites": ["bakry", SITE]}, sites={"laundry": {}})
    await watch.check(NOON_MS)
    assert caplog.messages == []
    for minute in range(1, 4):
        await watch.check(NOON_MS + minute * MINUTE_MS)
    assert caplog.messages == [
        "notifications.recipients: ana: sites: no site 'bakry' is known; there are bakery",
        "notifications.sites: no site 'laundry' is known; there are bakery",
    ]


async def test_quiet_hours_hold_back_what_is_not_urgent(site: Site) -> None:
    watch = site.watch(alarms={"agreed_demand_kw": 40})
    night_ms = lima("2026-11-19T23:00")
    await site.factory.read(DEVICES, night_ms)
    await site.batch(night_ms)
    await site.factory.readings.write_intervals([_demand(night_ms, 50.0)])
    await site.factory.read(DEVICES[:2], night_ms + HOUR_MS)
    await site.batch(night_ms + HOUR_MS)
    await watch.check(night_ms + HOUR_MS)
    (peak,) = await site.sent()
    assert peak.content.subject == "Panadería El Sol: Atención: Demanda de 50,0 kW; lo contratado son 40,0 kW"
    await site.factory.read(DEVICES, night_ms + 2 * HOUR_MS)
    await site.batch(night_ms + 2 * HOUR_MS)
    for minute in range(7):
        await watch.check(night_ms + 2 * HOUR_MS + minute * MINUTE_MS)
    assert await site.sent() == []
    await site.factory.read(DEVICES, lima("2026-11-20T06:59"))
    await site.batch(lima("2026-11-20T06:59"))
    await watch.check(lima("2026-11-20T06:59"))
    assert await site.sent() == []
    await watch.check(lima("2026-11-20T07:00"))
    (morning,) = await site.sent()
    assert [alarm["stage"] for alarm in morning.content.data["alarms"]] == ["passed"]
    assert morning.content.subject == "Panadería El Sol: Hubo: mixer-meter (Point of mixer-meter) no responde"


async def test_everybody_hears_of_his_sites_and_alarms_in_his_language(site: Site) -> None:
    watch = site.watch(
        {**ANA, "webhook": {"url": "http://x/"}},
        {"id": "ben", "email": "ben@example.org"},
        {"id": "cem", "email": "cem@example.org", "sites": ["laundry"]},
        {"id": "dan", "email": "dan@example.org", "alarms": ["quarantine"]},
    )
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS)
    await watch.check(NOON_MS + HOUR_MS)
    assert len(await site.subjects(HOOK)) == 1
    assert (await site.subjects(MAIL))[0].endswith("No llegan datos de edge-1")
    assert await site.subjects(Destination("ben", "email")) == ["Panadería El Sol: Look: No data from edge-1"]
    assert await site.subjects(Destination("cem", "email")) == []
    assert await site.subjects(Destination("dan", "email")) == []


async def test_many_alarms_are_one_message(site: Site) -> None:
    watch = site.watch({"id": "ana", "email": "a@b"})
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS + HOUR_MS)
    await watch.check(NOON_MS + HOUR_MS)
    (message,) = await site.sent()
    assert message.content.subject.endswith("is silent (and 2 more)")
    assert message.content.text.count("is silent") == 3


async def test_what_is_well_again_in_the_same_minutes_is_one_message(site: Site) -> None:
    watch = site.watch({"id": "ana", "email": "a@b"})
    await site.factory.read(DEVICES, NOON_MS)
    start_ms = NOON_MS + HOUR_MS
    await site.batch(start_ms)
    await watch.check(start_ms)
    assert len(await site.sent()) == 1
    for minute in range(15):
        await site.factory.read(DEVICES[: minute + 1], start_ms + minute * MINUTE_MS)
        await site.batch(start_ms + minute * MINUTE_MS)
        await watch.check(start_ms + minute * MINUTE_MS)
    (message,) = await site.sent()
    assert [alarm["stage"] for alarm in message.content.data["alarms"]] == ["ended"] * 3


async def test_water_excess_and_what_is_missing(site: Site) -> None:
    watch = site.watch({"id": "ana", "email": "a@b"})
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS)
    night_ms = lima("2026-11-19T01:00")
    await site.factory.readings.write_intervals(
        [_row("water", night_ms + number * INTERVAL_MS, 0.010, "water") for number in range(16)]
    )
    yesterday = _row("site.energy", lima("2026-11-18T00:00"), 460.0, "energy")
    await site.factory.readings.write_days([_with_band(yesterday, 400.0)])
    await site.edges.note_told([ToldDay(SITE, "edge-1", night_ms, "oven-meter", 100)])
    await site.edges.note_compared([Reconciliation(SITE, "edge-1", night_ms, "oven-meter", 100, 98)])
    await site.factory.readings.write(
        SERVER_SITE, [DeviceRows(f"{SITE}.edge-1", (NOON_MS,), (Column("quarantine_entries", "1", 0, (3,)),))]
    )
    await site.factory.readings.write(
        SITE, [DeviceRows("agent-edge-1", (NOON_MS,), (Column("outbox_use_percent", "%", 0, (91,)),))]
    )
    await watch.check(NOON_MS + MINUTE_MS)
    (message,) = await site.sent()
    text = message.content.text
    assert "Memory of edge-1 is 91% full" in text
    assert "Water never stops at night: Water" in text
    assert "at least 40.0 litres an hour" in text
    assert "350 m³ a year" in text
    assert "15% more energy than expected" in text
    assert "took 100 values from oven-meter (Point of oven-meter), and 98 are stored" in text
    assert "3 entries could not be stored" in text


async def test_what_is_judged_by_week_is_told_of_the_week(site: Site) -> None:
    watch = site.watch({"id": "ana", "email": "a@b"})
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS)
    week = _row(f"site.energy{WEEKS}", lima("2026-11-15T00:00"), 3220.0, "energy")
    await site.factory.readings.write_days([_with_band(week, 2800.0)])
    await watch.check(NOON_MS + MINUTE_MS)
    (message,) = await site.sent()
    assert "15% more energy than expected" in message.content.text
    assert "Nov 9 to Nov 15: it was 3,220 kWh; 2,800 kWh were expected" in message.content.text


async def test_a_store_that_does_not_answer_changes_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = site.watch({"id": "ana", "email": "a@b"})
    await site.factory.read(DEVICES, NOON_MS)
    await site.batch(NOON_MS)
    await watch.check(NOON_MS + HOUR_MS)
    assert len(await site.sent()) == 1

    async def unavailable(*_: object) -> None:
        raise StoreUnavailableError("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(site.factory.readings, "latest", unavailable)
        await watch.check(NOON_MS + 2 * HOUR_MS)
    assert await site.sent() == []
    assert len(await site.ledger.alarms(SITE)) == 1


WEEK = [640.0, 655.0, 660.0, 650.0, 700.0, 420.0, 180.0]


async def _fill_weeks(site: Site, first: str, amounts: Sequence[float]) -> None:
    start = datetime.fromisoformat(first).replace(tzinfo=LIMA)
    rows = []
    for number, amount in enumerate(amounts):
        start_ms = round((start + timedelta(days=number)).timestamp() * 1000)
        rows.append(_with_band(_row("site.energy", start_ms, amount, "energy"), 700.0))
        rows.append(_row("site.electricity", start_ms, amount, "electricity"))
    await site.factory.readings.write_days(rows)


async def test_the_week_comes_once_at_its_time(site: Site) -> None:
    watch = site.watch({**ANA, "weekly": True, "alarms": []}, weekly={"at": "06:30"})
    await watch.check(lima("2026-11-19T12:00"))
    await _fill_weeks(site, "2026-11-09", WEEK + WEEK)
    await watch.check(lima("2026-11-23T06:59"))
    assert await site.sent() == []  # 06:30 lies in quiet hours
    await watch.check(lima("2026-11-23T07:00"))
    await watch.check(lima("2026-11-23T07:01"))
    (message,) = await site.sent()
    assert message.content.subject == "Panadería El Sol: la semana 16–22 nov 2026"
    assert message.content.picture is not None
    assert message.content.picture.startswith(b"\x89PNG")
    assert message.content.data["week"]["amount_kwh"] == sum(WEEK)
    assert "3.905 kWh" in message.content.text
    await site.watch({**ANA, "weekly": True, "alarms": []}).check(lima("2026-11-24T09:00"))
    assert await site.sent() == []
    await watch.check(lima("2026-11-30T09:00"))
    assert len(await site.sent()) == 1


async def test_who_is_new_waits_for_the_next_week(site: Site) -> None:
    watch = site.watch({"id": "ana", "email": "a@b", "alarms": []})
    await _fill_weeks(site, "2026-11-09", WEEK)
    await watch.check(lima("2026-11-19T12:00"))
    assert await site.sent() == []


def _row(point: str, start_ms: int, amount: float, resource: str) -> IntervalRow:
    return IntervalRow(SITE, point, start_ms, amount, amount / 10, 1.0, "measured", resource)


def _demand(start_ms: int, demand_kw: float) -> IntervalRow:
    return IntervalRow(SITE, "site.electricity", start_ms, demand_kw / 4, demand_kw, 1.0, "measured", "electricity")


def _with_band(row: IntervalRow, expected: float) -> IntervalRow:
    return replace(row, expected=expected, lower=0.9 * expected, upper=1.1 * expected)
