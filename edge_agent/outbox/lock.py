"""One process at a time."""

import fcntl
import os
from pathlib import Path

from edge_agent.outbox.errors import OutboxError


class DirectoryLock:
    """Held from construction to `release`, or to the end of the process however it ends."""

    def __init__(self, directory: Path) -> None:
        path = directory / "lock"
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as problem:
            raise OutboxError(f"outbox {directory}: cannot open {path.name}: {problem.strerror}") from problem
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(self._descriptor)
            raise OutboxError(
                f"outbox {directory} is in use by another process; stop it, or give this edge a data_dir of its own"
            ) from problem

    def release(self) -> None:
        """Let others in."""
        os.close(self._descriptor)
