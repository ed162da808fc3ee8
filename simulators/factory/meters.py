"""What the meters of a plant show, at one time or at many: the same arithmetic for a live register and for history.

Formulas are those of DIN 40110-1 for sinusoidal quantities, as in `simulators.electricity`. Every meter has an
auxiliary supply: in an outage it shows 0 V and 0 W instead of falling silent.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from simulators.electricity import PHASES, Mains
from simulators.factory.crates import Crates
from simulators.factory.day_curve import Samples
from simulators.factory.plant import EXPORT, IMPORT, ON_MAINS, Plant
from simulators.factory.plant_day import SOLAR
from simulators.factory.schema import THERMOMETER, PointText
from simulators.factory.weather import temperature_at
from site_config.points import Resource, Role

Columns = dict[str, list[float]]
"""Quantity -> a value for each time, by the catalogue's names and units."""

_BALANCED = (1 / 3, 1 / 3, 1 / 3)
_MAINS = Mains()
_MAINS_V = 230.0


class _Term(NamedTuple):
    """A load's share in what a meter measures."""

    factor: float
    phases: tuple[float, float, float]
    samples: Samples


class _Supply(NamedTuple):
    """Whether there is voltage, the phases' voltages and the frequency at some times."""

    live: list[bool]
    voltages: list[list[float]]
    frequency: list[float]


class PlantMeters:
    """All devices of a plant.

    Args:
        plant: what they measure.
    """

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.points = dict(plant.file.points)
        self._supplied_at: tuple[float, ...] = ()
        self._supplies: dict[bool | None, _Supply] = {}
        self.profiles = {name: point.profile for name, point in self.points.items()}
        """Of each device, by its point; the thermometer's under its own name."""
        if plant.file.thermometer is not None:
            self.profiles[THERMOMETER] = plant.file.thermometer
        self._crates = {
            name: Crates(plant.chances, name, point.crate_kg) for name, point in self.points.items() if point.weighs
        }

    def columns(self, name: str, times_s: tuple[float, ...]) -> Columns:
        """What the device of a point shows at times (seconds since 1970 UTC) of one local day, ascending."""
        if name == THERMOMETER and name not in self.points:
            return {"temperature": self._outside_degc(times_s)}
        point = self.points[name]
        if point.weighs:
            masses = self.masses_kg(name, times_s)
            weights = [self._crates[name].on_plate_kg(mass) for mass in masses]
            return {
                "weight_net": weights,
                "weight_stable": [1.0] * len(weights),
                "weighed_mass_total": [self._crates[name].weighed_kg(mass) for mass in masses],
            }
        if point.per_pulse is not None:
            per_pulse = point.per_pulse
            first = math.floor(point.start_total / per_pulse)
            return {"counter_1": [float(first + math.floor(a / per_pulse)) for a in self.amounts(name, times_s)]}
        if point.resource is Resource.WATER:
            flows = _summed([self.plant.samples(load, times_s).rates for load in point.loads], times_s)
            volumes = [point.start_total + amount for amount in self.amounts(name, times_s)]
            nothing = [0.0] * len(times_s)
            return {
                "water_volume_forward": volumes,
                "water_volume_reverse": nothing,
                "water_volume_net_signed": volumes,
                "flow_rate": flows,
                "flow_direction": [1.0 if flow > 0 else 0.0 for flow in flows],
                "alarms": nothing,
            }
        return self._electricity(point, times_s)

    def amounts(self, name: str, times_s: tuple[float, ...]) -> list[float]:
        """What a point has used, made or weighed since the first day: kWh, m3, kg or pieces; mains less export."""
        point = self.points[name]
        if point.weighs:
            return self.masses_kg(name, times_s)
        if point.resource is Resource.PRODUCT:
            return self.plant.samples(f"{point.line}/pieces", times_s).amounts
        if point.resource is Resource.ELECTRICITY:
            return [amount / 1000 for amount in _added(self._terms(point, times_s), 1)]
        return _summed([self.plant.samples(load, times_s).amounts for load in point.loads], times_s)

    def masses_kg(self, name: str, times_s: tuple[float, ...]) -> list[float]:
        """What the line has given to a scale since the first day, crates under way included."""
        point = self.points[name]
        return self.plant.samples(f"{point.line}/{point.weighs}", times_s).amounts

    def crates(self, name: str) -> Crates:
        """The crates that go over the scale of a point."""
        return self._crates[name]

    def _outside_degc(self, times_s: tuple[float, ...]) -> list[float]:
        day = self.plant.day_at(times_s[0]).day
        hourly = self.plant.weather.hourly_degc(day.date)
        return [temperature_at(hourly, (time_s - day.window.start_s) / 3600) for time_s in times_s]

    def _terms(self, point: PointText, times_s: tuple[float, ...]) -> list[_Term]:
        """The loads of an electricity meter; generation counts as positive, for the mains as negative."""
        plant = self.plant
        loads = plant.file.loads
        if point.source == "solar":
            return [_Term(1.0, _BALANCED, plant.samples(SOLAR, times_s))]
        if point.source is None and point.role is not Role.MAIN:
            return [_Term(1.0, loads[name].phases, plant.samples(name, times_s)) for name in point.loads]
        electric = [name for name, load in loads.items() if load.resource is Resource.ELECTRICITY]
        with_loss = 1 + plant.file.loss
        outages = plant.file.outages.per_month > 0
        terms = []
        for name in electric:
            if point.source is None or outages:
                on_mains = plant.samples(name + ON_MAINS if outages else name, times_s)
                factor = with_loss if point.source is None else -with_loss
                terms.append(_Term(factor, loads[name].phases, on_mains))
            if point.source == "generator":
                terms.append(_Term(with_loss, loads[name].phases, plant.samples(name, times_s)))
        if point.source is None and plant.file.solar is not None:
            terms.append(_Term(-1.0, _BALANCED, plant.samples(SOLAR, times_s)))
        return terms

    def _electricity(self, point: PointText, times_s: tuple[float, ...]) -> Columns:
        terms = self._terms(point, times_s)
        live, voltages, frequency = self._supply(point, times_s)
        # At a meter, what is generated flows the other way.
        sign = -1.0 if point.role is Role.GENERATION else 1.0
        columns: Columns = {"frequency": frequency}
        total, reactive = _added(terms, 0, sign), _added(terms, 2, sign)
        balanced = all(term.phases == _BALANCED for term in terms)
        active, lagging = total, reactive
        columns["active_power_total"], columns["reactive_power_total"] = total, reactive
        columns["power_factor_total"] = _power_factors(total, reactive)
        for phase, name in enumerate(PHASES):
            if phase == 0 or not balanced:
                active, lagging = _added(terms, 0, sign, phase), _added(terms, 2, sign, phase)
            columns[f"active_power_{name}"], columns[f"reactive_power_{name}"] = active, lagging
            columns[f"voltage_{name}_n"] = voltages[phase]
            columns[f"current_{name}"] = [
                math.hypot(p, q) / u if on else 0.0
                for p, q, u, on in zip(active, lagging, voltages[phase], live, strict=True)
            ]
        return columns | self._energies(point, terms, times_s)

    def _energies(self, point: PointText, terms: Sequence[_Term], times_s: tuple[float, ...]) -> Columns:
        start = point.start_total
        nothing = [0.0] * len(times_s)
        if point.source is None and point.role is Role.MAIN and self.plant.file.solar is not None:
            taken = [start + wh / 1000 for wh in self.plant.samples(IMPORT, times_s).amounts]
            given = [wh / 1000 for wh in self.plant.samples(EXPORT, times_s).amounts]
        else:
            counted = [start + amount / 1000 for amount in _added(terms, 1)]
            taken, given = (nothing, counted) if point.role is Role.GENERATION else (counted, nothing)
        reactive = [start * 0.3 + amount / 1000 for amount in _added(terms, 3)]
        drawn, supplied = (nothing, reactive) if point.role is Role.GENERATION else (reactive, nothing)
        return {
            "active_energy_import_total": taken,
            "active_energy_export_total": given,
            "reactive_energy_import_total": drawn,
            "reactive_energy_export_total": supplied,
        }

    def _supply(self, point: PointText, times_s: tuple[float, ...]) -> _Supply:
        """The voltage where a meter hangs: upstream of the generator's switch, behind it, or at the generator."""
        if times_s != self._supplied_at:
            self._supplied_at, self._supplies = times_s, {}
        upstream = point.role is Role.MAIN or point.source == "solar"
        place = None if point.source == "generator" else upstream
        if place not in self._supplies:
            self._supplies[place] = self._supply_at(place, times_s)
        return self._supplies[place]

    def _supply_at(self, upstream: bool | None, times_s: tuple[float, ...]) -> _Supply:
        day = self.plant.day_at(times_s[0])
        generated = [any(start <= time_s < end for start, end in day.on_generator) for time_s in times_s]
        live = generated
        if upstream is not None:
            live = [not any(start <= time_s < end for start, end in day.outages) for time_s in times_s]
        if upstream is False:
            live = [on or supplied for on, supplied in zip(live, generated, strict=True)]
        scale = self.plant.file.nominal_voltage_v / _MAINS_V
        voltages = [
            [scale * _MAINS.voltage_v(phase, time_s) if on else 0.0 for time_s, on in zip(times_s, live, strict=True)]
            for phase in range(3)
        ]
        # A generator's governor holds the frequency less firmly than the grid does.
        frequency = [
            (50.4 + 9 * (_MAINS.frequency_hz(time_s) - 50) if supplied else _MAINS.frequency_hz(time_s)) if on else 0.0
            for time_s, on, supplied in zip(times_s, live, generated, strict=True)
        ]
        return _Supply(live, voltages, frequency)


def _added(terms: Sequence[_Term], column: int, sign: float = 1.0, phase: int | None = None) -> list[float]:
    """One of the four columns of the terms' samples, added up with their factors and, if given, shares of a phase."""
    weighted = []
    for term in terms:
        factor = sign * (term.factor if phase is None else term.factor * term.phases[phase])
        weighted.append([factor * value for value in term.samples[column]])
    return weighted[0] if len(weighted) == 1 else [sum(values) for values in zip(*weighted, strict=True)]


def _summed(columns: Sequence[Sequence[float]], times_s: Sequence[float]) -> list[float]:
    return [sum(values) for values in zip(*columns, strict=True)] if columns else [0.0] * len(times_s)


def _power_factors(active: Sequence[float], reactive: Sequence[float]) -> list[float]:
    return [p / math.hypot(p, q) if p or q else 1.0 for p, q in zip(active, reactive, strict=True)]
