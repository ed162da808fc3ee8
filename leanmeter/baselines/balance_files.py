"""Tables behind `leanmeter baselines materials|prepaid|pv|prices`: each mistake is named by row and column."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, model_validator

from baselines.generation import GenerationBalance, generation_balance
from baselines.materials import Destination, Flow, Stream
from baselines.prepaid import Token
from baselines.unit_prices import PriceBlock, UnitPrice
from leanmeter.baselines.data_file import Row, Table, read_table
from site_config.errors import ConfigurationError
from site_config.yaml_file import StrictModel, load_model

FLOWS = ("input", "product", "loss", "waste")
DESTINATIONS = ("disposed", "recovered", "recycled", "reused")
Price = Annotated[Decimal, BeforeValidator(lambda value: str(value) if isinstance(value, float) else value)]


class BlockSettings(StrictModel):
    """A price up to an amount of the month."""

    up_to: Price | None = None
    price: Price


class UnitPriceSettings(StrictModel):
    """What a unit of a resource or stream costs; `of` names another whose amount is billed, as sewage's is water's."""

    name: Annotated[str, Field(min_length=1)]
    unit: str
    valid_from: date
    valid_to: date | None = None
    price: Price | None = None
    blocks: tuple[BlockSettings, ...] = ()
    standing_charge: Price = Decimal(0)
    minimum: Price = Decimal(0)
    of: str | None = None
    share: Annotated[Price, Field(gt=0)] = Decimal(1)

    @model_validator(mode="after")
    def _one_price(self) -> "UnitPriceSettings":
        if (self.price is None) == (not self.blocks):
            raise ValueError("needs either price or blocks")
        return self


class PriceFile(StrictModel):
    """One currency and its prices."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    prices: Annotated[tuple[UnitPriceSettings, ...], Field(min_length=1, max_length=1000)]


def read_prices(path: Path) -> list[UnitPrice]:
    """Prices a unit from YAML; raises ConfigurationError naming file, key and rule."""
    file = load_model(path, PriceFile, ConfigurationError)
    return [
        UnitPrice(
            entry.name,
            entry.unit,
            file.currency,
            tuple(PriceBlock(block.up_to, block.price) for block in entry.blocks)
            or (PriceBlock(None, entry.price or Decimal(0)),),
            entry.valid_from,
            entry.valid_to,
            entry.standing_charge,
            entry.minimum,
            entry.of,
            entry.share,
            file.decimals,
        )
        for entry in file.prices
    ]


def read_months(path: Path) -> dict[date, dict[str, Decimal]]:
    """Amounts by month and name from columns month (2026-03) and one a resource or stream; empty cells are nothing."""
    table = read_table(path)
    table.require(["month"])
    months: dict[date, dict[str, Decimal]] = {}
    for row in table.rows:
        month = _date(table, row, "month", suffix="-01")
        if month in months:
            raise table.error(row, "month", f"{row.cells['month']} stands twice")
        names = [name for name in table.columns if name != "month" and row.cells[name]]
        months[month] = {name: _decimal(table, row, name) for name in names}
    return months


def read_streams(path: Path) -> list[Stream]:
    """Streams from columns stream, flow, kg and, where they are there, cost and destination; rows of a name add up."""
    table = read_table(path)
    table.require(["stream", "flow", "kg"])
    sums: dict[tuple[str, str, str | None], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in table.rows:
        flow = _one_of(table, row, "flow", FLOWS)
        destination = _one_of(table, row, "destination", DESTINATIONS) if row.cells.get("destination") else None
        mass = table.number(row, "kg")
        if mass is None or mass < 0.0:
            raise table.error(row, "kg", f"{row.cells['kg']!r} is no mass in kg")
        entry = sums[row.cells["stream"], flow, destination]
        entry[0] += mass
        entry[1] += (table.number(row, "cost") if "cost" in table.columns else None) or 0.0
    return [
        Stream(name, cast("Flow", flow), mass, cost, cast("Destination | None", destination))
        for (name, flow, destination), (mass, cost) in sums.items()
    ]


def read_tokens(path: Path) -> list[Token]:
    """Prepaid tokens from columns date, paid and energy_kwh."""
    table = read_table(path)
    table.require(["date", "paid", "energy_kwh"])
    return [
        Token(_date(table, row, "date"), _decimal(table, row, "paid"), _decimal(table, row, "energy_kwh"))
        for row in table.rows
    ]


def read_generation(path: Path) -> GenerationBalance:
    """The balance of a table's columns generated_kwh, imported_kwh and exported_kwh, rows added up."""
    table = read_table(path)
    columns = ("generated_kwh", "imported_kwh", "exported_kwh")
    table.require(columns)
    sums = dict.fromkeys(columns, 0.0)
    for row in table.rows:
        for name in columns:
            value = table.number(row, name)
            if value is None or value < 0.0:
                raise table.error(row, name, f"{row.cells[name]!r} is no amount of energy")
            sums[name] += value
    return generation_balance(*sums.values())


def _one_of(table: Table, row: Row, column: Literal["flow", "destination"], known: Sequence[str]) -> str:
    text = row.cells[column]
    if text not in known:
        raise table.error(row, column, f"{text!r}: expected is one of {', '.join(known)}")
    return text


def _date(table: Table, row: Row, column: str, suffix: str = "") -> date:
    try:
        return date.fromisoformat(row.cells[column] + suffix)
    except ValueError:
        expected = "2026-03" if suffix else "2026-03-31"
        raise table.error(row, column, f"{row.cells[column]!r}: expected is {expected}") from None


def _decimal(table: Table, row: Row, column: str) -> Decimal:
    if table.number(row, column) is None:
        raise table.error(row, column, "is empty")
    try:
        return Decimal(row.cells[column])
    except InvalidOperation:
        raise table.error(row, column, f"{row.cells[column]!r} is no number") from None
