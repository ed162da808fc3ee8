"""The plant file: what stands in a factory, when it runs, and what is measured, as people write it.

A rate is in W or, of fuel and water, in m3/h.
"""

from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from site_config.errors import ConfigurationError
from site_config.points import Resource, Role
from site_config.schema import Slug
from site_config.yaml_file import StrictModel

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Range = tuple[NotNegative, NotNegative]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


THERMOMETER = "outdoor"
"""What the thermometer's device is called after, as those of points are after their point."""


class PlantFileError(ConfigurationError):
    """A plant file cannot be used."""


class Climate(StrictModel):
    """Outside temperature: a yearly and a daily wave, and days that are warmer or colder than usual.

    `warmest` is the day of the year (1 to 366) at which the yearly wave is highest; `cloudiness` the mean share of the
    sun that clouds take. With `longitude_deg` (east of Greenwich) the sun stands highest at the place's own noon,
    without it at twelve by the clock.
    """

    mean_degc: float
    yearly_swing_k: NotNegative = 0.0
    daily_swing_k: NotNegative = 6.0
    day_to_day_k: NotNegative = 1.5
    warmest: Annotated[int, Field(ge=1, le=366)] = 15
    cloudiness: Share = 0.35
    latitude_deg: Annotated[float, Field(ge=-66, le=66)] = 0.0
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] | None = None


class Shift(StrictModel):
    """`end` at or before `start` is on the next day."""

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    start: time = Field(alias="from")
    end: time = Field(alias="to")
    breaks: tuple[tuple[time, time], ...] = ()
    people: Annotated[int, Field(ge=0)] = 0


class Product(StrictModel):
    """What one piece weighs and leaves behind: material = `mass_kg` + `offcut_kg` + `evaporated_kg`.

    `scrap` is the share of pieces that are no good; in the first quarter of an hour after a start or a change of
    product it is `startup_scrap`.
    """

    share: Positive = 1.0
    pieces_per_h: Positive
    mass_kg: Positive
    offcut_kg: NotNegative = 0.0
    evaporated_kg: NotNegative = 0.0
    scrap: Share = 0.02
    startup_scrap: Share = 0.1


class Line(StrictModel):
    """A production line. `demand` by weekday is the share of a shift that the orders fill."""

    name: str = ""
    shifts: Annotated[tuple[str, ...], Field(min_length=1)]
    products: Annotated[dict[Slug, Product], Field(min_length=1)]
    demand: dict[Weekday, Share] = Field(default_factory=dict)
    setup_min: NotNegative = 10
    cleaning_min: NotNegative = 10
    changeover_min: NotNegative = 15
    lots_a_shift: Annotated[int, Field(ge=1, le=20)] = 1
    minutes_between_stops: Positive = 90
    stop_min: NotNegative = 5


class _Load(StrictModel):
    """What all loads have: cos phi while running, the phases' shares, and when it is used.

    `shifts` are those of its `line` unless given; a load with neither, or with an empty list, is used at all times.
    """

    resource: Resource = Resource.ELECTRICITY
    cos_phi: Annotated[float, Field(gt=0, le=1)] = 1.0
    phases: tuple[Share, Share, Share] = (1 / 3, 1 / 3, 1 / 3)
    shifts: tuple[str, ...] | None = None
    line: Slug | None = None

    @model_validator(mode="after")
    def _phases_are_whole(self) -> Self:
        if abs(sum(self.phases) - 1) > 1e-6:
            raise ValueError("phases: the three shares must add up to 1")
        return self


class Machine(_Load):
    """Works in cycles while its line produces, idles while its shift lasts, and is off otherwise.

    `left_on` is the share of shifts after which nobody switches it off; `count` alike machines smooth each other.
    """

    kind: Literal["machine"]
    run_w: Positive
    idle_w: NotNegative = 0.0
    off_w: NotNegative = 0.0
    start_factor: Annotated[float, Field(ge=1, le=8)] = 1.0
    idle_cos_phi: Annotated[float, Field(gt=0, le=1)] | None = None
    cycle_s: tuple[Positive, Positive] = (60, 120)
    run_share: Share = 0.8
    spread: Share = 0.08
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    left_on: Share = 0.0
    warm_up_min: NotNegative = 5
    air_m3_min: NotNegative = 0.0


class Heater(_Load):
    """Held at a temperature by a thermostat: heats up before the shift, then is on for a share of the time.

    `hold` and `work` are shares of the time at `rated_degc`; they follow the temperature above the room's 25 degrees.
    """

    kind: Literal["heater"]
    full_rate: Positive
    off_rate: NotNegative = 0.0
    heat_up_min: NotNegative = 30
    hold: Share = 0.25
    work: Share = 0.35
    standby: Share = 0.0
    rated_degc: Annotated[float, Field(gt=30)] = 200.0
    temperature_degc: Annotated[float, Field(gt=30)] | None = None
    cycle_s: tuple[Positive, Positive] = (60, 120)


class Compressor(_Load):
    """A screw compressor between two pressures: load, unload, and off after `off_delay_min` unloaded."""

    kind: Literal["compressor"]
    load_w: Positive
    unload_w: NotNegative
    free_air_m3_min: Positive
    receiver_m3: Positive = 0.5
    band_bar: Positive = 0.8
    pressure_bar: Annotated[float, Field(ge=3, le=13)] = 7.0
    leak_m3_min: NotNegative = 0.0
    off_delay_min: Positive = 8
    start_factor: Annotated[float, Field(ge=1, le=8)] = 2.5


class Cooling(_Load):
    """A chiller, cold room or air conditioner: works the more, the warmer it is outside.

    `base` is the share of the time at `base_degc` outside, `per_k` what each kelvin adds, `work` what the running line
    adds. `modulating` ones run slower instead of stopping.
    """

    kind: Literal["cooling"]
    full_w: Positive
    off_w: NotNegative = 0.0
    base: Share = 0.3
    base_degc: float = 20.0
    per_k: NotNegative = 0.02
    work: Share = 0.0
    cycle_s: tuple[Positive, Positive] = (400, 700)
    start_factor: Annotated[float, Field(ge=1, le=8)] = 2.0
    modulating: bool = False


class Heating(_Load):
    """Heats a building: works the more, the colder it is outside than `base_degc`; above that it is off.

    `per_k` is the share of the time that each kelvin below adds.
    """

    kind: Literal["heating"]
    full_rate: Positive
    off_rate: NotNegative = 0.0
    base_degc: float = 16.0
    per_k: Positive = 0.05
    cycle_s: tuple[Positive, Positive] = (300, 600)


class Scheduled(_Load):
    """Lighting, offices, ventilation: on in the shifts and around them."""

    kind: Literal["scheduled"]
    on_w: Positive
    off_w: NotNegative = 0.0
    before_min: NotNegative = 15
    after_min: NotNegative = 15
    wander: Share = 0.04
    left_on: Share = 0.0


class Steady(_Load):
    """Always there, between two rates: controls, servers, a leaking pipe."""

    kind: Literal["steady"]
    between: Range


class Taps(_Load):
    """People and cleaning who draw water while their shift lasts: `draws_per_h` of `litres` each at `flow_m3_h`."""

    kind: Literal["taps"]
    draws_per_h: Positive
    litres: tuple[Positive, Positive]
    flow_m3_h: Positive = 0.9


class Process(_Load):
    """Follows the pieces of its line: `per_piece` rate-hours (Wh, m3) each."""

    kind: Literal["process"]
    per_piece: Positive


Load = Annotated[
    Machine | Heater | Compressor | Cooling | Heating | Scheduled | Steady | Taps | Process,
    Field(discriminator="kind"),
]


class Solar(StrictModel):
    """A photovoltaic system, by its power at full sun."""

    peak_w: Positive


class Outages(StrictModel):
    """The mains fail `per_month` times, for so many minutes; a generator takes over after `start_s`."""

    per_month: NotNegative = 0.0
    minutes: tuple[Positive, Positive] = (10, 90)
    generator_start_s: Positive | None = None


class PointText(StrictModel):
    """A measuring point and the device that measures it.

    Electricity, water and fuel name `loads`; the main takes them all. A scale names a `line` and what it `weighs`.
    Pulses are counted for resources without a meter of their own: `per_pulse` m3 or pieces.
    """

    name: Annotated[str, Field(min_length=1)]
    profile: str
    resource: Resource = Resource.ELECTRICITY
    role: Role = Role.PART
    parent: Slug | None = None
    loads: tuple[Slug, ...] = ()
    source: Literal["solar", "generator"] | None = None
    line: Slug | None = None
    weighs: Literal["product", "material", "waste"] | None = None
    crate_kg: Positive = 10.0
    per_pulse: Positive | None = None
    start_total: NotNegative = 0.0


class PlantFile(StrictModel):
    """A plant as it is written. `loss` is what cables and the transformer take, as a share of each load.

    `thermometer` is the profile of a device that reads the outside temperature; it measures no point.
    """

    id: Slug
    name: str
    trade: str
    time_zone: str
    nominal_voltage_v: Positive = 230.0
    climate: Climate
    shifts: Annotated[dict[str, Shift], Field(min_length=1)]
    holidays: tuple[Annotated[str, Field(pattern=r"^\d\d-\d\d$")], ...] = ()
    lines: dict[Slug, Line] = Field(default_factory=dict)
    loads: Annotated[dict[Slug, Load], Field(min_length=1)]
    loss: Annotated[float, Field(ge=0, lt=0.2)] = 0.012
    solar: Solar | None = None
    outages: Outages = Outages()
    thermometer: str | None = None
    points: Annotated[dict[Slug, PointText], Field(min_length=1)]
    measures: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        for name, line in self.lines.items():
            _known(f"lines.{name}.shifts", line.shifts, self.shifts)
        for name, load in self.loads.items():
            _known(f"loads.{name}.shifts", load.shifts or (), self.shifts)
            _known(f"loads.{name}.line", [load.line] if load.line else [], self.lines)
            needs_line = load.kind in {"machine", "process"}
            if needs_line and load.line is None:
                raise ValueError(f"loads.{name}.line: a {load.kind} works with a line; name it")
        for name, point in self.points.items():
            self._check_point(name, point)
        if self.thermometer is not None and THERMOMETER in self.points:
            raise ValueError(f"points.{THERMOMETER}: is what the thermometer is called; name the point otherwise")
        return self

    def _check_point(self, name: str, point: PointText) -> None:
        key = f"points.{name}"
        _known(f"{key}.loads", point.loads, self.loads)
        _known(f"{key}.line", [point.line] if point.line else [], self.lines)
        for load in point.loads:
            if self.loads[load].resource is not point.resource:
                raise ValueError(f"{key}.loads: {load!r} takes {self.loads[load].resource.value}")
        if point.weighs and not point.line:
            raise ValueError(f"{key}.line: a scale stands at a line; name it")
        if point.source == "solar" and self.solar is None:
            raise ValueError(f"{key}.source: there is no solar system")


def _known(key: str, names: Any, table: dict[str, Any]) -> None:
    for name in names:
        if name not in table:
            raise ValueError(f"{key}: no {name!r}; there are {', '.join(table) or 'none'}")
