"""How values stand in the bytes of a register block: one `struct` call for all values of the same order.

The four orders of a value of several registers come down to two: with the bytes within each register swapped where
necessary, a value is plainly big endian or plainly little endian.

| word order | byte order | bytes of each register | endian |
|---|---|---|---|
| big | big | as received | big |
| little | big | swapped | little |
| big | little | swapped | big |
| little | little | as received | little |
"""

import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from device_profiles.profile import Encoding, Register

FORMATS = {
    Encoding.U16: "H",
    Encoding.S16: "h",
    Encoding.U32: "I",
    Encoding.S32: "i",
    Encoding.U64: "Q",
    Encoding.S64: "q",
    Encoding.F32: "f",
    Encoding.F64: "d",
}

REGISTER_COUNTS = {
    Encoding.U16: 1,
    Encoding.S16: 1,
    Encoding.U32: 2,
    Encoding.S32: 2,
    Encoding.U64: 4,
    Encoding.S64: 4,
    Encoding.F32: 2,
    Encoding.F64: 4,
}
"""Encodings of a fixed width; the others say how many registers they take."""

BIT_CODES = frozenset({1, 2})
"""Function codes that read single bits: coils and discrete inputs."""

Raw = int | float | None

_LARGEST_F32 = 3.4028234e38


def bcd(data: bytes) -> int | None:
    """Packed decimal digits, most significant first; None when a nibble is no digit."""
    digits = data.hex()
    return int(digits) if digits.isdecimal() else None


def mod10k(data: bytes) -> int | None:
    """Four decimal digits a register, most significant first; None when a register is above 9999."""
    total = 0
    for (word,) in struct.iter_unpack(">H", data):
        if word > 9999:
            return None
        total = total * 10_000 + word
    return total


def mod10k_signed(data: bytes) -> int | None:
    """Four decimal digits and a sign a register, most significant first; None when one is beyond +-9999."""
    total = 0
    for (word,) in struct.iter_unpack(">h", data):
        if not -9999 <= word <= 9999:
            return None
        total = total * 10_000 + word
    return total


_CONVERTERS = {Encoding.BCD: bcd, Encoding.MOD10K: mod10k, Encoding.MOD10K_SIGNED: mod10k_signed}


def unpack_bits(data: bytes, count: int) -> bytes:
    """A reply to function code 1 or 2 (the lowest bit of the first byte first) as registers of 0 or 1.

    Empty when the reply is not as long as `count` bits are.
    """
    if len(data) != (count + 7) // 8:
        return b""
    return b"".join(b"\0\1" if data[index // 8] >> index % 8 & 1 else b"\0\0" for index in range(count))


def ascii_text(data: bytes) -> str:
    """Text padded with NUL or blanks; bytes that are not printable ASCII become '?'."""
    text = data.split(b"\0", 1)[0].decode("ascii", errors="replace").strip()
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)


def canonical(data: bytes, register: Register) -> bytes:
    """The bytes of a register's value, most significant first."""
    if register.byte_order == "little":
        data = swap_bytes(data)
    if register.word_order == "little":
        data = b"".join(data[index : index + 2] for index in range(len(data) - 2, -1, -2))
    return data


def swap_bytes(data: bytes) -> bytes:
    """Exchange the two bytes of each register."""
    words = array("H", data)
    words.byteswap()
    return words.tobytes()


@dataclass(frozen=True, slots=True)
class StructPlan:
    """One pass over a block. `positions` tells which register each unpacked value belongs to."""

    positions: tuple[int, ...]
    swapped: bool
    layout: struct.Struct
    converters: tuple[tuple[int, Callable[[bytes], int | None], Register], ...]

    def unpack(self, data: bytes) -> Sequence[Raw]:
        """The raw values, in the order of `positions`."""
        values = self.layout.unpack(swap_bytes(data) if self.swapped else data)
        if not self.converters:
            return values
        changed = list(values)
        for index, convert, register in self.converters:
            changed[index] = convert(canonical(changed[index], register))
        return changed


def as_written(raw: float, encoding: Encoding) -> Decimal:
    """The shortest decimal that is this float: 231.3, where a 32-bit float is 231.3000030517578."""
    if encoding is Encoding.F32:
        packed = struct.pack(">f", raw)
        for digits in range(6, 9):
            text = f"{raw:.{digits}g}"
            # The last digit may round to beyond the largest float.
            if abs(float(text)) < _LARGEST_F32 and struct.pack(">f", float(text)) == packed:
                return Decimal(text)
        return Decimal(f"{raw:.9g}")
    return Decimal(repr(raw))


def plan_structs(
    registers: Iterable[tuple[int, Register]], function_code: int, address: int, count: int
) -> list[StructPlan]:
    """Find the registers (position, register) that lie wholly within a block, and how to unpack them."""
    groups: dict[tuple[bool, str], list[tuple[int, Register]]] = {}
    end = address + count
    for position, register in registers:
        inside = register.function_code == function_code and address <= register.address
        if inside and register.address + register.count <= end:
            groups.setdefault(_order(register), []).append((position, register))
    return [
        _struct_plan(layer, swapped, endian, address, end)
        for (swapped, endian), members in groups.items()
        for layer in _without_overlap(members)
    ]


def _order(register: Register) -> tuple[bool, str]:
    if register.encoding not in FORMATS:
        return False, ">"
    swapped = register.word_order != register.byte_order if register.count > 1 else register.byte_order == "little"
    return swapped, ">" if register.count == 1 or register.word_order == "big" else "<"


def _without_overlap(members: list[tuple[int, Register]]) -> list[list[tuple[int, Register]]]:
    """Split into layers in which no two registers share an address."""
    layers: list[list[tuple[int, Register]]] = []
    for member in sorted(members, key=lambda pair: pair[1].address):
        for layer in layers:
            if layer[-1][1].address + layer[-1][1].count <= member[1].address:
                layer.append(member)
                break
        else:
            layers.append([member])
    return layers


def _struct_plan(layer: list[tuple[int, Register]], swapped: bool, endian: str, address: int, end: int) -> StructPlan:
    pieces = [endian]
    converters: list[tuple[int, Callable[[bytes], int | None], Register]] = []
    at = address
    for index, (_, register) in enumerate(layer):
        pieces.append(f"{2 * (register.address - at)}x")
        at = register.address + register.count
        letter = FORMATS.get(register.encoding)
        if letter is None:
            pieces.append(f"{2 * register.count}s")
            converters.append((index, _CONVERTERS[register.encoding], register))
        else:
            pieces.append(letter)
    pieces.append(f"{2 * (end - at)}x")
    positions = tuple(position for position, _ in layer)
    return StructPlan(positions, swapped, struct.Struct("".join(pieces)), tuple(converters))
