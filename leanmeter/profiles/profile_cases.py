"""Golden cases: registers of a device and what they mean, worked out by hand: `<maker>-<model>[--case]/`.

`registers.json` is what the device holds, `expected.json` what it measures, `settings.json`, where there is one, what
the site file says about it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from device_profiles.configuration import configured
from device_profiles.decoding import decode_registers
from device_profiles.errors import ProfileError
from device_profiles.library import load_profile, profile_ids
from device_profiles.profile import Profile
from device_profiles.register_file import Registers, read_register_file
from device_profiles.sunspec import find_layout, walk_chain

CASES = "cases"
"""The folder of the cases within a user's folder of profiles."""


def decode_file(profile: Profile, registers: Registers) -> dict[str, float]:
    """What literal registers of a device mean; those of a SunSpec device stand at absolute addresses.

    Raises ProfileError when the device has no registers or shows none of the profile's SunSpec models.
    """
    if profile.protocol == "modbus":
        return decode_registers(profile, registers)
    if profile.protocol != "sunspec":
        raise ProfileError(f"profile: {profile.id} speaks {profile.protocol}, which has no registers")
    words = registers.get(profile.registers[0].function_code, {})
    found = find_layout(profile, walk_chain(words))
    if found is None:
        wanted = [model for layout in (profile, *profile.alternatives) for model in layout.sunspec_models]
        raise ProfileError(f"registers: the chain has none of the models {', '.join(map(str, wanted))}")
    layout, model = found
    inside = {
        code: {
            address - model.start: word for address, word in table.items() if model.start <= address < model.following
        }
        for code, table in registers.items()
    }
    return decode_registers(layout, inside)


def cases_of(folder: Path, profile_directories: Sequence[Path] = ()) -> dict[Path, str]:
    """The cases in a folder, with the profile that each is of. Raises ProfileError for one that is of none."""
    by_name = {profile_id.replace("/", "-"): profile_id for profile_id in profile_ids(profile_directories)}
    found: dict[Path, str] = {}
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        name = case.name.split("--")[0]
        if name not in by_name:
            raise ProfileError(f"{case}: name: a case is <maker>-<model> or <maker>-<model>--<what>; no profile fits")
        found[case] = by_name[name]
    return found


def differences(case: Path, profile_id: str, profile_directories: Sequence[Path] = ()) -> list[str]:
    """What a case expects and the profile does not give, or the other way round; empty when they agree.

    Raises ProfileError when profile or case cannot be read.
    """
    settings = case / "settings.json"
    given = _mapping(settings) if settings.exists() else {}
    profile = configured(load_profile(profile_id, profile_directories), given)
    expected = _mapping(case / "expected.json")
    measured = decode_file(profile, read_register_file(case / "registers.json"))
    return [
        f"{case}: {name}: expected {expected.get(name, 'nothing')}, the profile gives {measured.get(name, 'nothing')}"
        for name in sorted(expected.keys() | measured.keys())
        if not _same(expected.get(name), measured.get(name))
    ]


def _same(expected: Any, measured: float | None) -> bool:
    """Equal but for what a factor such as 1 GJ = 1000 / 3.6 kWh costs in the last digits of a float."""
    if measured is None or isinstance(expected, bool) or not isinstance(expected, int | float):
        return False
    return math.isclose(expected, measured, rel_tol=1e-12)


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ProfileError(f"{path}: file: {problem.strerror}") from problem
    except ValueError as problem:
        raise ProfileError(f"{path}: file: no valid JSON ({problem})") from problem
    if not isinstance(content, dict):
        raise ProfileError(f"{path}: file: must be {{name: value}}")
    return content
