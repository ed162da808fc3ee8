"""Materials and waste: yield, specific waste, mass balance and what the losses cost.

Two goals are kept apart and never added, because they overlap. *Materials wasted*: material bought that did not become
product. *Waste*: what leaves the site as waste, reused and recycled parts counted separately.
Cost of material flow by ISO 14051:2011, clauses 5 and 6.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from baselines.errors import BaselineError
from baselines.goals import SCORE_AVERAGES

Flow = Literal["input", "product", "loss", "waste"]
Destination = Literal["disposed", "recovered", "recycled", "reused"]
"""Of waste: Directive 2008/98/EC, article 4. `recovered` is other recovery, such as of energy."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of material over a period, in kg. `cost` is of purchase for inputs, of handling for waste.

    A `loss` leaves unweighed but known (evaporation, dust); `waste` is weighed and has a destination. Where nobody told
    the one or the other it is None: no cost is added, and the waste is in no share.
    """

    name: str
    flow: Flow
    mass_kg: float
    cost: float | None = None
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class MaterialBalance:
    """All masses in kg, shares 0 to 1.

    `imbalance_kg` = input − product − loss − waste; a large one means that something is not weighed.
    `wasted_kg` = input − product: the materials wasted. The shares of reused, recycled and recovered are of all waste.
    """

    input_kg: float
    product_kg: float
    loss_kg: float
    waste_kg: float
    wasted_kg: float
    imbalance_kg: float
    imbalance_share: float
    material_yield: float
    waste_a_product_kg: float
    reused_share: float
    recycled_share: float
    recovered_share: float


@dataclass(frozen=True, slots=True)
class MaterialFlowCost:
    """Cost by ISO 14051: what went into product and what into losses, in the currency of the streams."""

    product: float
    losses: float

    @property
    def losses_share(self) -> float:
        """The share of all cost that was paid for losses."""
        return self.losses / (self.product + self.losses)


def balance(streams: Sequence[Stream]) -> MaterialBalance:
    """Add up a period's streams; raises BaselineError when a mass is negative, or input or product is missing."""
    for stream in streams:
        if stream.mass_kg < 0.0:
            raise BaselineError(f"stream {stream.name}: {stream.mass_kg:g} kg cannot be")
    total = {flow: sum(stream.mass_kg for stream in streams if stream.flow == flow) for flow in _FLOWS}
    if total["input"] <= 0.0 or total["product"] <= 0.0:
        raise BaselineError("a balance needs what came in and what became product, both more than 0 kg")
    sent = {
        to: sum(stream.mass_kg for stream in streams if stream.flow == "waste" and stream.destination == to)
        for to in ("recovered", "recycled", "reused")
    }
    imbalance = total["input"] - total["product"] - total["loss"] - total["waste"]
    waste = total["waste"]
    return MaterialBalance(
        input_kg=total["input"],
        product_kg=total["product"],
        loss_kg=total["loss"],
        waste_kg=waste,
        wasted_kg=total["input"] - total["product"],
        imbalance_kg=imbalance,
        imbalance_share=imbalance / total["input"],
        material_yield=total["product"] / total["input"],
        waste_a_product_kg=waste / total["product"],
        reused_share=sent["reused"] / waste if waste else 0.0,
        recycled_share=sent["recycled"] / waste if waste else 0.0,
        recovered_share=sent["recovered"] / waste if waste else 0.0,
    )


@dataclass(frozen=True, slots=True)
class WasteReduction:
    """How much less of something there is a kg of product than before, as a share; `asked` is the goal's."""

    goal: Literal["materials_wasted", "waste"]
    before_a_product_kg: float
    now_a_product_kg: float
    asked: float

    @property
    def share(self) -> float:
        """0.35 is 35 % less; below zero is more."""
        return 1.0 - self.now_a_product_kg / self.before_a_product_kg if self.before_a_product_kg else 0.0


def waste_reductions(before: MaterialBalance, now: MaterialBalance) -> tuple[WasteReduction, WasteReduction]:
    """Both goals, each a kg of product. They are never added: what is wasted and weighed as waste is in both."""
    return (
        WasteReduction(
            "materials_wasted",
            before.wasted_kg / before.product_kg,
            now.wasted_kg / now.product_kg,
            SCORE_AVERAGES["materials_wasted"],
        ),
        WasteReduction("waste", before.waste_a_product_kg, now.waste_a_product_kg, SCORE_AVERAGES["waste"]),
    )


def flow_cost(streams: Sequence[Stream], energy_cost: float, system_cost: float) -> MaterialFlowCost:
    """Allocate costs: material, energy and system costs by mass, cost of handling waste wholly to the losses."""
    sums = balance(streams)
    bought = sum(stream.cost or 0.0 for stream in streams if stream.flow == "input")
    handled = sum(stream.cost or 0.0 for stream in streams if stream.flow in {"waste", "loss"})
    into_product = min(1.0, sums.material_yield)
    shared = bought + energy_cost + system_cost
    return MaterialFlowCost(shared * into_product, shared * (1.0 - into_product) + handled)


def wasted_kg(streams: Sequence[Stream]) -> float:
    """Materials wasted: what came in and did not become product; below zero for a day on which more left than came."""
    came = math.fsum(stream.mass_kg for stream in streams if stream.flow == "input")
    return came - math.fsum(stream.mass_kg for stream in streams if stream.flow == "product")


def losses_cost(streams: Sequence[Stream], prices_a_kg: Mapping[str, float]) -> float | None:
    """What a day's losses cost: the material at its purchase price, and handling of the waste; None without each price.

    `prices_a_kg` are by the names of input and waste streams. The costs of days add up to `flow_cost`'s losses of
    their period, energy and system costs apart, while a material's price stands. Several materials are priced at their
    mean by mass; on a day on which none came in, at their plain mean.
    """
    inputs = [stream for stream in streams if stream.flow == "input"]
    waste = [stream for stream in streams if stream.flow == "waste"]
    if not inputs or any(stream.name not in prices_a_kg for stream in (*inputs, *waste)):
        return None
    came = math.fsum(stream.mass_kg for stream in inputs)
    weights = [stream.mass_kg / came if came else 1.0 / len(inputs) for stream in inputs]
    price = math.fsum(weight * prices_a_kg[stream.name] for weight, stream in zip(weights, inputs, strict=True))
    handled = math.fsum(prices_a_kg[stream.name] * stream.mass_kg for stream in waste)
    return price * wasted_kg(streams) + handled


_FLOWS: tuple[Flow, ...] = ("input", "product", "loss", "waste")
