"""Calendarised bills: the use between two readings, spread over the days, summed by calendar month.

Each bill's use belongs evenly to the days after the reading before it, up to and including its own reading's day
(IPMVP; the ENERGY STAR and VERIFI tools do the same). The first reading only marks a start.
"""

import calendar
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from baselines.errors import BaselineError

LONGEST_BILL_DAYS = 400


@dataclass(frozen=True, slots=True)
class Bill:
    """A meter reading's day, and the use since the reading before it."""

    reading_date: date
    energy: float


def calendarise(bills: Sequence[Bill]) -> dict[tuple[int, int], float]:
    """Use of each calendar month (year, month) all of whose days are covered.

    Raises BaselineError, naming the row (from 1), when dates do not ascend or a bill is too long to be spread evenly.
    """
    if len(bills) < 2:
        raise BaselineError("bills: at least two are needed; the first only marks a start")
    days: dict[tuple[int, int], int] = defaultdict(int)
    amounts: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for row, (before, bill) in enumerate(itertools.pairwise(bills), start=2):
        length = (bill.reading_date - before.reading_date).days
        if length <= 0:
            raise BaselineError(f"row {row}: {bill.reading_date} is not after {before.reading_date} of the row before")
        if length > LONGEST_BILL_DAYS:
            raise BaselineError(f"row {row}: {length} days since the reading before; is a bill missing?")
        # Fractions, because shares of a day add up to the bill only when nothing is rounded on the way.
        share = Fraction(bill.energy) / length
        day = before.reading_date + timedelta(days=1)
        while day <= bill.reading_date:
            month = (day.year, day.month)
            last = min(bill.reading_date, date(day.year, day.month, calendar.monthrange(day.year, day.month)[1]))
            count = (last - day).days + 1
            days[month] += count
            amounts[month] += share * count
            day = last + timedelta(days=1)
    return {month: float(amounts[month]) for month in sorted(days) if days[month] == calendar.monthrange(*month)[1]}
