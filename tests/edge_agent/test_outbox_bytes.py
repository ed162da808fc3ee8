"""What reaches the disk: pages that are dirty when they are synced, which is what a card has to write for certain."""

import os
from pathlib import Path

import msgspec
import pytest

from edge_agent.outbox import Outbox
from tests.wire_format.readings import seconds_of_meters
from wire_format.batch import Column, DeviceRows

PAGE_BYTES = 4096
SECONDS = 300
DEVICES = 10
VALUES = 26 * DEVICES * SECONDS


class PageCounter:
    """Counts pages of the segments; the journal is emptied before the kernel writes it back."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.synced = 0
        self._dirty: set[tuple[str, int]] = set()
        real_pwrite, real_fdatasync = os.pwrite, os.fdatasync

        def pwrite(descriptor: int, data: memoryview, offset: int) -> int:
            written = real_pwrite(descriptor, data, offset)
            pages = range(offset // PAGE_BYTES, (offset + written - 1) // PAGE_BYTES + 1)
            self._dirty |= {(_name(descriptor), page) for page in pages}
            return written

        def fdatasync(descriptor: int) -> None:
            mine = {page for page in self._dirty if page[0] == _name(descriptor)}
            self.synced += len(mine)
            self._dirty -= mine
            real_fdatasync(descriptor)

        patch.setattr(os, "pwrite", pwrite)
        patch.setattr(os, "fdatasync", fdatasync)


def _name(descriptor: int) -> str:
    return Path(f"/proc/self/fd/{descriptor}").readlink().name


@pytest.mark.parametrize(
    ("sync_interval_s", "answered", "at_most"), [(10, False, 4.0), (60, False, 2.0), (10, True, 2.5), (60, True, 0.6)]
)
def test_bytes_a_value_of_ten_devices(
    sync_interval_s: int, answered: bool, at_most: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`answered`: the collector is there and has confirmed each second's record before the next comes."""
    meters = seconds_of_meters(DEVICES, SECONDS)
    with Outbox.open(tmp_path, max_bytes=100_000_000) as outbox, monkeypatch.context() as patch:
        counter = PageCounter(patch)
        state = b""
        for second in range(SECONDS):
            rows = [meter_row(meter, second) for meter in meters]
            if second % 10 == 0:
                state = state_of(rows)
            number = outbox.append(rows, "ntp", state)
            if answered:
                outbox.acknowledge(range(number - 1, number))
            if second % sync_interval_s == sync_interval_s - 1:
                outbox.sync()
    bytes_a_value = counter.synced * PAGE_BYTES / VALUES
    print(f"{bytes_a_value:.2f} B a value")  # noqa: T201  # for documents
    assert 0.1 < bytes_a_value <= at_most


def meter_row(meter: DeviceRows, second: int) -> DeviceRows:
    columns = [Column(c.quantity, c.unit, c.exponent, (c.integers[second],)) for c in meter.columns]
    return DeviceRows(meter.device, (meter.times_ms[second],), tuple(columns))


def state_of(rows: list[DeviceRows]) -> bytes:
    """As large as the totals of these devices."""
    counters = {
        entry.device: {c.quantity: (c.integers[0], 0, c.exponent, entry.times_ms[0]) for c in entry.columns[-3:]}
        for entry in rows
    }
    return msgspec.msgpack.encode((1, "0123456789abcdef", counters, {}))
