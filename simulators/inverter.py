"""What a photovoltaic inverter shows: power and energy that it delivers."""

from simulators.electricity import Consumer, ElectricityMeter, Mains, StartTotals
from simulators.encoding import Value
from simulators.load_curve import Load

_EFFICIENCY = 0.972
_DC_V = 612.0
_MPPT = 4.0
_SLEEPING = 2.0


class Inverter:
    """A three-phase inverter; what it makes is counted as export.

    Args:
        generation: the power delivered, W, never negative.
        mains: what it feeds.
        start_kwh: what it shows at time 0.
    """

    def __init__(self, generation: Load, mains: Mains, start_kwh: float = 0.0) -> None:
        # Seen from the inverter, what flows out is positive, as the power of a consumer is at its meter.
        self._meter = ElectricityMeter([Consumer(generation)], mains, StartTotals(import_kwh=start_kwh))

    def power_w(self, time_s: float) -> float:
        """Positive when it produces."""
        return self._meter.power_w(time_s)

    def energy_kwh(self, time_s: float) -> float:
        """Everything produced."""
        return self._meter.energy_import_kwh(time_s)

    def values(self, time_s: float) -> dict[str, Value]:
        """Quantity -> value, by the catalogue's names and units."""
        values = self._meter.values(time_s)
        for name in [name for name in values if "_import_" in name]:
            mirrored = name.replace("_import_", "_export_")
            if mirrored in values:
                values[name], values[mirrored] = values[mirrored], values[name]
        power_dc_w = self.power_w(time_s) / _EFFICIENCY
        return values | {
            "power_dc": power_dc_w,
            "voltage_dc": _DC_V,
            "current_dc": power_dc_w / _DC_V,
            "energy_dc": self.energy_kwh(time_s) / _EFFICIENCY,
            "temperature": 31.0 + power_dc_w / 400,
            "operating_state": _MPPT if power_dc_w > 0 else _SLEEPING,
            "alarms": 0.0,
        }
