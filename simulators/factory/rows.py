"""From what a meter shows to the rows that an edge would have sent: through the resolution of its registers."""

from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal

from device_profiles.interpretation import needs_interpretation
from device_profiles.library import load_profile
from device_profiles.profile import Encoding, Profile, Register
from simulators.encoding import limits
from simulators.factory.meters import PlantMeters
from simulators.factory.schema import PlantFileError
from wire_format.batch import Column, DeviceRows
from wire_format.quantities import QUANTITIES, Kind

_FLOATS = {Encoding.F32, Encoding.F64}
_SCALE_EXPONENTS = {"weight_net": -3, "weight_stable": 0, "weighed_mass_total": -3}

_LEFT_OUT = {"reactive_power_l1", "reactive_power_l2", "reactive_power_l3", "reactive_energy_export_total"}
"""Nobody looks at these in months of history, and each column costs time and disk."""

Convert = Callable[[Sequence[float]], tuple[int, ...]]


class DeviceRecorder:
    """Makes the rows of one device.

    A value goes through its register on the way: a 32-bit float has 24 bits, an integer its step.

    Args:
        meters: what is shown.
        point: the measuring point, whose device is `device_name(point)`, or the thermometer.

    Raises:
        PlantFileError: the profile's registers depend on more than the value, such as a scale that the device chooses.
    """

    def __init__(self, meters: PlantMeters, point: str) -> None:
        self._meters = meters
        self._point = point
        self.device = device_name(point)
        profile = load_profile(meters.profiles[point])
        self._columns = _shapes(profile, point)

    def rows(self, times_s: tuple[float, ...]) -> DeviceRows:
        """A row for each time (seconds since 1970 UTC, of one local day, ascending)."""
        shown = self._meters.columns(self._point, times_s)
        return DeviceRows(
            self.device,
            tuple([round(time_s * 1000) for time_s in times_s]),
            tuple(
                Column(quantity, QUANTITIES[quantity].unit, exponent, convert(shown[quantity]))
                for quantity, exponent, convert in self._columns
                if quantity in shown
            ),
        )


def device_name(point: str) -> str:
    """The id of the device that measures a point."""
    return f"{point}-meter"


def _shapes(profile: Profile, point: str) -> list[tuple[str, int, Convert]]:
    if profile.protocol == "mt_sics":
        return [(name, exponent, _decimal(exponent)) for name, exponent in _SCALE_EXPONENTS.items()]
    return [
        (register.quantity, register.exponent, _through(register, point))
        for register in profile.registers
        if register.quantity not in _LEFT_OUT
    ]


def _through(register: Register, point: str) -> Convert:
    """What a decoder makes of what the register holds."""
    steps = float(Decimal(repr(register.scale)).scaleb(-register.exponent))
    # A unit that can be set in the device is set to that of the catalogue.
    settable = bool(register.multiplier_table) and 1.0 in [factor for _, factor in register.multiplier_table]
    # What a second tariff adds stays 0: a plant counts by one.
    added = register.summand is not None and register.helper_names == (register.summand,) and not register.bits
    if register.settings or (needs_interpretation(register) and not settable and not added):
        raise PlantFileError(f"points.{point}.profile: {register.quantity} has a scale that is set in the device")
    scale = register.scale
    if register.encoding in _FLOATS:
        code = "f" if register.encoding is Encoding.F32 else "d"
        return lambda values: tuple(map(round, [raw * steps for raw in array(code, _divided(values, scale))]))
    lowest, highest = limits(register)
    factor = round(steps)
    if QUANTITIES[register.quantity].kind is Kind.TOTAL:
        modulus = register.counter_modulus or highest + 1
        return lambda values: tuple([raw % modulus * factor for raw in map(round, _divided(values, scale))])

    def whole(values: Sequence[float]) -> tuple[int, ...]:
        raws = list(map(round, _divided(values, scale)))
        if min(raws) < lowest or max(raws) > highest:
            raws = [min(highest, max(lowest, raw)) for raw in raws]
        return tuple(raws) if factor == 1 else tuple([raw * factor for raw in raws])

    return whole


def _divided(values: Sequence[float], scale: float) -> Sequence[float]:
    return values if scale == 1.0 else [value / scale for value in values]


def _decimal(exponent: int) -> Convert:
    steps = 10.0**-exponent
    return lambda values: tuple(map(round, [value * steps for value in values]))
