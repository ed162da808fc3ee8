"""`leanmeter simulate plant`, `picture` and `history`: a whole factory, live, drawn, or as months in the store."""

import argparse
import asyncio
import json
import re
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from leanmeter.signals import stop_on_signals
from leanmeter.simulate.simulate_places import add_ready, needing, wait_or_show
from simulators.errors import SimulatorError
from simulators.factory.plant import LONGEST_DAYS, Measure, Plant
from simulators.factory.plant_files import load_plant, ready_plants
from simulators.factory.truth import truth
from simulators.terminal_view import view_for
from store.server_file import load_server_file


def add_arguments(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `plant`, `picture` and `history` to `simulate`."""
    ready = ", ".join(ready_plants())
    plant = kinds.add_parser(
        "plant",
        help=f"a whole factory, live: {ready}",
        description="Serves all meters and scales of a factory on loopback ports until it is stopped, and writes the "
        "site file that an agent reads them with.",
    )
    _add_common(plant, ready)
    plant.add_argument("--directory", type=Path, required=True, help="gets site.yaml")
    plant.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds a second (default 1)")
    plant.add_argument("--from", dest="since", default="now", metavar="TIME", help="time to begin with (default now)")
    plant.add_argument("--first-day", metavar="DATE", help="on which totals begin (default that of --from)")
    plant.add_argument("--mqtt-port", type=int, default=1883, help="of the broker that site.yaml names")
    add_ready(plant)
    plant.set_defaults(handler=_run_plant)
    picture = kinds.add_parser(
        "picture",
        help="a factory's days as an SVG picture",
        description="Draws every measuring point of a factory over whole days, as a meter would log it.",
    )
    _add_common(picture, ready)
    picture.add_argument("--from", dest="since", default="now", metavar="DATE", help="the first day (default today)")
    picture.add_argument("--days", type=_days, default=7, help="how many (default 7, at most 31)")
    picture.add_argument("--output", type=Path, required=True, metavar="FILE", help="the SVG file")
    picture.set_defaults(handler=_draw_picture)
    history = kinds.add_parser(
        "history",
        help="months of a factory's readings, written into the store",
        description="Writes what an edge would have sent through the collector's ingest, imports the site, and "
        "evaluates it. The same seed gives the same readings.",
    )
    # Lets `--from -90d` through as `--from -90` would be.
    history._negative_number_matcher = re.compile(r"^-\d+[dh]?$")  # noqa: SLF001  # argparse has no other way
    _add_common(history, ready)
    history.add_argument("--from", dest="since", required=True, metavar="TIME", help="-90d, a date, or ISO 8601")
    history.add_argument("--to", dest="until", default="now", metavar="TIME", help="the same, or now (default)")
    history.add_argument("--store-config", type=Path, required=True, metavar="FILE", help="server.yaml")
    history.add_argument("--interval-s", type=float, default=60.0, help="between two rows of a device (default 60)")
    history.add_argument("--truth", type=Path, metavar="FILE", help="write use, savings, production, weather as JSON")
    history.add_argument("--no-evaluation", action="store_true", help="leave intervals and days to `evaluation run`")
    history.add_argument("--json", action="store_true", help="say in JSON what was written")
    history.set_defaults(handler=_write_history)


def _add_common(parser: argparse.ArgumentParser, ready: str) -> None:
    parser.add_argument("plant", metavar="PLANT", help=f"{ready}, or a plant file")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same data")
    parser.add_argument("--site", metavar="SLUG", help="the site's id (default the plant's)")
    parser.add_argument(
        "--measure", action="append", default=[], metavar="NAME@DAY",
        help="put a measure of the plant into effect on a day, counted from the first (0)",
    )  # fmt: skip


def _run_plant(arguments: argparse.Namespace) -> int:
    from simulators.factory.plant_servers import PlantClock, run_plant  # noqa: PLC0415  # history needs no servers

    now_s = time.time()
    start_s = _moment("--from", arguments.since, now_s)
    plant = _plant(arguments, start_s, arguments.first_day)
    if start_s < plant.start_s:
        raise SimulatorError(f"--first-day {arguments.first_day}: lies after the time at which the simulation begins")

    view = view_for(plant.file.name, sys.stdout, wanted=arguments.view)

    async def run() -> None:
        stop = stop_on_signals()

        async def until_stopped(path: Path) -> None:
            facts: dict[str, object] = {"site_file": str(path), "first_day": plant.calendar.first.isoformat()}
            await wait_or_show(arguments, view, f"the places of {path} as {plant.file.name}", facts, stop)

        await run_plant(
            plant,
            arguments.directory.absolute(),
            PlantClock(start_s, arguments.speed),
            site=arguments.site,
            mqtt_port=arguments.mqtt_port,
            watch=(lambda _device: None) if view is None else view.add,
            when_ready=until_stopped,
        )

    asyncio.run(run())
    return 0


def _draw_picture(arguments: argparse.Namespace) -> int:
    from simulators.factory.picture import plant_picture  # noqa: PLC0415  # a live plant draws nothing

    plant = _plant(arguments, _moment("--from", arguments.since, time.time()), None)
    _write("--output", arguments.output, plant_picture(plant, 0, arguments.days))
    sys.stdout.write(f"{arguments.output}: {arguments.days} days from {plant.calendar.first}\n")
    return 0


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise SimulatorError(f"{option} {path}: cannot be written: {problem.strerror}") from problem


def _write_history(arguments: argparse.Namespace) -> int:
    now_s = time.time()
    start_s = _moment("--from", arguments.since, now_s)
    end_s = _moment("--to", arguments.until, now_s)
    if start_s >= end_s:
        raise SimulatorError(f"--from {arguments.since}: is not before --to {arguments.until}")
    if end_s - start_s > LONGEST_DAYS * 86_400:
        raise SimulatorError(f"--from {arguments.since}: more than {LONGEST_DAYS} days before --to")
    plant = _plant(arguments, start_s, None)
    with needing("simulate history", "collector"):
        from leanmeter.simulate.plant_history import write_history  # noqa: PLC0415  # simulators install without the collector

    facts = asyncio.run(
        write_history(
            plant,
            load_server_file(arguments.store_config),
            start_s,
            end_s,
            interval_s=arguments.interval_s,
            site=arguments.site,
            evaluate=not arguments.no_evaluation,
        )
    )
    if arguments.truth is not None:
        _write("--truth", arguments.truth, json.dumps(truth(plant, start_s, end_s), indent=1) + "\n")
    text = ", ".join(f"{value:g} {name.replace('_', ' ')}" for name, value in facts.items())
    sys.stdout.write((json.dumps(facts) if arguments.json else f"{plant.file.name}: {text}") + "\n")
    return 0


def _plant(arguments: argparse.Namespace, start_s: float, first_day: str | None) -> Plant:
    file = load_plant(arguments.plant)
    measures = []
    for text in arguments.measure:
        name, _, day = text.partition("@")
        if not day.isascii() or not day.isdigit():
            raise SimulatorError(f"--measure {text}: expected NAME@DAY, for example fix_air_leak@40")
        measures.append(Measure(name, int(day)))
    first = Plant(file, arguments.seed, date(1970, 1, 1)).calendar.date_of(start_s)
    if first_day is not None:
        try:
            first = date.fromisoformat(first_day)
        except ValueError:
            raise SimulatorError(f"--first-day {first_day}: expected a date such as 2026-08-24") from None
    return Plant(file, arguments.seed, first, measures)


def _moment(option: str, text: str, now_s: float) -> float:
    """Seconds since 1970 UTC of `now`, `-90d`, `-12h` or an ISO 8601 date or time (UTC where it names no zone)."""
    if text == "now":
        return now_s
    back = re.fullmatch(r"-(\d{1,5})([dh])", text)
    if back is not None:
        return now_s - timedelta(**{"days" if back[2] == "d" else "hours": int(back[1])}).total_seconds()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SimulatorError(f"{option} {text}: expected now, -90d, -12h, or a date or time in ISO 8601") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _days(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 31:
        raise argparse.ArgumentTypeError("a picture holds between 1 and 31 days")
    return number


def _speed(text: str) -> float:
    number = float(text)
    if not 0 < number <= 86_400:
        raise argparse.ArgumentTypeError("a speed is above 0 and at most 86400")
    return number
