from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from evaluation.accounting.days import Day, day_of, summarise
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

MADRID = ZoneInfo("Europe/Madrid")


def utc_ms(text: str) -> int:
    return round(datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp() * 1000)


def rows_at(day: Day, power_kw: float, quality: str = "measured") -> list[IntervalRow]:
    return [
        IntervalRow("bakery", "main", start, power_kw / 4, power_kw, 1.0, quality, "electricity")
        for start in range(day.start_ms, day.end_ms, INTERVAL_MS)
    ]


def changed(row: IntervalRow, *, demand: float | None, quality: str) -> IntervalRow:
    return IntervalRow(row.site, row.point, row.start_ms, row.amount, demand, row.coverage, quality, row.resource)


@pytest.mark.parametrize(
    ("start", "end", "count", "amount", "month"),
    [
        ("2026-03-27T23:00Z", "2026-03-28T23:00Z", 96, 960.0, "2026-03"),
        ("2026-03-28T23:00Z", "2026-03-29T22:00Z", 92, 920.0, "2026-03"),
        ("2026-10-23T22:00Z", "2026-10-24T22:00Z", 96, 960.0, "2026-10"),
        ("2026-10-24T22:00Z", "2026-10-25T23:00Z", 100, 1000.0, "2026-10"),
    ],
)
def test_days_in_madrid_when_the_clocks_change(start: str, end: str, count: int, amount: float, month: str) -> None:
    for moment in (utc_ms(start), utc_ms(end) - 1, (utc_ms(start) + utc_ms(end)) // 2):
        day = day_of(moment, MADRID)
        assert (day.start_ms, day.end_ms, day.month) == (utc_ms(start), utc_ms(end), month)
    assert day.interval_count == count

    row = summarise("bakery", "main", day, rows_at(day, 40.0))

    assert row.amount == pytest.approx(amount)
    assert (row.start_ms, row.coverage, row.quality, row.month) == (utc_ms(start), 1.0, "measured", month)


def test_a_day_whose_midnight_the_clocks_jump_over_begins_at_the_jump() -> None:
    # In Beirut the clocks went from 00:00 to 01:00 on 2026-03-29, at 22:00 UTC the day before.
    day = day_of(utc_ms("2026-03-29T10:00Z"), ZoneInfo("Asia/Beirut"))

    assert (day.start_ms, day.interval_count) == (utc_ms("2026-03-28T22:00Z"), 92)


def test_a_month_is_the_sites_own() -> None:
    assert day_of(utc_ms("2026-12-01T03:00Z"), ZoneInfo("America/Lima")).month == "2026-11"


def test_the_peak_is_the_first_of_the_highest_and_the_minimum_the_lowest() -> None:
    day = day_of(utc_ms("2026-03-28T12:00Z"), MADRID)
    rows = rows_at(day, 40.0)
    rows[10] = changed(rows[10], demand=95.0, quality="measured")
    rows[20] = changed(rows[20], demand=95.0, quality="measured")
    rows[30] = changed(rows[30], demand=3.0, quality="measured")

    row = summarise("bakery", "main", day, rows)

    assert (row.demand, row.peak_ms, row.minimum) == (95.0, rows[10].start_ms, 3.0)


def test_interpolated_intervals_set_no_peak() -> None:
    day = day_of(utc_ms("2026-03-28T12:00Z"), MADRID)
    rows = rows_at(day, 40.0)
    rows[10] = changed(rows[10], demand=95.0, quality="interpolated")
    rows[11] = changed(rows[11], demand=0.0, quality="interpolated")

    row = summarise("bakery", "main", day, rows)

    assert (row.demand, row.minimum, row.quality) == (40.0, 40.0, "interpolated")


def test_a_running_day_is_partial() -> None:
    day = day_of(utc_ms("2026-03-28T12:00Z"), MADRID)

    row = summarise("bakery", "main", day, rows_at(day, 40.0)[:24])

    assert (round(row.amount, 9), round(row.coverage, 9), row.quality) == (240.0, 0.25, "partial")


def test_a_day_with_only_a_partial_interval_has_no_peak() -> None:
    day = day_of(utc_ms("2026-03-28T12:00Z"), MADRID)
    partial = IntervalRow("bakery", "main", day.start_ms, 1.0, None, 0.5, "partial", "electricity")

    row = summarise("bakery", "main", day, [partial])

    assert (row.amount, row.demand, row.peak_ms, row.minimum, row.quality) == (1.0, None, None, None, "partial")


@pytest.mark.parametrize(("quarters", "quality"), [(0, "measured"), (9, "measured"), (10, "outage"), (96, "outage")])
def test_a_day_is_an_outage_when_it_had_no_mains_for_a_tenth_of_it(quarters: int, quality: str) -> None:
    day = day_of(utc_ms("2026-03-28T12:00Z"), MADRID)
    rows = [*rows_at(day, 0.0, "outage")[:quarters], *rows_at(day, 40.0)[quarters:]]

    assert summarise("bakery", "main", day, rows).quality == quality
