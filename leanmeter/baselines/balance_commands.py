"""`leanmeter baselines materials|pv|prepaid|prices`: balances and costs that are no electricity bill, from tables."""

import argparse
import dataclasses
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from baselines.errors import BaselineError
from baselines.generation import avoided_emissions_kg
from baselines.materials import MaterialBalance, balance, flow_cost, waste_reductions
from baselines.prepaid import cost_of_use
from baselines.unit_prices import cost_of_month
from baselines.validity import percent
from leanmeter.baselines.balance_files import read_generation, read_months, read_prices, read_streams, read_tokens
from leanmeter.baselines.baseline_report import lines_as_json, plain, short, write_json, write_lines
from leanmeter.baselines.option_numbers import amount
from site_config.errors import ConfigurationError

Found = TypeVar("Found")
Adder = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_balance_arguments(add: Adder) -> None:
    """Add the subcommands by `add`, which takes name, handler and help."""
    materials = add("materials", _materials, "yield, mass balance, waste and what the losses cost (ISO 14051)")
    materials.add_argument("file", type=Path, metavar="FILE.csv", help="columns stream, flow, kg, cost, destination")
    materials.add_argument(
        "--before", type=Path, metavar="FILE.csv", help="the same of the baseline period: both goals"
    )
    materials.add_argument("--energy-cost", type=amount, default=0.0, help="of the period, shared out by mass")
    materials.add_argument("--system-cost", type=amount, default=0.0, help="work, depreciation …, shared out by mass")

    sun = add("pv", _pv, "own generation: self-consumption, self-sufficiency, export, avoided CO2e")
    sun.add_argument("file", type=Path, metavar="FILE.csv", help="columns generated_kwh, imported_kwh, exported_kwh")
    sun.add_argument("--grid-factor", type=amount, metavar="KG", help="kg CO2e a kWh of the grid")

    prepaid = add("prepaid", _prepaid, "what the energy used of prepaid tokens has cost, first bought first used")
    prepaid.add_argument("file", type=Path, metavar="FILE.csv", help="columns date, paid, energy_kwh")
    prepaid.add_argument("--used", type=_decimal, required=True, metavar="KWH", help="in the period")
    prepaid.add_argument(
        "--used-before", type=_decimal, default=Decimal(0), metavar="KWH", help="since the first token"
    )

    prices = add("prices", _prices, "what water, fuels and waste cost, month by month")
    prices.add_argument("file", type=Path, metavar="FILE.yaml", help="the prices")
    prices.add_argument("--data", type=Path, required=True, metavar="FILE.csv", help="columns month and one a resource")


def _materials(arguments: argparse.Namespace) -> int:
    streams, now = _balance(arguments.file)
    cost = flow_cost(streams, arguments.energy_cost, arguments.system_cost)
    told: dict[str, Any] = dataclasses.asdict(now)
    sent = f"reused {percent(now.reused_share)}, recycled {percent(now.recycled_share)}"
    if now.recovered_share:
        sent += f", recovered {percent(now.recovered_share)}"
    missing = f"not accounted for, {percent(abs(now.imbalance_share))} of the input"
    lines = [
        f"{percent(now.material_yield)} of the material became product; {short(now.wasted_kg)} kg were wasted.",
        "",
        f"  input       {short(now.input_kg)} kg",
        f"  product     {short(now.product_kg)} kg",
        f"  loss        {short(now.loss_kg)} kg known, not weighed as waste",
        f"  waste       {short(now.waste_kg)} kg, {sent}",
        f"  imbalance   {short(now.imbalance_kg)} kg {missing}",
    ]
    if cost.product + cost.losses:
        told |= {"cost_of_product": cost.product, "cost_of_losses": cost.losses}
        lines.append(f"  losses cost {short(cost.losses)}, {percent(cost.losses_share)} of all cost (ISO 14051)")
    if arguments.before is not None:
        reductions = waste_reductions(_balance(arguments.before)[1], now)
        told["goals"] = [dataclasses.asdict(each) | {"share": each.share} for each in reductions]
        lines += ["", "  A kg of product, compared with before (two goals that overlap, never added):"]
        for each in reductions:
            change = f"{100.0 * abs(each.share):.1f} % {'less' if each.share >= 0.0 else 'more'}"
            name = each.goal.replace("_", " ")
            lines.append(
                f"    {name}: {each.now_a_product_kg:.3g} kg, {change}; the goal: {100 * each.asked:.0f} % less"
            )
    return _write(arguments, told, lines)


def _pv(arguments: argparse.Namespace) -> int:
    found = _tried(arguments.file, lambda: read_generation(arguments.file))
    told: dict[str, Any] = dataclasses.asdict(found)
    here = f"{percent(found.self_consumption)} of it used here: {percent(found.self_sufficiency)} of what the site used"
    lines = [
        f"{short(found.generated_kwh)} kWh were generated, {here}.",
        "",
        f"  exported    {short(found.exported_kwh)} kWh",
        f"  imported    {short(found.imported_kwh)} kWh",
        f"  used        {short(found.used_kwh)} kWh",
    ]
    if arguments.grid_factor is not None:
        told["avoided_kg_co2e"] = avoided_emissions_kg(found, arguments.grid_factor)
        lines.append(f"  avoided     {short(told['avoided_kg_co2e'])} kg CO2e in the grid, beside the inventory")
    return _write(arguments, told, lines)


def _prepaid(arguments: argparse.Namespace) -> int:
    tokens = read_tokens(arguments.file)
    used = _tried(arguments.file, lambda: cost_of_use(tokens, arguments.used_before, arguments.used))
    told = {"cost": str(used.cost), "left_kwh": plain(used.left_kwh), "left_value": str(used.left_value)}
    lines = [
        f"{plain(arguments.used)} kWh cost {used.cost}; {plain(used.left_kwh)} kWh worth {used.left_value} are left."
    ]
    return _write(arguments, told, lines)


def _prices(arguments: argparse.Namespace) -> int:
    prices, months = read_prices(arguments.file), read_months(arguments.data)
    told: dict[str, Any] = {}
    lines: list[str] = []
    for month in sorted(months):
        billed = _tried(arguments.file, partial(cost_of_month, prices, months[month], month))
        total = sum((line.amount for line in billed), Decimal(0))
        name = f"{month:%Y-%m}"
        told[name] = {"total": str(total), "currency": prices[0].currency, "lines": lines_as_json(billed)}
        lines.append(f"{name}: {total} {prices[0].currency}.")
        width = max((len(line.name) for line in billed), default=0)
        lines += [
            f"  {line.name:<{width}}  {line.amount:>12}  {plain(line.quantity)} {line.unit} × {line.price}"
            for line in billed
        ]
    return _write(arguments, told, lines)


def _balance(path: Path) -> tuple[list[Any], MaterialBalance]:
    streams = read_streams(path)
    return streams, _tried(path, lambda: balance(streams))


def _tried(path: Path, what: Callable[[], Found]) -> Found:
    try:
        return what()
    except BaselineError as problem:
        raise ConfigurationError(f"{path}: {problem}") from problem


def _write(arguments: argparse.Namespace, told: object, lines: list[str]) -> int:
    if arguments.json:
        write_json(told)
    else:
        write_lines(lines)
    return 0


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text} is no amount of energy")
    return number
