"""The last frames of each line, kept in memory, for people who must find out why a meter is not read.

`leanmeter edge trace` asks the agent for them by a file in its data folder; the agent answers with another. A bundle
carries what is needed to play it back: lines with their kind of framing, devices with profile, unit id and what the
profile asked of the site file (ratios, units), and frames.
No names of hosts, users, files or the site go into it: it is made from what is listed here and from nothing else.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_agent.frame_trace import FrameTrace
from edge_agent.installation import InstalledLine
from edge_agent.transports import GpioChip, TcpAddress

FORMAT = 1
REQUEST_NAME = "trace.request"
ANSWER_NAME = "trace.jsonl"


class TraceAnswerer:
    """Answers `leanmeter edge trace` in the agent.

    Args:
        data_dir: the agent's folder.
        lines: of the site file; `traces` holds theirs by the lines' ids.
    """

    def __init__(self, data_dir: Path, lines: Iterable[InstalledLine]) -> None:
        self._request = data_dir / REQUEST_NAME
        self._answer = data_dir / ANSWER_NAME
        self._lines = tuple(line for line in lines if not isinstance(line.transport, GpioChip))
        self.traces: dict[str, FrameTrace] = {}

    def look(self) -> None:
        """Answer when somebody asks. Raises OSError when the answer cannot be written."""
        if not self._request.exists():
            return
        unfinished = self._answer.with_suffix(".new")
        with unfinished.open("w", encoding="utf-8") as file:
            for entry in bundle(self._lines, self.traces):
                file.write(json.dumps(entry, separators=(",", ":")) + "\n")
        unfinished.replace(self._answer)
        self._request.unlink(missing_ok=True)


def bundle(lines: Iterable[InstalledLine], traces: dict[str, FrameTrace]) -> Iterable[dict[str, Any]]:
    """The lines of a bundle: a head, then frames by line."""
    installed = list(lines)
    yield {
        "leanmeter_trace": FORMAT,
        "lines": [
            {
                "id": line.settings.id,
                "framing": _framing(line),
                "devices": [
                    {
                        "id": device.settings.id,
                        "profile": device.profile.id,
                        "unit_id": device.settings.unit_id,
                        "settings": device.settings.settings,
                    }
                    for device in line.devices
                ],
            }
            for line in installed
        ],
    }
    for line in installed:
        for time_ms, sent, data in traces.get(line.settings.id, FrameTrace()).frames():
            direction = "out" if sent else "in"
            yield {"line": line.settings.id, "time_ms": round(time_ms), direction: data.hex()}


def _framing(line: InstalledLine) -> str:
    if line.is_scale:
        return "text"
    return "tcp" if isinstance(line.transport, TcpAddress) and not line.transport.rtu_framing else "rtu"
