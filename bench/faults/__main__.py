"""`scripts/bench faults [--quick] [--only TEXT] [--json FILE]`: the table of faults."""

import argparse
import json
import logging
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from bench.faults import batches, disk, influx, kills, network, server  # noqa: F401  # each adds its faults
from bench.faults.registry import FAULTS, FULL, QUICK, NotHereError, Outcome

_HEADINGS = ("fault", "times tried", "values", "lost", "duplicated", "seconds")


def main() -> int:
    """Try every fault; 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="scripts/bench faults", description="Faults on real parts; lost must be 0.")
    parser.add_argument("--quick", action="store_true", help="a few of each")
    parser.add_argument("--only", default="", metavar="TEXT", help="faults whose name has this text")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes there too")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    size = QUICK if arguments.quick else FULL
    outcomes: dict[str, Outcome] = {}
    _write_row(_HEADINGS)
    for name, trial in FAULTS.items():
        if arguments.only not in name:
            continue
        began_s = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="leanmeter-faults-") as folder:
            try:
                outcome = trial(size, Path(folder) / "line")
            except NotHereError as problem:
                _write_row((name, "not here", str(problem), "", "", ""))
                continue
        outcomes[name] = outcome
        seconds = f"{time.monotonic() - began_s:.0f}"
        _write_row((name, *(f"{number:,}" for number in asdict(outcome).values()), seconds))
    total = Outcome(
        *(sum(numbers) for numbers in zip(*(asdict(one).values() for one in outcomes.values()), strict=True))
    )
    _write_row(("all", *(f"{number:,}" for number in asdict(total).values()), ""))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({name: asdict(one) for name, one in outcomes.items()}, indent=2) + "\n")
    return 1 if total.lost or total.duplicated else 0


def _write_row(cells: tuple[str, ...]) -> None:
    sys.stdout.write(f"{cells[0]:<60}" + "".join(f"{cell:>14}" for cell in cells[1:]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
