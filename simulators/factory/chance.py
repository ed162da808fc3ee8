"""Repeatable chance: every draw belongs to a name and a day, so that no order of asking can change it."""

import random


def chance(seed: str, *names: object) -> random.Random:
    """A generator of its own for these names; the same for the same seed, on every machine."""
    return random.Random(" ".join(map(str, (seed, *names))))  # noqa: S311  # repeatable chance, no secret
