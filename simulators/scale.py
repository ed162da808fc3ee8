"""A scale that speaks MT-SICS over TCP.

Commands and replies are those of the Mettler Toledo Standard Interface Command Set:
S, SI, SIR, Z, ZI, T, TI, TA, TAC, I1 to I4, @.
"""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from simulators.errors import SimulatorError
from simulators.weighing import Load, WeightSource

SERIAL_NUMBER = "B021002593"

_CONNECTIONS_MAX = 16
_LINE_MAX = 256
_LOOK_S = 0.05
_FIXED_REPLIES = {
    "I1": 'I1 A "01" "2.30" "2.22" "2.33" "2.20"',
    "I2": 'I2 A "Simulated scale Standard"',
    "I3": 'I3 A "1.00"',
    "I4": f'I4 A "{SERIAL_NUMBER}"',
}


class Scale:
    """The weighing part: what the plate carries becomes what the display shows.

    Args:
        source: what lies on the plate.
        clock: seconds, of the source.
        capacity_kg: more is overload; 9 steps below an empty plate is underload.
        decimals: of a kg on the display.
    """

    def __init__(
        self, source: WeightSource, clock: Callable[[], float], capacity_kg: float = 15.0, decimals: int = 3
    ) -> None:
        self._source = source
        self._clock = clock
        self._capacity_kg = capacity_kg
        self.decimals = decimals
        self._zero_kg = 0.0
        self._tare_kg = 0.0

    def load(self) -> Load:
        """What lies on the plate, from the scale's zero."""
        load = self._source.load(self._clock())
        return Load(load.mass_kg - self._zero_kg, load.stable)

    def weight_reply(self, command: str = "S") -> str:
        """The net weight as it is now: `S S`, `S D`, or `S +` and `S -` out of range."""
        load = self.load()
        beyond = self._beyond(load)
        if beyond:
            return f"{command} {beyond}"
        return f"{command} {'S' if load.stable else 'D'} {self._shown(load.mass_kg - self._tare_kg)}"

    def zero(self, *, immediately: bool) -> str:
        """Take what lies there as zero: within 2 % of the capacity, as scales do."""
        load = self.load()
        mass_kg = load.mass_kg + self._zero_kg
        name = "ZI" if immediately else "Z"
        if abs(mass_kg) > 0.02 * self._capacity_kg:
            return f"{name} {'+' if mass_kg > 0 else '-'}"
        self._zero_kg = mass_kg
        self._tare_kg = 0.0
        if immediately:
            return f"ZI {'S' if load.stable else 'D'}"
        return "Z A"

    def tare(self, *, immediately: bool) -> str:
        """Take what lies there as container."""
        load = self.load()
        name = "TI" if immediately else "T"
        beyond = self._beyond(load) or ("-" if load.mass_kg < 0 else "")
        if beyond:
            return f"{name} {beyond}"
        self._tare_kg = load.mass_kg
        return f"{name} {'S' if load.stable else 'D'} {self._shown(load.mass_kg)}"

    def tare_reply(self) -> str:
        """The container's weight."""
        return f"TA A {self._shown(self._tare_kg)}"

    def clear_tare(self) -> str:
        """Forget the container."""
        self._tare_kg = 0.0
        return "TAC A"

    def _beyond(self, load: Load) -> str:
        if load.mass_kg > self._capacity_kg:
            return "+"
        return "-" if load.mass_kg < -9 * 10.0**-self.decimals else ""

    def _shown(self, mass_kg: float) -> str:
        shown = round(mass_kg, self.decimals) + 0.0  # without the sign of a negative zero
        return f"{shown:>10.{self.decimals}f} kg"


class MtSicsServer:
    """Serves a scale to several clients. Commands end with CR LF; what is no command is answered `ES`.

    Args:
        scale: the weighing part.
        host: where it listens.
        port: 0 is any free one.
        stability_timeout_s: after so long without standing still, `S`, `Z` and `T` are answered "not executable".
        repeat_interval_s: between the replies of `SIR`.
    """

    def __init__(
        self,
        scale: Scale,
        host: str,
        port: int,
        *,
        stability_timeout_s: float = 5.0,
        repeat_interval_s: float = 0.1,
    ) -> None:
        self.host = host
        self.port = port
        self._scale = scale
        self._stability_timeout_s = stability_timeout_s
        self._repeat_interval_s = repeat_interval_s
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen; `port` is then the real one where 0 was asked for."""
        try:
            self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=_LINE_MAX)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SimulatorError(f"{self.host}:{self.port}: cannot listen there: {reason}") from error
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
        connections = list(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= _CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            # Ended by cancellation when the server stops: asyncio would log that as an error of its callback.
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client. Commands wait for the one before, but any ends a repetition, and `@` whatever is under way."""
        working: asyncio.Task[None] | None = None
        repeating = False
        try:
            while True:
                try:
                    line = await reader.readline()
                except ValueError:  # longer than any command
                    await self._send(writer, "ET")
                    return
                if not line:
                    return
                command = line.strip().decode("ascii", "replace")
                if working is not None:
                    if repeating or command == "@":
                        working.cancel()
                    await asyncio.gather(working, return_exceptions=True)
                repeating = command == "SIR"
                working = asyncio.get_running_loop().create_task(self._execute(command, writer))
        finally:
            if working is not None:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    async def _execute(self, command: str, writer: asyncio.StreamWriter) -> None:
        scale = self._scale
        if command == "SIR":
            await self._repeat(writer)
        elif command in {"S", "Z", "T"}:
            await self._send(writer, await self._when_stable(command))
        elif command == "SI":
            await self._send(writer, scale.weight_reply())
        elif command == "ZI":
            await self._send(writer, scale.zero(immediately=True))
        elif command == "TI":
            await self._send(writer, scale.tare(immediately=True))
        elif command == "TA":
            await self._send(writer, scale.tare_reply())
        elif command == "TAC":
            await self._send(writer, scale.clear_tare())
        elif command == "@":
            await self._send(writer, _FIXED_REPLIES["I4"])
        else:
            await self._send(writer, _FIXED_REPLIES.get(command, "ES"))

    async def _when_stable(self, command: str) -> str:
        deadline_s = asyncio.get_running_loop().time() + self._stability_timeout_s
        while not self._scale.load().stable:
            if asyncio.get_running_loop().time() > deadline_s:
                return f"{command} I"
            await asyncio.sleep(_LOOK_S)
        if command == "Z":
            return self._scale.zero(immediately=False)
        return self._scale.tare(immediately=False) if command == "T" else self._scale.weight_reply()

    async def _repeat(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._send(writer, self._scale.weight_reply())
            await asyncio.sleep(self._repeat_interval_s)

    @staticmethod
    async def _send(writer: asyncio.StreamWriter, reply: str) -> None:
        writer.write(reply.encode("ascii") + b"\r\n")
        await writer.drain()
