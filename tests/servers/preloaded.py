"""`leanmeter` as a process of its own whose libraries are loaded already.

A program of the line imports for a second or more. Here one process imports, once in a run, and each start is a fork
of it that runs the command line: what is killed, stopped and read of it is as real as with any other process.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from leanmeter.command_line import main
from tests.servers.processes import ManagedProcess, Started

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.servers.preloaded", "leanmeter.servers.visit_command"])


class PreloadedLeanmeter(ManagedProcess):
    """`leanmeter ARGUMENTS...`."""

    def __init__(self, arguments: Sequence[str | Path], log: Path) -> None:
        super().__init__(["leanmeter", *arguments], log)

    def _launch(self) -> Started:
        return _Fork(self.command[1:], self.log_path)


class _Fork:
    """A process of multiprocessing with the face of one of subprocess."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._process = _FORKS.Process(target=_run, args=(arguments, log))
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("leanmeter", timeout or 0.0)
        return code


def _run(arguments: Sequence[str], log: Path) -> None:
    os.setsid()
    with log.open("ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.exit(main(list(arguments)))
