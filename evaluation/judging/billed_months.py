"""Months of a baseline out of bills: a firm without a year of metering starts from them. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from baselines.bills import Bill, calendarise
from evaluation.judging.baseline_rows import BaselineRow
from evaluation.judging.steps import step_series
from evaluation.metering.intervals import MEASURED
from evaluation.plan.plan_baselines import BillsTable
from store.protocol import IntervalRow


def with_bills(
    rows: Sequence[BaselineRow], bills: BillsTable, factor: float, site: str, series: str
) -> list[BaselineRow]:
    """The months with what their bills say was used, times a factor, whatever was metered of them.

    A month that the bills cover in part has no use. Raises BaselineError, naming the bill, when they do not ascend.
    """
    months = calendarise([Bill(day, amount) for day, amount in bills.readings])
    found = []
    for entry in rows:
        amount = months.get((entry.first.year, entry.first.month))
        row = None
        if amount is not None:
            point = step_series(series, "month")
            row = IntervalRow(site, point, 0, amount * factor, None, 1.0, MEASURED, "", month=entry.label)
        found.append(replace(entry, row=row))
    return found
