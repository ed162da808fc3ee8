"""`leanmeter simulate`: a device or a whole workshop that engineers can read before they have hardware."""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path

from device_profiles.library import load_profile
from device_profiles.profile import Profile
from leanmeter import scenario_command
from leanmeter.signals import stop_on_signals
from simulators.device_simulation import example_values, literal_unit, profile_unit
from simulators.errors import SimulatorError
from simulators.line_pacing import LineSpeed
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.power_recording import read_power_recording
from simulators.register_sources import read_register_file
from simulators.scale import MtSicsServer, Scale
from simulators.serial_port import PseudoTerminal, open_serial
from simulators.weighing import OperatorSequence
from simulators.workshop_servers import run_workshop

_LOOPBACK = "127.0.0.1"
_BAUD = 9600


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `simulate` and its kinds to the command line."""
    parser = subparsers.add_parser("simulate", help="stand-ins for meters, scales and a whole workshop")
    kinds = parser.add_subparsers(required=True, metavar="what")
    _add_device(kinds)
    workshop = kinds.add_parser(
        "workshop",
        help="a bakery: five electricity meters, water, solar roof, scale",
        description="Simulates a bakery on loopback ports and a pseudo-terminal until it is stopped, and writes the "
        "site file that an agent reads it with.",
    )
    workshop.add_argument("--directory", type=Path, required=True, help="gets site.yaml and the serial line's link")
    workshop.add_argument("--site", default="workshop", metavar="SLUG", help="the site's id (default workshop)")
    workshop.add_argument("--mqtt-port", type=_port, default=1883, help="of the broker that site.yaml names")
    workshop.add_argument("--seed", type=int, default=1, help="the same seed gives the same data")
    workshop.add_argument("--truth", type=Path, metavar="FILE", help="at the end write the true totals, as JSON")
    workshop.add_argument("--json", action="store_true", help="say in JSON when it is ready")
    workshop.set_defaults(handler=_run_workshop)
    scenario_command.add_arguments(kinds)


def _add_device(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    device = kinds.add_parser(
        "device",
        help="one meter, inverter or scale",
        description="Simulates a device of any profile until it is stopped. Without --registers and --power it "
        "measures a machine of the simulator's own.",
    )
    device.add_argument("id", metavar="PROFILE", help="as in `leanmeter profiles list`, for example eastron/sdm630")
    where = device.add_mutually_exclusive_group(required=True)
    where.add_argument("--tcp", metavar="HOST:PORT", help="Modbus TCP, of a scale its own protocol; :5020 is loopback")
    where.add_argument("--serial", metavar="PATH", help="RTU on a serial port; where there is none, a pseudo-terminal")
    where.add_argument("--rtu-tcp", metavar="HOST:PORT", help="RTU frames over TCP")
    device.add_argument("--unit", type=_unit_id, metavar="N", help="Modbus address (default the profile's, else 1)")
    device.add_argument("--baud", type=int, help="speed of the line (default the profile's, else 9600)")
    device.add_argument("--parity", choices=("N", "E", "O"), default="N", help="of a real serial port")
    device.add_argument("--stop-bits", type=int, choices=(1, 2), default=1, help="of the serial line")
    what = device.add_mutually_exclusive_group()
    what.add_argument("--registers", type=Path, metavar="FILE", help='literal: {"input": {"0": [17279, 0]}}')
    what.add_argument("--power", type=Path, metavar="FILE", help="CSV with columns time (s or ISO 8601) and power (W)")
    device.add_argument("--seed", type=int, default=1, help="the same seed gives the same data")
    device.add_argument("--json", action="store_true", help="say in JSON when it is ready")
    device.set_defaults(handler=_run_device)


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is between 0 and 65535")
    return number


def _unit_id(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 255:
        raise argparse.ArgumentTypeError("a unit id is between 1 and 247 (of a device on Modbus TCP up to 255)")
    return number


def _run_workshop(arguments: argparse.Namespace) -> int:
    directory: Path = arguments.directory.absolute()

    async def run() -> None:
        await run_workshop(
            directory,
            stop_on_signals(),
            site=arguments.site,
            mqtt_port=arguments.mqtt_port,
            seed=arguments.seed,
            truth=arguments.truth,
            when_ready=lambda path: _say(arguments, f"the workshop of {path}", {"site_file": str(path)}),
        )

    asyncio.run(run())
    return 0


def _run_device(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.id)
    if profile.protocol == "mt_sics":
        asyncio.run(_serve_scale(arguments, profile))
    else:
        unit_id = arguments.unit or profile.serial_defaults.unit_id or 1
        asyncio.run(_serve_modbus(arguments, profile, unit_id, _unit(arguments, profile)))
    return 0


def _unit(arguments: argparse.Namespace, profile: Profile) -> ModbusUnit:
    if arguments.registers is not None:
        return literal_unit(profile, read_register_file(arguments.registers))
    load = None
    if arguments.power is not None:
        if profile.resource != "electricity":
            raise SimulatorError(f"--power: {profile.id} measures {profile.resource}, not power")
        load = read_power_recording(arguments.power)
    started_s = time.monotonic()
    return profile_unit(profile, example_values(profile, arguments.seed, load), lambda: time.monotonic() - started_s)


async def _serve_modbus(arguments: argparse.Namespace, profile: Profile, unit_id: int, unit: ModbusUnit) -> None:
    stop = stop_on_signals()
    units = {unit_id: unit}
    async with contextlib.AsyncExitStack() as running:
        if arguments.serial is not None:
            baud = arguments.baud or profile.serial_defaults.baud or _BAUD
            _check_baud(baud)
            port = open_serial(Path(arguments.serial), baud, arguments.parity, arguments.stop_bits)
            running.callback(port.close)
            bits = 9 + arguments.stop_bits + (arguments.parity != "N")
            # A real port has its speed from the hardware; a pseudo-terminal has none.
            speed = LineSpeed(baud, bits) if isinstance(port, PseudoTerminal) else None
            await running.enter_async_context(RtuSerialServer(units, port, speed))
            place = {"serial": str(port.path), "baud": baud}
            where = f"{port.path} at {baud} baud"
        elif arguments.rtu_tcp is not None:
            host, number = _address("--rtu-tcp", arguments.rtu_tcp)
            if arguments.baud is not None:
                _check_baud(arguments.baud)
            line = LineSpeed(arguments.baud) if arguments.baud else None
            server = await running.enter_async_context(RtuTcpServer(units, host, number, line))
            place = {"host": host, "port": server.port}
            where = f"{host}:{server.port}, RTU over TCP"
        else:
            host, number = _address("--tcp", arguments.tcp)
            tcp = await running.enter_async_context(ModbusTcpServer(units, host, number))
            place = {"host": host, "port": tcp.port}
            where = f"{host}:{tcp.port}"
        _say(arguments, f"{where} as {profile.id}, unit {unit_id}", {"profile": profile.id, "unit": unit_id, **place})
        await stop.wait()


async def _serve_scale(arguments: argparse.Namespace, profile: Profile) -> None:
    if arguments.tcp is None:
        raise SimulatorError(f"{profile.id}: is simulated over TCP only; use --tcp HOST:PORT")
    for option in ("registers", "power", "unit"):
        if getattr(arguments, option) is not None:
            raise SimulatorError(f"--{option}: a scale that speaks MT-SICS has none")
    stop = stop_on_signals()
    host, number = _address("--tcp", arguments.tcp)
    started_s = time.monotonic()
    scale = Scale(OperatorSequence(arguments.seed), lambda: time.monotonic() - started_s)
    async with MtSicsServer(scale, host, number) as server:
        place = {"profile": profile.id, "host": host, "port": server.port}
        _say(arguments, f"{host}:{server.port} as {profile.id}", place)
        await stop.wait()


def _check_baud(baud: int) -> None:
    if not 300 <= baud <= 1_000_000:
        raise SimulatorError(f"--baud {baud}: a line has between 300 and 1000000 baud")


def _address(option: str, text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise SimulatorError(f"{option} {text}: expected HOST:PORT, for example 127.0.0.1:5020 or :5020")
    return host.strip("[]") or _LOOPBACK, int(port)


def _say(arguments: argparse.Namespace, text: str, facts: dict[str, object]) -> None:
    line = json.dumps({"listening": True, **facts}) if arguments.json else f"listening on {text}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
