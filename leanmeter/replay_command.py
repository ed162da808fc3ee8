"""`leanmeter simulate replay` and `case`: a trace from the field, played back or kept as a golden case."""

import argparse
import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from device_profiles.library import load_profile
from device_profiles.register_file import read_register_file
from leanmeter.profile_cases import decode_file
from leanmeter.signals import stop_on_signals
from leanmeter.simulate_places import add_serial_settings, address, say_ready, serial_line
from simulators.errors import SimulatorError
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.register_sources import FUNCTION_CODES
from simulators.replay import ReplayedScale, ReplayedUnit
from simulators.scale_server import SerialScale, TcpScale
from simulators.trace_file import TracedDevice, TracedLine, read_trace, registers_of

_BAUD = 9600


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `replay` and `case` to the kinds of simulations."""
    replay = kinds.add_parser(
        "replay",
        help="the devices of a trace from the field, as they answered there",
        description="Plays a bundle of `leanmeter edge trace` back, with the delays, silences and damaged frames of "
        "then, until it is stopped.",
    )
    replay.add_argument("file", type=Path, metavar="FILE", help="written by `leanmeter edge trace`")
    replay.add_argument("--line", metavar="ID", help="which line, where the bundle has several")
    where = replay.add_mutually_exclusive_group(required=True)
    where.add_argument("--tcp", metavar="HOST:PORT", help="Modbus TCP, of a scale its telegrams")
    where.add_argument("--serial", metavar="PATH", help="a serial port; where there is none, a pseudo-terminal")
    where.add_argument("--rtu-tcp", metavar="HOST:PORT", help="RTU frames over TCP")
    add_serial_settings(replay)
    replay.add_argument("--json", action="store_true", help="say in JSON when it is ready")
    replay.set_defaults(handler=_replay)

    case = kinds.add_parser(
        "case",
        help="a golden case from a trace: what a device held, and what the profile makes of it",
        description="Writes registers.json and expected.json for `leanmeter profiles test`. The expected values are "
        "those that the profile gives now: compare them with the meter's display before they are kept.",
    )
    case.add_argument("file", type=Path, metavar="FILE", help="written by `leanmeter edge trace`")
    case.add_argument("--device", required=True, metavar="ID", help="which device of the bundle")
    case.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder of cases")
    case.add_argument("--name", default="field", help="after the profile's name (default field)")
    case.set_defaults(handler=_case)


def _replay(arguments: argparse.Namespace) -> int:
    asyncio.run(_serve(arguments, _line(arguments)))
    return 0


def _line(arguments: argparse.Namespace) -> TracedLine:
    lines = read_trace(arguments.file)
    names = ", ".join(line.id for line in lines)
    if arguments.line is None and len(lines) != 1:
        raise SimulatorError(f"{arguments.file}: has the lines {names or 'none'}; choose one with --line")
    for line in lines:
        if arguments.line in {None, line.id}:
            if not line.frames:
                raise SimulatorError(f"{arguments.file}: line {line.id!r} has no frames")
            return line
    raise SimulatorError(f"--line {arguments.line}: {arguments.file} has the lines {names}")


async def _serve(arguments: argparse.Namespace, line: TracedLine) -> None:
    stop = stop_on_signals()
    exchanges = line.exchanges()
    units = {unit_id: ReplayedUnit(exchanges, unit_id) for unit_id in {exchange.unit_id for exchange in exchanges}}
    is_scale = line.framing == "text"
    async with contextlib.AsyncExitStack() as running:
        if arguments.serial is not None:
            port, speed = serial_line(arguments, arguments.baud or _BAUD)
            running.callback(port.close)
            if is_scale:
                await running.enter_async_context(SerialScale(ReplayedScale(line), port, speed))
            else:
                await running.enter_async_context(RtuSerialServer(units, port, speed))
            where, place = str(port.path), {"serial": str(port.path)}
        else:
            option = "--tcp" if arguments.tcp is not None else "--rtu-tcp"
            host, number = address(option, arguments.tcp or arguments.rtu_tcp)
            server: TcpScale | ModbusTcpServer | RtuTcpServer
            if is_scale:
                server = TcpScale(ReplayedScale(line), host, number)
            else:
                server = (ModbusTcpServer if option == "--tcp" else RtuTcpServer)(units, host, number)
            await running.enter_async_context(server)
            where, place = f"{host}:{server.port}", {"host": host, "port": str(server.port)}
        devices = ", ".join(f"{device.profile} as unit {device.unit_id}" for device in line.devices)
        say_ready(arguments, f"{where}: {devices}", {"line": line.id, **place})
        await stop.wait()


def _case(arguments: argparse.Namespace) -> int:
    line, device = _device(arguments)
    profile = load_profile(device.profile)
    image = registers_of(line.exchanges(), device.unit_id)
    if not image:
        raise SimulatorError(f"{arguments.file}: nothing was read of {device.id!r}")
    names = {code: name for name, code in FUNCTION_CODES.items()}
    registers = {names[code]: _blocks(table) for code, table in sorted(image.items())}
    folder: Path = arguments.output / f"{profile.id.replace('/', '-')}--{arguments.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "registers.json"
        path.write_text(json.dumps(registers, indent=1) + "\n", encoding="utf-8")
        measured = decode_file(profile, read_register_file(path))
        (folder / "expected.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        raise SimulatorError(f"{folder}: cannot be written: {problem.strerror}") from problem
    sys.stdout.write(f"{folder}: {len(measured)} quantities; compare expected.json with the meter's display\n")
    return 0


def _device(arguments: argparse.Namespace) -> tuple[TracedLine, TracedDevice]:
    lines = read_trace(arguments.file)
    for line in lines:
        for device in line.devices:
            if device.id == arguments.device:
                return line, device
    names = ", ".join(device.id for line in lines for device in line.devices)
    raise SimulatorError(f"--device {arguments.device}: {arguments.file} has {names or 'none'}")


def _blocks(table: dict[int, int]) -> dict[str, list[int]]:
    """Consecutive addresses as lists of words."""
    blocks: dict[int, list[int]] = {}
    start = previous = -2
    for at, word in sorted(table.items()):
        if at != previous + 1:
            start = at
            blocks[start] = []
        blocks[start].append(word)
        previous = at
    return {str(at): words for at, words in blocks.items()}
