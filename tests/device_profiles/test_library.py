from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from device_profiles import library
from device_profiles.errors import ProfileError, UnknownProfileError
from device_profiles.library import LIBRARY, load_profile, profile_ids
from device_profiles.schema import ScaleProtocol
from wire_format.quantities import QUANTITIES

DEMO = (
    "abb/b23",
    "arad/octave",
    "carlo-gavazzi/em24-ethernet",
    "eastron/sdm630",
    "janitza/umg-96rm-e",
    "scales/mt-sics",
    "schneider/iem3155",
    "sunspec/inverter",
)

OWN = """
maker: Own
models: [Own meter]
resource: electricity
grade: B
source: [measured myself]
function_code: 3
type: f32
units: [V]
registers: {voltage_l1_n: 0}
"""


@pytest.fixture
def own_folder(tmp_path: Path) -> Iterator[Path]:
    for profile_id in ("own/meter", "eastron/sdm630"):
        path = tmp_path / f"{profile_id}.yaml"
        path.parent.mkdir()
        path.write_text(OWN)
    yield tmp_path
    library._load_cached.cache_clear()


def test_the_demos_devices_are_known() -> None:
    assert set(DEMO) <= set(profile_ids())


@pytest.mark.parametrize("profile_id", profile_ids())
def test_every_profile_of_the_library_loads(profile_id: str) -> None:
    profile = load_profile(profile_id)
    assert profile.id == profile_id
    assert profile.source
    assert set(profile.quantities) <= QUANTITIES.keys()
    for layout in (profile, *profile.alternatives):
        assert len({register.quantity for register in layout.registers}) == len(layout.registers)
        for register in layout.registers:
            assert register.unit == QUANTITIES[register.quantity].unit


@pytest.mark.parametrize("profile_id", profile_ids())
def test_every_address_has_a_comment_beside_it(profile_id: str) -> None:
    text = (LIBRARY / f"{profile_id}.yaml").read_text()
    addresses = text[text.find("\nfunction_code:") :].splitlines()
    content = yaml.safe_load(text)
    layouts = [content, *content.get("layouts", [])]
    names = {name for layout in layouts for key in ("registers", "helpers") for name in layout.get(key, {})}
    for name in names:
        lines = [line for line in addresses if line.strip().startswith(f"{name}:")]
        assert lines
        assert all("  # " in line for line in lines)


def test_every_scale_protocol_has_its_profile() -> None:
    profiles = [load_profile(profile_id) for profile_id in profile_ids() if profile_id.startswith("scales/")]
    assert sorted(profile.protocol for profile in profiles) == sorted(get_args(ScaleProtocol))
    assert all(profile.id == f"scales/{profile.protocol.replace('_', '-')}" for profile in profiles)


def test_one_profile_is_loaded_without_reading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = library._read

    def watched(path: Path) -> dict[str, Any]:
        read.append(path)
        return real(path)

    monkeypatch.setattr(library, "_read", watched)
    library._load_cached.cache_clear()
    assert load_profile("abb/b23") is load_profile("abb/b23")
    assert [path.name for path in read] == ["b23.yaml"]


def test_an_own_folder_is_searched_first(own_folder: Path) -> None:
    assert load_profile("eastron/sdm630", [own_folder]).maker == "Own"
    assert load_profile("eastron/sdm630").maker == "Eastron"
    assert load_profile("own/meter", [own_folder]).models == ("Own meter",)
    assert load_profile("abb/b23", [own_folder]).maker == "ABB"
    assert "own/meter" in profile_ids([own_folder])
    assert "own/meter" not in profile_ids()


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("eastron/sdm63", "eastron/sdm630"),
        ("sdm630", "eastron/sdm630"),
        ("scales/mt_sics", "scales/mt-sics"),
        ("ABB/B23", "abb/b23"),
    ],
)
def test_a_name_that_is_nearly_right_gets_a_suggestion(wanted: str, meant: str) -> None:
    with pytest.raises(UnknownProfileError, match=f"there is no '{wanted}'; did you mean .*{meant}"):
        load_profile(wanted)


@pytest.mark.parametrize("wanted", ["", "zzzzzz/qqqqqq", "../library/abb/b23", "/etc/passwd", "abb/b23.yaml/.."])
def test_a_name_that_is_no_id_reaches_no_file(wanted: str) -> None:
    with pytest.raises(UnknownProfileError):
        load_profile(wanted)


def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "maker" / "big.yaml"
    path.parent.mkdir()
    path.write_text("# " + "x" * library.FILE_LIMIT_BYTES)
    with pytest.raises(ProfileError, match="larger than"):
        library.load_profile_file(path)


def test_both_layouts_of_an_inverter_give_the_same_quantities() -> None:
    profile = load_profile("sunspec/inverter")
    whole_numbers, floats = profile.for_sunspec_model(103), profile.for_sunspec_model(111)
    assert whole_numbers is not None
    assert floats is not None
    assert profile.for_sunspec_model(201) is None
    shapes = [
        {(register.quantity, register.unit, register.exponent) for register in layout.registers}
        for layout in (whole_numbers, floats)
    ]
    assert shapes[0] == shapes[1]
