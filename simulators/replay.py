"""Devices that answer as they did when a trace was taken."""

import asyncio
import contextlib
from collections.abc import Iterable

from simulators.faults import Reply, Request
from simulators.modbus_unit import ILLEGAL_DATA_ADDRESS
from simulators.scale_server import Send
from simulators.trace_file import Exchange, TracedLine, registers_of

_TELEGRAM_INTERVAL_S = 0.2
_SHORTEST_INTERVAL_S = 0.01
_TWO_BYTES = 2


class ReplayedUnit:
    """One unit of a traced line.

    A request that stands in the trace gets the replies that it got there, one after another and then again from the
    first: silence, exceptions and damaged frames among them. Another read is answered from the registers as they stood
    last; where one of them was never read, with "illegal data address".

    Args:
        exchanges: of the line.
        unit_id: which of its devices this is.
    """

    def __init__(self, exchanges: Iterable[Exchange], unit_id: int) -> None:
        own = [exchange for exchange in exchanges if exchange.unit_id == unit_id]
        self._image = registers_of(own, unit_id)
        self._answers: dict[bytes, list[Exchange]] = {}
        for exchange in own:
            self._answers.setdefault(exchange.request, []).append(exchange)
        self._turns = dict.fromkeys(self._answers, 0)

    def reply(self, request: Request) -> Reply:
        """What came back when this was asked."""
        answers = self._answers.get(request.pdu)
        if answers is None:
            return Reply(request.unit_id, self._other(request))
        turn = self._turns[request.pdu]
        self._turns[request.pdu] = (turn + 1) % len(answers)
        answer = answers[turn]
        if answer.damaged:
            damaged = answer.damaged
            return Reply(request.unit_id, b"", answer.delay_s, frame_edits=(lambda _: damaged,))
        return Reply(request.unit_id, answer.reply, answer.delay_s, silent=not answer.reply)

    def _other(self, request: Request) -> bytes:
        table = self._image.get(request.function_code, {})
        wanted = range(request.address or 0, (request.address or 0) + (request.count or 0))
        # Bits are seldom asked for otherwise than they were: only registers are put together anew.
        if request.function_code not in {3, 4} or not wanted or any(address not in table for address in wanted):
            return bytes((request.function_code | 0x80, ILLEGAL_DATA_ADDRESS))
        data = b"".join(table[address].to_bytes(_TWO_BYTES, "big") for address in wanted)
        return bytes((request.function_code, len(data) & 0xFF)) + data


class ReplayedScale:
    """A scale of a traced line: it answers commands as it did, or sends what it sent, at the pace of then."""

    def __init__(self, line: TracedLine) -> None:
        exchanges = line.exchanges()
        self._answers: dict[bytes, list[bytes]] = {}
        for exchange in exchanges:
            self._answers.setdefault(exchange.request, []).append(exchange.reply)
        self._sent = [] if exchanges else [(time_ms, data) for time_ms, _, data in line.frames]

    async def serve(self, reader: asyncio.StreamReader, send: Send) -> None:
        """One master."""
        sending = asyncio.create_task(self._stream(send))
        try:
            turns = dict.fromkeys(self._answers, 0)
            while data := await reader.read(256):
                answers = self._answers.get(data)
                if answers and (answer := answers[turns[data] % len(answers)]):
                    await send(data, answer)
                if answers:
                    turns[data] += 1
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending

    async def _stream(self, send: Send) -> None:
        while self._sent:
            for (time_ms, data), (next_ms, _) in zip(self._sent, [*self._sent[1:], self._sent[-1]], strict=True):
                await send(b"", data)
                pause_s = (next_ms - time_ms) / 1000 or _TELEGRAM_INTERVAL_S
                await asyncio.sleep(min(max(pause_s, _SHORTEST_INTERVAL_S), 10.0))
