"""Sends what the ledger holds: each destination in order, none waiting for another."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from notifications.channels.errors import ChannelError, RefusedError
from notifications.content import Destination, Message
from notifications.ledger import Ledger

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 15.0
LONGEST_PAUSE_S = 1800.0
LONGEST_SEND_S = 300.0
MAXIMUM_AT_ONCE = 16
MAXIMUM_REFUSALS = 3
"""After so many refusals a message is given up, so that those behind it can go."""
GIVEN_UP_AFTER_MS = 7 * 86_400_000
"""A message that nobody takes for so long is given up."""


class Channel(Protocol):
    """A way to one recipient."""

    async def send(self, message: Message) -> None:
        """Return when the other side has taken the message; raises UnreachableError or RefusedError."""
        ...


@dataclass(slots=True)
class Counts:
    """Since the start of the program."""

    sent: int = 0
    failures: int = 0
    given_up: int = 0


class Courier:
    """Sends messages; what it counts is in `counts`, which destinations fail now in `failing`.

    Args:
        ledger: where messages wait, and are marked after they were sent.
        channels: the configured destinations.
        hold: awaited before each message; what it raises ends the sending.
        now_ms: the clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        channels: Mapping[Destination, Channel],
        hold: Callable[[], Awaitable[None]],
        now_ms: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._channels = channels
        self._hold = hold
        self._now_ms = now_ms
        self._places = asyncio.Semaphore(MAXIMUM_AT_ONCE)
        self._busy: dict[Destination, asyncio.Task[None]] = {}
        self._failures: dict[Destination, int] = {}
        self._not_before_s: dict[Destination, float] = {}
        self._ending = False
        self.counts = Counts()

    @property
    def failing(self) -> tuple[Destination, ...]:
        """Destinations whose last attempt failed."""
        return tuple(sorted(self._failures))

    async def start_due(self) -> None:
        """Begin to send wherever something waits and nothing is under way; returns at once."""
        self._forget_done()
        for destination in await self._ledger.destinations_under_way():
            if destination in self._busy or destination not in self._channels:
                continue
            if time.monotonic() >= self._not_before_s.get(destination, 0.0):
                name = f"sending {destination.channel} to {destination.recipient}"
                self._busy[destination] = asyncio.create_task(self._serve(destination), name=name)

    async def end(self, timeout_s: float) -> None:
        """Finish what is being sent, so that it need not be sent again; what takes longer is cancelled."""
        self._ending = True
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=timeout_s)
        await self.cancel()

    async def cancel(self) -> None:
        """End everything at once."""
        tasks = list(self._busy.values())
        self._busy.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget_done(self) -> None:
        for destination, task in list(self._busy.items()):
            if task.done():
                del self._busy[destination]
                task.result()

    async def _serve(self, destination: Destination) -> None:
        """Send all that waits for a destination, until one message does not go."""
        async with self._places:
            while not self._ending and (message := await self._ledger.next_message(destination)) is not None:
                await self._hold()
                if not await self._send(destination, message):
                    return

    async def _send(self, destination: Destination, message: Message) -> bool:
        await self._ledger.note_attempt(message.number)
        try:
            async with asyncio.timeout(LONGEST_SEND_S):
                await self._channels[destination].send(message)
        except ChannelError as problem:
            return await self._failed(destination, message, problem)
        except TimeoutError:
            return await self._failed(destination, message, ChannelError(f"took longer than {LONGEST_SEND_S:.0f} s"))
        except Exception as problem:
            # A defect in one channel must not end the others.
            logger.exception("%s to %s", destination.channel, destination.recipient)
            return await self._failed(destination, message, ChannelError(type(problem).__name__))
        await self._ledger.note_end(message.number, self._now_ms())
        self.counts.sent += 1
        if self._failures.pop(destination, None) is not None:
            logger.warning("%s to %s works again", destination.channel, destination.recipient)
        return True

    async def _failed(self, destination: Destination, message: Message, problem: ChannelError) -> bool:
        self.counts.failures += 1
        refused = isinstance(problem, RefusedError) and message.attempts + 1 >= MAXIMUM_REFUSALS
        if refused or self._now_ms() - message.created_ms > GIVEN_UP_AFTER_MS:
            await self._ledger.note_end(message.number, self._now_ms(), str(problem))
            self.counts.given_up += 1
            logger.error(
                "%s to %s: %r is given up: %s",
                destination.channel, destination.recipient, message.content.subject, problem,
            )  # fmt: skip
            return True
        await self._ledger.note_problem(message.number, str(problem))
        failures = self._failures.get(destination, 0)
        # Somebody must act, and is told once in a row of failures.
        told = logger.error if failures == 0 else logger.debug
        told("%s to %s: %s; trying again", destination.channel, destination.recipient, problem)
        self._failures[destination] = failures + 1
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(failures, 20), LONGEST_PAUSE_S) * random.uniform(0.9, 1.1)  # noqa: S311  # no secret
        self._not_before_s[destination] = time.monotonic() + (problem.retry_after_s or pause_s)
        return False
