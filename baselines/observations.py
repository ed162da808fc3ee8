"""Energy and relevant variables, one row a period (interval, day, week, month, shift)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from baselines.errors import BaselineError


@dataclass(frozen=True, slots=True)
class Observations:
    """Rows in the order of time.

    `labels` name the rows for people (a date, a month); `energy` is the use of each row, in one unit; `variables` holds
    the relevant variables (ISO 50006: production, degree days, hours) by name, each as long as `energy`.
    `weights`, where rows are known unequally well, are inverse to the variance of a row's error: 1 is a measured row.
    Raises BaselineError when lengths differ, a label stands twice, a number is not finite or a weight not above zero.
    """

    labels: tuple[str, ...]
    energy: tuple[float, ...]
    variables: Mapping[str, tuple[float, ...]]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        seen: dict[str, int] = {}
        for row, label in enumerate(self.labels, start=1):
            if label in seen:
                raise BaselineError(f"row {row}: {label} stands already in row {seen[label]}")
            seen[label] = row
        for name, column in (("energy", self.energy), *self.variables.items()):
            if len(column) != len(self.labels):
                raise BaselineError(f"column {name}: {len(column)} numbers for {len(self.labels)} rows")
            for row, value in enumerate(column, start=1):
                if not math.isfinite(value):
                    raise BaselineError(f"row {row} ({self.labels[row - 1]}), column {name}: {value} is no number")
        if self.weights is not None and (
            len(self.weights) != len(self.labels) or min(self.weights, default=1.0) <= 0.0
        ):
            raise BaselineError("weights: there must be one above zero for each row")

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: Sequence[int]) -> "Observations":
        """The rows with these indices, from 0."""
        return Observations(
            tuple(self.labels[row] for row in rows),
            tuple(self.energy[row] for row in rows),
            {name: tuple(column[row] for row in rows) for name, column in self.variables.items()},
            None if self.weights is None else tuple(self.weights[row] for row in rows),
        )

    def rows_of(self, names: Sequence[str]) -> list[list[float]]:
        """The variables as rows, in the order of `names`; raises BaselineError for a variable that is not there."""
        for name in names:
            if name not in self.variables:
                raise BaselineError(f"there is no variable {name!r}; there are {', '.join(self.variables) or 'none'}")
        return [[self.variables[name][row] for name in names] for row in range(len(self))]
