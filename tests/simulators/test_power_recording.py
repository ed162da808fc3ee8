from pathlib import Path

import pytest

from simulators.errors import SimulatorError
from simulators.load_curve import Curve
from simulators.power_recording import read_power_recording


@pytest.mark.parametrize(
    "text",
    [
        "0,100\n10,300\n20,-100\n",
        "time,power\n0,100\n10,300\n20,-100\n",
        "power_w;note;time_s\n100;;50\n300;x;60\n\n-100;;70\n",
        "time\tpower (W)\n2026-11-23T10:00:00Z\t100\n2026-11-23T10:00:10Z\t300\n2026-11-23T10:00:20Z\t-100\n",
    ],
)
def test_a_recording_is_repeated(tmp_path: Path, text: str) -> None:
    path = tmp_path / "power.csv"
    path.write_text(text)
    curve = Curve(read_power_recording(path))
    for start_s in (0, 30, 300):
        rates = [curve.rate(start_s + second) for second in (0, 5, 10, 20, 25)]
        assert rates == pytest.approx([100, 200, 300, -100, 0])
    assert curve.amount(30) * 3600 == pytest.approx(2000 + 1000 + 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "time and power"),
        ("time,power\n1,2\n", "two rows"),
        ("time,power\n1,2\n2,x\n", "row 3: 'x'"),
        ("time,power\n1,2\nyesterday,2\n", "row 3: 'yesterday'"),
        ("time,power\n1,2\n1,2\n", "row 3: time '1'"),
        ("time,power\n1,2\n3\n", "row 3: expected"),
        ("0,1\n1,nan\n", "row 2: 'nan'"),
    ],
)
def test_a_mistake_is_named_by_its_row(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "power.csv"
    path.write_text(text)
    with pytest.raises(SimulatorError) as error:
        read_power_recording(path)
    assert told in str(error.value)
    assert str(path) in str(error.value)
