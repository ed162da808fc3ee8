"""Parts of a site's days, such as its night or somebody's quiet hours, as times in ms UTC. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from site_config.notification_settings import TimeSpan


def moment_ms(day: date, at: time, zone: ZoneInfo) -> int:
    """A time of a site-local day; one that the clocks jump over is taken at the moment of the jump or after it."""
    return round(datetime.combine(day, at, zone).astimezone(UTC).timestamp() * 1000)


def local_day(time_ms: int, zone: ZoneInfo) -> date:
    """The site-local day that a time lies in."""
    return datetime.fromtimestamp(time_ms / 1000, zone).date()


def end_of_span_around(span: TimeSpan, zone: ZoneInfo, time_ms: int) -> int | None:
    """When the span that a time lies in ends; None when it lies in none."""
    today = local_day(time_ms, zone)
    for day in (today - timedelta(days=1), today):
        start_ms, end_ms = _on(span, day, zone)
        if start_ms <= time_ms < end_ms:
            return end_ms
    return None


def last_span(span: TimeSpan, zone: ZoneInfo, time_ms: int) -> tuple[int, int]:
    """Start and end of the latest span that is over."""
    today = local_day(time_ms, zone)
    spans = [_on(span, today - timedelta(days=back), zone) for back in (0, 1, 2)]
    return next(found for found in spans if found[1] <= time_ms)


def _on(span: TimeSpan, day: date, zone: ZoneInfo) -> tuple[int, int]:
    last = day if span.start < span.end else day + timedelta(days=1)
    return moment_ms(day, span.start, zone), moment_ms(last, span.end, zone)
