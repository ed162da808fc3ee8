"""Starts simulated devices for a program that is no coroutine: the tests of somebody else's software."""

import contextlib
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from device_profiles.library import load_profile
from simulators.errors import SimulatorError
from simulators.line_pacing import LineSpeed
from simulators.loop_thread import LoopThread
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.scale import Scale
from simulators.scale_models import SCALE_PROTOCOLS, scale_talk
from simulators.scale_server import SerialScale, TcpScale
from simulators.serial_port import PseudoTerminal
from simulators.simulated_devices import SimulatedDevice, SimulatedMeter, SimulatedScale
from simulators.tcp_listener import TcpListener
from simulators.weighing import Plate

Over = Literal["tcp", "rtu-tcp", "serial"]
_Server = ModbusTcpServer | RtuTcpServer | RtuSerialServer | TcpScale | SerialScale

_HOST = "127.0.0.1"
_BAUD = 9600


class Simulator:
    """Devices on loopback ports and pseudo-terminals, until the block ends.

    with Simulator() as simulator:
        meter = simulator.meter("eastron/sdm630", power_w=5000)
    """

    def __init__(self) -> None:
        self._thread = LoopThread()
        self._running = contextlib.ExitStack()
        self._servers = contextlib.AsyncExitStack()
        self._began_s = time.monotonic()
        self._units: dict[SimulatedMeter, dict[int, ModbusUnit]] = {}
        self._directory = Path()
        self._lines = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._directory = Path(self._running.enter_context(tempfile.TemporaryDirectory(prefix="leanmeter-")))
        self._running.enter_context(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all devices."""
        with self._running:
            self._thread.run(self._servers.aclose())

    def meter(
        self,
        profile: str,
        *,
        power_w: float | None = None,
        flow_m3_per_h: float | None = None,
        over: Over = "tcp",
        baud: int = _BAUD,
        unit_id: int = 1,
        beside: SimulatedMeter | None = None,
        seed: int = 1,
        reply_delay_s: float = 0.0,
        profiles: Path | None = None,
    ) -> SimulatedMeter:
        """Start a meter, an inverter, a counter.

        Args:
            profile: as in `leanmeter profiles list`.
            power_w: what it measures; without it a machine of the simulator's own.
            flow_m3_per_h: the same of a water meter.
            over: Modbus TCP, RTU over TCP, or RTU on a pseudo-terminal.
            baud: of the pseudo-terminal.
            unit_id: its Modbus address.
            beside: another meter, whose port or line this one shares.
            seed: of the machine.
            reply_delay_s: what it takes before it answers.
            profiles: a folder with profiles of your own.

        Raises:
            SimulatorError: there is no such device, or its place is taken.
            ProfileError: there is no such profile.
        """
        loaded = load_profile(profile, [] if profiles is None else [profiles])
        if loaded.protocol in SCALE_PROTOCOLS:
            raise SimulatorError(f"{profile}: is a scale; start it with scale()")
        if beside is not None and unit_id in self._units[beside]:
            raise SimulatorError(f"unit_id {unit_id}: is taken on that line; give each meter its own")
        meter = SimulatedMeter(
            self._thread,
            self._clock,
            loaded,
            unit_id,
            rate=power_w if power_w is not None else flow_m3_per_h,
            seed=seed,
            is_tcp=over == "tcp" if beside is None else beside.is_tcp,
            reply_delay_s=reply_delay_s,
        )
        if beside is not None:
            units = self._units[beside]
            meter.host, meter.port, meter.path = beside.host, beside.port, beside.path
            self._thread.call(lambda: units.update({unit_id: meter.unit}))
        else:
            units = {unit_id: meter.unit}
            self._serve_meter(meter, units, over, baud)
        self._units[meter] = units
        return meter

    def scale(
        self,
        protocol: str,
        *,
        over: Literal["tcp", "serial"] = "tcp",
        baud: int = _BAUD,
        capacity_kg: float = 15.0,
        decimals: int = 3,
        settling_s: float = 0.0,
        seed: int = 1,
    ) -> SimulatedScale:
        """Start a scale with an empty plate.

        Args:
            protocol: as in `leanmeter simulate scale --help`, or a profile such as scales/mt-sics.
            over: TCP or a pseudo-terminal.
            baud: of the pseudo-terminal.
            capacity_kg: more is overload.
            decimals: of a kg on the display.
            settling_s: how long the weight swings after a change.
            seed: of faults that happen by chance.

        Raises SimulatorError when there is no such protocol, and ProfileError for an unknown profile.
        """
        if "/" in protocol:
            protocol = load_profile(protocol).protocol
        plate = Plate(self._clock, settling_s)
        talk = scale_talk(protocol, Scale(plate, self._clock, capacity_kg, decimals))
        scale = SimulatedScale(self._thread, self._clock, protocol, plate, seed)
        server: SerialScale | TcpScale
        if over == "serial":
            line = self._serial_line(scale)
            server = SerialScale(talk, line, LineSpeed(baud))
        else:
            server = TcpScale(talk, _HOST, 0)
        # One list, which faults are put into and taken out of.
        scale.faults = server.faults
        self._start(scale, server)
        return scale

    def _clock(self) -> float:
        return time.monotonic() - self._began_s

    def _serve_meter(self, meter: SimulatedMeter, units: dict[int, ModbusUnit], over: Over, baud: int) -> None:
        if over == "serial":
            self._start(meter, RtuSerialServer(units, self._serial_line(meter), LineSpeed(baud)))
        elif over == "rtu-tcp":
            self._start(meter, RtuTcpServer(units, _HOST, 0))
        else:
            self._start(meter, ModbusTcpServer(units, _HOST, 0))

    def _start(self, device: SimulatedDevice, server: _Server) -> None:
        self._thread.run(self._servers.enter_async_context(server))
        if isinstance(server, TcpListener):
            device.host, device.port = _HOST, server.port

    def _serial_line(self, device: SimulatedDevice) -> PseudoTerminal:
        self._lines += 1
        terminal = self._running.enter_context(PseudoTerminal(self._directory / f"rs485-{self._lines}"))
        device.path = terminal.path
        return terminal
