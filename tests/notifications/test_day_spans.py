from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from notifications.day_spans import end_of_span_around, last_span
from site_config.notification_settings import TimeSpan

LIMA, MADRID = ZoneInfo("America/Lima"), ZoneInfo("Europe/Madrid")


def span(text: str) -> TimeSpan:
    found: TimeSpan = TypeAdapter(TimeSpan).validate_python(text)
    return found


def ms(text: str, zone: ZoneInfo) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def shown(time_ms: int | None, zone: ZoneInfo) -> str | None:
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        ("21:00-07:00", "2026-11-19T20:59", None),
        ("21:00-07:00", "2026-11-19T21:00", "2026-11-20T07:00"),
        ("21:00-07:00", "2026-11-20T06:59", "2026-11-20T07:00"),
        ("21:00-07:00", "2026-11-20T07:00", None),
        ("12:00-14:00", "2026-11-20T13:00", "2026-11-20T14:00"),
        ("12:00-14:00", "2026-11-20T14:00", None),
    ],
)
def test_when_quiet_hours_end(quiet: str, now: str, until: str | None) -> None:
    assert shown(end_of_span_around(span(quiet), LIMA, ms(now, LIMA)), LIMA) == until


@pytest.mark.parametrize(
    ("night", "now", "start", "end"),
    [
        ("01:00-05:00", "2026-11-20T04:59", "2026-11-19T01:00", "2026-11-19T05:00"),
        ("01:00-05:00", "2026-11-20T05:00", "2026-11-20T01:00", "2026-11-20T05:00"),
        ("23:00-04:00", "2026-11-20T03:00", "2026-11-18T23:00", "2026-11-19T04:00"),
        ("23:00-04:00", "2026-11-20T04:00", "2026-11-19T23:00", "2026-11-20T04:00"),
    ],
)
def test_the_last_night(night: str, now: str, start: str, end: str) -> None:
    found = last_span(span(night), LIMA, ms(now, LIMA))
    assert [shown(time_ms, LIMA) for time_ms in found] == [start, end]


def test_the_clocks_change_in_the_night() -> None:
    # Madrid, 25 October 2026: 03:00 summer time is 02:00 again.
    start_ms, end_ms = last_span(span("01:00-05:00"), MADRID, ms("2026-10-25T12:00", MADRID))
    assert (end_ms - start_ms) / 3_600_000 == 5
    quiet_end_ms = end_of_span_around(span("21:00-07:00"), MADRID, ms("2026-10-24T23:00", MADRID))
    assert shown(quiet_end_ms, MADRID) == "2026-10-25T07:00"
