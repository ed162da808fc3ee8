"""Own generation: what of it is used on site, and how far the site serves itself."""

from dataclasses import dataclass

from baselines.errors import BaselineError


@dataclass(frozen=True, slots=True)
class GenerationBalance:
    """Energies in kWh, shares 0 to 1: `self_consumption` of what was generated, `self_sufficiency` of what was used."""

    generated_kwh: float
    imported_kwh: float
    exported_kwh: float
    used_kwh: float
    self_consumption: float
    self_sufficiency: float


def generation_balance(generated_kwh: float, imported_kwh: float, exported_kwh: float) -> GenerationBalance:
    """Use = import + generation − export; raises BaselineError when more was exported than generated and imported."""
    if min(generated_kwh, imported_kwh, exported_kwh) < 0.0:
        raise BaselineError("generation, import and export are totals: none of them can be negative")
    used = imported_kwh + generated_kwh - exported_kwh
    if used < 0.0:
        raise BaselineError(f"{exported_kwh:g} kWh exported, but only {generated_kwh + imported_kwh:g} kWh were there")
    own = max(0.0, generated_kwh - exported_kwh)
    return GenerationBalance(
        generated_kwh,
        imported_kwh,
        exported_kwh,
        used,
        own / generated_kwh if generated_kwh else 0.0,
        own / used if used else 0.0,
    )


def avoided_emissions_kg(found: GenerationBalance, grid_kg_a_kwh: float, own_kg_a_kwh: float = 0.0) -> float:
    """CO2e that own generation kept out of the grid, in kg: all of it × (the grid's factor − its own).

    What is exported displaces the grid's electricity too. By the grid's mean (location-based) factor, reported beside
    the inventory and never subtracted from it (GHG Protocol, Scope 2 Guidance, 2015, chapter 11).
    """
    return found.generated_kwh * (grid_kg_a_kwh - own_kg_a_kwh)
