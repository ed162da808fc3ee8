"""Programs that the demo runs beside itself: started in order, watched, ended in order, never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ChildError(RuntimeError):
    """A program ended or did not become ready; the message names it and its log."""


class ChildProcesses:
    """Children with a log file each. They get their own sessions, so that Ctrl-C reaches the parent alone."""

    def __init__(self, log_directory: Path) -> None:
        self._log_directory = log_directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        log_directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self._children)):
            self.end(name, timeout_s=5.0)

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start `python arguments...`; what it prints goes to its log."""
        with self._log(name).open("ab") as log:
            self._children[name] = subprocess.Popen(  # noqa: S603  # our own interpreter with our own words
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # started from the main thread before any other exists
            )

    def check(self) -> None:
        """Raise ChildError when a child has ended by itself."""
        for name, child in self._children.items():
            code = child.poll()
            if code is not None:
                raise ChildError(f"{name} ended with code {code}: {self._last_line(name)} (log: {self._log(name)})")

    def run(self, name: str, arguments: Sequence[str], stopped: Callable[[], bool]) -> str:
        """Run to its end and return its last line; raises ChildError when it fails, or somebody has stopped it."""
        self.start(name, arguments)
        child = self._children[name]
        while child.poll() is None:
            if stopped():
                raise ChildError(f"{name} was stopped")
            time.sleep(0.05)
        if child.returncode:
            self.check()
        del self._children[name]
        return self._last_line(name)

    def wait_until(self, what: str, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait for a condition while all children live; raises ChildError when it does not come about in time."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ChildError(f"{what} did not happen within {timeout_s:.0f} s; logs are in {self._log_directory}")
            time.sleep(0.05)

    def end(self, name: str, timeout_s: float) -> None:
        """Ask a child to end and wait; one that does not is killed."""
        child = self._children.pop(name, None)
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _log(self, name: str) -> Path:
        return self._log_directory / f"{name}.log"

    def _last_line(self, name: str) -> str:
        lines = self._log(name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _die_with_parent() -> None:
    """Have the kernel end the child when the parent is killed; there is no portable way, elsewhere it lives on."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        os._exit(1)
