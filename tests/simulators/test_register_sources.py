from pathlib import Path

import pytest

from simulators.errors import SimulatorError
from simulators.register_image import ReadAlone
from simulators.register_sources import ChangingRegisters, read_register_file


def test_one_measuring_cycle_answers_all_requests_within_it() -> None:
    now_s = 0.0
    readings = iter(range(100))
    registers = ChangingRegisters(
        lambda: {"value": float(next(readings))},
        lambda values: {3: {0: int(float(values["value"] or 0)), 5: 9}},
        lambda: now_s,
        refresh_interval_s=0.5,
        gap_max=4,
        read_alone=[ReadAlone(3, 5, (1648,))],
    )
    assert registers.words(3, 0, 1) == [0]
    now_s = 0.4
    assert registers.words(3, 0, 1) == [0]
    now_s = 0.5
    assert registers.words(3, 0, 1) == [1]
    assert registers.words(3, 0, 6) == [1, 0, 0, 0, 0, 9]
    assert registers.words(3, 5, 1) == (1648,)
    assert registers.words(3, 4, 3) is None
    assert registers.words(4, 0, 1) is None
    assert not registers.has_function(4)


def test_a_register_file(tmp_path: Path) -> None:
    path = tmp_path / "registers.json"
    path.write_text('{"input": {"0": [17279, 65535], "52": [1]}, "coil": {"3": [1, 0]}}')
    assert read_register_file(path) == {4: {0: 17279, 1: 65535, 52: 1}, 1: {3: 1, 4: 0}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "JSON"),
        ("[]", "input"),
        ('{"inputs": {}}', "inputs"),
        ('{"input": []}', "input"),
        ('{"input": {"x": [1]}}', "input: x"),
        ('{"input": {"7": [1, 65536]}}', "7: word 1 is 65536"),
        ('{"input": {"7": [true]}}', "7: word 0"),
        ('{"coil": {"0": [2]}}', "expected 0 to 1"),
        ('{"input": {"65535": [1, 2]}}', "65535"),
    ],
)
def test_a_mistake_in_a_register_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "registers.json"
    path.write_text(text)
    with pytest.raises(SimulatorError, match=told) as error:
        read_register_file(path)
    assert str(path) in str(error.value)


def test_a_missing_register_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"nowhere\.json"):
        read_register_file(tmp_path / "nowhere.json")
