from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from languages.texts import texts
from notifications.day_spans import moment_ms
from notifications.site_names import SiteNames
from notifications.week import Week, week_of
from notifications.week_message import week_message
from notifications.week_picture import SIZE_PX, draw_week
from notifications.week_texts import WeekWriter
from store.protocol import IntervalRow
from store.schema import WEEKS

ZONE = ZoneInfo("America/Lima")
MONDAY = date(2026, 11, 16)
NAMES = SiteNames("bakery", "Panadería El Sol", ZONE)
AMOUNTS = [640.0, 655.0, 660.0, 650.0, 700.0, 420.0, 180.0]


def ms(day: date, hour: int = 0) -> int:
    return moment_ms(day, time(hour), ZONE)


def rows(
    amounts: Sequence[float | None],
    expected: Sequence[float | None] | None = None,
    *,
    series: str = "site.energy",
    first: date = MONDAY,
    coverage: float = 1.0,
    minimum: float | None = None,
) -> list[IntervalRow]:
    found = []
    for number, amount in enumerate(amounts):
        day = first + timedelta(days=number)
        wanted = None if expected is None else expected[number]
        if amount is not None:
            found.append(
                IntervalRow(
                    "bakery", series, ms(day), amount, 30.0 + number, coverage, "measured", "energy",
                    peak_ms=ms(day, 10), minimum=minimum, expected=wanted,
                    lower=wanted and wanted * 0.95, upper=wanted and wanted * 1.05, goal=wanted and wanted * 0.8,
                )
            )  # fmt: skip
    return found


def said(week: Week, language: str = "en", alarms: Sequence[str] = ()) -> tuple[str, str, str]:
    return WeekWriter(texts(language), NAMES).sentences(week, alarms)


def test_a_week_of_days() -> None:
    week = week_of(rows(AMOUNTS, [700.0] * 7) + rows(AMOUNTS, series="site.electricity", minimum=3.0), MONDAY, ZONE)
    assert week.amount == sum(AMOUNTS) == 3905.0
    assert week.last == date(2026, 11, 22)
    assert week.coverage == 1.0
    found = week.comparison
    assert found is not None
    assert (found.days, found.amount, found.expected) == (7, 3905.0, 4900.0)
    assert found.lower == pytest.approx(4655.0)
    assert found.upper == pytest.approx(5145.0)
    assert week.goal == pytest.approx(3920.0)
    assert (week.peak_kw, week.peak_ms) == (36.0, ms(date(2026, 11, 22), 10))
    assert week.base_share == pytest.approx(3.0 * 168 / 3905)


def test_all_energy_counts_where_it_is_known_else_electricity() -> None:
    electricity = rows([100.0] * 7, series="site.electricity")
    assert week_of(electricity, MONDAY, ZONE).amount == 700.0
    assert week_of([*electricity, *rows(AMOUNTS)], MONDAY, ZONE).amount == 3905.0


def test_only_whole_weeks_are_compared_with_each_other() -> None:
    before = MONDAY - timedelta(days=7)
    assert week_of(rows([500.0] * 14, first=before), MONDAY, ZONE).before == 3500.0
    assert week_of(rows([500.0] * 14, first=before, coverage=0.9), MONDAY, ZONE).before is None
    assert week_of(rows([500.0] * 10, first=before), MONDAY, ZONE).before is None


def test_days_that_were_not_measured_are_nothing_not_zero() -> None:
    week = week_of(rows([640.0, None, None, 650.0, None, None, None]), MONDAY, ZONE)
    assert [day.amount for day in week.days] == [640.0, None, None, 650.0, None, None, None]
    assert week.coverage == pytest.approx(2 / 7)
    assert week_of([], MONDAY, ZONE).amount is None


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (0.8, "20% less than the 3,905 kWh expected: a real saving, below the band of 3,710 to 4,100."),
        (0.97, "3% less than the 3,905 kWh expected, but within the band of 3,710 to 4,100: not yet proven."),
        (1.03, "3% more than the 3,905 kWh expected, but within the band of 3,710 to 4,100."),
        (1.2, "20% more than the 3,905 kWh expected: too much, above the band of 3,710 to 4,100."),
    ],
)
def test_the_first_sentence_says_what_is_proven(factor: float, verdict: str) -> None:
    week = week_of(rows([amount * factor for amount in AMOUNTS], AMOUNTS), MONDAY, ZONE)
    assert said(week)[0].endswith(verdict)


def test_without_a_baseline_it_says_so() -> None:
    first, second, third = said(week_of(rows(AMOUNTS), MONDAY, ZONE))
    assert first == "3,905 kWh of energy were used; there is no baseline yet that would tell whether that is much."
    assert second == "Friday used most (700 kWh), Saturday least (420 kWh)."
    assert third == "Nothing else stands out."
    before = rows([500.0] * 7, first=MONDAY - timedelta(days=7))
    assert "12% more than the week before;" in said(week_of([*before, *rows(AMOUNTS)], MONDAY, ZONE))[0]
    same = week_of(rows([500.0] * 14, first=MONDAY - timedelta(days=7), series="site.electricity"), MONDAY, ZONE)
    assert said(same)[0].startswith("3,500 kWh of electricity were used, as much as the week before;")
    assert said(week_of([], MONDAY, ZONE))[0] == "Nothing was measured this week."


def made(amounts: Sequence[float]) -> list[IntervalRow]:
    return rows(amounts, series="bread")


def test_a_day_of_rest_is_neither_the_best_nor_the_least() -> None:
    used = [600.0, *AMOUNTS[1:6], 90.0]
    monday, sunday = "Monday was the best day, 6% less", "Sunday was the best day, 50% less"
    # Nobody counts what is made: a day that is expected to use little is one of rest.
    assert said(week_of(rows(used, AMOUNTS), MONDAY, ZONE))[1].startswith(monday)
    assert said(week_of(rows(AMOUNTS), MONDAY, ZONE))[1].endswith("Saturday least (420 kWh).")
    # Else it is one on which nothing was made.
    closed, open_on_sunday = made([10.0] * 5 + [0.0, 0.0]), made([10.0] * 5 + [0.0, 3.0])
    assert said(week_of(rows(used, AMOUNTS), MONDAY, ZONE, closed))[1].startswith(monday)
    assert said(week_of(rows(used, AMOUNTS), MONDAY, ZONE, open_on_sunday))[1].startswith(sunday)
    assert said(week_of(rows(AMOUNTS), MONDAY, ZONE, closed))[1].endswith("Monday least (640 kWh).")
    assert said(week_of(rows(AMOUNTS), MONDAY, ZONE, made([0.0] * 7)))[1] == "There are too few days to compare."


def test_a_day_of_rest_above_its_band_is_looked_at_all_the_same() -> None:
    left_on = [*AMOUNTS[:6], 300.0]
    told = said(week_of(rows(left_on, AMOUNTS), MONDAY, ZONE, made([10.0] * 6 + [0.0])))[2]
    assert told == "Look at Sunday: 67% more than expected, and above the band."


def test_days_without_production_are_not_judged() -> None:
    week = week_of(rows(AMOUNTS, [700.0, None, None, 700.0, 700.0, None, None]), MONDAY, ZONE)
    assert said(week)[0].startswith("1,990 kWh of energy were used, 5% less than the 2,100 kWh expected")
    assert said(week)[0].endswith("(only 3 days can be judged).")


def test_the_second_sentence_in_both_languages() -> None:
    week = week_of(rows(AMOUNTS, [700.0] * 7) + rows(AMOUNTS, series="site.electricity"), MONDAY, ZONE)
    assert said(week)[1] == (
        "Sunday was the best day, 74% less than expected; the highest demand was 36.0 kW on Sunday at 10:00\u202fAM."
    )
    assert said(week, "es")[1] == (
        "El domingo fue el mejor día, 74 % menos de lo esperado; "
        "la demanda más alta fue de 36,0 kW, el domingo a las 10:00."
    ).replace("74 %", "74\xa0%")


def test_the_third_sentence_names_what_weighs_most() -> None:
    electricity = rows(AMOUNTS, series="site.electricity", minimum=10.0)
    normal = week_of([*rows(AMOUNTS, AMOUNTS), *electricity], MONDAY, ZONE)
    assert said(normal)[2] == (
        "Look at nights and breaks: the site never draws less than 10.0 kW, which makes 43% of its electricity."
    )
    bad_day = [700.0, *AMOUNTS[1:]]
    assert said(week_of([*rows(bad_day, AMOUNTS), *electricity], MONDAY, ZONE))[2] == (
        "Look at Monday: 9% more than expected, and above the band."
    )
    assert said(normal, alarms=["Water never stops at night: Main"])[2] == (
        "Look at this, it lasts still: Water never stops at night: Main."
    )
    gaps = week_of(rows(AMOUNTS, AMOUNTS, coverage=0.8), MONDAY, ZONE)
    assert said(gaps, alarms=["x"])[2] == "Look at the measuring: 20% of the week is missing."


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["baseline", "none", "gaps", "empty"])
def test_the_picture_can_be_drawn_of_any_week(language: str, kind: str) -> None:
    expected = AMOUNTS if kind == "baseline" else None
    amounts: list[float | None] = [None] * 7 if kind == "empty" else list(AMOUNTS)
    if kind == "gaps":
        amounts[2] = None
    png = draw_week(week_of(rows(amounts, expected), MONDAY, ZONE), "N" * 200, texts(language))
    assert len(png) < 200_000
    picture = Image.open(BytesIO(png))
    assert picture.size == SIZE_PX
    colours = {colour for _, colour in picture.getcolors(1 << 24) or ()}
    assert ((11, 107, 77) in colours) == (kind == "baseline")
    margin = [picture.getpixel((x, y)) for x in (0, 20, 1060, 1079) for y in range(0, 1080, 3)]
    assert set(margin) == {(255, 255, 255)}


def test_bars_are_as_high_as_their_days() -> None:
    picture = Image.open(BytesIO(draw_week(week_of(rows([100.0, 50.0] + [None] * 5), MONDAY, ZONE), "x", texts("en"))))
    heights = [
        sum(picture.getpixel((round(64 + 136 * (number + 0.5)), y)) == (127, 143, 135) for y in range(300, 858))
        for number in range(2)
    ]
    assert heights[0] == pytest.approx(528, abs=3)
    assert heights[1] == pytest.approx(heights[0] / 2, abs=3)


def test_what_programs_read() -> None:
    content = week_message(texts("en"), NAMES, week_of(rows(AMOUNTS, AMOUNTS), MONDAY, ZONE), [])
    week = content.data["week"]
    assert (week["first_day"], week["last_day"]) == ("2026-11-16", "2026-11-22")
    assert (week["amount_kwh"], week["expected_kwh"], week["judged_days"]) == (3905.0, 3905.0, 7)
    assert week["days"][0] == {"day": "2026-11-16", "amount_kwh": 640.0, "expected_kwh": 640.0, "goal_kwh": 512.0}


def test_a_plan_that_judges_by_week_judges_the_week_as_a_whole() -> None:
    """Its days carry their share of what is expected, without a band."""
    days = [replace(row, lower=None, upper=None) for row in rows(AMOUNTS, [600.0] * 7)]
    (whole,) = rows([3905.0], [4200.0], series=f"site.energy{WEEKS}", first=MONDAY + timedelta(days=6))
    week = week_of([*days, whole], MONDAY, ZONE)
    assert week.comparison is not None
    assert (week.comparison.days, week.comparison.expected, week.comparison.upper) == (7, 4200.0, 4410.0)
    assert week.amount == 3905.0
    assert "can be judged" not in said(week)[0]
    assert week_of([*days, replace(whole, expected=None)], MONDAY, ZONE).comparison is None
    earlier = replace(whole, start_ms=ms(MONDAY - timedelta(days=1)))
    assert week_of([*days, earlier], MONDAY, ZONE).comparison is None
