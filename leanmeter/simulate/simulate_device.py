"""`leanmeter simulate device`: devices of any profile, on a port or a serial line."""

import argparse
import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_profiles.library import load_profile
from device_profiles.profile import Profile
from leanmeter.signals import stop_on_signals
from leanmeter.simulate.simulate_places import (
    add_ready,
    add_serial_settings,
    address,
    check_baud,
    serial_line,
    wait_or_show,
)
from leanmeter.simulate.simulate_scale import add_weighing, serve_scale
from leanmeter.simulate.simulated_units import SimulatedUnit, UnitBuilder
from simulators.errors import SimulatorError
from simulators.line_pacing import LineSpeed
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.scale_models import SCALE_PROTOCOLS
from simulators.scenario import FAULT_KINDS
from simulators.terminal_view import view_for

if TYPE_CHECKING:
    from simulators.modbus_unit import ModbusUnit

_BAUD = 9600
_HIGHEST_UNIT_ID = 255


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `device` to the kinds of simulations."""
    device = kinds.add_parser(
        "device",
        help="meters, inverters or a scale of any profile",
        description="Simulates devices of any profile until it is stopped. Without --registers and --power each "
        "measures a machine of the simulator's own. Several share the port or line, at unit ids one after another; "
        "two at the same id get into each other's way.",
    )
    device.add_argument(
        "profiles_at", metavar="PROFILE[@UNIT]", nargs="+", help="as in `leanmeter profiles list`: eastron/sdm630@7"
    )
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
    device.add_argument("--unit", type=_unit_id, metavar="N", help="the first one's (default the profile's, else 1)")
    add_serial_settings(device)
    what = device.add_mutually_exclusive_group()
    what.add_argument("--registers", type=Path, metavar="FILE", help='literal: {"input": {"0": [17279, 0]}}')
    what.add_argument("--power", type=Path, metavar="FILE", help="CSV with columns time (s or ISO 8601) and power (W)")
    device.add_argument(
        "--setting", action="append", default=[], metavar="NAME=VALUE", help="what a profile asks of the site file"
    )
    device.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[,KEY=VALUE...]",
        help="for example checksum,probability=0.1 or silence,from_s=10,to_s=20,at=7; kinds: " + ", ".join(FAULT_KINDS),
    )
    device.add_argument(
        "--reply-delay-ms", type=_delay, metavar="MS", help="before each answer (default 3 over TCP, 10 on a line)"
    )
    device.add_argument("--count", type=_count, default=1, help="so many of one profile, at unit ids one after another")
    device.add_argument("--own-ports", action="store_true", help="each of --count at the next port, all as one unit")
    add_weighing(device)
    device.add_argument("--seed", type=int, default=1, help="the same seed gives the same data")
    add_ready(device)
    device.set_defaults(handler=_run)


def _unit_id(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _HIGHEST_UNIT_ID:
        raise argparse.ArgumentTypeError("a unit id is between 1 and 247 (of a device on Modbus TCP up to 255)")
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1000:
        raise argparse.ArgumentTypeError("one process simulates between 1 and 1000 devices")
    return number


def _delay(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 60_000:
        raise argparse.ArgumentTypeError("a delay is between 0 and 60000 ms")
    return number


def _run(arguments: argparse.Namespace) -> int:
    places = _places(arguments)
    profile = places[0][0]
    if profile.protocol not in SCALE_PROTOCOLS:
        asyncio.run(_serve(arguments, places))
        return 0
    if len(places) > 1:
        raise SimulatorError(f"{profile.id}: a scale has its line for itself; start each by a command of its own")
    if arguments.rtu_tcp is not None:
        raise SimulatorError(f"{profile.id}: a scale has no RTU frames; use --tcp or --serial")
    for option in ("registers", "power", "unit", "setting"):
        if getattr(arguments, option):
            raise SimulatorError(f"--{option}: a scale that speaks {profile.protocol} has none")
    asyncio.run(serve_scale(arguments, profile.protocol, profile.id))
    return 0


def _places(arguments: argparse.Namespace) -> list[tuple[Profile, int]]:
    """Profiles and their unit ids: those that are named, else the one after the one before."""
    if arguments.count > 1 and len(arguments.profiles_at) > 1:
        raise SimulatorError("--count: is for one profile; name the profiles as often as you want them")
    found: list[tuple[Profile, int]] = []
    following: int | None = arguments.unit
    for text in arguments.profiles_at * arguments.count:
        name, separator, unit = text.partition("@")
        profile = load_profile(name, arguments.profiles)
        if separator and not _is_unit_id(unit):
            raise SimulatorError(f"{text}: @{unit}: a unit id is between 1 and 247 (on Modbus TCP up to 255)")
        if separator and following is None:
            following = int(unit)
        if following is None:
            following = profile.serial_defaults.unit_id or 1
        unit_id = int(unit) if separator and arguments.count == 1 else following
        found.append((profile, unit_id))
        following = unit_id if arguments.own_ports else unit_id + 1
    for profile, _ in found[1:]:
        if profile.protocol in SCALE_PROTOCOLS:
            raise SimulatorError(f"{profile.id}: a scale has its line for itself; start each by a command of its own")
    if found[-1][1] > _HIGHEST_UNIT_ID:
        raise SimulatorError(f"{len(found)} devices: unit ids end at {_HIGHEST_UNIT_ID}; use --own-ports")
    return found


def _is_unit_id(unit: str) -> bool:
    return unit.isascii() and unit.isdigit() and 1 <= int(unit) <= _HIGHEST_UNIT_ID


async def _serve(arguments: argparse.Namespace, places: list[tuple[Profile, int]]) -> None:
    stop = stop_on_signals()
    started_s = time.monotonic()
    builder = UnitBuilder(arguments, lambda: time.monotonic() - started_s)
    devices = builder.build(places, own_ports=arguments.own_ports)
    view = view_for("leanmeter simulate device", sys.stdout, wanted=arguments.view)
    if view is not None:
        for device in devices:
            view.add(device.viewed)
    async with contextlib.AsyncExitStack() as running:
        serve = _serve_on_own_ports if arguments.own_ports else _serve_together
        where, place = await serve(running, arguments, devices)
        facts = {"profile": devices[0].profile.id, "unit": devices[0].unit_id, **place}
        await wait_or_show(arguments, view, f"{where} as {_as_what(devices)}", facts, stop)


def _as_what(devices: list[SimulatedUnit]) -> str:
    first, last = devices[0], devices[-1]
    if len(devices) == 1:
        return f"{first.profile.id}, unit {first.unit_id}"
    if any(device.profile is not first.profile for device in devices):
        return ", ".join(f"unit {device.unit_id} {device.profile.id}" for device in devices)
    if last.unit_id == first.unit_id:
        return f"{first.profile.id}, unit {first.unit_id} each"
    return f"{first.profile.id}, unit {first.unit_id} to {last.unit_id}"


async def _serve_on_own_ports(
    running: contextlib.AsyncExitStack, arguments: argparse.Namespace, devices: list[SimulatedUnit]
) -> tuple[str, dict[str, object]]:
    if arguments.tcp is None:
        raise SimulatorError("--own-ports: is for --tcp HOST:PORT, the first port")
    host, number = address("--tcp", arguments.tcp)
    if number == 0 or number + len(devices) > 65536:
        raise SimulatorError(f"--tcp {arguments.tcp}: {len(devices)} ports one after another do not begin there")
    for offset, device in enumerate(devices):
        server = ModbusTcpServer({device.unit_id: device.unit}, host, number + offset)
        await running.enter_async_context(server)
    last = number + len(devices) - 1
    return f"{host}:{number} to {last}", {"host": host, "port": number, "last_port": last}


async def _serve_together(
    running: contextlib.AsyncExitStack, arguments: argparse.Namespace, devices: list[SimulatedUnit]
) -> tuple[str, dict[str, object]]:
    units: dict[int, ModbusUnit] = {}
    for device in devices:
        units.setdefault(device.unit_id, device.unit)
    if arguments.serial is not None:
        baud = arguments.baud or devices[0].profile.serial_defaults.baud or _BAUD
        line, speed = serial_line(arguments, baud)
        running.callback(line.close)
        await running.enter_async_context(RtuSerialServer(units, line, speed))
        return f"{line.path} at {baud} baud", {"serial": str(line.path), "baud": baud}
    if arguments.rtu_tcp is not None:
        host, number = address("--rtu-tcp", arguments.rtu_tcp)
        if arguments.baud is not None:
            check_baud(arguments.baud)
        pace = LineSpeed(arguments.baud, chunk_bytes=arguments.chunk_bytes) if arguments.baud else None
        rtu = await running.enter_async_context(RtuTcpServer(units, host, number, pace))
        return f"{host}:{rtu.port}, RTU over TCP", {"host": host, "port": rtu.port}
    host, number = address("--tcp", arguments.tcp)
    tcp = await running.enter_async_context(ModbusTcpServer(units, host, number))
    return f"{host}:{tcp.port}", {"host": host, "port": tcp.port}
