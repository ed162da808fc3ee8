"""Materials and waste in `plan.yaml`: which streams belong together, what a piece weighs, where waste goes."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from baselines.materials import Destination
from evaluation.plan.plan_variables import Text
from site_config.schema import Slug
from site_config.yaml_file import StrictModel

WholeShare = Annotated[float, Field(ge=0, le=1)]


class MaterialBalanceSettings(StrictModel):
    """Points that belong together: what comes in, the product that is made of it, and the waste that is left."""

    id: Slug
    inputs: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=50)]
    products: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=50)]
    wastes: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()


class PieceMassSettings(StrictModel):
    """kg a piece of what a point counts, from a day on."""

    point: Slug
    kg_a_piece: Annotated[float, Field(gt=0)]
    first: date = Field(date(2000, 1, 1), alias="from")
    last: date | None = Field(None, alias="to")
    source: Text


class WasteDestinationSettings(StrictModel):
    """Where the waste of a point goes from a day on, as shares of its mass that make 1.

    Directive 2008/98/EC, article 4: reused, recycled, otherwise recovered (as energy), disposed of.
    """

    point: Slug
    reused: WholeShare = 0.0
    recycled: WholeShare = 0.0
    recovered: WholeShare = 0.0
    disposed: WholeShare = 0.0
    first: date = Field(date(2000, 1, 1), alias="from")
    last: date | None = Field(None, alias="to")
    source: Text

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        together = self.reused + self.recycled + self.recovered + self.disposed
        if abs(together - 1.0) > 1e-6:
            raise ValueError(f"{self.point}: reused, recycled, recovered and disposed make {together:g}, not 1")
        return self

    @property
    def shares(self) -> dict[Destination, float]:
        """By destination."""
        return {
            "reused": self.reused,
            "recycled": self.recycled,
            "recovered": self.recovered,
            "disposed": self.disposed,
        }
