"""Batches that the collector could not read: kept aside, neither sent again nor deleted."""

import json
import os
from pathlib import Path

from wire_format.batch import Acknowledgement

MAX_BYTES = 64 * 1024 * 1024
"""Of all files together; what comes beyond stays in the outbox and is tried again."""


class RejectedBatches:
    """Files `<run id>-<sequence>.batch`, the payload as it was published, and `.json` with the reason beside."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, answer: Acknowledgement, payload: bytes) -> Path:
        """Keep a batch on the disk; raises OSError when it cannot be kept."""
        self._directory.mkdir(exist_ok=True)
        used = sum(path.stat().st_size for path in self._directory.iterdir())
        if used + len(payload) > MAX_BYTES:
            raise OSError(None, f"{self._directory} has {used} bytes already, at most {MAX_BYTES}")
        path = self._directory / f"{answer.batch_id.run_id}-{answer.batch_id.sequence}.batch"
        reason = {"reason": answer.reason, "collector_time_ms": answer.collector_time_ms}
        _write_synced(path.with_suffix(".json"), json.dumps(reason).encode())
        _write_synced(path, payload)
        return path


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
