"""What a device measures wrongly, or counts wrongly, before anything is sent: counters that jump, crossed wires.

Each is a function of the simulation's time that stands in for the device's own; faults are applied one after another.
"""

from collections.abc import Callable, Mapping

from simulators.encoding import Value
from wire_format.quantities import QUANTITIES, Kind

ValuesAt = Callable[[float], Mapping[str, Value]]
"""What a device measures at a time of the simulation in s, by quantity."""


def is_total(quantity: str) -> bool:
    """Whether a quantity counts up."""
    known = QUANTITIES.get(quantity)
    return known is not None and known.kind is Kind.TOTAL


def counter_reset(values_at: ValuesAt, at_s: float, start: float = 0.0) -> ValuesAt:
    """All totals are set to `start` at a moment and count on; with a `start` it may be another meter in its place."""

    def faulty(time_s: float) -> Mapping[str, Value]:
        values = values_at(time_s)
        return values if time_s < at_s else _shifted(values, values_at(at_s), start)

    return faulty


def counter_wrap(values_at: ValuesAt, at_s: float, highest: Mapping[str, float]) -> ValuesAt:
    """Totals reach their highest value at a moment and start again at 0.

    Args:
        values_at: the device as it would be.
        at_s: when they start again.
        highest: quantity -> value at which its register starts again at 0.
    """

    def faulty(time_s: float) -> Mapping[str, Value]:
        values = dict(values_at(time_s))
        at = values_at(at_s)
        for quantity, modulus in highest.items():
            now, then = values.get(quantity), at.get(quantity)
            if isinstance(now, float) and isinstance(then, float):
                values[quantity] = (now - then) % modulus
        return values

    return faulty


def measured_otherwise(values_at: ValuesAt, other_at: ValuesAt, from_s: float, to_s: float) -> ValuesAt:
    """In [from_s, to_s) the device shows what another one would; its totals count what it shows, and keep it.

    Args:
        values_at: the device as it would be.
        other_at: the same device wrongly connected.
        from_s: when the wires are changed.
        to_s: when they are put right.
    """

    def faulty(time_s: float) -> Mapping[str, Value]:
        values = values_at(time_s)
        if time_s < from_s:
            return values
        shown = dict(other_at(time_s) if time_s < to_s else values)
        end_s = min(time_s, to_s)
        changes = (values_at(from_s), values_at(end_s), other_at(from_s), other_at(end_s))
        for quantity, value in values.items():
            if is_total(quantity):
                numbers = [entry for change in changes if isinstance(entry := change.get(quantity), float)]
                if isinstance(value, float) and len(numbers) == len(changes):
                    before, after, other_before, other_after = numbers
                    shown[quantity] = value - (after - before) + (other_after - other_before)
        return shown

    return faulty


def _shifted(values: Mapping[str, Value], zero: Mapping[str, Value], start: float) -> dict[str, Value]:
    """Totals counted from `start` where they stood at `zero`."""
    shifted = dict(values)
    for quantity, value in values.items():
        then = zero.get(quantity)
        if is_total(quantity) and isinstance(value, float) and isinstance(then, float):
            shifted[quantity] = value - then + start
    return shifted
