"""What happens to frames on their way: noise, collisions, joined frames, gateways that hang up or mix replies up."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from simulators.faults import Reply, Request
from simulators.modbus_frames import rtu_frame

GATEWAY_TARGET_SILENT = 11
"""The exception of a gateway behind which the device does not answer."""

_TRANSACTION_ID_LENGTH = 2
_NOISE_BYTES_MAX = 12


@dataclass(frozen=True, slots=True)
class HangUp:
    """A gateway that closes the connection instead of answering."""

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Close it."""
        return replace(reply, hang_up=True)


@dataclass(frozen=True, slots=True)
class WrongTransaction:
    """The header of a Modbus TCP reply names another transaction. Only for frames with such a header."""

    offset: int = 1

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Change the first two bytes."""

        def edit(frame: bytes) -> bytes:
            wrong = (int.from_bytes(frame[:_TRANSACTION_ID_LENGTH], "big") + self.offset) & 0xFFFF
            return wrong.to_bytes(_TRANSACTION_ID_LENGTH, "big") + frame[_TRANSACTION_ID_LENGTH:]

        return replace(reply, frame_edits=(*reply.frame_edits, edit))


@dataclass(slots=True)
class Joined:
    """The frame before is sent again together with this one, as a gateway does that emptied its buffer too late."""

    _before: bytes = b""

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Put the older frame in front."""

        def edit(frame: bytes) -> bytes:
            joined = self._before + frame
            self._before = frame
            return joined

        return replace(reply, frame_edits=(*reply.frame_edits, edit))


@dataclass(slots=True)
class Noise:
    """Some of the frame's bits are turned, and bytes that nobody sent stand before and after it.

    Args:
        seed: the same seed gives the same noise.
    """

    seed: int
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # repeatable chance, no secret

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # one shape for all faults
        """Spoil the finished frame."""
        return replace(reply, frame_edits=(*reply.frame_edits, self._spoil))

    def _spoil(self, frame: bytes) -> bytes:
        chance = self._random
        spoilt = bytearray(frame)
        for _ in range(chance.randint(1, 4)):
            if spoilt:
                spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        before, after = (chance.randbytes(chance.randint(0, _NOISE_BYTES_MAX)) for _ in range(2))
        return before + bytes(spoilt) + after


@dataclass(frozen=True, slots=True)
class Collision:
    """Another device of the same unit id answers at the same moment on an RTU line.

    Where both drive the line, a 0 wins over a 1 (RS-485 receivers read a dominant difference; which driver wins in
    truth depends on cables and drivers). Two devices that answer the same bytes are not told apart.

    Args:
        other: what the other device answers to a request.
    """

    other: Callable[[Request], Reply]

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Lay the other device's frame over this one."""
        answer = self.other(request)
        theirs = rtu_frame(answer.unit_id, answer.pdu)

        def edit(frame: bytes) -> bytes:
            length = max(len(frame), len(theirs))
            pairs = zip(frame.ljust(length, b"\xff"), theirs.ljust(length, b"\xff"), strict=True)
            return bytes(mine & other for mine, other in pairs)

        return replace(reply, frame_edits=(*reply.frame_edits, edit))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Every request is answered with a Modbus exception: 11 is a gateway behind which the device does not answer."""

    exception_code: int

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Refuse."""
        return replace(reply, pdu=bytes((request.function_code | 0x80, self.exception_code)))
