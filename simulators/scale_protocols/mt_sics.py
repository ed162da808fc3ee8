"""MT-SICS, the Mettler Toledo Standard Interface Command Set: S, SI, SIR, Z, ZI, T, TI, TA, TAC, I1 to I4, @."""

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING

from simulators.scale_protocols.display import Display

if TYPE_CHECKING:
    from simulators.scale import Scale
    from simulators.scale_server import Send

SERIAL_NUMBER = "B021002593"

_LINE_MAX = 256
_FIXED_REPLIES = {
    "I1": 'I1 A "01" "2.30" "2.22" "2.33" "2.20"',
    "I2": 'I2 A "Simulated scale Standard"',
    "I3": 'I3 A "1.00"',
    "I4": f'I4 A "{SERIAL_NUMBER}"',
    "@": f'I4 A "{SERIAL_NUMBER}"',
}


def weight_reply(display: Display) -> str:
    """The weight as it is now: `S S`, `S D`, or `S +` and `S -` out of range."""
    if display.beyond:
        return f"S {display.beyond}"
    return f"S {_state(display)} {_shown(display.shown_kg, display)}"


class MtSics:
    """How such a scale speaks. Commands end with CR LF; what is no command is answered `ES`.

    Args:
        scale: the weighing part.
        stability_timeout_s: after so long without standing still, `S`, `Z` and `T` are answered "not executable".
        repeat_interval_s: between the replies of `SIR`.
    """

    def __init__(self, scale: "Scale", *, stability_timeout_s: float = 5.0, repeat_interval_s: float = 0.1) -> None:
        self._scale = scale
        self._stability_timeout_s = stability_timeout_s
        self._repeat_interval_s = repeat_interval_s

    async def serve(self, reader: asyncio.StreamReader, send: "Send") -> None:
        """One master. Commands wait for the one before, but any ends a repetition, and `@` whatever is under way."""
        working: asyncio.Task[None] | None = None
        heard = b""
        repeating = False
        try:
            while data := await reader.read(_LINE_MAX):
                *lines, heard = (heard + data).split(b"\n")
                for line in lines:
                    command = line.strip().decode("ascii", "replace")
                    if working is not None:
                        if repeating or command == "@":
                            working.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await working
                    repeating = command == "SIR"
                    working = asyncio.get_running_loop().create_task(self._execute(command, send))
                    working.add_done_callback(functools.partial(_end_reading, reader))
                if len(heard) > _LINE_MAX:  # longer than any command
                    await send(b"", b"ET\r\n")
                    return
        finally:
            if working is not None:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    async def _execute(self, command: str, send: "Send") -> None:
        if command == "SIR":
            while True:
                await self._send(send, command, weight_reply(self._scale.display()))
                await asyncio.sleep(self._repeat_interval_s)
        reply = await self._when_stable(command) if command in {"S", "Z", "T"} else self._at_once(command)
        await self._send(send, command, reply)

    def _at_once(self, command: str) -> str:
        scale = self._scale
        before = scale.display()
        if command == "SI":
            return weight_reply(before)
        if command == "ZI":
            return f"ZI {scale.zero() or _state(before)}"
        if command == "TI":
            return self._tare(command)
        if command == "TA":
            return f"TA A {_shown(before.tare_kg, before)}"
        if command == "TAC":
            scale.clear_tare()
            return "TAC A"
        return _FIXED_REPLIES.get(command, "ES")

    async def _when_stable(self, command: str) -> str:
        if not await self._scale.stands_still(self._stability_timeout_s):
            return f"{command} I"
        if command == "Z":
            return f"Z {self._scale.zero() or 'A'}"
        return self._tare(command) if command == "T" else weight_reply(self._scale.display())

    def _tare(self, command: str) -> str:
        beyond = self._scale.tare()
        after = self._scale.display()
        return f"{command} {beyond}" if beyond else f"{command} {_state(after)} {_shown(after.tare_kg, after)}"

    @staticmethod
    async def _send(send: "Send", command: str, reply: str) -> None:
        await send(command.encode("ascii", "replace"), reply.encode("ascii") + b"\r\n")


def _end_reading(reader: asyncio.StreamReader, done: "asyncio.Task[None]") -> None:
    """The connection was closed while answering."""
    if not done.cancelled() and done.exception() is not None:
        reader.feed_eof()


def _state(display: Display) -> str:
    return "S" if display.stable else "D"


def _shown(mass_kg: float, display: Display) -> str:
    shown = round(mass_kg, display.decimals) + 0.0  # without the sign of a negative zero
    return f"{shown:>10.{display.decimals}f} {display.unit}"
