"""The library against the register facts that it was written from, where those lie beside the repository."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from device_profiles.library import load_profile, profile_ids
from device_profiles.profile import Register
from device_profiles.units import factors
from wire_format.quantities import QUANTITIES

FACTS = Path(__file__).parents[3] / "shared" / "registers"
MAPS = 79
MODELS = 145

Entry = dict[str, Any]

READ_OTHERWISE = {
    # "bidirectional types are signed"
    ("finder/7e-23", "active_power_total"),
    # The facts leave open whether 45301 means 45300 or 5300; each has a profile.
    *(("hardwario/gauger-5300", f"counter_{number}") for number in range(1, 5)),
    # A sister model's tables call these partial counters, which may be set back.
    ("socomec/diris-a10", "active_energy_import_partial"),
    ("socomec/diris-a10", "active_energy_export_partial"),
    # Two floats and a bit field in one block of five registers, which the facts list as one.
    ("flintec/dad-141-1", "weight_net"),
    ("flintec/dad-141-1", "operating_state"),
    # Called flow_rate there; of air it has a quantity of its own.
    ("suto/s401", "compressed_air_flow_rate"),
    # Totals by one source, partial counters by tables of a sister model.
    ("socomec/diris-a10", "active_energy_import_partial"),
    ("socomec/diris-a10", "active_energy_export_partial"),
}


def maps_with_registers() -> list[Entry]:
    """The maps of grade A or B that have registers of their own or those of another map."""
    entries = [
        entry
        for path in sorted(FACTS.glob("*.yaml"))
        for entry in yaml.safe_load(path.read_text()).get("devices", ())
        if entry.get("confidence") in {"A", "B"}
    ]
    return [entry for entry in entries if entry.get("registers") or entry.get("same_as")]


def agrees(register: Register, fact: Entry) -> bool:
    """Whether a register is the one that the facts describe."""
    if register.address != fact["address"] or register.encoding.value != fact["type"]:
        return False
    if fact["quantity"] in QUANTITIES and not (register.quantity == fact["quantity"] or register.summand):
        return False
    factor = factors(QUANTITIES[register.quantity].unit).get(str(fact["unit"]))
    if factor is None or fact["scale"] is None:
        return True  # of bits and codes, and of values whose unit or scale is set in the device
    return register.scale == pytest.approx(float(fact["scale"]) * float(factor), rel=1e-12)


def test_the_library_names_as_many_models_as_have_facts() -> None:
    profiles = [load_profile(profile_id) for profile_id in profile_ids()]
    models = {
        (profile.maker, model) for profile in profiles for model in profile.models if profile.protocol == "modbus"
    }
    assert len(models) >= MODELS


@pytest.mark.skipif(not FACTS.is_dir(), reason=f"the register facts are not in {FACTS}")
def test_every_map_of_grade_a_or_b_is_covered() -> None:
    profiles = [load_profile(profile_id) for profile_id in profile_ids()]
    grades = {(profile.maker.casefold(), model): profile.grade for profile in profiles for model in profile.models}
    maps = maps_with_registers()
    models = [(str(entry["manufacturer"]).casefold(), str(model)) for entry in maps for model in entry["models"]]
    assert (len(maps), len(models)) == (MAPS, MODELS)
    assert [model for model in models if model not in grades] == []


@pytest.mark.skipif(not FACTS.is_dir(), reason=f"the register facts are not in {FACTS}")
def test_every_register_is_read_as_the_facts_say() -> None:
    """At each address that is read, the facts have a register of the same type, scale and, where it has one, name."""
    profiles = [load_profile(profile_id) for profile_id in profile_ids()]
    wrong = [
        f"{profile.id}: {register.quantity} at {register.address}"
        for entry in maps_with_registers()
        for profile in profiles
        if profile.maker.casefold() == str(entry["manufacturer"]).casefold()
        and set(profile.models) & set(map(str, entry["models"]))
        for register in profile.registers
        if (profile.id, register.quantity) not in READ_OTHERWISE
        if not any(agrees(register, fact) for fact in entry.get("registers", ()))
        if entry.get("registers")
    ]
    assert wrong == []
