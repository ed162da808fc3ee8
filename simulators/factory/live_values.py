"""Everything that a live device shows at a moment: what history keeps, and what follows from it."""

import math

from simulators.electricity import PHASES
from simulators.encoding import Value
from simulators.factory.meters import PlantMeters
from site_config.points import Resource

_DEMAND_S = 900.0


def live_values(meters: PlantMeters, name: str, time_s: float) -> dict[str, Value]:
    """Quantity -> value of a point's device, by the catalogue's names and units.

    Energies by phase are shown only as a total of all three; registers of what is not here read "not available".
    """
    values: dict[str, Value] = {quantity: column[0] for quantity, column in meters.columns(name, (time_s,)).items()}
    point = meters.points.get(name)
    if point is None or point.resource is not Resource.ELECTRICITY or point.per_pulse is not None:
        return values
    numbers = {quantity: value for quantity, value in values.items() if isinstance(value, float)}
    voltages = [numbers[f"voltage_{phase}_n"] for phase in PHASES]
    currents = [numbers[f"current_{phase}"] for phase in PHASES]
    for part in ("total", *PHASES):
        active, reactive = numbers[f"active_power_{part}"], numbers[f"reactive_power_{part}"]
        apparent = math.hypot(active, reactive)
        values |= {
            f"active_power_import_{part}": max(active, 0.0),
            f"active_power_export_{part}": max(-active, 0.0),
            f"apparent_power_{part}": apparent,
            f"power_factor_{part}": active / apparent if apparent else 1.0,
            f"phase_angle_{part}": math.degrees(math.atan2(reactive, active)) if apparent else 0.0,
        }
    # Two phasors 120 degrees apart.
    between = [math.sqrt(a * a + b * b + a * b) for a, b in zip(voltages, voltages[1:] + voltages[:1], strict=True)]
    values |= dict(zip(("voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1"), between, strict=True))
    values |= {"voltage_ln_avg": sum(voltages) / 3, "voltage_ll_avg": sum(between) / 3}
    values |= {"current_avg": sum(currents) / 3, "current_sum": sum(currents), "current_total": sum(currents)}
    values |= {"phase_sequence": 0.0, "phase_rotation": 1.0}
    for kind in ("active_energy", "reactive_energy"):
        taken, given = numbers[f"{kind}_import_total"], numbers[f"{kind}_export_total"]
        values |= {f"{kind}_sum_total": taken + given, f"{kind}_net_total": taken - given}
    return values | _demand(meters, name, time_s)


def _demand(meters: PlantMeters, name: str, time_s: float) -> dict[str, Value]:
    """The mean of the last quarter of an hour; before the first is over, of what there is."""
    begin_s = max(meters.plant.start_s, time_s - _DEMAND_S)
    if begin_s >= time_s:
        return {}
    (now,), (before,) = meters.amounts(name, (time_s,)), meters.amounts(name, (begin_s,))
    demand_w = (now - before) * 3_600_000 / (time_s - begin_s)
    return {
        "demand_active_power_total": demand_w,
        "demand_active_power_import": max(demand_w, 0.0),
        "demand_active_power_export": max(-demand_w, 0.0),
    }
