import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.servers.processes import ManagedProcess, Processes
from tests.servers.waiting import eventually, eventually_async

PARENT_AND_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    """Whether it runs; a killed orphan that nobody has collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_kill_takes_the_children_too(processes: Processes) -> None:
    parent = processes.start(sys.executable, "-c", PARENT_AND_CHILD)
    child = int(parent.wait_for_log(r"child (\d+)").group(1))
    assert is_alive(child)
    parent.kill()
    assert parent.exit_code == -signal.SIGKILL
    eventually(lambda: not is_alive(child), what="the child's end")


def test_children_of_a_parent_that_ended_are_killed_too(tmp_path: Path) -> None:
    parent = ManagedProcess([sys.executable, "-c", PARENT_AND_CHILD], tmp_path / "log")
    parent.start()
    child = int(parent.wait_for_log(r"child (\d+)").group(1))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert is_alive(child)
    parent.kill()
    eventually(lambda: not is_alive(child), what="the child's end")


def test_a_process_that_ends_early_fails_the_wait_with_its_log(processes: Processes) -> None:
    process = processes.start(sys.executable, "-c", "print('no configuration'); raise SystemExit(2)")
    with pytest.raises(AssertionError, match=r"(?s)ended with 2 .*no configuration"):
        process.wait_for_log("ready")


def test_a_stopped_process_is_asked_first_and_starts_again(processes: Processes) -> None:
    program = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); print('up'); signal.pause()"
    process = processes.start(sys.executable, "-c", program)
    process.wait_for_log("up")
    assert process.stop() == 7
    process.start()
    process.wait_for(lambda: process.log().count("up") == 2)


def test_waiting_ends_with_what_was_last_seen() -> None:
    with pytest.raises(AssertionError, match=r"three rows did not come true within 0.05 s; last seen: \[\]"):
        eventually(list, timeout_s=0.05, what="three rows")


async def test_waiting_in_an_event_loop_lets_it_go_on() -> None:
    rows: list[int] = []
    asyncio.get_running_loop().call_later(0.05, rows.append, 1)

    async def read() -> list[int]:
        return rows

    assert await eventually_async(read) == [1]
    assert await eventually_async(lambda: rows) == [1]
