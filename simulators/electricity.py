"""What an electricity meter shows of a load: phases, voltages, currents, reactive power, totals, demand.

Formulas are those of DIN 40110-1 for sinusoidal quantities: Q = P tan(phi), S = sqrt(P^2 + Q^2), I = S / U.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.encoding import Value
from simulators.load_curve import Curve, Load, PositivePart, Sum

PHASES = ("l1", "l2", "l3")
_DEMAND_S = 900.0
_SQRT_3 = math.sqrt(3)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A load as it is connected. `shares` of the three phases add up to 1; `factor` -1 is generation."""

    load: Load
    cos_phi: float = 1.0
    shares: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class StartTotals:
    """What a meter shows at time 0, after its years of service, kWh."""

    import_kwh: float = 0.0
    export_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a meter is connected. Phases are 0 to 2.

    A current transformer that is turned shows its phase's power with the other sign. Two that are exchanged measure
    each the other phase's current against their own voltage, which stands 120 degrees apart: of a balanced load the
    sum of the two is minus the power of one. A lost phase has no voltage, and what hangs on it stands still.
    """

    turned_phase: int | None = None
    exchanged_phases: tuple[int, int] | None = None
    lost_phase: int | None = None

    def factors(self, consumer: Consumer, phase: int) -> tuple[float, float]:
        """What the meter shows as active and as reactive power of a phase, for each watt of the consumer's load."""
        source = phase
        if self.exchanged_phases is not None and phase in self.exchanged_phases:
            source = next(other for other in self.exchanged_phases if other != phase)
        if self.lost_phase in {phase, source}:
            return 0.0, 0.0
        active = consumer.factor * consumer.shares[source]
        reactive = active * math.tan(math.acos(consumer.cos_phi))
        if source != phase:
            angle = 2 * math.pi / 3 * (source - phase)
            active, reactive = (
                active * math.cos(angle) - reactive * math.sin(angle),
                active * math.sin(angle) + reactive * math.cos(angle),
            )
        return (-active, -reactive) if phase == self.turned_phase else (active, reactive)

    def total_factors(self, consumer: Consumer) -> tuple[float, float]:
        """The same for the sum of the phases."""
        if self == AS_IT_SHOULD_BE:
            return consumer.factor, consumer.factor * math.tan(math.acos(consumer.cos_phi))
        parts = [self.factors(consumer, phase) for phase in range(3)]
        return math.fsum(active for active, _ in parts), math.fsum(reactive for _, reactive in parts)


AS_IT_SHOULD_BE = Wiring()


class Mains:
    """Voltage and frequency of the supply: slow waves around 230 V and 50 Hz, the same for all meters of a site."""

    def voltage_v(self, phase: int, time_s: float) -> float:
        """Phase (0 to 2) to neutral."""
        slow = 1.8 * math.sin(time_s / 97 + phase * 2.1)
        fast = 0.4 * math.sin(time_s / 7.3 + phase)
        return 230.6 + (0.0, -0.7, 0.5)[phase] + slow + fast

    def frequency_hz(self, time_s: float) -> float:
        """Of the grid."""
        return 50.0 + 0.018 * math.sin(time_s / 41) + 0.006 * math.sin(time_s / 5.7)


class ElectricityMeter:
    """Everything that a meter in front of some consumers shows. Energies are the integrals of the powers it shows.

    Import and export are counted for the sum of the phases and for each phase, each of the net power at a moment.

    Args:
        consumers: what is behind it.
        mains: what it is connected to.
        totals: what it shows at time 0; phases begin with a third each.
        wiring: how its voltages and transformers are connected.
    """

    def __init__(
        self,
        consumers: Sequence[Consumer],
        mains: Mains,
        totals: StartTotals | None = None,
        wiring: Wiring = AS_IT_SHOULD_BE,
    ) -> None:
        self._mains = mains
        self._totals = totals or StartTotals()
        self._wiring = wiring
        factors = [[wiring.factors(consumer, phase) for consumer in consumers] for phase in range(3)]
        self._active = [_curves(consumers, [active for active, _ in factors[phase]]) for phase in range(3)]
        self._reactive = [_curves(consumers, [reactive for _, reactive in factors[phase]]) for phase in range(3)]
        sums = [wiring.total_factors(consumer) for consumer in consumers]
        self._active_total = _curves(consumers, [active for active, _ in sums])
        self._reactive_total = _curves(consumers, [reactive for _, reactive in sums])
        self._highest_demand_w = 0.0

    def power_w(self, time_s: float) -> float:
        """Positive when taken from the supply."""
        return self._active_total.net.rate(time_s)

    def energy_import_kwh(self, time_s: float) -> float:
        """The total of what was taken."""
        return self._totals.import_kwh + self._active_total.positive.amount(time_s) / 1000

    def energy_export_kwh(self, time_s: float) -> float:
        """The total of what was delivered."""
        return self._totals.export_kwh + self._active_total.negative.amount(time_s) / 1000

    def values(self, time_s: float) -> dict[str, Value]:
        """Quantity -> value, by the catalogue's names and units."""
        values: dict[str, Value] = {
            "frequency": self._mains.frequency_hz(time_s),
            "phase_rotation": 1.0,  # to the right
            "phase_sequence": 0.0,  # as it should be
        }
        lost = self._wiring.lost_phase
        voltages = [0.0 if phase == lost else self._mains.voltage_v(phase, time_s) for phase in range(3)]
        active = [curves.net.rate(time_s) for curves in self._active]
        reactive = [curves.net.rate(time_s) for curves in self._reactive]
        currents = [math.hypot(p, q) / u if u else 0.0 for p, q, u in zip(active, reactive, voltages, strict=True)]
        for phase, p, q in zip(PHASES, active, reactive, strict=True):
            values.update(_powers(phase, p, q))
        values.update(_powers("total", self.power_w(time_s), self._reactive_total.net.rate(time_s)))
        values.update(_voltages(voltages))
        values.update(_currents(currents, active, reactive))
        values.update(self._energies(time_s))
        values.update(self._demands(time_s, currents))
        return values

    def _energies(self, time_s: float) -> dict[str, Value]:
        values: dict[str, Value] = {}
        groups = (
            ("active_energy", self._active_total, self._active, self._totals),
            ("reactive_energy", self._reactive_total, self._reactive, StartTotals(self._totals.import_kwh * 0.3)),
        )
        for name, total, phases, start in groups:
            parts = [("total", total, start)]
            third = StartTotals(start.import_kwh / 3, start.export_kwh / 3)
            parts += [(phase, curves, third) for phase, curves in zip(PHASES, phases, strict=True)]
            for part, curves, begin in parts:
                taken = begin.import_kwh + curves.positive.amount(time_s) / 1000
                given = begin.export_kwh + curves.negative.amount(time_s) / 1000
                values |= _directions(name, part, taken, given)
            values[f"{name}_net"] = values[f"{name}_net_total"]
            since_start = (total.positive.amount(time_s) / 1000, total.negative.amount(time_s) / 1000)
            for part in ("partial", "resettable"):
                values |= _directions(name, part, *since_start)
            values |= _directions(name, "t1", start.import_kwh + since_start[0], start.export_kwh + since_start[1])
            for tariff in ("t2", "t3", "t4"):
                values |= _directions(name, tariff, 0.0, 0.0)
        active, reactive = values["active_energy_sum_total"], values["reactive_energy_sum_total"]
        if isinstance(active, float) and isinstance(reactive, float):
            values["apparent_energy_total"] = values["apparent_energy_import_total"] = math.hypot(active, reactive)
        values["apparent_energy_export_total"] = 0.0
        return values

    def _demands(self, time_s: float, currents: Sequence[float]) -> dict[str, Value]:
        """Demand is the mean of the last 15 minutes; the highest is that of the moments at which somebody looked."""
        begin_s = max(0.0, time_s - _DEMAND_S)
        if time_s > begin_s:
            net = self._active_total.net
            demand_w = (net.amount(time_s) - net.amount(begin_s)) * 3600 / (time_s - begin_s)
        else:
            demand_w = self.power_w(time_s)
        self._highest_demand_w = max(self._highest_demand_w, demand_w)
        values: dict[str, Value] = {}
        for prefix, power_w in (("demand", demand_w), ("demand_max", self._highest_demand_w)):
            values[f"{prefix}_active_power_total"] = power_w
            values[f"{prefix}_active_power_import"] = max(power_w, 0.0)
            values[f"{prefix}_active_power_export"] = max(-power_w, 0.0)
            values[f"{prefix}_apparent_power_total"] = abs(power_w)
            for phase, current in zip(PHASES, currents, strict=True):
                values[f"{prefix}_active_power_{phase}"] = power_w / 3
                values[f"{prefix}_apparent_power_{phase}"] = abs(power_w) / 3
                values[f"{prefix}_current_{phase}"] = current
            values[f"{prefix}_current_n"] = 0.0
        values["demand_max_current"] = max(currents)
        return values


@dataclass(frozen=True, slots=True)
class _Curves:
    net: Curve
    positive: Curve
    negative: Curve


def _curves(consumers: Sequence[Consumer], factors: Sequence[float]) -> _Curves:
    total = Sum([(factor, consumer.load) for factor, consumer in zip(factors, consumers, strict=True)])
    return _Curves(Curve(total), Curve(PositivePart(total)), Curve(PositivePart(total, -1.0)))


def _powers(part: str, active: float, reactive: float) -> dict[str, Value]:
    apparent = math.hypot(active, reactive)
    factor = active / apparent if apparent else 1.0
    return {
        f"active_power_{part}": active,
        f"active_power_import_{part}": max(active, 0.0),
        f"active_power_export_{part}": max(-active, 0.0),
        f"reactive_power_{part}": reactive,
        f"apparent_power_{part}": apparent,
        f"power_factor_{part}": factor,
        f"phase_angle_{part}": math.degrees(math.atan2(reactive, active)) if apparent else 0.0,
    }


def _directions(name: str, part: str, taken: float, given: float) -> dict[str, Value]:
    return {
        f"{name}_import_{part}": taken,
        f"{name}_export_{part}": given,
        f"{name}_sum_{part}": taken + given,
        f"{name}_net_{part}": taken - given,
    }


def _voltages(voltages: Sequence[float]) -> dict[str, Value]:
    u1, u2, u3 = voltages
    # Two phasors 120 degrees apart.
    between = [math.sqrt(a * a + b * b + a * b) for a, b in ((u1, u2), (u2, u3), (u3, u1))]
    values: dict[str, Value] = {f"voltage_{phase}_n": u for phase, u in zip(PHASES, voltages, strict=True)}
    values |= dict(zip(("voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1"), between, strict=True))
    values |= {"voltage_ln_avg": sum(voltages) / 3, "voltage_ll_avg": sum(between) / 3}
    values["voltage_system"] = sum(between) / 3
    for name in ("l1_n", "l2_n", "l3_n", "l1_l2", "l2_l3", "l3_l1", "ln_avg", "ll_avg"):
        values[f"thd_voltage_{name}"] = 2.1
    return values


def _currents(currents: Sequence[float], active: Sequence[float], reactive: Sequence[float]) -> dict[str, Value]:
    neutral = 0j
    for phase, (current, p, q) in enumerate(zip(currents, active, reactive, strict=True)):
        angle = -2 * math.pi / 3 * phase - (math.atan2(q, p) if current else 0.0)
        neutral += complex(current * math.cos(angle), current * math.sin(angle))
    values: dict[str, Value] = {f"current_{phase}": i for phase, i in zip(PHASES, currents, strict=True)}
    total = sum(currents)
    values |= {"current_n": abs(neutral), "current_vector_sum": abs(neutral), "current_avg": total / 3}
    values |= {"current_sum": total, "current_total": total, "current_system": total / _SQRT_3}
    for name in (*PHASES, "avg"):
        values[f"thd_current_{name}"] = 6.4
    return values
