"""What goes wrong on a line or in a device: small policies that change a reply, one after another.

A fault is any object with `apply`; a unit's faults are applied in their order, so that they compose.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

Clock = Callable[[], float]
FrameEdit = Callable[[bytes], bytes]

_FROZEN_REQUESTS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived for a unit; `pdu` is the function code and its data, without unit id and checksum."""

    unit_id: int
    pdu: bytes

    @property
    def function_code(self) -> int:
        """The first byte."""
        return self.pdu[0]

    @property
    def address(self) -> int | None:
        """The 0-based start address, None where the request is too short to have one."""
        return int.from_bytes(self.pdu[1:3], "big") if len(self.pdu) >= 3 else None

    @property
    def count(self) -> int | None:
        """How many registers or bits are asked for."""
        return int.from_bytes(self.pdu[3:5], "big") if len(self.pdu) >= 5 else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back.

    `delay_s` is how long the device takes. While it waits it hears nothing, unless `detached`: then it answers later
    requests meanwhile, and this reply arrives among theirs. A `silent` reply is not sent; with `hang_up` the connection
    is closed instead of answering (a serial line has none to close and stays silent). `frame_edits` change the bytes of
    the finished frame (checksum and header included), in their order.
    """

    unit_id: int
    pdu: bytes
    delay_s: float = 0.0
    detached: bool = False
    silent: bool = False
    hang_up: bool = False
    frame_edits: tuple[FrameEdit, ...] = ()

    def framed(self, frame: bytes) -> bytes:
        """The frame as it goes onto the line."""
        for edit in self.frame_edits:
            frame = edit(frame)
        return frame


class Fault(Protocol):
    """One policy."""

    def apply(self, request: Request, reply: Reply) -> Reply:
        """The reply as this fault leaves it."""
        ...


def apply_all(faults: Sequence[Fault], request: Request, reply: Reply) -> Reply:
    """Let each fault have its turn."""
    for fault in faults:
        reply = fault.apply(request, reply)
    return reply


@dataclass(frozen=True, slots=True)
class Silence:
    """The device does not answer."""

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Say nothing."""
        return replace(reply, silent=True)


@dataclass(frozen=True, slots=True)
class Delay:
    """The device takes longer, and hears nothing meanwhile."""

    delay_s: float

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Add to what the device takes."""
        return replace(reply, delay_s=reply.delay_s + self.delay_s)


@dataclass(frozen=True, slots=True)
class LateReply:
    """The answer comes when the master has given up; requests that arrive meanwhile are answered in time."""

    delay_s: float

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Send it later, among the replies to later requests."""
        return replace(reply, delay_s=reply.delay_s + self.delay_s, detached=True)


@dataclass(frozen=True, slots=True)
class ExceptionAt:
    """A request that touches an address is answered with a Modbus exception.

    `function_code` None is any; `exception_code` 2 is "illegal data address", 4 "device failure", 6 "busy".
    """

    address: int
    exception_code: int = 2
    function_code: int | None = None

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Refuse when the address lies in the range asked for."""
        if self.function_code not in {None, request.function_code} or request.address is None:
            return reply
        if request.address <= self.address < request.address + (request.count or 0):
            return replace(reply, pdu=bytes((request.function_code | 0x80, self.exception_code)))
        return reply


@dataclass(slots=True)
class Frozen:
    """The device answers each request for ever as it did the first time: its measuring part has stopped."""

    _answers: dict[bytes, bytes] = field(default_factory=dict)

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Repeat the first answer."""
        if len(self._answers) >= _FROZEN_REQUESTS_MAX and request.pdu not in self._answers:
            return reply
        return replace(reply, pdu=self._answers.setdefault(request.pdu, reply.pdu))


@dataclass(frozen=True, slots=True)
class WrongUnit:
    """The answer names another unit."""

    unit_id: int

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Change who seems to speak."""
        return replace(reply, unit_id=self.unit_id)


@dataclass(frozen=True, slots=True)
class Truncated:
    """Only the first bytes of the frame arrive."""

    length: int

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Cut the finished frame."""
        return replace(reply, frame_edits=(*reply.frame_edits, lambda frame: frame[: self.length]))


@dataclass(frozen=True, slots=True)
class DamagedChecksum:
    """The last byte of the frame arrives with all bits turned: on RTU a checksum error."""

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Turn the bits of the last byte."""
        return replace(
            reply,
            frame_edits=(*reply.frame_edits, lambda frame: frame[:-1] + bytes(byte ^ 0xFF for byte in frame[-1:])),
        )


@dataclass(frozen=True, slots=True)
class During:
    """Another fault, in the half-open time [start_s, end_s) of a clock."""

    fault: Fault
    clock: Clock
    start_s: float
    end_s: float

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Apply it while its time is."""
        return self.fault.apply(request, reply) if self.start_s <= self.clock() < self.end_s else reply


class WithProbability:
    """Another fault, now and then; the same seed gives the same sequence.

    Args:
        fault: what happens.
        probability: 0 to 1, of each request.
        seed: of the sequence.
    """

    def __init__(self, fault: Fault, probability: float, seed: int) -> None:
        self._fault = fault
        self._probability = probability
        self._random = random.Random(seed)  # noqa: S311  # repeatable chance, no secret

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Throw the dice."""
        return self._fault.apply(request, reply) if self._random.random() < self._probability else reply
