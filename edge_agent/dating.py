"""Gives samples and events the times that they go out with; while no time is known they wait on the disk."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import Batcher
from edge_agent.event_log import event_of
from edge_agent.outbox import Outbox, OutboxError, OutboxWriteError
from edge_agent.samples import Sample
from edge_agent.totals import Totals
from edge_agent.undated import Nobody, UndatedRows
from wire_format.events import Event

RESIDUES = 4
"""Times are whole multiples of 4 ms, and after the n-th step back n more: so none of them was given before."""

log = logging.getLogger(__name__)


class Dating:
    """Stands between samplers and batcher.

    A published time is never changed, so nothing goes out with one that is not known. After the clock was set back by
    more than is smoothed, rows stand among earlier ones: their times differ from all of those by their remainder.

    Args:
        clock: of the agent.
        batcher: takes what has a time.
        outbox: of that batcher.
        totals: whose state goes with what is kept.
        data_dir: where what has no time waits.
        max_bytes: how much of it.
    """

    def __init__(
        self, clock: AgentClock, batcher: Batcher, outbox: Outbox, totals: Totals, *, data_dir: Path, max_bytes: int
    ) -> None:
        self._clock = clock
        self._batcher = batcher
        self._outbox = outbox
        self._totals = totals
        self._data_dir = data_dir
        self._max_bytes = max_bytes
        self._undated: UndatedRows | None = None
        self._waiting: Batcher | None = None
        self._cannot_keep = False
        try:
            self._undated = UndatedRows.of_earlier_process(data_dir, clock.boot_id, max_bytes)
        except OutboxError as problem:
            log.error("readings without times cannot be read, they wait for the next start: %s", problem)  # noqa: TRY400
        if self._undated is not None and self._undated.outbox.unacknowledged():
            totals.restore(self._undated.outbox.last_state)

    @property
    def is_waiting(self) -> bool:
        """Whether there is anything without a time."""
        return self._undated is not None

    def add(self, sample: Sample) -> None:
        """Hand a sample on."""
        if self._clock.is_known:
            remainder = self._totals.life.steps_back % RESIDUES
            if sample.time_ms % RESIDUES != remainder:
                sample = replace(sample, time_ms=sample.time_ms - sample.time_ms % RESIDUES + remainder)
            self._batcher.add(sample)
        elif (held := self._held()) is not None:
            held.add(replace(sample, time_ms=self._monotonic_ms(sample.time_ms)))

    def note(self, event: Event, again: bool = False) -> None:  # as MainsWatch hands it over
        """Hand an event on."""
        if self._clock.is_known:
            self._batcher.events.note(event, again=again)
        elif (held := self._held()) is not None:
            held.events.note(replace(event, time_ms=self._monotonic_ms(event.time_ms)), again=again)

    def flush(self) -> None:
        """Hand over what has come since the last time."""
        while self._totals.events:
            self.note(event_of(self._totals.events.popleft()))
        if self._waiting is not None:
            self._waiting.flush()
        if self._clock.is_known or self._waiting is None:
            self._batcher.flush()

    async def settle(self) -> None:
        """Give times to what waits, as soon as one is known; call it each second."""
        if self._undated is None or not self._clock.is_known:
            return
        if self._waiting is not None:
            log.warning("what time it is is known now, by %s: samples get their times", self._clock.source)
            self._waiting.flush()
            self._waiting = None
        offset_ms = self._clock.wall_ms() - self._clock.monotonic_s() * 1000
        try:
            moved = await asyncio.to_thread(
                self._undated.settle, offset_ms, self._outbox, self._clock.source, self._totals.encode()
            )
        except (OutboxError, OutboxWriteError, OSError) as problem:
            log.warning("samples without times stay where they are: %s", problem)
            return
        self._batcher.announce(self._outbox.next_number - 1, moved)
        if self._undated.is_empty:
            self._undated.remove()
            self._undated = None

    def sync(self) -> None:
        """Have on the disk what waits; raises OutboxWriteError."""
        if self._undated is not None:
            self._undated.outbox.sync()

    def close(self) -> None:
        """Let go of the files."""
        if self._undated is not None:
            self._undated.close()

    def _held(self) -> Batcher | None:
        """Where samples without times wait; None while the disk cannot take them."""
        if self._waiting is None:
            if self._undated is None:
                try:
                    self._undated = UndatedRows(self._data_dir, self._clock.boot_id, self._max_bytes)
                except OutboxError as problem:
                    if not self._cannot_keep:
                        log.error("readings are lost: there is no time, nor room to wait for it: %s", problem)  # noqa: TRY400
                    self._cannot_keep = True
                    return None
            self._cannot_keep = False
            log.warning("what time it is is not known: samples wait on the disk until it is")
            self._waiting = Batcher(self._undated.outbox, self._totals, Nobody(), lambda: "none", dated=False)
            self._waiting.statistics = self._batcher.statistics
        return self._waiting

    def _monotonic_ms(self, time_ms: int) -> int:
        return max(0, round(self._clock.monotonic_s() * 1000 - (self._clock.wall_ms() - time_ms)))
