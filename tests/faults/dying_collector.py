"""The collector, killed at a chosen place of its work on the n-th batch: dying_collector.py PLACE N arguments...

The arguments are leanmeter's.
PLACE is `before-rows`, `after-rows`, `after-marks` or `after-quarantine`: the last is between store and answer.
"""

import os
import signal
import sys
from typing import Any

from collector.ingest import Ingest
from leanmeter.command_line import main
from store.entities import Entities
from store.sqlite_readings import SqliteReadings

PLACES = ("before-rows", "after-rows", "after-marks", "after-quarantine")


def die_at(place: str, count: int) -> None:
    """Have the process kill itself, with nothing flushed or said, when it comes by for the n-th time."""
    left = count

    def dying(owner: type, name: str, *, before: bool) -> None:
        original = getattr(owner, name)

        async def called(self: object, *arguments: Any, **named: Any) -> Any:
            nonlocal left
            result = None if before else await original(self, *arguments, **named)
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return await original(self, *arguments, **named) if before else result

        setattr(owner, name, called)

    {
        "before-rows": lambda: dying(SqliteReadings, "write", before=True),
        "after-rows": lambda: dying(SqliteReadings, "write", before=False),
        "after-marks": lambda: dying(Entities, "mark_dirty", before=False),
        "after-quarantine": lambda: dying(Ingest, "write", before=False),
    }[place]()


if __name__ == "__main__":
    die_at(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
