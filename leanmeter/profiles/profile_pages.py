"""Profiles as text: JSON details and a page for the terminal, and the list of all devices for the documentation."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from device_profiles.profile import Profile, Register, Setting
from wire_format.quantities import QUANTITIES

_RESOURCES = {
    "electricity": "Electricity",
    "water": "Water",
    "heat": "Heat",
    "compressed_air": "Compressed air",
    "fuel": "Fuel",
    "any": "Pulses, weights and other quantities",
}
_KINDS = (
    ("energy", r"(active|reactive|apparent)_energy_.*|energy_dc|heat_energy.*"),
    ("power", r"(active|reactive|apparent)_power_.*|power_dc|heat_power"),
    ("voltage", r"voltage_.*"),
    ("current", r"current_(?!tariff).*"),
    ("power factor", r"power_factor_.*"),
    ("frequency", r"frequency"),
    ("volume", r".*_volume.*"),
    ("flow", r".*flow_rate"),
    ("temperatures", r".*temperature.*"),
    ("weights", r"weight_(gross|net|tare).*|weighed_mass_total"),
    ("counters", r"counter_\d+"),
)


def summary(profile: Profile) -> dict[str, Any]:
    """What `profiles list --json` says of each."""
    return {
        "id": profile.id,
        "maker": profile.maker,
        "models": list(profile.models),
        "resource": profile.resource,
        "quantities": list(profile.quantities),
        "grade": profile.grade,
        "settings": [setting.name for setting in profile.settings],
    }


def details(profile: Profile) -> dict[str, Any]:
    """What `profiles show --json` says."""
    defaults = profile.serial_defaults
    return {
        **summary(profile),
        "protocol": profile.protocol,
        "transports": list(profile.transports),
        "max_registers_per_request": profile.max_registers_per_request,
        "max_gap": profile.max_gap,
        "pause_s": profile.pause_s,
        "serial_defaults": {
            name: getattr(defaults, name) for name in ("baud", "data_bits", "parity", "stop_bits", "unit_id")
        },
        "settings": [{name: getattr(setting, name) for name in Setting.__slots__} for setting in profile.settings],
        "unreadable": sorted(profile.unreadable),
        "unit_id_keys": list(profile.unit_id_keys),
        "layouts": [
            {
                "sunspec_models": list(layout.sunspec_models),
                "registers": [_register_details(register) for register in layout.registers],
                "helpers": [_register_details(register) for register in layout.helpers],
            }
            for layout in (profile, *profile.alternatives)
            if layout.registers
        ],
        "identification": [
            _register_details(entry.register) | {"values": {str(code): text for code, text in entry.values.items()}}
            for entry in profile.identification
        ],
        "source": list(profile.source),
        "notes": dict(profile.notes),
    }


def page(profile: Profile) -> list[str]:
    """The lines that `profiles show` writes."""
    lines = [
        f"{profile.id}: {profile.maker} {', '.join(profile.models)}",
        f"{profile.resource}, {profile.protocol} over {' or '.join(profile.transports)}, grade {profile.grade}",
    ]
    for layout in (profile, *profile.alternatives):
        if layout.sunspec_models:
            models = ", ".join(map(str, layout.sunspec_models))
            lines += ["", f"SunSpec models {models} (addresses from the model's start)"]
        elif layout.registers:
            lines.append("")
        lines += [_register_line(register, register.unit) for register in layout.registers]
        lines += [_register_line(helper, "(helper)") for helper in layout.helpers]
    if not profile.registers:
        lines += ["", *(f"  {name}  {QUANTITIES[name].unit}" for name in profile.quantities)]
    if profile.identification:
        lines += ["", "identification"]
        lines += [_register_line(entry.register, "") for entry in profile.identification]
    if profile.settings:
        lines += ["", "settings (in the site file, at the device)"]
        lines += [f"  {setting.name}: {setting.question} {setting_values(setting)}" for setting in profile.settings]
    if profile.unit_id_keys:
        lines += ["", "setting the unit id"]
        lines += [f"  {number}. {step}" for number, step in enumerate(profile.unit_id_keys, 1)]
    lines += ["", "sources", *(f"  {source}" for source in profile.source)]
    if profile.notes:
        lines += ["", "notes", *(f"  {key}: {text}" for key, text in profile.notes.items())]
    return lines


def setting_values(setting: Setting) -> str:
    """What a setting may be, and what it is unless it is given: `(kg, g, t; must be given)`."""
    if setting.choices:
        allowed = ", ".join(map(str, setting.choices))
    elif setting.minimum is not None and setting.maximum is not None:
        allowed = f"{setting.minimum:g} to {setting.maximum:g}"
    else:
        allowed = "a number above 0"
    return f"({allowed}; {'must be given' if setting.default is None else f'default {setting.default}'})"


def devices_document(profiles: Sequence[Profile]) -> str:
    """The Markdown page that lists all device models, by what they measure."""
    models = sum(len(profile.models) for profile in profiles)
    lines = [
        "# Devices",
        "",
        "<!-- Written by `leanmeter profiles document`; change the profiles, not this page. -->",
        "",
        f"{models} models in {len(profiles)} profiles. Not here: [adding a device](adding-a-device.md).",
        "",
        "- **Profile** is what the site file names; `leanmeter profiles show PROFILE` tells registers and sources.",
        "- **Grade A**: two independent sources agree, or the maker's document was read; **B**: one reputable source.",
        "  No grade means that a device of this model was tested: compare with the display when you install one.",
        "- **Settings** are asked of the site file, because the device does not tell them.",
    ]
    for resource, title in _RESOURCES.items():
        found = [profile for profile in profiles if _heading(profile) == resource]
        if found:
            lines += ["", f"## {title}", "", *_table(found)]
    asking = [profile for profile in profiles if profile.settings]
    if asking:
        lines += ["", "## Settings", ""]
        for profile in asking:
            lines += [f"- `{profile.id}`"]
            lines += [
                f"  - `{setting.name}`: {setting.question} {setting_values(setting)}" for setting in profile.settings
            ]
    return "\n".join(lines) + "\n"


def _heading(profile: Profile) -> str:
    return profile.resource if profile.resource in _RESOURCES else "any"


def _table(profiles: Iterable[Profile]) -> list[str]:
    lines = ["| maker | models | profile | reads | over | grade | settings |", "|---|---|---|---|---|---|---|"]
    for profile in profiles:
        cells = (
            profile.maker,
            ", ".join(profile.models),
            f"`{profile.id}`",
            _kinds(profile),
            ", ".join(profile.transports),
            profile.grade,
            ", ".join(f"`{setting.name}`" for setting in profile.settings),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _kinds(profile: Profile) -> str:
    found = [name for name, pattern in _KINDS if any(re.fullmatch(pattern, each) for each in profile.quantities)]
    return f"{', '.join(found)} ({len(profile.quantities)})"


def _register_details(register: Register) -> dict[str, Any]:
    values = {name: getattr(register, name) for name in Register.__slots__}
    values["encoding"] = register.encoding.value
    values["further_multipliers"] = [
        {"helper": entry.helper, "table": entry.table} for entry in register.further_multipliers
    ]
    values["settings"] = [{"setting": entry.setting, "table": entry.table} for entry in register.settings]
    return values


def _register_line(register: Register, unit: str) -> str:
    scale = "" if register.scale == 1 else f" x {register.scale:g}"
    bits = "" if register.bits is None else f" bit {'-'.join(map(str, sorted(set(register.bits))))}"
    kind = f"{register.encoding}{bits}{scale}"
    return (
        f"  {register.quantity:<34} function {register.function_code}  {register.address:>5}  "
        f"{kind:<14} {unit:<9} {register.tier}".rstrip()
    )
