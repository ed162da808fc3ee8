"""A bundle of `leanmeter edge trace`: frames of lines, in pairs of what was asked and what came."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.errors import SimulatorError
from simulators.modbus_frames import crc16, tcp_header
from simulators.register_image import RegisterImage

_FORMAT = 1
_FRAMES_MAX = 1_000_000
_HEADER_BYTES = 7
_READ_REGISTERS = {3, 4}
_READ_BITS = {1, 2}


@dataclass(frozen=True, slots=True)
class TracedDevice:
    """A device of a line; `settings` are what its profile asked of the site file."""

    id: str
    profile: str
    unit_id: int
    settings: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came back: nothing where nobody answered, whatever it was where it was no answer.

    `request` and `reply` are PDUs on Modbus lines, telegrams of scales; `damaged` is what came instead of a reply.
    """

    unit_id: int
    request: bytes
    reply: bytes = b""
    damaged: bytes = b""
    delay_s: float = 0.0


@dataclass(slots=True)
class TracedLine:
    """A line with its devices; `framing` is tcp, rtu or text."""

    id: str
    framing: str
    devices: tuple[TracedDevice, ...]
    frames: list[tuple[float, bool, bytes]] = field(default_factory=list)

    def exchanges(self) -> list[Exchange]:
        """What was asked and what came back, in their order."""
        found: list[Exchange] = []
        asked: tuple[float, bytes] | None = None
        heard: tuple[float, bytes] | None = None
        for time_ms, sent, data in self.frames:
            if not sent:
                heard = (time_ms, data if heard is None else heard[1] + data)
                continue
            if asked is not None:
                found.append(self._exchange(asked, heard))
            asked, heard = (time_ms, data), None
        if asked is not None and heard is not None:
            # A last request without its answer says nothing: the trace ended before it could come.
            found.append(self._exchange(asked, heard))
        return found

    def _exchange(self, asked: tuple[float, bytes], heard: tuple[float, bytes] | None) -> Exchange:
        unit_id, request = self._unframed(asked[1]) or (0, asked[1])
        if heard is None:
            return Exchange(unit_id, request)
        delay_s = max(0.0, (heard[0] - asked[0]) / 1000)
        if self.framing == "text":
            return Exchange(0, asked[1], heard[1], delay_s=delay_s)
        reply = self._unframed(heard[1])
        if reply is None or reply[0] != unit_id:
            return Exchange(unit_id, request, damaged=heard[1], delay_s=delay_s)
        return Exchange(unit_id, request, reply[1], delay_s=delay_s)

    def _unframed(self, frame: bytes) -> tuple[int, bytes] | None:
        """Unit id and PDU, None where it is no whole frame."""
        if self.framing == "tcp":
            header = tcp_header(frame) if len(frame) > _HEADER_BYTES else None
            if header is None or len(frame) != _HEADER_BYTES + header.pdu_length:
                return None
            return header.unit_id, frame[_HEADER_BYTES:]
        if len(frame) < 4 or crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            return None
        return frame[0], frame[1:-2]


def registers_of(exchanges: list[Exchange], unit_id: int) -> RegisterImage:
    """All registers of a unit that were read, as they stood last."""
    image: RegisterImage = {}
    for exchange in exchanges:
        request, reply = exchange.request, exchange.reply
        if exchange.unit_id != unit_id or len(request) != 5 or len(reply) < 2 or reply[0] != request[0]:
            continue
        address, count = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
        table = image.setdefault(request[0], {})
        data = reply[2:]
        if request[0] in _READ_REGISTERS and len(data) == 2 * count:
            words = (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
            table.update(zip(range(address, address + count), words, strict=True))
        elif request[0] in _READ_BITS and len(data) == -(-count // 8):
            bits = int.from_bytes(data, "little")
            table.update({address + offset: bits >> offset & 1 for offset in range(count)})
    return {code: table for code, table in image.items() if table}


def read_trace(path: Path) -> list[TracedLine]:
    """Read a bundle; raises SimulatorError with one line that names the file and its row."""
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SimulatorError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SimulatorError(f"{path}: is no bundle of `leanmeter edge trace`") from error
    if len(rows) > _FRAMES_MAX:
        raise SimulatorError(f"{path}: has {len(rows)} rows, at most {_FRAMES_MAX} can be read")
    head = _row(path, 1, rows[0] if rows else "")
    if head.get("leanmeter_trace") != _FORMAT:
        raise SimulatorError(f"{path}: row 1: is no bundle of `leanmeter edge trace`, or one of another release")
    try:
        lines = {
            line["id"]: TracedLine(
                str(line["id"]),
                str(line["framing"]),
                tuple(_device(entry) for entry in line["devices"]),
            )
            for line in head["lines"]
        }
        for number, text in enumerate(rows[1:], 2):
            row = _row(path, number, text)
            sent = "out" in row
            data = bytes.fromhex(row["out" if sent else "in"])
            lines[row["line"]].frames.append((float(row["time_ms"]), sent, data))
    except (KeyError, TypeError, ValueError) as error:
        raise SimulatorError(f"{path}: is damaged: {error!r} is missing or wrong in it") from error
    return list(lines.values())


def _device(entry: dict[str, Any]) -> TracedDevice:
    return TracedDevice(str(entry["id"]), str(entry["profile"]), int(entry["unit_id"]), dict(entry.get("settings", {})))


def _row(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise SimulatorError(f"{path}: row {number}: is not JSON") from error
    if not isinstance(row, dict):
        raise SimulatorError(f"{path}: row {number}: expected an object")
    return row
