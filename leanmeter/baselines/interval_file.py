"""A file of 15-minute intervals of electricity, as a meter's memory or a supplier's portal gives it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

from baselines.row_quality import KNOWN, NEVER_A_PEAK
from baselines.tariff import IntervalUse
from leanmeter.baselines.data_file import Row, Table, read_table

INTERVAL = timedelta(minutes=15)
MOST_NAMED = 5
START, ENERGY, REACTIVE, QUALITY = "start", "energy_kwh", "reactive_kvarh", "quality"


@dataclass(frozen=True, slots=True)
class IntervalFile:
    """Intervals in the order of time, and where some are missing."""

    rows: tuple[IntervalUse, ...]
    gaps: tuple["Gap", ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Intervals that are missing before one that `day` has."""

    day: date
    text: str


def read_intervals(path: Path, zone: tzinfo | None) -> IntervalFile:
    """Read columns start, energy_kwh and, where they are there, reactive_kvarh and quality (empty: measured).

    Times with a zone are moved to `zone`, others are taken as local time there. Raises DataFileError naming row and
    column; missing intervals are a finding.
    """
    table = read_table(path)
    table.require([START, ENERGY])
    read: dict[datetime, tuple[Row, IntervalUse]] = {}
    for row in table.rows:
        start = _start(table, row, zone)
        # Two o'clock in the night when the clocks go back is told apart by its offset alone.
        key = start.astimezone(UTC) if start.tzinfo else start
        if key in read:
            is_local = datetime.fromisoformat(row.cells[START]).tzinfo is None
            hint = "; when clocks go back, give times with their offset (+02:00)" if is_local else ""
            raise table.error(row, START, f"{row.cells[START]} stands already in row {read[key][0].number}{hint}")
        energy = table.number(row, ENERGY)
        if energy is None:
            raise table.error(row, ENERGY, "is empty; delete the row, or give the interval's energy")
        if energy < 0.0:
            raise table.error(row, ENERGY, f"{energy:g} is below zero; give what was bought, without what was fed in")
        reactive = table.number(row, REACTIVE) if REACTIVE in table.columns else None
        read[key] = (row, IntervalUse(start, energy, reactive, may_set_peak=_quality(table, row) not in NEVER_A_PEAK))
    ordered = [read[key] for key in sorted(read)]
    return IntervalFile(tuple(use for _, use in ordered), tuple(_gaps(sorted(read), ordered)))


def _quality(table: Table, row: Row) -> str:
    """Measured, where nothing says otherwise."""
    text = row.cells.get(QUALITY) or "measured"
    if text not in KNOWN:
        raise table.error(row, QUALITY, f"{text!r} is not known; there are {', '.join(sorted(KNOWN))}")
    return text


def _start(table: Table, row: Row, zone: tzinfo | None) -> datetime:
    text = row.cells[START]
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise table.error(row, START, f"{text!r} is no time; expected is 2025-01-31T10:15") from None
    if start.minute % 15 or start.second or start.microsecond:
        raise table.error(row, START, f"{text} is not on a quarter of an hour")
    if start.tzinfo is None:
        local = start.replace(tzinfo=zone)
        if zone is not None and local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != start:
            raise table.error(row, START, f"{text} is not on the clock of {zone}: it went forward over it")
        return local
    if zone is None:
        raise table.error(row, START, f"{text} has a zone; say with --timezone which one the tariff goes by")
    return start.astimezone(zone)


def _gaps(times: Sequence[datetime], rows: Sequence[tuple[Row, IntervalUse]]) -> list[Gap]:
    found = []
    for index in range(1, len(times)):
        missing = (times[index] - times[index - 1]) // INTERVAL - 1
        if missing:
            row, use = rows[index]
            text = f"row {row.number}, column {START}: {missing} intervals missing before it"
            found.append(Gap(use.start.date(), text))
    if len(found) > MOST_NAMED:
        found = [*found[:MOST_NAMED], Gap(found[MOST_NAMED].day, f"and {len(found) - MOST_NAMED} more gaps")]
    return found
