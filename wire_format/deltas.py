"""Delta coding of integers in which some are missing.

A delta is taken against the last integer that is present, modulo 2**64 as a signed 64-bit number, so that every
sequence of 64-bit integers has deltas of 64 bits.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import sub

from wire_format.limits import MAX_INTEGER, MIN_INTEGER

_UNWRAPPED = 2**62  # two integers within +-2**62 differ by less than 2**63


def encode_deltas(integers: Sequence[int | None]) -> list[int | None]:
    """The first integer present as it is, then differences; None stays None. Raises OverflowError beyond 64 bits."""
    if None in integers:
        present = [integer for integer in integers if integer is not None]
        if not present:
            return list(integers)
        remaining = iter(_differences(present))
        return [None if integer is None else next(remaining) for integer in integers]
    return [*_differences(integers)]  # type: ignore[arg-type]  # no None among them


def decode_deltas(deltas: Sequence[int | None]) -> tuple[int | None, ...]:
    """The integers again."""
    if None in deltas:
        remaining = iter(_sums([delta for delta in deltas if delta is not None]))
        return tuple([None if delta is None else next(remaining) for delta in deltas])
    return tuple(_sums(deltas))  # type: ignore[arg-type]  # no None among them


def _differences(integers: Sequence[int]) -> list[int]:
    lowest, highest = min(integers), max(integers)
    if lowest < MIN_INTEGER or highest > MAX_INTEGER:
        raise OverflowError(f"{lowest if lowest < MIN_INTEGER else highest} does not fit into 64 bits")
    differences = [integers[0], *map(sub, integers[1:], integers)]
    if lowest < -_UNWRAPPED or highest > _UNWRAPPED:
        return [_wrapped(difference) for difference in differences]
    return differences


def _sums(deltas: Sequence[int]) -> list[int]:
    sums = list(accumulate(deltas))
    if sums and (min(sums) < MIN_INTEGER or max(sums) > MAX_INTEGER):
        return [_wrapped(total) for total in sums]
    return sums


def _wrapped(number: int) -> int:
    """The signed 64-bit number that is equal modulo 2**64."""
    return (number + 2**63) % 2**64 - 2**63
