from pathlib import Path

from device_profiles.json_schema import profile_json_schema
from device_profiles.library import load_profile, profile_ids
from leanmeter.profiles.profile_pages import devices_document

DOCS = Path(__file__).parents[2] / "docs"


def test_the_list_of_devices_is_up_to_date() -> None:
    profiles = [load_profile(profile_id) for profile_id in profile_ids()]
    message = "write it again: leanmeter profiles document > docs/devices.md"
    assert (DOCS / "devices.md").read_text(encoding="utf-8") == devices_document(profiles), message


def test_the_json_schema_is_up_to_date() -> None:
    message = "write it again: leanmeter profiles schema > docs/profile.schema.json"
    assert (DOCS / "profile.schema.json").read_text(encoding="utf-8") == profile_json_schema(), message
