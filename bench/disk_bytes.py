"""What a value costs an SD card: sectors that a block device of its own is told to write, file system included.

Ten meters of 26 quantities each second, with the collector out of reach (the worst case) or answering. Needs root, for
file systems on loop devices; what they do to a card beyond that (its own housekeeping) nobody outside can see.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_agent.outbox import Outbox
from tests.edge_agent.test_outbox_bytes import DEVICES, meter_row, state_of
from tests.wire_format.readings import seconds_of_meters

SECTOR_BYTES = 512
IMAGE_BYTES = 256 * 1024 * 1024
QUANTITIES = 26


@dataclass
class Measured:
    """One setting: the collector answers or not, and how often is synced."""

    sync_interval_s: int
    answered: bool
    in_memory: bool
    """Whether the journal is in a RuntimeDirectory, as with the systemd unit."""
    values: int = 0
    block_bytes: int = 0


def main() -> int:
    """Measure every setting at once, in real time: the kernel writes back by the clock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long (default 600)")
    parser.add_argument("--sync", type=int, action="append", help="sync_interval_s; default 10 and 60")
    arguments = parser.parse_args()
    settings = [
        Measured(sync_s, answered, in_memory)
        for in_memory in (True, False)
        for sync_s in arguments.sync or (10, 60)
        for answered in (False, True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        threads = [
            threading.Thread(target=measure, args=(setting, Path(folder) / str(number), arguments.seconds))
            for number, setting in enumerate(settings)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sys.stdout.write("journal | sync_interval_s | collector | values | bytes to the block device | a value\n")
    for setting in settings:
        where = "in memory" if setting.in_memory else "on the card"
        answers = "answers" if setting.answered else "out of reach"
        sys.stdout.write(
            f"{where} | {setting.sync_interval_s} | {answers} | {setting.values} | {setting.block_bytes} | "
            f"{setting.block_bytes / setting.values:.2f}\n"
        )
    return 0


def measure(setting: Measured, folder: Path, seconds: int) -> None:
    """Fill an outbox on a file system of its own for so long."""
    with card(folder) as (mounted, statistics):
        os.sync()
        before = written_bytes(statistics)
        setting.values = fill(mounted / "outbox", setting, seconds)
        setting.block_bytes = written_bytes(statistics) - before


@contextlib.contextmanager
def card(folder: Path) -> Iterator[tuple[Path, Path]]:
    """An ext4 on a loop device, mounted as Raspberry Pi OS does: where it is, and its counters."""
    folder.mkdir()
    image, mounted = folder / "card.img", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    device = run("losetup", "--find", "--show", str(image))
    try:
        run("mount", "-o", "defaults,noatime", device, str(mounted))
        try:
            yield mounted, Path("/sys/block") / Path(device).name / "stat"
        finally:
            run("umount", str(mounted))
    finally:
        run("losetup", "--detach", device)


def fill(directory: Path, setting: Measured, seconds: int) -> int:
    """Append in real time; returns how many values."""
    meters = seconds_of_meters(DEVICES, seconds)
    state = b""
    memory = Path("/dev/shm") / f"leanmeter-bench-{os.getpid()}-{id(setting)}" if setting.in_memory else None  # noqa: S108
    with Outbox.open(directory, max_bytes=100_000_000, journal_directory=memory) as outbox:
        began_s = time.monotonic()
        for second in range(seconds):
            time.sleep(max(0.0, began_s + second - time.monotonic()))
            rows = [meter_row(meter, second) for meter in meters]
            if second % 10 == 0:
                state = state_of(rows)
            number = outbox.append(rows, "ntp", state)
            if setting.answered:
                outbox.acknowledge(range(number - 1, number))
            if second % setting.sync_interval_s == setting.sync_interval_s - 1:
                outbox.sync()
    if memory is not None:
        shutil.rmtree(memory)
    return DEVICES * QUANTITIES * seconds


def written_bytes(statistics: Path) -> int:
    """Bytes that the block device was told to write since it exists."""
    return int(statistics.read_text(encoding="ascii").split()[6]) * SECTOR_BYTES


def run(*command: str) -> str:
    """Run a program of the system; ends with its own words when it cannot."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
