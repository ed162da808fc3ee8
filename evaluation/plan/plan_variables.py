"""Relevant variables of `plan.yaml`: where the value of a day, week, month or shift comes from."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from site_config.schema import Slug
from site_config.yaml_file import StrictModel

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Series = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,80}[a-z_]*$", max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Step = Literal["day", "week", "month", "shift"]
"""What a baseline judges at once; a week is one from Monday to Sunday, a month one of the calendar."""


class TemperatureSettings(StrictModel):
    """Where outside temperatures come from: a device's readings, or a table with a mean for each day."""

    device: Slug | None = None
    quantity: str = "temperature"
    csv: Path | None = None
    column: str = "temperature"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.device is None) == (self.csv is None):
            raise ValueError("needs exactly one of device, csv")
        return self


class WeatherSettings(StrictModel):
    """How far it was colder or warmer outside than the base (°C), and for how long.

    Without `base` the balance point is searched when the baseline is fitted, and frozen with its version.
    """

    kind: Literal["heating", "cooling"]
    base: Annotated[float, Field(ge=-20, le=40)] | None = None
    temperature: TemperatureSettings


class HoursSettings(StrictModel):
    """Hours in which a point's power was above a threshold."""

    point: Slug
    above_kw: Annotated[float, Field(gt=0)]


class VariableSettings(StrictModel):
    """A relevant variable: exactly one of these says where it comes from; a table may stand before series.

    `series` are added (production weighed on two lines); `csv` is a table with columns `date` and `column`, a row a day
    or, as `per` says, a week, a month or a shift (then with a column `shift`). With both, what the table has
    counts, such as the months before there were scales. `degree_days` go by the hours' temperatures, `change_point` by
    the mean of the whole row: with no other variable that is the three-parameter change point model.
    """

    series: Annotated[tuple[Series, ...], Field(max_length=50)] = ()
    csv: Path | None = None
    column: str | None = None
    per: Step = "day"
    degree_days: WeatherSettings | None = None
    change_point: WeatherSettings | None = None
    hours: HoursSettings | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        counted = bool(self.series) or self.csv is not None
        if sum(bool(source) for source in (counted, self.degree_days, self.change_point, self.hours)) != 1:
            raise ValueError("needs exactly one of series, csv, degree_days, change_point, hours")
        if self.per != "day" and self.csv is None:
            raise ValueError("per: only a table (csv) has rows of its own")
        return self

    @property
    def weather(self) -> WeatherSettings | None:
        """Its temperatures, where it is made of such."""
        return self.degree_days or self.change_point

    @property
    def is_searched(self) -> bool:
        """Whether its balance point is not given."""
        return self.weather is not None and self.weather.base is None

    @property
    def is_table(self) -> bool:
        """Whether its values (or its temperatures) are given in a table."""
        return self.csv is not None or (self.weather is not None and self.weather.temperature.csv is not None)

    @property
    def needed_series(self) -> frozenset[str]:
        """The stored series of which it is made."""
        return frozenset(self.series) | (frozenset() if self.hours is None else {self.hours.point})

    def with_base(self, base: float) -> "VariableSettings":
        """The same with a balance point that was found."""
        found = {"base": base}
        if self.degree_days is not None:
            return self.model_copy(update={"degree_days": self.degree_days.model_copy(update=found)})
        assert self.change_point is not None  # noqa: S101  # asked of weather variables only
        return self.model_copy(update={"change_point": self.change_point.model_copy(update=found)})
