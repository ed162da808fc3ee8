"""Registers and replies for tests, encoded by `struct` and never by the code under test."""

import struct
from typing import Any

from device_profiles.profile import Encoding, Order, Register

STRUCT_LETTERS = {
    Encoding.U16: "H",
    Encoding.S16: "h",
    Encoding.U32: "I",
    Encoding.S32: "i",
    Encoding.U64: "Q",
    Encoding.S64: "q",
    Encoding.F32: "f",
    Encoding.F64: "d",
}


def register(quantity: str = "active_power_total", **changes: Any) -> Register:
    """A holding register of 32-bit signed tenths, at address 0."""
    values: dict[str, Any] = {
        "unit": "W",
        "function_code": 3,
        "address": 0,
        "encoding": Encoding.S32,
        "scale": 0.1,
        "exponent": -1,
    }
    values |= changes
    if "count" not in values:
        values["count"] = struct.calcsize(f">{STRUCT_LETTERS[values['encoding']]}") // 2
    return Register(quantity=quantity, **values)


def encode(value: float, encoding: Encoding, word_order: Order = "big", byte_order: Order = "big") -> bytes:
    """The bytes of a reply that carry a value."""
    plain = struct.pack(f">{STRUCT_LETTERS[encoding]}", value)
    words = [plain[index : index + 2] for index in range(0, len(plain), 2)]
    if byte_order == "little":
        words = [word[::-1] for word in words]
    return b"".join(reversed(words) if word_order == "little" else words)
