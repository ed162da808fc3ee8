from pathlib import Path

import pytest

from device_profiles.errors import ProfileError
from device_profiles.register_file import read_register_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "registers.json"


def test_tables_stand_under_their_function_codes(file: Path) -> None:
    file.write_text(
        '{"input": {"0": [17279, 1], "70": [5]}, "holding": {"10": [7]}, "coil": {"3": [1]}, "discrete": {}}'
    )
    assert read_register_file(file) == {4: {0: 17279, 1: 1, 70: 5}, 3: {10: 7}, 1: {3: 1}, 2: {}}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("{", "line 1: no valid JSON"),
        ("[]", "file: registers are"),
        ('{"coils": {}}', "coils: there is no such table, only coil, discrete, holding, input"),
        ('{"input": [1]}', "input: must be"),
        ('{"input": {"a": [1]}}', "input.a: a start address is a number"),
        ('{"input": {"65536": [1]}}', "input.65536: a start address is a number"),
        ('{"input": {"0": 1}}', "input.0: must be a list"),
        ('{"input": {"5": [0, 65536]}}', "input.5: 65536 at address 6 is no number from 0 to 65535"),
        ('{"coil": {"5": [0, 2]}}', "coil.5: 2 at address 6 is no number from 0 to 1"),
        ('{"input": {"5": [-1]}}', "input.5: -1 at address 5"),
        ('{"input": {"5": [true]}}', "input.5: True at address 5"),
        ('{"input": {"5": [1.5]}}', "input.5: 1.5 at address 5"),
        ('{"input": {"65535": [1, 2]}}', "input.65535: 2 values reach beyond address 65535"),
        ('{"input": {"5": [1, 2], "6": [3]}}', "input.6: address 6 is given twice with different values"),
    ],
)
def test_a_mistake_names_file_key_and_rule(file: Path, content: str, rule: str) -> None:
    file.write_text(content)
    with pytest.raises(ProfileError) as caught:
        read_register_file(file)
    assert str(caught.value).startswith(f"{file}: {rule}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ProfileError, match="No such file"):
        read_register_file(file)
