"""Writes to InfluxDB: requests that wait are joined, and a refused line never costs the others."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from store.influx_requests import InfluxRequests, LinesRefusedError, ServerFailedError
from store.protocol import StoreError, StoreUnavailableError

MAXIMUM_REQUEST_BYTES = 4 * 1024 * 1024
MAXIMUM_WAITING = 20_000

_DROPPED = re.compile(r"\bdropped=(\d+)")

Refusals = dict[int, str]
"""Reason by the index of a line that InfluxDB will never take."""


@dataclass(slots=True)
class _Waiting:
    lines: Sequence[str]
    body: bytes
    answer: "asyncio.Future[Refusals]"


class InfluxWriter:
    """Joins writes that wait while others are under way, one request at a time.

    Of two first writes to a shard at the same moment InfluxDB 2.7 may acknowledge one and forget it: the shard's cache
    is marked as made before it is there (`Cache.init` in its tsdb/engine/tsm1/cache.go), and what comes in between is
    written nowhere but in its log.

    Args:
        requests: where they go.
    """

    def __init__(self, requests: InfluxRequests) -> None:
        self._requests = requests
        self._waiting: deque[_Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def write(self, lines: Sequence[str]) -> Refusals:
        """Write lines and return when InfluxDB has them, with those that it refuses.

        Raises StoreUnavailableError or StoreConfigurationError.
        """
        if not lines:
            return {}
        if len(self._waiting) >= MAXIMUM_WAITING:
            raise StoreUnavailableError(f"InfluxDB: {MAXIMUM_WAITING} writes are waiting already")
        answer: asyncio.Future[Refusals] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(lines, "\n".join(lines).encode(), answer))
        self._send_next()
        return await answer

    async def close(self) -> None:
        """Wait for what is under way; each request has its timeout."""
        while self._sending is not None:
            await asyncio.wait([self._sending])

    def _send_next(self) -> None:
        if self._sending is not None or not self._waiting:
            return
        group = [self._waiting.popleft()]
        size = len(group[0].body)
        while self._waiting and size + len(self._waiting[0].body) < MAXIMUM_REQUEST_BYTES:
            group.append(self._waiting.popleft())
            size += len(group[-1].body)
        # A task of its own: a caller that is cancelled must not cancel the others' write.
        self._sending = asyncio.create_task(self._send(group), name="write to InfluxDB")
        self._sending.add_done_callback(self._sent)

    def _sent(self, _: asyncio.Task[None]) -> None:
        self._sending = None
        self._send_next()

    async def _send(self, group: Sequence[_Waiting]) -> None:
        try:
            await self._requests.write(b"\n".join([waiting.body for waiting in group]))
        except LinesRefusedError:
            await self._send_apart(group)
        except ServerFailedError as problem:
            if len(group) == 1:
                _fail(group, problem)
            else:
                await self._send_apart(group)
        except StoreError as problem:
            _fail(group, problem)
        except asyncio.CancelledError:
            _fail(group, StoreUnavailableError("InfluxDB: the write was ended"))
            raise
        except Exception as problem:  # noqa: BLE001  # the task's edge: every caller gets it
            _fail(group, problem)
        else:
            for waiting in group:
                _succeed(waiting, {})

    async def _send_apart(self, group: Sequence[_Waiting]) -> None:
        """One after the other, so that the lines of one cost the others nothing."""
        for waiting in group:
            try:
                refusals = await find_refused(self._requests, waiting.lines)
            except StoreError as problem:
                _fail([waiting], problem)
            else:
                _succeed(waiting, refusals)


async def find_refused(requests: InfluxRequests, lines: Sequence[str]) -> Refusals:
    """Write lines by halves until each refused one is known; all others are stored then."""
    refusals: Refusals = {}
    ranges = [(0, len(lines))]
    while ranges:
        start, end = ranges.pop()
        try:
            await requests.write("\n".join(lines[start:end]).encode())
        except LinesRefusedError as problem:
            if end - start == 1 or _dropped(problem) == end - start:
                refusals.update(dict.fromkeys(range(start, end), problem.reason))
            else:
                middle = (start + end) // 2
                ranges += [(middle, end), (start, middle)]
    return refusals


def _dropped(problem: LinesRefusedError) -> int:
    found = _DROPPED.search(problem.reason)
    return int(found[1]) if found else 0


def _succeed(waiting: _Waiting, refusals: Refusals) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(refusals)


def _fail(group: Sequence[_Waiting], problem: Exception) -> None:
    for waiting in group:
        if not waiting.answer.done():
            waiting.answer.set_exception(problem)
