"""What happened on the edge, until it goes out with the rows of its second."""

import logging
from collections import deque
from dataclasses import dataclass, replace

from edge_agent.counters import CounterEvent, CounterEventKind
from edge_agent.weighing import WeighingEvent
from wire_format.events import Event, EventKind
from wire_format.quantities import QUANTITIES

MAXIMUM_WAITING = 1000
MAXIMUM_AT_ONCE = 100
HOUR_MS = 3_600_000
MAXIMUM_AN_HOUR = 30
"""Of one kind, device and subject: a register that trembles must not fill the outbox. Weighings all count."""

log = logging.getLogger(__name__)

_COUNTER_TEXTS = {
    CounterEventKind.TRANSIENT: "a reading far off: {before} {unit}, then {after} {unit} again",
    CounterEventKind.JITTER: "went back a little, from {before} to {after} {unit}",
    CounterEventKind.WRAP: "went over its highest value, from {before} to {after} {unit}; the total goes on",
    CounterEventKind.RESET: "was set to 0, from {before} to {after} {unit}; the total goes on",
    CounterEventKind.STEP: "stands elsewhere, {after} instead of {before} {unit}; the total goes on",
    CounterEventKind.SWAP: "is that of another meter, {after} instead of {before} {unit}; the total goes on",
}


@dataclass(slots=True)
class _Hour:
    start_ms: int
    count: int = 0


class EventLog:
    """Takes events from anywhere in the agent's loop; `take` hands them over to go into the outbox."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._hours: dict[tuple[str, str, str], _Hour] = {}
        self._newest: dict[tuple[str, str, str], int] = {}
        self.dropped = 0
        """How many there were too many of."""

    def note(self, event: Event, *, again: bool = False) -> None:
        """Take an event; one too many of its kind is counted only. `again`: a known one, with further numbers."""
        key = (event.device, event.kind, event.subject)
        if not again:
            if event.kind != EventKind.WEIGHING and not self._is_within_bounds(key, event.time_ms):
                self.dropped += 1
                return
            newest_ms = self._newest.get(key, -MAXIMUM_AT_ONCE)
            if 0 <= newest_ms - event.time_ms < MAXIMUM_AT_ONCE:
                event = replace(event, time_ms=newest_ms + 1)  # two at once are two
            self._newest[key] = event.time_ms
        self._waiting.append(event)
        if len(self._waiting) > MAXIMUM_WAITING:
            lost = self._waiting.popleft()
            log.error("events come faster than they can be kept: %s of %s is lost", lost.kind, lost.device)
            self.dropped += 1

    def take(self) -> list[Event]:
        """The oldest that wait, of which the caller takes care from now on."""
        return [self._waiting.popleft() for _ in range(min(len(self._waiting), MAXIMUM_AT_ONCE))]

    def _is_within_bounds(self, key: tuple[str, str, str], time_ms: int) -> bool:
        hour = self._hours.setdefault(key, _Hour(time_ms))
        if abs(time_ms - hour.start_ms) >= HOUR_MS:
            self._hours[key] = hour = _Hour(time_ms)
        hour.count += 1
        if hour.count == MAXIMUM_AN_HOUR + 1:
            log.warning("%s of %s comes too often: the rest of this hour's is only counted", key[1], key[0])
        return hour.count <= MAXIMUM_AN_HOUR


def event_of(happened: CounterEvent | WeighingEvent | Event) -> Event:
    """What a counter or a scale tells, in units."""
    if isinstance(happened, Event):
        return happened
    if isinstance(happened, WeighingEvent):
        mass_kg = _decimal(happened.mass, happened.exponent)
        numbers = {"mass_kg": mass_kg}
        return Event(
            happened.device,
            EventKind.WEIGHING,
            happened.time_ms,
            happened.quantity,
            f"weighed {mass_kg} kg",
            numbers,
        )
    known = QUANTITIES.get(happened.quantity)
    numbers = {
        "before": _decimal(happened.before, happened.exponent),
        "after": _decimal(happened.after, happened.exponent),
        "offset": _decimal(happened.offset, happened.exponent),
    }
    text = _COUNTER_TEXTS[happened.kind].format(unit=known.unit if known else "", **numbers)
    kind = EventKind(f"counter_{happened.kind.value}")
    return Event(happened.device, kind, happened.time_ms, happened.quantity, f"{happened.quantity} {text}", numbers)


def _decimal(integer: int, exponent: int) -> float:
    """The double nearest to the decimal."""
    return float(integer * 10**exponent) if exponent >= 0 else integer / 10**-exponent
