"""A day that used more than the baseline's band allows."""

from collections.abc import Sequence

from notifications.alarm import Facts, Verdict
from site_config.notification_settings import AlarmKind
from store.protocol import IntervalRow

EXPECTED_RESOURCES = ("energy", "electricity", "water", "waste")
"""What a day can be judged of."""
LEAST_COVERAGE = 0.9
NEWEST_DAYS = 3
"""What was used longer ago than this is no longer news."""


def judge_expected(resource: str, days: Sequence[IntervalRow], rows: str = "") -> Verdict:
    """Whether the newest day of a site's use of a resource that can be judged is above its upper limit.

    `days` are the last days that are over, ascending; with `rows` WEEKS or MONTHS what ended on them. A day can be
    judged when it has a band (its production is known) and was measured for nine tenths of its time.
    """
    judged = [day for day in days[-NEWEST_DAYS:] if day.upper is not None and day.coverage >= LEAST_COVERAGE]
    if not judged or judged[-1].upper is None or judged[-1].expected is None:
        return Verdict(AlarmKind.OVER_EXPECTED, resource, None, {})
    day = judged[-1]
    facts: Facts = {
        "day_ms": day.start_ms,
        "amount": day.amount,
        "expected": day.expected or 0.0,
        "upper": day.upper or 0.0,
    }
    if rows:
        facts = {**facts, "rows": rows}
    return Verdict(AlarmKind.OVER_EXPECTED, resource, day.amount > (day.upper or 0.0), facts)
