"""Power cuts of the edge, replayed with torn and reordered pages, and a disk that is full."""

import contextlib
import random
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from bench.faults.line import line
from bench.faults.registry import NotHereError, Outcome, Size, fault
from edge_agent.outbox import Outbox
from edge_agent.outbox import outbox as outbox_module
from tests.edge_agent.outbox_helpers import abandon, values_in
from tests.faults.power import PowerSocket, put_files
from tests.faults.test_power_cut import Promise

SEGMENT_BYTES = 4000
MANY = 1_000_000_000


@fault("power cut of the edge, torn and reordered pages")
def power_cut(size: Size, folder: Path) -> Outcome:
    """After every operation on the disk; lost is what a completed sync had covered."""
    chance = random.Random(23)
    promise = Promise()
    tried = values = lost = duplicated = 0

    def cut_now(socket: PowerSocket) -> None:
        nonlocal tried, values, lost, duplicated
        tried += 1
        put_files(folder / "after", socket.after_cut(chance))
        after = Outbox.open(folder / "after", max_bytes=MANY)
        found = values_in(after)
        abandon(after)
        owed = set(promise.appended[: promise.synced]) - promise.acknowledged
        values += len(owed)
        lost += len(owed - set(found))
        duplicated += len(found) - len(set(found))

    recorded = folder / "recorded"
    recorded.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox_module, "MAX_SEGMENT_BYTES", SEGMENT_BYTES)
        socket = PowerSocket(recorded, cut_now)
        socket.plug_in(patch)
        outbox = Outbox.open(recorded, max_bytes=MANY)
        promise.run(outbox, range(1, 6 * size.faults + 1), chance)
        abandon(outbox)
    return Outcome(tried, values, lost, duplicated)


@fault("disk of the edge full, then free again")
def full_disk(size: Size, folder: Path) -> Outcome:
    """Live readings go on while the network is there."""
    with tempfile.TemporaryDirectory() as mounted:
        command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mounted]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise NotHereError("mounting a small disk needs root")
        try:
            (Path(mounted) / "outbox").mkdir()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "outbox").symlink_to(Path(mounted) / "outbox")
            return _filled(size, folder, Path(mounted) / "ballast")
        finally:
            subprocess.run(["umount", "--lazy", mounted], check=True)


def _filled(size: Size, folder: Path, ballast: Path) -> Outcome:
    with line(folder, size) as made:
        time.sleep(1.0)
        for _ in range(size.faults):
            _fill(ballast)
            time.sleep(0.5)
            ballast.unlink(missing_ok=True)
            time.sleep(0.3)
        made.finish()
        return made.outcome(size.faults)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
