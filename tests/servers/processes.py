"""Real processes: started with their output in a file, waited for, killed, and never left behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from tests.servers.waiting import eventually

LEANMETER = Path(sys.executable).parent / "leanmeter"


class Started(Protocol):
    """What is asked of a process that has been started."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; raises subprocess.TimeoutExpired."""


class ManagedProcess:
    """A program in a process group of its own, so that its children go when it goes.

    Args:
        command: the program and its arguments.
        log: the file that gets its output, standard error included; every start appends.
        environment: variables beside the test's own.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = [str(part) for part in command]
        self.log_path = log
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: Started | None = None

    @property
    def pid(self) -> int:
        """The process id of the last start."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._started().poll()

    def start(self) -> None:
        """Starts it, again too after it ended."""
        if self.running:
            raise RuntimeError(f"{self.command[0]} runs already")
        self._process = self._launch()

    def kill(self) -> None:
        """Kill -9 of the whole group: nothing is flushed or said goodbye to."""
        if self._process is None:
            return
        self._signal_group(signal.SIGKILL)
        self._process.wait()

    def stop(self, timeout_s: float = 10.0) -> int:
        """Asks it to end (SIGTERM), waits, and returns its exit code."""
        if self.running:
            os.kill(self.pid, signal.SIGTERM)
        return self.wait(timeout_s)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._signal_group(signal.SIGINT)

    def suspend(self) -> None:
        """Freezes the group: it keeps its connections and says nothing."""
        self._signal_group(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a suspended group go on."""
        self._signal_group(signal.SIGCONT)

    def wait(self, timeout_s: float = 10.0) -> int:
        """Waits for its end and returns the exit code."""
        try:
            return self._started().wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self} still runs after {timeout_s} s\n{self.log()}") from None

    def log(self) -> str:
        """Everything that it has written so far, over all starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_for(self, condition: Callable[[], object], timeout_s: float = 10.0, what: str = "the condition") -> None:
        """Waits until the condition is true; fails with the log when the process ends before or time is up."""

        def come_true_or_ended() -> bool:
            if condition():
                return True
            if not self.running:
                raise AssertionError(f"{self} ended with {self.exit_code} before {what}\n{self.log()}")
            return False

        try:
            eventually(come_true_or_ended, timeout_s, what)
        except AssertionError as failure:
            raise AssertionError(f"{self}: {failure}\n{self.log()}") from None

    def wait_for_log(self, pattern: str, timeout_s: float = 10.0) -> re.Match[str]:
        """Waits until its output matches the regular expression, and returns the first match."""
        self.wait_for(lambda: re.search(pattern, self.log()), timeout_s, f"log line {pattern!r}")
        match = re.search(pattern, self.log())
        assert match is not None
        return match

    def _launch(self) -> Started:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    def _signal_group(self, number: signal.Signals) -> None:
        # The group may outlive its leader, and may be gone.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._started().pid, number)

    def _started(self) -> Started:
        if self._process is None:
            raise RuntimeError(f"{self.command[0]} has not been started")
        return self._process

    def __str__(self) -> str:
        return " ".join(self.command[:4])


class Processes:
    """Starts processes for one test; all of them end with it.

    Args:
        folder: gets one log file a process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._managed: list[ManagedProcess] = []

    def start(self, *command: str | Path, environment: Mapping[str, str] | None = None) -> ManagedProcess:
        """Starts any program."""
        return self._begin(ManagedProcess(command, self._next_log(command[0]), environment))

    def start_preloaded(self, *arguments: str | Path) -> ManagedProcess:
        """Starts ``leanmeter`` with its libraries loaded: the same process, without a second or more of imports."""
        from tests.servers.preloaded import PreloadedLeanmeter  # noqa: PLC0415  # most runs need no such process

        return self._begin(PreloadedLeanmeter(arguments, self._next_log("leanmeter")))

    def start_leanmeter(self, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> ManagedProcess:
        """Starts ``.venv/bin/leanmeter``."""
        return self.start(LEANMETER, *arguments, environment=environment)

    def run_leanmeter(self, *arguments: str | Path, timeout_s: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Runs ``.venv/bin/leanmeter`` to its end; standard output and error apart, any exit code."""
        return subprocess.run(
            [LEANMETER, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def _next_log(self, program: str | Path) -> Path:
        return self._folder / f"{len(self._managed):02}-{Path(program).name}.log"

    def _begin(self, managed: ManagedProcess) -> ManagedProcess:
        self._managed.append(managed)
        managed.start()
        return managed

    def kill_all(self) -> None:
        """Kills what still runs, the last started first."""
        for managed in reversed(self._managed):
            managed.kill()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts processes that end with the test."""
    folder = tmp_path / "process-logs"
    folder.mkdir()
    started = Processes(folder)
    yield started
    started.kill_all()
