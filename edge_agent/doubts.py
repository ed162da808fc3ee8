"""Rows that came whole and cannot be true: a device that repeats itself, values with their words the wrong way round.

What a single number can tell is the decoder's matter; here the numbers of a device are held against each other. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from device_profiles.profile import Register
from edge_agent.integrals import MILLISECONDS_AN_HOUR, TOTALS_OF_RATES, IntegratedTotal
from wire_format.quality import Quality

Doubt = Literal["", "frozen", "word_order"]

DOUBTS: dict[Doubt, str] = {
    "": "",
    "frozen": "repeats itself to the last bit, so it has ceased to measure; switch it off and on",
    "word_order": "tells numbers that nothing can measure; is it another model, or has it another word order?",
}
"""Why what a device says is not believed, though it answers."""

FROZEN_AFTER_S = 300.0
FEWEST_REPEATS = 3
STEPS_MISSED = 3
"""So many of its usual steps a total must have missed before its standing still says anything."""

LIVE = re.compile(r"voltage_.+|frequency")
"""What of a grid is never twice the same for minutes, where it is shown finely enough."""
FINE = 1000
"""Finely enough: it was seen to move by less than a thousandth of itself."""
FEWEST_LIVE = 2

GRID = {"V": (50.0, 1000.0), "Hz": (40.0, 70.0)}
"""What low-voltage grids have, lowest and highest."""


@dataclass(slots=True)
class _Moving:
    """A quantity and the smallest step by which it was seen to move; 0 before it ever did."""

    position: int
    last: int | None = None
    step: int = 0

    def take(self, integers: Sequence[int | None]) -> None:
        integer = integers[self.position]
        if integer is None:
            return
        moved = 0 if self.last is None else abs(integer - self.last)
        if moved and (not self.step or moved < self.step):
            self.step = moved
        self.last = integer


class FrozenWatch:
    """Tells a device that has ceased to measure, but answers, from one that has nothing new to say.

    Replies that are the same to the last bit prove nothing: a machine is off, a meter is coarse. They are not believed
    when they have been the same for `after_s` and contradict themselves: the power that they tell would have moved the
    total beside it by several of its usual steps, or voltages and frequency that were seen to move finely stand still.
    What has neither, or has never moved since the start, is not told from a device at rest.
    """

    def __init__(self, registers: Sequence[Register], after_s: float = FROZEN_AFTER_S) -> None:
        self.is_frozen = False
        self._after_ms = after_s * 1000
        self._replies: tuple[bytes, ...] = ()
        self._since_ms = 0
        self._repeats = 0
        at = {register.quantity: index for index, register in enumerate(registers)}
        self._live = [_Moving(index) for name, index in at.items() if LIVE.fullmatch(name)]
        self._totals = [
            (at[pair.rate], _steps_an_hour(pair, registers, at), _Moving(at[pair.quantity]))
            for pair in TOTALS_OF_RATES
            if pair.rate in at and pair.quantity in at
        ]

    def update(self, replies: Sequence[bytes | Quality], integers: Sequence[int | None], time_ms: int) -> bool:
        """Take the replies of a poll and what they came to, totals as the device shows them; whether it is frozen."""
        said = tuple(reply for reply in replies if isinstance(reply, bytes))
        if not said:
            return self.is_frozen
        if said != self._replies:
            self._replies, self._since_ms, self._repeats, self.is_frozen = said, time_ms, 0, False
            for entry in (*self._live, *(entry for _, _, entry in self._totals)):
                entry.take(integers)
            return False
        self._repeats += 1
        elapsed_ms = time_ms - self._since_ms
        if self._repeats >= FEWEST_REPEATS and elapsed_ms >= self._after_ms:
            self.is_frozen = self.is_frozen or self._contradicts_itself(integers, elapsed_ms)
        return self.is_frozen

    def _contradicts_itself(self, integers: Sequence[int | None], elapsed_ms: int) -> bool:
        hours = elapsed_ms / MILLISECONDS_AN_HOUR
        for rate, steps_an_hour, total in self._totals:
            if total.step and (integers[rate] or 0) * steps_an_hour * hours >= STEPS_MISSED * total.step:
                return True
        fine = [entry for entry in self._live if entry.step and abs(entry.last or 0) >= FINE * entry.step]
        return len(fine) >= FEWEST_LIVE


def _steps_an_hour(pair: IntegratedTotal, registers: Sequence[Register], at: Mapping[str, int]) -> float:
    return pair.steps_an_hour(registers[at[pair.rate]], registers[at[pair.quantity]].exponent)


class WordOrderWatch:
    """Tells rows whose values of two and more registers are turned round: by a setting of the meter, or another one.

    One number that no device can measure is wrong in its own cell. When it is a third of those that a row has, and more
    than one, the others are wrong too, however likely they look; until a row comes without any. A voltage or frequency
    as grids have them speaks for a device whose other registers hold rubbish: by chance one in a hundred looks so.
    """

    def __init__(self, registers: Sequence[Register]) -> None:
        self.is_turned = False
        self._wide = [index for index, register in enumerate(registers) if register.count > 1]
        self._grid: list[tuple[int, float, float]] = []
        for index in self._wide:
            register, step = registers[index], 10.0 ** registers[index].exponent
            if LIVE.fullmatch(register.quantity) and register.unit in GRID:
                lowest, highest = GRID[register.unit]
                self._grid.append((index, lowest / step, highest / step))

    def update(self, integers: Sequence[int | None], quality: Sequence[Quality]) -> bool:
        """Take a row as it was decoded; whether its wide values are not to be believed."""
        impossible = sum(quality[index] is Quality.OUT_OF_RANGE and integers[index] is None for index in self._wide)
        known = sum(bool(integers[index]) for index in self._wide)
        if impossible:
            many = impossible > 1 and 2 * impossible >= known
            self.is_turned = self.is_turned or (many and not self._is_a_grid(integers))
        elif known:
            self.is_turned = False
        return self.is_turned

    def _is_a_grid(self, integers: Sequence[int | None]) -> bool:
        return any(lowest <= (integers[index] or 0) <= highest for index, lowest, highest in self._grid)

    def spoil(self, integers: list[int | None], quality: list[Quality]) -> None:
        """Take the numbers of a row that is turned round out of it."""
        for index in self._wide:
            if integers[index] is not None:
                integers[index], quality[index] = None, Quality.OUT_OF_RANGE
