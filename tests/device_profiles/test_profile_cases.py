"""Registers and what they mean, worked out by hand from the facts: `tests/profile_cases/<maker>-<model>[--case]/`.

`registers.json` is what the device holds, `expected.json` what it measures, `settings.json`, where there is one, what
the site file says about it.
"""

import json
from pathlib import Path

import pytest

from device_profiles.configuration import configured
from device_profiles.library import load_profile, profile_ids
from device_profiles.register_file import read_register_file
from leanmeter.profiles_command import decode_file

CASES = Path(__file__).parents[1] / "profile_cases"
PROFILES = {profile_id.replace("/", "-"): profile_id for profile_id in profile_ids()}


@pytest.mark.parametrize("folder", sorted(CASES.iterdir()), ids=lambda folder: folder.name)
def test_registers_mean_what_was_worked_out_by_hand(folder: Path) -> None:
    profile = load_profile(PROFILES[folder.name.split("--")[0]])
    expected = json.loads((folder / "expected.json").read_text())
    settings = folder / "settings.json"
    if settings.exists():
        profile = configured(profile, json.loads(settings.read_text()))
    decoded = decode_file(profile, read_register_file(folder / "registers.json"))
    # 1 GJ is 1000 / 3.6 kWh, which no float holds exactly.
    assert decoded == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("profile_id", profile_ids())
def test_every_profile_with_registers_has_a_case(profile_id: str) -> None:
    if load_profile(profile_id).registers:
        assert (CASES / profile_id.replace("/", "-") / "expected.json").is_file()
