"""The time that a visitor gives to an agent without any: `leanmeter edge set-clock`, or a page that a phone opens.

A file in the agent's folder says what time it was at which moment of the monotonic clock, so it does not matter when
the agent looks, and a file of before the computer was started again is of no use.
"""

import contextlib
import json
import time
from pathlib import Path

from edge_agent.agent_clock import AgentClock, boot_id

REQUEST_NAME = "clock.request"


def give_time(data_dir: Path, wall_ms: float) -> None:
    """Tell the agent of this folder what time it is now; raises OSError."""
    request = {"wall_ms": wall_ms, "monotonic_s": time.monotonic(), "boot_id": boot_id()}
    unfinished = data_dir / f"{REQUEST_NAME}.new"
    unfinished.write_text(json.dumps(request), encoding="utf-8")
    unfinished.replace(data_dir / REQUEST_NAME)


def take_time(data_dir: Path, clock: AgentClock) -> None:
    """In the agent: take what somebody has given."""
    path = data_dir / REQUEST_NAME
    if not path.exists():
        return
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        request = json.loads(path.read_text(encoding="utf-8"))
        if request["boot_id"] == clock.boot_id:
            clock.adopt("visitor", float(request["wall_ms"]), float(request["monotonic_s"]))
    with contextlib.suppress(OSError):
        path.unlink()
