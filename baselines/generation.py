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
