"""Bills of several months in a row: each by the version of the tariff that is valid, each remembering earlier peaks."""

import calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from baselines.errors import BaselineError
from baselines.tariff import Bill, IntervalUse, Tariff, bill_month, tariff_on

QUARTERS_AN_HOUR = 4


def bill_months(
    tariffs: Sequence[Tariff], rows: Sequence[IntervalUse], earlier_demands: Sequence[Decimal] = ()
) -> Mapping[str, Bill]:
    """A bill for each calendar month of the data (`2026-11`), oldest first.

    The version of the month's first day holds for all of it; a finding says when another begins within the month, and
    when intervals are missing. Raises BaselineError naming the month.
    """
    months: dict[str, list[IntervalUse]] = defaultdict(list)
    for row in rows:
        months[f"{row.start:%Y-%m}"].append(row)
    bills: dict[str, Bill] = {}
    demands = list(earlier_demands)
    for month in sorted(months):
        used = months[month]
        try:
            tariff = tariff_on(tariffs, used[0].start.date().replace(day=1))
            bill = bill_month(tariff, used, demands)
        except BaselineError as problem:
            raise BaselineError(f"{month}: {problem}") from problem
        bills[month] = replace(bill, findings=(*bill.findings, *_findings(tariffs, used)))
        if bill.demand is not None:
            demands.append(bill.demand)
    return bills


def _findings(tariffs: Sequence[Tariff], rows: Sequence[IntervalUse]) -> list[str]:
    first = rows[0].start.date().replace(day=1)
    after = first + timedelta(days=calendar.monthrange(first.year, first.month)[1])
    found = [
        f"{tariff.name} is valid from {tariff.valid_from}; the month is billed by the tariff before it"
        for tariff in tariffs
        if first < tariff.valid_from < after
    ]
    expected = _quarters(first, after, rows[0].start)
    if len(rows) < expected:
        found.append(f"{len(rows)} of the month's {expected} intervals are there; the bill is of these alone")
    return found


def _quarters(first: date, after: date, sample: datetime) -> int:
    """How many intervals lie between two local midnights: a day with 23 or 25 hours has its own number."""
    start, end = (datetime(day.year, day.month, day.day, tzinfo=sample.tzinfo) for day in (first, after))
    hours = (end - start) / timedelta(hours=1)
    if sample.tzinfo is not None:
        hours = (end.timestamp() - start.timestamp()) / 3600
    return round(hours * QUARTERS_AN_HOUR)
