"""Where one telegram of a scale ends and the next one begins."""

from dataclasses import dataclass
from typing import Protocol

STX = 0x02
CR = 0x0D


class Framing(Protocol):
    """Takes whole telegrams out of what was heard; what may be the beginning of one stays."""

    @property
    def has_start(self) -> bool:
        """Whether telegrams begin with a mark, so that the first one heard is whole."""
        ...

    def take(self, heard: bytearray) -> list[bytes]:
        """The telegrams that are whole."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """Telegrams that end with a mark. The mark, and line ends around what is before it, are taken off."""

    end: bytes = b"\n"
    maximum_bytes: int = 80
    has_start: bool = False

    def take(self, heard: bytearray) -> list[bytes]:
        """The telegrams that are whole; one that is too long is dropped as far as it is there."""
        *whole, rest = bytes(heard).split(self.end)
        heard[:] = rest if len(rest) <= self.maximum_bytes else b""
        found = [telegram.strip(b"\r\n") for telegram in whole if len(telegram) <= self.maximum_bytes]
        return [telegram for telegram in found if telegram]


@dataclass(frozen=True, slots=True)
class Marked:
    """Telegrams between two marks, which are taken off. What stands outside of them is passed over."""

    start: bytes
    end: bytes
    maximum_bytes: int = 80
    has_start: bool = True

    def take(self, heard: bytearray) -> list[bytes]:
        """The telegrams that are whole."""
        *whole, rest = bytes(heard).split(self.end)
        begin = rest.rfind(self.start)
        heard[:] = rest[begin:] if begin >= 0 and len(rest) - begin <= self.maximum_bytes else b""
        # A telegram that was cut short is followed by the start of the next one.
        return [telegram.rpartition(self.start)[2] for telegram in whole if self.start in telegram]


@dataclass(frozen=True, slots=True)
class FixedLength:
    """Telegrams of a length that begin with a mark; the mark stays."""

    start: bytes
    length: int
    has_start: bool = True

    def take(self, heard: bytearray) -> list[bytes]:
        """The telegrams that are whole."""
        found: list[bytes] = []
        while (begin := heard.find(self.start)) >= 0 and len(heard) - begin >= self.length:
            found.append(bytes(heard[begin : begin + self.length]))
            del heard[: begin + self.length]
        if begin < 0:
            del heard[: max(0, len(heard) - len(self.start) + 1)]
        return found


@dataclass(frozen=True, slots=True)
class ToledoContinuous:
    """STX to CR, with or without a checksum after it: only where the next STX stands tells which.

    A telegram is taken when the next one has begun. A checksum may be STX itself; a second STX in a row is then the
    next telegram's, since no status word can be STX (bit 5 is always set). Parity bits are taken off.
    """

    lengths: tuple[int, ...] = (17, 11)
    has_start: bool = True

    def take(self, heard: bytearray) -> list[bytes]:
        """The telegrams that are whole, of 17 bytes (short form 11), and one more with a checksum."""
        heard[:] = bytes(byte & 0x7F for byte in heard)
        found: list[bytes] = []
        while (begin := heard.find(STX)) >= 0 and len(heard) - begin >= min(self.lengths) + 2:
            del heard[:begin]
            length = next((length for length in self.lengths if heard[length - 1 : length] == bytes((CR,))), 0)
            if not length:
                if len(heard) < max(self.lengths) + 2:
                    break
                del heard[:1]
                continue
            if len(heard) < length + 2:
                break
            if heard[length + 1] == STX:
                length += 1
            elif heard[length] != STX:
                del heard[:1]
                continue
            found.append(bytes(heard[:length]))
            del heard[:length]
        if begin < 0:
            heard.clear()
        return found
