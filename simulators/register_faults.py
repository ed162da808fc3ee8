"""Registers that hold something else than what was measured, in replies that are right in every other way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simulators.faults import Reply, Request

_READ_REGISTERS = {3, 4}


@dataclass(frozen=True, slots=True)
class Overwritten:
    """Registers of a table read as given, whatever was measured.

    Args:
        function_codes: the tables.
        words: 0-based address -> 16-bit word.
    """

    function_codes: frozenset[int]
    words: Mapping[int, int]

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Replace the words that the reply carries."""
        if not _carries_registers(request, reply) or request.function_code not in self.function_codes:
            return reply
        data = bytearray(reply.pdu)
        for address, word in self.words.items():
            position = 2 + 2 * (address - (request.address or 0))
            if 2 <= position < len(data):
                data[position : position + 2] = word.to_bytes(2, "big")
        return replace(reply, pdu=bytes(data))


@dataclass(frozen=True, slots=True)
class SwappedWords:
    """Values of two registers arrive with their words exchanged, as after a setting of the meter was changed.

    Args:
        starts: (function code, 0-based address of the first word) of each value of two registers.
    """

    starts: frozenset[tuple[int, int]]

    def apply(self, request: Request, reply: Reply) -> Reply:
        """Exchange the words of each value that the reply carries whole."""
        if not _carries_registers(request, reply):
            return reply
        data = bytearray(reply.pdu)
        first, count = request.address or 0, request.count or 0
        for address in range(first, first + count - 1):
            if (request.function_code, address) in self.starts:
                at = 2 + 2 * (address - first)
                data[at : at + 4] = data[at + 2 : at + 4] + data[at : at + 2]
        return replace(reply, pdu=bytes(data))


def _carries_registers(request: Request, reply: Reply) -> bool:
    return reply.pdu[0] == request.function_code and request.function_code in _READ_REGISTERS
