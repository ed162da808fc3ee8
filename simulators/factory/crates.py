"""Crates that a line fills and puts on a scale: what the line made and what was weighed differ by one crate at most."""

from simulators.factory.chance import chance

_RESOLUTION_KG = 0.001
_UNEVEN = 0.08
_REMEMBERED = 1000


class Crates:
    """The crates of one scale, by how much the line has made; the same for the same seed.

    Crate k is full when the line has made about k + 1 times `crate_kg`. It then stands on the plate until half of the
    next one is made.

    Args:
        seed: of the plant.
        name: of the measuring point.
        crate_kg: what one holds on average.
    """

    def __init__(self, seed: str, name: str, crate_kg: float) -> None:
        self._seed = seed
        self._name = name
        self._crate_kg = crate_kg
        self._full: dict[int, float] = {}

    def weighed_kg(self, made_kg: float) -> float:
        """The mass of all crates weighed when the line has made so much."""
        return self._full_kg(self._count(made_kg))

    def on_plate_kg(self, made_kg: float) -> float:
        """What stands on the plate then."""
        count = self._count(made_kg)
        if count == 0 or made_kg - self._full_kg(count) >= self._crate_kg / 2:
            return 0.0
        return self._full_kg(count) - self._full_kg(count - 1)

    def _count(self, made_kg: float) -> int:
        """How many crates are full."""
        count = int(made_kg / self._crate_kg)
        return count if made_kg >= self._full_kg(count) else count - 1

    def _full_kg(self, count: int) -> float:
        """What the line had made when the last of so many crates was full."""
        if count <= 0:
            return 0.0
        if count not in self._full:
            if len(self._full) >= _REMEMBERED:
                self._full.clear()
            uneven = chance(self._seed, "crate", self._name, count).uniform(0, _UNEVEN)
            self._full[count] = round((count + uneven) * self._crate_kg / _RESOLUTION_KG) * _RESOLUTION_KG
        return self._full[count]
