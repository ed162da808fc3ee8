"""Things that happened, told once and kept: a counter that was reset, a weighing, an outage, a clock that was set.

An event rides in a batch beside the rows of its second, so it is as durable as they are and stored as often: once.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from wire_format.errors import BatchTooLargeError, WireFormatError
from wire_format.limits import MAX_EVENT_NUMBERS, MAX_EVENT_TEXT_CHARACTERS, MAX_EVENTS, MAX_TIME_MS
from wire_format.topics import SLUG

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED_NAMES = frozenset({"time", "site", "device", "kind", "subject", "text"})
"""What an event's numbers must not be called: stores have these names for other things."""

VALUES = "values"
"""A number of `day_counted`; its others have the names of totals."""


class EventKind(StrEnum):
    """What an edge tells; a receiver takes other kinds too."""

    COUNTER_TRANSIENT = "counter_transient"
    COUNTER_JITTER = "counter_jitter"
    COUNTER_WRAP = "counter_wrap"
    COUNTER_RESET = "counter_reset"
    COUNTER_STEP = "counter_step"
    COUNTER_SWAP = "counter_swap"
    WEIGHING = "weighing"
    DEVICE_DOUBTED = "device_doubted"
    DAY_COUNTED = "day_counted"
    """How much was kept of a device on the UTC day that begins at its time: `values` numbers, and by how much each
    total rose from the first reading to the last. A collector compares it with its store, and keeps it apart."""
    OUTAGE = "outage"
    AGENT_STARTED = "agent_started"
    AGENT_STOPPED = "agent_stopped"
    CLOCK_STEP = "clock_step"
    CLOCK_SOURCE = "clock_source"
    OUTBOX_THINNED = "outbox_thinned"
    ROWS_THINNED = "rows_thinned"
    OUTBOX_CUT = "outbox_cut"
    OUTBOX_DAMAGED = "outbox_damaged"
    OUTBOX_WRITE_FAILED = "outbox_write_failed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a device, or to an edge: then `device` is the edge's own (`EdgeAddress.device`).

    It is identified by device, kind, subject and time. Told again with other numbers, those are added or replaced: an
    outage has no `until_ms` while it lasts. `subject` is what it happened to, such as a quantity, or empty. `numbers`
    are in the units that their names end in, or in the subject's; `text` is a sentence for people, in English.
    """

    device: str
    kind: str
    time_ms: int
    subject: str = ""
    text: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


class EncodedEvent(Struct, array_like=True, frozen=True):
    """An event as it stands in a message."""

    device: str
    kind: str
    subject: str
    time_ms: int
    text: str = ""
    numbers: dict[str, float] = {}


def encode_events(events: Sequence[Event]) -> list[EncodedEvent]:
    """Events for a message; raises WireFormatError, or BatchTooLargeError when they are too many for one."""
    if len(events) > MAX_EVENTS:
        raise BatchTooLargeError(f"{len(events)} events in a batch, at most {MAX_EVENTS}")
    encoded = [
        EncodedEvent(event.device, event.kind, event.subject, event.time_ms, event.text, dict(event.numbers))
        for event in events
    ]
    for event in encoded:
        _check(event)
    return encoded


def decode_events(encoded: list[EncodedEvent]) -> tuple[Event, ...]:
    """The events of a message; raises WireFormatError."""
    if len(encoded) > MAX_EVENTS:
        raise WireFormatError(f"batch: {len(encoded)} events, at most {MAX_EVENTS}")
    for event in encoded:
        _check(event)
    return tuple(
        [Event(event.device, event.kind, event.time_ms, event.subject, event.text, event.numbers) for event in encoded]
    )


def _check(event: EncodedEvent) -> None:
    where = f"event {event.kind[:40]!r} of {event.device[:40]!r}"
    if not SLUG.fullmatch(event.device) or not NAME.fullmatch(event.kind):
        raise WireFormatError(f"{where}: a device is a slug, a kind is {NAME.pattern}")
    if event.subject and not NAME.fullmatch(event.subject):
        raise WireFormatError(f"{where}: subject {event.subject[:80]!r} is not {NAME.pattern}")
    if not 0 <= event.time_ms <= MAX_TIME_MS:
        raise WireFormatError(f"{where}: time {event.time_ms} is not within 0 to {MAX_TIME_MS} ms")
    if len(event.text) > MAX_EVENT_TEXT_CHARACTERS or len(event.numbers) > MAX_EVENT_NUMBERS:
        raise WireFormatError(
            f"{where}: at most {MAX_EVENT_TEXT_CHARACTERS} characters of text and {MAX_EVENT_NUMBERS} numbers"
        )
    for name, number in event.numbers.items():
        if not NAME.fullmatch(name) or name in RESERVED_NAMES or not math.isfinite(number):
            raise WireFormatError(f"{where}: number {name[:80]!r} = {number} has no allowed name or is not finite")
