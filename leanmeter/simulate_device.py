"""`leanmeter simulate device`: one device of a profile, or many of them, on a port or a serial line."""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from device_profiles.library import load_profile
from device_profiles.profile import Profile
from leanmeter.signals import stop_on_signals
from leanmeter.simulate_places import add_serial_settings, address, check_baud, say_ready, serial_line
from leanmeter.simulate_scale import add_weighing, serve_scale
from simulators.device_simulation import example_values, literal_unit, profile_unit
from simulators.errors import SimulatorError
from simulators.line_pacing import LineSpeed
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.power_recording import read_power_recording
from simulators.register_sources import read_register_file
from simulators.scale_models import SCALE_PROTOCOLS
from simulators.terminal_view import TerminalView

_BAUD = 9600


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `device` to the kinds of simulations."""
    device = kinds.add_parser(
        "device",
        help="one meter, inverter or scale, or many of them",
        description="Simulates a device of any profile until it is stopped. Without --registers and --power it "
        "measures a machine of the simulator's own.",
    )
    device.add_argument("id", metavar="PROFILE", help="as in `leanmeter profiles list`, for example eastron/sdm630")
    where = device.add_mutually_exclusive_group(required=True)
    where.add_argument("--tcp", metavar="HOST:PORT", help="Modbus TCP, of a scale its own protocol; :5020 is loopback")
    where.add_argument("--serial", metavar="PATH", help="RTU on a serial port; where there is none, a pseudo-terminal")
    where.add_argument("--rtu-tcp", metavar="HOST:PORT", help="RTU frames over TCP")
    device.add_argument(
        "--profiles",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder with profiles of your own, <maker>/<model>.yaml; may be given several times",
    )
    device.add_argument("--unit", type=_unit_id, metavar="N", help="Modbus address (default the profile's, else 1)")
    add_serial_settings(device)
    what = device.add_mutually_exclusive_group()
    what.add_argument("--registers", type=Path, metavar="FILE", help='literal: {"input": {"0": [17279, 0]}}')
    what.add_argument("--power", type=Path, metavar="FILE", help="CSV with columns time (s or ISO 8601) and power (W)")
    device.add_argument("--count", type=_count, default=1, help="so many devices, at unit ids one after another")
    device.add_argument("--own-ports", action="store_true", help="each of --count at the next port, all as one unit")
    add_weighing(device)
    device.add_argument("--seed", type=int, default=1, help="the same seed gives the same data")
    shown = device.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="say in JSON when it is ready")
    shown.add_argument("--view", action="store_true", help="show values and requests in this terminal")
    device.set_defaults(handler=_run)


def _unit_id(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 255:
        raise argparse.ArgumentTypeError("a unit id is between 1 and 247 (of a device on Modbus TCP up to 255)")
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1000:
        raise argparse.ArgumentTypeError("one process simulates between 1 and 1000 devices")
    return number


def _run(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.id, arguments.profiles)
    if profile.protocol in SCALE_PROTOCOLS:
        if arguments.rtu_tcp is not None:
            raise SimulatorError(f"{profile.id}: a scale has no RTU frames; use --tcp or --serial")
        for option in ("registers", "power", "unit"):
            if getattr(arguments, option) is not None:
                raise SimulatorError(f"--{option}: a scale that speaks {profile.protocol} has none")
        asyncio.run(serve_scale(arguments, profile.protocol, profile.id))
    else:
        asyncio.run(_serve(arguments, profile))
    return 0


def _units(arguments: argparse.Namespace, profile: Profile, view: TerminalView | None) -> list[ModbusUnit]:
    if arguments.registers is not None:
        image = read_register_file(arguments.registers)
        units = [literal_unit(profile, image) for _ in range(arguments.count)]
    else:
        load = None
        if arguments.power is not None:
            if profile.resource != "electricity":
                raise SimulatorError(f"--power: {profile.id} measures {profile.resource}, not power")
            load = read_power_recording(arguments.power)
        started_s = time.monotonic()
        values = [example_values(profile, arguments.seed + index, load) for index in range(arguments.count)]
        units = [profile_unit(profile, values_at, lambda: time.monotonic() - started_s) for values_at in values]
        if view is not None:
            view.show_values(values[0], lambda: time.monotonic() - started_s)
    if view is not None:
        for unit in units:
            unit.observers.append(view.note)
    return units


async def _serve(arguments: argparse.Namespace, profile: Profile) -> None:
    stop = stop_on_signals()
    view = TerminalView(profile.id) if arguments.view else None
    units = _units(arguments, profile, view)
    first = arguments.unit or profile.serial_defaults.unit_id or 1
    async with contextlib.AsyncExitStack() as running:
        if arguments.own_ports:
            where, place = await _serve_on_own_ports(running, arguments, units, first)
        else:
            if first + len(units) - 1 > 255:
                raise SimulatorError(f"--count {len(units)}: unit ids end at 255; use --own-ports")
            where, place = await _serve_together(running, arguments, profile, dict(enumerate(units, first)))
        as_what = f"{profile.id}, unit {first}"
        if len(units) > 1:
            as_what += " each" if arguments.own_ports else f" to {first + len(units) - 1}"
        if view is None:
            say_ready(arguments, f"{where} as {as_what}", {"profile": profile.id, "unit": first, **place})
            await stop.wait()
        else:
            await view.run(f"{where} as {as_what}", stop, sys.stdout)


async def _serve_on_own_ports(
    running: contextlib.AsyncExitStack, arguments: argparse.Namespace, units: list[ModbusUnit], unit_id: int
) -> tuple[str, dict[str, object]]:
    if arguments.tcp is None:
        raise SimulatorError("--own-ports: is for --tcp HOST:PORT, the first port")
    host, number = address("--tcp", arguments.tcp)
    if number == 0 or number + len(units) > 65536:
        raise SimulatorError(f"--tcp {arguments.tcp}: {len(units)} ports one after another do not begin there")
    for offset, unit in enumerate(units):
        await running.enter_async_context(ModbusTcpServer({unit_id: unit}, host, number + offset))
    last = number + len(units) - 1
    return f"{host}:{number} to {last}", {"host": host, "port": number, "last_port": last}


async def _serve_together(
    running: contextlib.AsyncExitStack, arguments: argparse.Namespace, profile: Profile, units: Mapping[int, ModbusUnit]
) -> tuple[str, dict[str, object]]:
    if arguments.serial is not None:
        baud = arguments.baud or profile.serial_defaults.baud or _BAUD
        line, speed = serial_line(arguments, baud)
        running.callback(line.close)
        await running.enter_async_context(RtuSerialServer(units, line, speed))
        return f"{line.path} at {baud} baud", {"serial": str(line.path), "baud": baud}
    if arguments.rtu_tcp is not None:
        host, number = address("--rtu-tcp", arguments.rtu_tcp)
        if arguments.baud is not None:
            check_baud(arguments.baud)
        pace = LineSpeed(arguments.baud) if arguments.baud else None
        rtu = await running.enter_async_context(RtuTcpServer(units, host, number, pace))
        return f"{host}:{rtu.port}, RTU over TCP", {"host": host, "port": rtu.port}
    host, number = address("--tcp", arguments.tcp)
    tcp = await running.enter_async_context(ModbusTcpServer(units, host, number))
    return f"{host}:{tcp.port}", {"host": host, "port": tcp.port}
