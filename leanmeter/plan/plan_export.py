"""Rows of a baseline as tables for verifiers and `leanmeter baselines`: energy, variables, weights, temperatures."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from evaluation.judging.baseline_days import BaselineReader
from evaluation.judging.baseline_rows import BaselineRow, narrowed, observed
from evaluation.judging.fitting import period_rows
from evaluation.plan.plan_baselines import BaselineSettings
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import SiteModel
from leanmeter.baselines.temperature_file import TEMPERATURE, TIME
from site_config.errors import ConfigurationError
from store.plans import Plans
from store.protocol import ReadingStore

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExportedBaseline:
    """The known rows of a baseline's period and of all that followed, and its days with their temperatures."""

    rows: tuple[BaselineRow, ...]
    days: tuple[BaselineRow, ...]


async def exported(
    readings: ReadingStore, plans: Plans, model: SiteModel, plan: PlanFile, settings: BaselineSettings, today: date
) -> ExportedBaseline:
    """Read what is known until yesterday, with the variables that were chosen, where they were."""
    reader = BaselineReader(readings, plans, model.site, model.time_zone)
    definitions = {name: plan.variables[name] for name in settings.variables}
    rows = await period_rows(reader, plan, settings, model.site, settings.period.last)
    rows += await reader.rows(
        settings.series, settings.step, definitions, settings.period.last + _DAY, today - _DAY, plan.shifts
    )
    baseline = None if model.accounts is None else model.accounts.baselines.get(settings.series)
    if baseline is not None and settings.choose:
        rows = narrowed(rows, baseline.variables)
    weather = {name: entry for name, entry in definitions.items() if entry.weather is not None}
    days = await reader.days(settings.series, weather, settings.period.first, today - _DAY) if weather else []
    return ExportedBaseline(tuple(row for row in rows if row.is_known), tuple(days))


def write_rows(found: ExportedBaseline, file: TextIO) -> None:
    """A row each, numbers to the last digit; of a searched balance point the mean temperature."""
    names = list(found.rows[0].variables) if found.rows else []
    observations = observed(found.rows).observations
    weights = observations.weights or (1.0,) * len(found.rows)
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["date", "energy", *names, "weight"])
    for row, energy, weight in zip(found.rows, observations.energy, weights, strict=True):
        table.writerow([row.label, repr(energy), *(repr(row.variables[name]) for name in names), repr(weight)])


def write_temperatures(found: ExportedBaseline, path: Path) -> None:
    """The hours' temperatures of the days, of the first variable that has such; raises ConfigurationError."""
    if any(row.part < 1.0 for row in found.rows):
        raise ConfigurationError(
            "--temperatures: of shifts `leanmeter baselines` reads none; use the variable's column"
        )
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([TIME, TEMPERATURE])
            for day in found.days:
                for number, value in enumerate(next(iter(day.temperatures.values()), ())):
                    # An hour that comes twice makes a day of 25.
                    table.writerow([f"{day.label}T{min(number, 23):02d}:00", repr(value)])
    except OSError as problem:
        raise ConfigurationError(f"--temperatures {path}: {problem.strerror}") from problem
