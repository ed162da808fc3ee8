"""Totals of devices that have none: the present rate, added up over time. Every value of them is ESTIMATED."""

from collections.abc import Sequence
from dataclasses import dataclass

from device_profiles.profile import Profile, Register
from edge_agent.samples import ColumnShape
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES

LONGEST_GAP_MS = 60_000
"""Between readings further apart nobody knows what was used: nothing is added."""

MILLISECONDS_AN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class IntegratedTotal:
    """`quantity` adds up `sign` * `rate` where that is positive; rate units * `factor` * hours = its unit."""

    rate: str
    quantity: str
    sign: int
    factor: float

    @property
    def column(self) -> ColumnShape:
        """Its column, in the catalogue's unit and resolution."""
        catalogued = QUANTITIES[self.quantity]
        return ColumnShape(catalogued.name, catalogued.unit, catalogued.exponent)

    def steps_an_hour(self, rate: Register, exponent: int) -> float:
        """How many steps of 10**`exponent` one step of the rate adds in an hour."""
        return self.sign * self.factor * 10.0 ** (rate.exponent - exponent)


_ENERGY = (
    IntegratedTotal("active_power_total", "active_energy_import_total", 1, 0.001),
    IntegratedTotal("active_power_total", "active_energy_export_total", -1, 0.001),
)
_VOLUMES = (
    IntegratedTotal("flow_rate", "water_volume_forward", 1, 1.0),
    IntegratedTotal("compressed_air_flow_rate", "compressed_air_volume", 1, 1.0),
)
TOTALS_OF_RATES = (*_ENERGY, *_VOLUMES)


def integrated_totals(profile: Profile) -> tuple[IntegratedTotal, ...]:
    """The totals that a device lacks but gives the rate of, each unless it has any total of that kind."""
    names = {register.quantity for register in profile.registers}
    found: tuple[IntegratedTotal, ...] = ()
    if "active_power_total" in names and not any(name.startswith("active_energy_") for name in names):
        found += _ENERGY
    if not any("volume" in name for name in names):
        found += tuple(entry for entry in _VOLUMES if entry.rate in names)
    return found


@dataclass(slots=True)
class Integral:
    """A total in steps of its column, and what is not yet a whole step."""

    total: int = 0
    remainder: float = 0.0


class RateIntegrator:
    """Adds up one rate by trapezoids. Pure but for the Integral, which outlives a restart."""

    def __init__(self, integrated: IntegratedTotal, registers: Sequence[Register], integral: Integral) -> None:
        names = [register.quantity for register in registers]
        self.column = integrated.column
        self._position = names.index(integrated.rate)
        self._integral = integral
        self._factor = integrated.steps_an_hour(registers[self._position], self.column.exponent) / MILLISECONDS_AN_HOUR
        self._last: tuple[float, int] | None = None

    def update(
        self, integers: Sequence[int | None], quality: Sequence[Quality], time_ms: int
    ) -> tuple[int | None, Quality]:
        """Take a row as it was decoded; the total up to now, missing when the rate is."""
        rate, mark = integers[self._position], quality[self._position]
        if rate is None or mark is Quality.OUT_OF_RANGE:
            return None, mark
        return self._added(max(rate * self._factor, 0.0), time_ms), Quality.ESTIMATED

    def _added(self, flow: float, time_ms: int) -> int:
        if self._last is not None and 0 < time_ms - self._last[1] <= LONGEST_GAP_MS:
            added = (flow + self._last[0]) / 2 * (time_ms - self._last[1]) + self._integral.remainder
            self._integral.total += int(added)
            self._integral.remainder = added - int(added)
        self._last = (flow, time_ms)
        return self._integral.total
