"""An outbox of each released format opens with everything in it, and goes on in today's."""

import shutil
from pathlib import Path

import pytest

from edge_agent.outbox import Outbox
from tests.edge_agent.outbox_helpers import rows, values_in

SAMPLES = Path(__file__).parent / "outbox_samples"
LEFT = [*range(1, 5), *range(9, 30), *range(33, 41)]
"""All samples hold the values 1 to 40, of which 5 to 8 and 30 to 32 are acknowledged, and a torn end."""


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.iterdir()))
def test_every_format(sample: str, tmp_path: Path) -> None:
    directory = tmp_path / "outbox"
    shutil.copytree(SAMPLES / sample, directory)
    for start in range(41, 44):
        with Outbox.open(directory, max_bytes=10_000_000) as outbox:
            assert outbox.next_number == start
            # Acknowledged ones may come again in a record that answers for more numbers.
            assert {*LEFT, *range(41, start)} <= set(values_in(outbox)) <= {*LEFT, 30, 31, 32, *range(41, start)}
            assert outbox.unacknowledged() == [range(1, 5), range(9, 30), range(33, start)]
            assert outbox.last_state == b"state %d" % (start - 1)
            assert not outbox.report.lost
            assert not outbox.report.damaged_files
            assert outbox.append(rows(start), "ntp", b"state %d" % start) == start
    with Outbox.open(directory, max_bytes=10_000_000) as outbox:
        outbox.acknowledge(range(1, 44))
        outbox.sync()
        assert len(list(directory.glob("segment-*.log"))) == 1
