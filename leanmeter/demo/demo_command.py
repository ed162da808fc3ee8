"""`leanmeter demo`: the whole line with a simulated workshop."""

import argparse
from pathlib import Path


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `demo` to the command line."""
    parser = subparsers.add_parser(
        "demo",
        help="run a simulated workshop, agent, broker, collector, evaluation, store and page until Ctrl-C",
        description="Runs a simulated workshop, the edge agent, an MQTT broker on loopback, the collector, "
        "evaluation, a store and the live page. Ctrl-C ends it.",
    )
    parser.add_argument("--seconds", type=_seconds, help="end by itself after so many seconds of data")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="at the end write what was counted, as JSON")
    parser.add_argument(
        "--history",
        type=_days,
        metavar="DAYS",
        help="simulate a factory with so many days of past (60 to 400), in which something was changed on a known day",
    )
    parser.add_argument(
        "--plant", metavar="NAME", help="bakery, garment, hotel-laundry, metal-parts or plastics (default metal-parts)"
    )
    parser.add_argument(
        "--programme",
        action="store_true",
        help="with --history: the past of the other plants too, as further sites for Grafana's programme",
    )
    parser.add_argument("--port", type=int, default=8080, help="the page's port (default 8080, else a free one)")
    parser.add_argument("--directory", type=Path, default=Path("leanmeter-data/demo"), help="where its files go")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    parser.add_argument("--influx", metavar="URL", help="store in this InfluxDB 2 instead of SQLite")
    parser.add_argument("--token", help="InfluxDB token (or the environment's INFLUX_TOKEN)")
    parser.add_argument("--org", help="InfluxDB organisation, where the server has several")
    parser.add_argument("--bucket", default="leanmeter-demo", help="InfluxDB bucket, made when missing")
    parser.set_defaults(handler=_run)


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 86400:
        raise argparse.ArgumentTypeError("must be between 1 and 86400")
    return value


def _days(text: str) -> int:
    value = int(text)
    if not 60 <= value <= 400:
        raise argparse.ArgumentTypeError("must be between 60 and 400")
    return value


def _run(arguments: argparse.Namespace) -> int:
    # Everything that the demo wires is loaded here, not for other commands.
    from leanmeter.demo.demo import run_demo  # noqa: PLC0415

    return run_demo(arguments)
