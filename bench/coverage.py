"""How often bands hold what simulated factories truly saved, and how often "proven" is said where nothing was.

    python -m bench.coverage [--factories 2000] [--seed 1] [--plants]

Prints a table: of each kind of factory, rows of the baseline + of the reporting period, in per cent. With --plants it
is of days of the five simulated plants, five seeds each (an hour): days drawn from all, and in the order of time, where
the weather is modelled by a searched balance point.
"""

import argparse
import itertools
import sys
from collections.abc import Sequence

import numpy as np

from baselines.errors import BaselineError
from baselines.linear_model import fit
from baselines.savings import Savings, savings
from baselines.weather_model import DegreeTerm, fit_weather
from tests.baselines.factories import Size, Tried, any_size, judged, tried
from tests.baselines.plant_days import PLANTS, plant_days

SIZES = (Size(12, 12), Size(30, 30), Size(60, 30), Size(60, 180), Size(180, 90), Size(365, 30), Size(365, 365))
CORRELATIONS = (0.0, 0.3, 0.6)
DAYS = 280
DRAWS = 80
BASELINE, REPORTING, STEP = 120, 40, 40
COLUMNS = ("rows", "ρ", "band holds", "independent band holds", "valid", "band above zero", "proven")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factories", type=int, default=2000, metavar="N", help="of each kind; of any size ten times")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plants", action="store_true")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="of each plant")
    asked = parser.parse_args(arguments)
    _write(COLUMNS)
    _write(["---"] * len(COLUMNS))
    if asked.plants:
        _plants(asked.seeds)
    else:
        _factories(asked)
    return 0


def _factories(asked: argparse.Namespace) -> None:
    for size in (None, *SIZES):
        factories = asked.factories if size else 10 * asked.factories
        for rho in CORRELATIONS:
            chance = np.random.default_rng(asked.seed)
            found = tried(lambda: judged(chance, size or any_size(chance), 0.0, rho), factories)  # noqa: B023  # now
            _tell(f"{size.before} + {size.after}" if size else "any", f"{rho:g}", found)


def _plants(seeds: int) -> None:
    drawn: list[tuple[Savings, float]] = []
    in_order: list[tuple[Savings, float]] = []
    for name, seed in itertools.product(PLANTS, range(1, seeds + 1)):
        days = plant_days(name, seed, DAYS)
        chance = np.random.default_rng(1)
        rows = days.rows(days.without)
        for _ in range(DRAWS):
            order = chance.permutation(DAYS).tolist()
            before, after = sorted(order[: DAYS // 2]), sorted(order[DAYS // 2 : 3 * DAYS // 4])
            model = fit(rows.select(before), list(days.product))
            drawn.append((savings(model, rows.select(after), granularity="day"), 0.0))
        for first in range(0, DAYS - BASELINE - REPORTING + 1, STEP):
            before_days = range(first, first + BASELINE)
            after_days = range(first + BASELINE, first + BASELINE + REPORTING)
            temperatures = days.temperatures_of(before_days)
            try:
                weather = fit_weather(
                    rows.select(before_days), list(days.product), temperatures, [DegreeTerm("cooling")]
                )
            except BaselineError:  # weather too even to tell: people are asked for a balance point
                continue
            reported = weather.observe(rows.select(after_days), days.temperatures_of(after_days))
            in_order.append((savings(weather.model, reported, granularity="day"), 0.0))
    _tell(f"{len(drawn)} draws of {DAYS // 2} + {DAYS // 4} days", "", tried(iter(drawn).__next__, len(drawn)))
    rows_told = f"{len(in_order)} periods of {BASELINE} + {REPORTING} days in order"
    _tell(rows_told, "", tried(iter(in_order).__next__, len(in_order)))


def _tell(rows: str, rho: str, found: Tried) -> None:
    shares = (found.inside, found.inside_independent, found.valid, found.above_zero, found.proven)
    _write([rows, rho, *(f"{100.0 * share:.1f}" for share in shares)])


def _write(cells: Sequence[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
