from collections.abc import Sequence

import pytest

from notifications.rules.excess import judge_expected
from notifications.rules.integrity import judge_quarantine, judge_reconciliation
from notifications.rules.night_flow import judge_night_flow
from notifications.rules.outbox import judge_outboxes
from notifications.rules.peak import LEAST_DAYS, judge_peak, usual_peak_kw
from notifications.rules.silence import judge_devices, judge_edges
from store.edge_ledger import Reconciliation
from store.protocol import IntervalRow, Latest
from store.schema import INTERVAL_MS

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def interval(number: int, amount: float, quality: str = "measured", coverage: float = 1.0) -> IntervalRow:
    return IntervalRow(
        "bakery", "main", NOW_MS + number * INTERVAL_MS, amount, amount * 4, coverage, quality, "electricity"
    )


def day(number: int, amount: float, upper: float | None, coverage: float = 1.0) -> IntervalRow:
    expected = None if upper is None else upper / 1.1
    return IntervalRow(
        "bakery", "site.energy", NOW_MS + number * DAY_MS, amount, None, coverage, "measured", "energy",
        expected=expected, upper=upper,
    )  # fmt: skip


def test_an_edge_is_silent_after_its_limit() -> None:
    stored_ms = {"pi-1": NOW_MS - 900_001, "pi-2": NOW_MS - 900_000}
    assert [verdict.raised for verdict in judge_edges(stored_ms, NOW_MS, 900_000)] == [True, False]


def test_devices_of_a_silent_edge_and_new_ones_cannot_be_told() -> None:
    newest_ms = {"oven": NOW_MS - HOUR_MS, "mixer": NOW_MS, "behind": NOW_MS - HOUR_MS, "new": None}
    verdicts = judge_devices(newest_ms, frozenset({"behind"}), NOW_MS, HOUR_MS - 1)
    assert {verdict.subject: verdict.raised for verdict in verdicts} == {
        "oven": True, "mixer": False, "behind": None, "new": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("amounts", "raised"),
    [
        ([10.0], False),
        ([10.0, 12.6], True),
        ([12.6, 10.0], None),  # over a moment ago: neither begins nor ends
        ([12.6, 10.0, 10.0, 10.0], None),
        ([12.6, 10.0, 10.0, 10.0, 10.0], False),
        ([], None),
    ],
)
def test_demand_against_what_was_agreed(amounts: Sequence[float], raised: bool | None) -> None:
    rows = [interval(number, amount) for number, amount in enumerate(amounts)]
    verdict = judge_peak(rows, 50.0, None)
    assert verdict.raised is raised
    if raised:
        assert verdict.facts["demand_kw"] == 50.4
        assert verdict.facts["limit_kw"] == 50.0
        assert verdict.facts["agreed"] is True


def test_interpolated_intervals_set_no_peak() -> None:
    assert judge_peak([interval(0, 99.0, "interpolated")], 50.0, None).raised is None
    assert judge_peak([interval(0, 10.0), interval(1, 99.0, "partial")], 50.0, None).raised is False


def test_without_an_agreement_the_last_months_count_when_there_are_enough() -> None:
    days = [
        IntervalRow("bakery", "site.electricity", number * DAY_MS, 1.0, 30.0 + number, 1.0, "measured", "electricity")
        for number in range(LEAST_DAYS)
    ]
    assert usual_peak_kw(days) == 30.0 + LEAST_DAYS - 1
    assert usual_peak_kw(days[1:]) is None
    assert judge_peak([interval(0, 99.0)], None, None).raised is None
    assert judge_peak([interval(0, 11.0)], None, 43.0).raised is True


@pytest.mark.parametrize(
    ("days", "raised"),
    [
        ([day(0, 100, 110)], False),
        ([day(0, 120, 110)], True),
        ([day(0, 120, 110), day(1, 100, 110)], False),
        ([day(0, 120, 110), day(1, 100, None)], True),  # yesterday's production is not known yet
        ([day(0, 120, 110, coverage=0.8)], None),
        ([day(0, 120, 110), day(1, 1, None), day(2, 1, None), day(3, 1, None)], None),  # too long ago
        ([], None),
    ],
)
def test_a_day_against_its_band(days: Sequence[IntervalRow], raised: bool | None) -> None:
    assert judge_expected("energy", days).raised is raised


def water(litres: Sequence[float], coverage: float = 1.0) -> list[IntervalRow]:
    return [interval(number, amount / 1000, coverage=coverage) for number, amount in enumerate(litres)]


NIGHT = (NOW_MS, NOW_MS + 2 * HOUR_MS)


@pytest.mark.parametrize(
    ("litres", "raised"),
    [
        ([2.0] * 8, True),
        ([10.0, 0.0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.0], True),  # a meter that counts in tens of litres
        ([10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], False),
        ([0.5] * 8, False),  # less than 3 L/h
        ([40.0, 0.5, 0.5, 40.0, 0.5, 40.0, 0.5, 0.5], False),  # people at work beside a drip
        ([40.0, 2.0, 2.0, 40.0, 2.0, 40.0, 2.0, 2.0], True),
        ([2.0] * 7, None),
    ],
)
def test_water_at_night(litres: Sequence[float], raised: bool | None) -> None:
    verdict = judge_night_flow("water", water(litres), NIGHT, 3.0)
    assert verdict.raised is raised
    if raised:
        hour = min(sum(litres[:4]), sum(litres[4:]))
        assert verdict.facts["least_l_per_h"] == pytest.approx(min(hour, 4 * min(litres)) if min(litres) > 0 else hour)


def test_a_night_that_was_not_measured_throughout_tells_nothing() -> None:
    assert judge_night_flow("water", water([2.0] * 8, coverage=0.5), NIGHT, 3.0).raised is None
    assert judge_night_flow("water", water([2.0] * 8), (NOW_MS, NOW_MS + HOUR_MS // 2), 3.0).raised is None


def test_no_flow_is_no_flow_whatever_the_limit() -> None:
    assert judge_night_flow("water", water([0.0] * 8), NIGHT, 0.0).raised is False


def compared(edge: str, told: int, stored: int, wrong: tuple[str, ...] = ()) -> Reconciliation:
    return Reconciliation("bakery", edge, NOW_MS, "oven", told, stored, wrong)


def test_what_was_told_and_what_is_stored() -> None:
    days = [compared("pi-1", 100, 100), compared("pi-2", 100, 99), compared("pi-3", 5, 5, ("energy",))]
    verdicts = judge_reconciliation(["pi-1", "pi-2", "pi-3", "pi-4"], days)
    assert [verdict.raised for verdict in verdicts] == [False, True, True, None]
    assert verdicts[1].facts["stored"] == 99


def test_what_was_set_aside() -> None:
    verdicts = judge_quarantine(["pi-1", "pi-2", "pi-3"], {"pi-1": 2, "pi-2": 0})
    assert [verdict.raised for verdict in verdicts] == [True, False, None]


def test_a_full_outbox_is_told_as_long_as_its_edge_tells_of_it() -> None:
    told = {"pi-1": Latest(NOW_MS, 81.0), "pi-2": Latest(NOW_MS, 80.0), "pi-3": Latest(NOW_MS - HOUR_MS, 99.0)}
    verdicts = judge_outboxes(["pi-1", "pi-2", "pi-3", "pi-4"], told, NOW_MS, 80.0)
    assert [verdict.raised for verdict in verdicts] == [True, False, None, None]
    assert verdicts[0].facts == {"share": 0.81}
