"""Registers for tests, with the least that a test has to say."""

from typing import Any

from device_profiles.profile import Encoding, FunctionCode, Register


def register(address: int, count: int = 1, function_code: FunctionCode = 3, **facts: Any) -> Register:
    encoding = {1: Encoding.U16, 2: Encoding.U32, 4: Encoding.U64}.get(count, Encoding.BCD)
    facts.setdefault("quantity", f"quantity_{address}")
    facts.setdefault("unit", "W")
    facts.setdefault("encoding", encoding)
    return Register(function_code=function_code, address=address, count=count, **facts)
