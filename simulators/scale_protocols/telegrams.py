"""Scales whose whole vocabulary is a telegram and a few keys: they send by themselves, or when they are asked."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from simulators.scale_protocols import binary, requests, streams
from simulators.scale_protocols.display import Display

if TYPE_CHECKING:
    from simulators.scale import Scale
    from simulators.scale_server import Send

_STABILITY_TIMEOUT_S = 5.0
_HEARD_MAX = 64

Telegram = Callable[[Display], bytes]


class Key(Enum):
    """What a command does."""

    PRINT = auto()
    PRINT_STABLE = auto()
    PRINT_HIGH_RESOLUTION = auto()
    PRINT_TARE = auto()
    REPEAT = auto()
    SILENT = auto()
    ACKNOWLEDGE = auto()
    ZERO = auto()
    TARE = auto()
    CLEAR = auto()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A protocol. `streams` is whether it sends without being asked; `keys` are its commands, byte by byte."""

    telegram: Telegram
    streams: bool = True
    keys: Mapping[bytes, Key] = field(default_factory=dict)


def _letters(end: bytes, start: bytes = b"", **keys: Key) -> dict[bytes, Key]:
    return {start + letter.encode("ascii") + end: key for letter, key in keys.items()}


VOCABULARIES: dict[str, Vocabulary] = {
    "aandd_standard": Vocabulary(streams.aandd_standard),
    "aandd_18_byte_gs": Vocabulary(streams.aandd_18_byte_gs),
    "cas_22_byte": Vocabulary(streams.cas_22_byte),
    "cas_enq_dc1": Vocabulary(
        binary.cas_enq_dc1,
        streams=False,
        keys={b"\x05": Key.ACKNOWLEDGE, b"\x11": Key.PRINT, b"<ZK>\t": Key.ZERO, b"<TK>\t": Key.TARE},
    ),
    "dini_argeo": Vocabulary(streams.dini_argeo),
    "toledo_continuous": Vocabulary(
        binary.toledo_continuous, keys=_letters(b"", P=Key.PRINT, T=Key.TARE, Z=Key.ZERO, C=Key.CLEAR)
    ),
    "rice_lake_stream": Vocabulary(streams.rice_lake_stream),
    "cardinal_stream": Vocabulary(streams.cardinal_stream),
    "weightronix_stream": Vocabulary(streams.weightronix_stream),
    "condec_demand": Vocabulary(streams.condec_demand),
    "sma": Vocabulary(
        requests.sma,
        streams=False,
        keys=_letters(
            b"\r",
            b"\n",
            W=Key.PRINT,
            P=Key.PRINT_STABLE,
            H=Key.PRINT_HIGH_RESOLUTION,
            R=Key.REPEAT,
            M=Key.PRINT_TARE,
            Z=Key.ZERO,
            T=Key.TARE,
            C=Key.CLEAR,
        ),
    ),
    "sartorius_sbi": Vocabulary(
        requests.sartorius_sbi,
        streams=False,
        keys=_letters(b"", b"\x1b", P=Key.PRINT, T=Key.TARE, U=Key.TARE, V=Key.ZERO),
    ),
    "ohaus_3000": Vocabulary(streams.ohaus_3000),
    "ohaus_portable": Vocabulary(
        streams.ohaus_portable,
        keys={
            b"IP\r\n": Key.PRINT,
            b"SP\r\n": Key.PRINT_STABLE,
            b"CP\r\n": Key.REPEAT,
            b"0P\r\n": Key.SILENT,
            b"P\r\n": Key.PRINT_STABLE,
            b"CA\r\n": Key.REPEAT,
            b"0A\r\n": Key.SILENT,
            b"T\r\n": Key.TARE,
        },
    ),
    "nci": Vocabulary(binary.nci, streams=False, keys=_letters(b"\r", W=Key.PRINT, Z=Key.ZERO, T=Key.TARE)),
}
"""By the names of the field's protocols. Where a manual gives a telegram but no commands, the scale only sends."""


class Telegrams:
    """How a scale of a vocabulary speaks.

    Args:
        scale: the weighing part.
        vocabulary: its protocol.
        interval_s: between two telegrams that nobody asked for.
    """

    def __init__(self, scale: "Scale", vocabulary: Vocabulary, interval_s: float = 0.2) -> None:
        self._scale = scale
        self._vocabulary = vocabulary
        self._interval_s = interval_s

    async def serve(self, reader: asyncio.StreamReader, send: "Send") -> None:
        """One master: send until the connection ends, and do what is asked meanwhile."""
        sending: asyncio.Task[None] | None = None
        if self._vocabulary.streams:
            sending = asyncio.create_task(self._repeat(send))
        listening = asyncio.create_task(self._listen(reader, send))
        tasks = {listening} if sending is None else {listening, sending}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, send: "Send") -> None:
        while True:
            await send(b"", self._vocabulary.telegram(self._scale.display()))
            await asyncio.sleep(self._interval_s)

    async def _listen(self, reader: asyncio.StreamReader, send: "Send") -> None:
        heard = b""
        repeating: asyncio.Task[None] | None = None
        try:
            while data := await reader.read(_HEARD_MAX):
                heard += data
                while (found := self._command(heard)) is not None:
                    command, heard = found
                    if repeating is not None:
                        repeating.cancel()
                        repeating = None
                    if command and self._vocabulary.keys[command] is Key.REPEAT:
                        repeating = asyncio.create_task(self._repeat(send))
                    elif command:
                        await self._press(command, send)
        finally:
            if repeating is not None:
                repeating.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await repeating

    def _command(self, heard: bytes) -> tuple[bytes, bytes] | None:
        """The next command and what follows it; what begins none is dropped; None while more must come."""
        while heard:
            for command in self._vocabulary.keys:
                if heard.startswith(command):
                    return command, heard[len(command) :]
            if any(command.startswith(heard) for command in self._vocabulary.keys):
                return None
            heard = heard[1:]
            if not heard:
                return b"", b""
        return None

    async def _press(self, command: bytes, send: "Send") -> None:
        key = self._vocabulary.keys[command]
        if key is Key.PRINT_STABLE:
            await self._scale.stands_still(_STABILITY_TIMEOUT_S)
        display = self._scale.display()
        if key in {Key.PRINT, Key.PRINT_STABLE}:
            await send(command, self._vocabulary.telegram(display))
        elif key is Key.PRINT_HIGH_RESOLUTION:
            await send(command, requests.sma(display, high_resolution=True))
        elif key is Key.PRINT_TARE:
            await send(command, requests.sma_tare(display))
        elif key is Key.ACKNOWLEDGE:
            await send(command, b"\x06")
        elif key is Key.ZERO:
            self._scale.zero()
        elif key is Key.TARE:
            self._scale.tare()
        elif key is Key.CLEAR:
            self._scale.clear_tare()
