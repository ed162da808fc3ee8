"""`leanmeter simulate replay`: a trace from the field, played back."""

import argparse
import asyncio
import contextlib
from pathlib import Path
from typing import Any

import yaml

from leanmeter.signals import stop_on_signals
from leanmeter.simulate.simulate_places import LOOPBACK, add_serial_settings, address, say_ready, serial_line
from simulators.errors import SimulatorError
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.replay import ReplayedScale, ReplayedUnit
from simulators.scale_server import SerialScale, TcpScale
from simulators.trace_file import TracedLine, read_trace

_BAUD = 9600


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `replay` to the kinds of simulations."""
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
    where.add_argument(
        "--directory", type=Path, help="all lines, over TCP; gets a site.yaml that an agent reads them with"
    )
    add_serial_settings(replay)
    replay.add_argument("--json", action="store_true", help="say in JSON when it is ready")
    replay.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    lines = read_trace(arguments.file)
    if arguments.directory is not None:
        asyncio.run(_serve_all(arguments, [line for line in lines if line.frames]))
    else:
        asyncio.run(_serve(arguments, _chosen(arguments, lines)))
    return 0


def _chosen(arguments: argparse.Namespace, lines: list[TracedLine]) -> TracedLine:
    names = ", ".join(line.id for line in lines)
    if arguments.line is None and len(lines) != 1:
        raise SimulatorError(
            f"{arguments.file}: has the lines {names or 'none'}; choose one with --line, or all with --directory"
        )
    for line in lines:
        if arguments.line in {None, line.id}:
            if not line.frames:
                raise SimulatorError(f"{arguments.file}: line {line.id!r} has no frames")
            return line
    raise SimulatorError(f"--line {arguments.line}: {arguments.file} has the lines {names}")


def _units(line: TracedLine) -> dict[int, ReplayedUnit]:
    exchanges = line.exchanges()
    return {unit_id: ReplayedUnit(exchanges, unit_id) for unit_id in {exchange.unit_id for exchange in exchanges}}


async def _serve(arguments: argparse.Namespace, line: TracedLine) -> None:
    stop = stop_on_signals()
    is_scale = line.framing == "text"
    async with contextlib.AsyncExitStack() as running:
        if arguments.serial is not None:
            port, speed = serial_line(arguments, arguments.baud or _BAUD)
            running.callback(port.close)
            if is_scale:
                await running.enter_async_context(SerialScale(ReplayedScale(line), port, speed))
            else:
                await running.enter_async_context(RtuSerialServer(_units(line), port, speed))
            where, place = str(port.path), {"serial": str(port.path)}
        else:
            option = "--tcp" if arguments.tcp is not None else "--rtu-tcp"
            host, number = address(option, arguments.tcp or arguments.rtu_tcp)
            reached = await _reach(running, line, host, number, rtu=option == "--rtu-tcp")
            where, place = f"{host}:{reached}", {"host": host, "port": str(reached)}
        devices = ", ".join(f"{device.profile} as unit {device.unit_id}" for device in line.devices)
        say_ready(arguments, f"{where}: {devices}", {"line": line.id, **place})
        await stop.wait()


async def _reach(
    running: contextlib.AsyncExitStack, line: TracedLine, host: str, port: int, *, rtu: bool = False
) -> int:
    """Serve a line over TCP; returns its port."""
    server: TcpScale | ModbusTcpServer | RtuTcpServer
    if line.framing == "text":
        server = TcpScale(ReplayedScale(line), host, port)
    else:
        server = (RtuTcpServer if rtu else ModbusTcpServer)(_units(line), host, port)
    await running.enter_async_context(server)
    return server.port


async def _serve_all(arguments: argparse.Namespace, lines: list[TracedLine]) -> None:
    if not lines:
        raise SimulatorError(f"{arguments.file}: has no frames")
    stop = stop_on_signals()
    directory: Path = arguments.directory.absolute()
    site_file = directory / "site.yaml"
    async with contextlib.AsyncExitStack() as running:
        entries = []
        for line in lines:
            rtu = line.framing == "rtu"
            port = await _reach(running, line, LOOPBACK, 0, rtu=rtu)
            devices = [
                {"id": device.id, "profile": device.profile, "unit_id": device.unit_id, "settings": device.settings}
                for device in line.devices
            ]
            place = {"host": LOOPBACK, "port": port}
            entries.append({"id": line.id, "rtu_over_tcp" if rtu else "tcp": place, "devices": devices})
        document = {"site": "replayed", "data_dir": str(directory / "edge"), "lines": entries}
        _write(site_file, yaml.safe_dump(document, sort_keys=False))
        say_ready(arguments, f"the places of {site_file}", {"site_file": str(site_file)})
        await stop.wait()


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise SimulatorError(f"{path}: cannot be written: {problem.strerror}") from problem
