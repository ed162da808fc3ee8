"""The demonstration's workshop: a small bakery whose parts add up.

mains = oven + mixer + cold room + packing + what nobody measures - photovoltaics, at every moment and in every total.
All devices see the same voltages. The sun begins its day at 10 o'clock with the simulation, whatever the clock says,
so that generation shows at any hour.
"""

from collections.abc import Mapping

from simulators.electricity import Consumer, ElectricityMeter, Mains, StartTotals
from simulators.inverter import Inverter
from simulators.loads import cycling, sun, taps, wandering
from simulators.water import WaterMeter
from simulators.weighing import OperatorSequence

# Three years of one-shift work. The mains' total follows from the others.
START_KWH = {"oven": 14_208.0, "mixer": 1_962.0, "cold-room": 6_874.0, "packing": 1_512.0}
_START_UNMETERED_KWH = 4_118.0
_START_PV_KWH = 9_400.0
_START_EXPORT_KWH = 2_100.0
_START_WATER_M3 = 1_284.4


class Workshop:
    """All that is measured, by the time since the simulation's start in s.

    Args:
        seed: the same seed gives the same data.
    """

    def __init__(self, seed: int = 1) -> None:
        mains = Mains()
        self.consumers = _consumers(seed)
        unmetered = Consumer(wandering(seed, "unmetered", between_w=(500, 1100)), cos_phi=0.94, shares=(0.5, 0.3, 0.2))
        generation = sun(seed, "pv", peak_w=6000, start_hour=10.0)
        self.parts = {
            point: ElectricityMeter([consumer], mains, StartTotals(START_KWH[point]))
            for point, consumer in self.consumers.items()
        }
        self.unmetered = ElectricityMeter([unmetered], mains, StartTotals(_START_UNMETERED_KWH))
        self.inverter = Inverter(generation, mains, _START_PV_KWH)
        taken_kwh = sum(START_KWH.values()) + _START_UNMETERED_KWH - _START_PV_KWH + _START_EXPORT_KWH
        self.main = ElectricityMeter(
            [*self.consumers.values(), unmetered, Consumer(generation, factor=-1.0)],
            mains,
            StartTotals(taken_kwh, _START_EXPORT_KWH),
        )
        self.water = WaterMeter(taps(seed, "water"), _START_WATER_M3)
        self.operator = OperatorSequence(seed)

    def totals(self, time_s: float) -> Mapping[str, Mapping[str, float]]:
        """The true totals: point -> quantity -> value (kWh, m3, kg)."""
        found: dict[str, dict[str, float]] = {
            point: {"active_energy_import_total": meter.energy_import_kwh(time_s)}
            for point, meter in (*self.parts.items(), ("unmetered", self.unmetered), ("main", self.main))
        }
        found["main"]["active_energy_export_total"] = self.main.energy_export_kwh(time_s)
        found["pv"] = {"active_energy_export_total": self.inverter.energy_kwh(time_s)}
        found["water"] = {"water_volume_forward": self.water.volume_m3(time_s)}
        found["product"] = {"weighed_mass_total": self.operator.weighed_kg(time_s)}
        return found


def _consumers(seed: int) -> dict[str, Consumer]:
    """The machines that have a meter, by measuring point."""
    return {
        "oven": Consumer(
            cycling(seed, "oven", on_w=(8000, 12000), off_w=350, on_s=(45, 90), off_s=(20, 45), flicker=0.01),
            cos_phi=0.99,
        ),
        "mixer": Consumer(
            cycling(
                seed, "mixer", on_w=(3000, 4000), off_w=0, on_s=(25, 60), off_s=(20, 60), start_peak=2.5, flicker=0.06,
            ),
            cos_phi=0.81,
        ),
        "cold-room": Consumer(
            cycling(
                seed, "cold-room", on_w=(2000, 3000), off_w=120, on_s=(60, 120), off_s=(60, 150), start_peak=3.0,
                flicker=0.03,
            ),
            cos_phi=0.84,
        ),
        "packing": Consumer(
            cycling(seed, "packing", on_w=(1000, 1500), off_w=1000, on_s=(3, 9), off_s=(2, 6), flicker=0.05),
            cos_phi=0.9,
            shares=(0.4, 0.35, 0.25),
        ),
    }  # fmt: skip
