"""The library's golden cases in `tests/profile_cases/`, worked out by hand from the facts."""

from pathlib import Path

import pytest

from device_profiles.library import load_profile, profile_ids
from leanmeter.profiles.profile_cases import cases_of, differences

CASES = Path(__file__).parents[1] / "profile_cases"


@pytest.mark.parametrize(("case", "profile_id"), cases_of(CASES).items(), ids=lambda value: Path(value).name)
def test_registers_mean_what_was_worked_out_by_hand(case: Path, profile_id: str) -> None:
    assert differences(case, profile_id) == []


@pytest.mark.parametrize("profile_id", profile_ids())
def test_every_profile_with_registers_has_a_case(profile_id: str) -> None:
    if load_profile(profile_id).registers:
        assert (CASES / profile_id.replace("/", "-") / "expected.json").is_file()
