"""The agent, with a journal of what it hands to the outbox: the truth that kill tests compare the store with.

A line is written before (`intent`) and after (`done`) each append. What is done must be stored; nothing may be stored
that was never intended. Usage: journalling_agent.py JOURNAL leanmeter-arguments...
"""

import json
import os
import sys
from collections.abc import Sequence

from edge_agent.outbox import Outbox
from leanmeter.command_line import main
from wire_format.batch import DeviceRows
from wire_format.events import Event


def _cells(devices: Sequence[DeviceRows]) -> list[tuple[str, str, int, float]]:
    return [
        (rows.device, column.quantity, time_ms, value)
        for rows in devices
        for column in rows.columns
        for time_ms, value in zip(rows.times_ms, column.values(), strict=True)
        if value is not None
    ]


def _journal_appends(path: str) -> None:
    journal = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    append = Outbox.append

    def journalled(
        outbox: Outbox, devices: Sequence[DeviceRows], clock_source: str, state: bytes, events: Sequence[Event] = ()
    ) -> int:
        cells = _cells(devices)
        os.write(journal, (json.dumps({"kind": "intent", "cells": cells}) + "\n").encode())
        number = append(outbox, devices, clock_source, state, events)
        os.write(journal, (json.dumps({"kind": "done", "cells": cells}) + "\n").encode())
        return number

    Outbox.append = journalled  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    _journal_appends(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
