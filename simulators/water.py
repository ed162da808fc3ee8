"""What a water meter shows of what is drawn."""

from simulators.encoding import Value
from simulators.load_curve import Curve, Load


class WaterMeter:
    """A meter whose volume is the integral of the flow that it shows.

    Args:
        draw: the flow in m3/h.
        start_m3: what it shows at time 0.
    """

    def __init__(self, draw: Load, start_m3: float = 0.0) -> None:
        self._curve = Curve(draw)
        self._start_m3 = start_m3

    def volume_m3(self, time_s: float) -> float:
        """The total."""
        return self._start_m3 + self._curve.amount(time_s)

    def values(self, time_s: float) -> dict[str, Value]:
        """Quantity -> value, by the catalogue's names and units."""
        flow = self._curve.rate(time_s)
        volume = self.volume_m3(time_s)
        return {
            "water_volume_forward": volume,
            "water_volume_reverse": 0.0,
            "water_volume_net_signed": volume,
            "flow_rate": flow,
            "flow_direction": 1.0 if flow > 0 else 0.0,
            "temperature": 14.5,
            "alarms": 0.0,
        }
