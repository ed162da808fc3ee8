"""`leanmeter simulate scale`: a scale of any protocol, with an operator who weighs products on it."""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

from leanmeter.signals import stop_on_signals
from leanmeter.simulate.simulate_places import add_ready, add_serial_settings, address, serial_line, wait_or_show
from simulators.fault_building import telegram_faults
from simulators.fault_text import read_fault, sentences
from simulators.scale import Scale
from simulators.scale_models import SCALE_PROTOCOLS, scale_talk
from simulators.scale_server import SerialScale, TcpScale
from simulators.scenario import TELEGRAM_FAULTS
from simulators.terminal_view import view_for
from simulators.viewed_devices import ViewedScale
from simulators.weighing import Drift, OperatorSequence, Overloads, WeightSource

_BAUD = 9600


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `scale` to the kinds of simulations."""
    scale = kinds.add_parser(
        "scale",
        help="a scale with a protocol of its own",
        description="Simulates a scale on which an operator weighs products, until it is stopped.",
    )
    scale.add_argument("protocol", choices=SCALE_PROTOCOLS, help="how it speaks")
    where = scale.add_mutually_exclusive_group(required=True)
    where.add_argument("--tcp", metavar="HOST:PORT", help=":4001 is on loopback")
    where.add_argument("--serial", metavar="PATH", help="a serial port; where there is none, a pseudo-terminal")
    add_serial_settings(scale)
    add_weighing(scale)
    scale.add_argument("--seed", type=int, default=1, help="the same seed gives the same weighings")
    scale.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[,KEY=VALUE...]",
        help="for example silence,from_s=10,to_s=20; kinds: " + ", ".join(sorted(TELEGRAM_FAULTS)),
    )
    add_ready(scale)
    scale.set_defaults(handler=_run)


def add_weighing(parser: argparse.ArgumentParser) -> None:
    """Add what happens on the plate."""
    parser.add_argument("--capacity", type=float, default=15.0, metavar="KG", help="more is overload (default 15)")
    parser.add_argument("--decimals", type=int, choices=range(5), default=3, help="of a kg on the display (default 3)")
    parser.add_argument(
        "--masses", type=_masses, default=(), metavar="KG,KG...", help="of the products, in their order and then again"
    )
    parser.add_argument("--every", type=float, default=8.0, metavar="S", help="seconds from one product to the next")
    parser.add_argument("--drift", type=float, default=0.0, metavar="KG", help="what the zero creeps in an hour")
    parser.add_argument("--overload-every", type=float, metavar="S", help="somebody leans on it that often")


def _masses(text: str) -> tuple[float, ...]:
    masses_kg = tuple(float(part) for part in text.split(","))
    if not all(0 < mass_kg <= 1e6 for mass_kg in masses_kg):
        raise argparse.ArgumentTypeError("a product weighs more than 0 kg and at most 1000 t")
    return masses_kg


def _run(arguments: argparse.Namespace) -> int:
    asyncio.run(serve_scale(arguments, arguments.protocol, arguments.protocol))
    return 0


async def serve_scale(arguments: argparse.Namespace, protocol: str, name: str) -> None:
    """Serve a scale until a signal; raises SimulatorError when it cannot listen there."""
    stop = stop_on_signals()
    started_s = time.monotonic()

    def clock() -> float:
        return time.monotonic() - started_s

    settings = [read_fault(text)[0] for text in arguments.fault]
    faults = telegram_faults(settings, clock, seed=arguments.seed)
    scale = _scale(arguments, clock)
    talk = scale_talk(protocol, scale)
    view = view_for("leanmeter simulate scale", sys.stdout, wanted=arguments.view)
    server: SerialScale | TcpScale
    async with contextlib.AsyncExitStack() as running:
        if arguments.serial is not None:
            baud = arguments.baud or _BAUD
            line, speed = serial_line(arguments, baud)
            running.callback(line.close)
            server = SerialScale(talk, line, speed, faults)
            place: dict[str, object] = {"serial": str(line.path), "baud": baud}
            where = f"{line.path} at {baud} baud"
            await running.enter_async_context(server)
        else:
            host, number = address("--tcp", arguments.tcp)
            server = await running.enter_async_context(TcpScale(talk, host, number, faults))
            place = {"host": host, "port": server.port}
            where = f"{host}:{server.port}"
        if view is not None:
            view.add(ViewedScale(name, protocol, scale, server.observers, sentences(settings, clock)))
        facts = {"profile": name, "protocol": protocol, **place}
        await wait_or_show(arguments, view, f"{where} as {name}", facts, stop)


def _scale(arguments: argparse.Namespace, clock: Callable[[], float]) -> Scale:
    heaviest_kg = 0.4 * arguments.capacity
    source: WeightSource = OperatorSequence(
        arguments.seed,
        arguments.every,
        (heaviest_kg / 5, heaviest_kg),
        10.0**-arguments.decimals,
        arguments.masses,
    )
    if arguments.drift:
        source = Drift(source, arguments.drift)
    if arguments.overload_every:
        source = Overloads(source, arguments.overload_every, 1.5 * arguments.capacity)
    return Scale(source, clock, arguments.capacity, arguments.decimals)
