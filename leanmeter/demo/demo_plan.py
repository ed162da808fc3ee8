"""The plan of a simulated plant: measured for some weeks, then changed on a known day, as its owner would write it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulators.factory.rows import device_name
from simulators.factory.schema import THERMOMETER, PlantFile
from site_config.points import Role
from store.schema import MATERIALS_WASTED, SITE_SERIES

SHORTEST_DAYS = 60
"""A baseline with the shape of a week needs four weeks, and what was saved some days after it."""
LONGEST_DAYS = 400
_MEASURE_SHARE = 0.62
WASTED = f"{SITE_SERIES}{MATERIALS_WASTED}"


@dataclass(frozen=True, slots=True)
class _Country:
    """Prices there (`waste` of getting rid of a kg), what a unit of the plant's fuel holds, and where waste goes.

    All of them are examples.
    """

    currency: str
    kwh: float
    fuel: float
    fuel_kwh: float
    water: float
    grid_kg: float
    material: float
    waste: float
    reused: float
    recycled: float
    recovered: float = 0.0

    @property
    def prices(self) -> Mapping[str, float]:
        """Of a unit, by resource."""
        return {"fuel": self.fuel, "water": self.water, "material": self.material, "waste": self.waste}

    @property
    def destinations(self) -> Mapping[str, float]:
        """Where waste goes, as shares."""
        sent = {"reused": self.reused, "recycled": self.recycled, "recovered": self.recovered}
        return {**sent, "disposed": round(1.0 - sum(sent.values()), 6)}


_COUNTRIES = {
    "bakery": _Country("GHS", 1.6, 18.5, 25.9, 14.2, 0.43, 6.5, 0.35, 0.7, 0.1),
    "garment": _Country("VND", 2100.0, 9000.0, 10.5, 14000.0, 0.68, 95000.0, 1200.0, 0.1, 0.5, 0.2),
    "hotel-laundry": _Country("IDR", 1450.0, 22000.0, 25.9, 9500.0, 0.78, 70000.0, 900.0, 0.45, 0.3),
    "metal-parts": _Country("PEN", 0.62, 1.35, 10.5, 6.4, 0.28, 4.2, 0.15, 0.02, 0.93),
    "plastics": _Country("TRY", 4.2, 12.0, 10.5, 48.0, 0.44, 46.0, 2.4, 0.3, 0.6),
}
_COOLING_DEGC = 18.0
_FUEL_KG = 0.2
"""kg CO2e a kWh of gas burnt: about that of natural gas, gross."""
_DIESEL_SET_KG = 0.85
"""kg CO2e a kWh of a small diesel generator, whose fuel nobody measures."""
_WEEKLY_TOKEN_KWH = 2200
_SOURCE = "example of the demo"


@dataclass(frozen=True, slots=True)
class DemoHistory:
    """So many days of a plant's past, in which all its measures took effect on the day `measure_day`, from 0."""

    plant: PlantFile
    first: date
    days: int

    @property
    def measure_day(self) -> int:
        """A Monday, so that whole weeks lie before and after it."""
        wanted = round(self.days * _MEASURE_SHARE)
        return wanted - (self.first + timedelta(days=wanted)).weekday()

    @property
    def start(self) -> str:
        """When the first day begins, in ISO 8601."""
        return datetime.combine(self.first, time(), ZoneInfo(self.plant.time_zone)).isoformat()

    @property
    def measures(self) -> Sequence[str]:
        """For `simulate --measure`."""
        return [f"{name}@{self.measure_day}" for name in self.plant.measures]


def currency_of(plant: PlantFile) -> str:
    """That of the plant's plan."""
    return _country(plant).currency


def _country(plant: PlantFile) -> _Country:
    return _COUNTRIES.get(plant.id, _COUNTRIES["metal-parts"])


def plan_document(history: DemoHistory, site: str) -> dict[str, Any]:
    """A document for `plan.yaml`: baselines for energy, water, waste and materials wasted on what the plant makes."""
    plant, country = history.plant, _country(history.plant)
    measured = history.first + timedelta(days=history.measure_day)
    # The first day began before its first reading.
    period = {"from": (history.first + timedelta(days=1)).isoformat(), "to": (measured - timedelta(days=1)).isoformat()}
    outputs, fuels = _points(plant, "product"), _points(plant, "fuel")
    made = {_name(output): {"series": [output]} for output in outputs}
    variables = made | _weather(plant)
    depends_on = {
        # Those of the lines on which the streams are; where waste's has no product, those of all.
        "site.waste": [_name(name) for name in outputs if plant.points[name].line in _lines(plant, "waste")],
        WASTED: [_name(name) for name in outputs if plant.points[name].line in _balanced_lines(plant)],
    }
    compared = [
        "site.energy",
        *(["site.water"] if _points(plant, "water") else []),
        *(["site.waste"] if _points(plant, "waste") else []),
        *([WASTED] if depends_on[WASTED] else []),
    ]
    # The live curve is of electricity; with fuels beside it, all energy is another thing.
    fitted = [compared[0], *(["site.electricity"] if fuels else []), *compared[1:]]
    report_from = (measured + timedelta(days=1)).isoformat()
    return {
        "site": site,
        "currency": country.currency,
        "variables": variables,
        "baselines": [
            {
                "id": _id(series),
                "series": series,
                "period": period,
                "variables": depends_on.get(series) or list(made),
                "report_from": report_from,
                **(_of_energy(variables) if series in {"site.energy", "site.electricity"} else {}),
            }
            for series in fitted
        ],
        "goals": [
            {
                "series": series,
                "from": measured.isoformat(),
                "to": (measured + timedelta(days=365)).isoformat(),
                **({"share": 0.2} if series == "site.water" else {}),
            }
            for series in compared
        ],
        "calorific_values": [{"point": name, "kwh_a_unit": country.fuel_kwh, "source": _SOURCE} for name in fuels],
        "prices": [
            {"point": name, "price": price}
            for resource, price in country.prices.items()
            for name in _points(plant, resource)
        ],
        "emission_factors": _factors(plant, country),
        "waste_destinations": [
            {"point": name, **country.destinations, "source": _SOURCE} for name in _points(plant, "waste")
        ],
        **({"prepaid_tokens": _tokens(history, country)} if plant.id == "bakery" else {}),
        "electricity_tariff": _tariff(country),
    }


def _points(plant: PlantFile, resource: str) -> list[str]:
    return [name for name, point in plant.points.items() if point.resource.value == resource]


def _factors(plant: PlantFile, country: _Country) -> list[dict[str, Any]]:
    generating = [(name, point) for name, point in plant.points.items() if point.role is Role.GENERATION]
    return [
        {"of": "electricity", "kg_a_unit": country.grid_kg, "method": "location", "source": _SOURCE},
        {"of": "electricity", "kg_a_unit": country.grid_kg * 0.9, "method": "market", "source": _SOURCE},
        *(
            {"of": name, "kg_a_unit": round(country.fuel_kwh * _FUEL_KG, 3), "source": _SOURCE}
            for name in _points(plant, "fuel")
        ),
        *(
            {"of": name, "kg_a_unit": 0.0 if point.source == "solar" else _DIESEL_SET_KG, "source": _SOURCE}
            for name, point in generating
        ),
    ]


def _tariff(country: _Country) -> dict[str, Any]:
    return {
        "currency": country.currency,
        "tariffs": [
            {
                "name": _SOURCE,
                "valid_from": "2020-01-01",
                "standing_charge": round(country.kwh * 150, 2),
                "energy": [
                    {
                        "band": {"name": "night", "from": "22:00", "to": "06:00"},
                        "price": round(country.kwh * 0.7, 4),
                    },
                    {"price": country.kwh},
                ],
                "demand": {"price": round(country.kwh * 12, 2), "ratchet": {"share": 0.8, "months": 11}},
            }
        ],
    }


def _lines(plant: PlantFile, weighs: str) -> set[str | None]:
    """The lines on which a stream is weighed."""
    return {point.line for point in plant.points.values() if point.weighs == weighs}


def _balanced_lines(plant: PlantFile) -> set[str | None]:
    return _lines(plant, "material") & _lines(plant, "product")


def _weather(plant: PlantFile) -> dict[str, Any]:
    """Cooling degree days where electricity depends on the temperature outside, and somebody measures that."""
    if plant.thermometer is None or not any(load.kind == "cooling" for load in plant.loads.values()):
        return {}
    temperature = {"device": device_name(THERMOMETER)}
    return {"cooling": {"degree_days": {"kind": "cooling", "base": _COOLING_DEGC, "temperature": temperature}}}


def _of_energy(variables: Mapping[str, Any]) -> dict[str, Any]:
    """In weeks of much the same weather nobody can tell what it does: it is taken where it shows."""
    return {"variables": list(variables), "choose": True, "meter_class": "B"}


def _id(series: str) -> str:
    return series.removeprefix(SITE_SERIES).replace("_", "-")


def _tokens(history: DemoHistory, country: _Country) -> list[dict[str, Any]]:
    """What a bakery that pays in advance buys each week."""
    return [
        {
            "date": (history.first + timedelta(days=number)).isoformat(),
            "paid": round(_WEEKLY_TOKEN_KWH * country.kwh, 2),
            "energy_kwh": _WEEKLY_TOKEN_KWH,
        }
        for number in range(0, history.days + 1, 7)
    ]


def _name(point: str) -> str:
    return point.replace("-", "_")
