"""The `leanmeter` command. Subcommands are loaded only when used, so that `--help` is quick on a Pi."""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NoReturn

COMMANDS = {
    "demo": ("leanmeter.demo.demo_command", "a simulated workshop with everything around it, in one process tree"),
    "edge": ("leanmeter.edge.edge_command", "read meters and scales, keep the readings, publish them"),
    "collector": ("leanmeter.servers.collector_command", "take what edges publish into the store"),
    "plan": ("leanmeter.plan.plan_command", "baselines, goals, tariffs and factors of a site, and where it stands"),
    "evaluation": ("leanmeter.servers.evaluation_command", "turn readings into 15-minute intervals and days"),
    "notifications": (
        "leanmeter.servers.notifications_command",
        "tell people what is wrong, and how their week was",
    ),
    "backup": ("leanmeter.servers.backup_command", "copy everything a server keeps, while it runs"),
    "restore": ("leanmeter.servers.backup_command", "put a backup where nothing is yet"),
    "visit": ("leanmeter.servers.visit_command", "serve the phone page"),
    "simulate": ("leanmeter.simulate.simulate_command", "stand-ins for meters, scales and a whole workshop"),
    "profiles": ("leanmeter.profiles.profiles_command", "device models: list, show, decode, check"),
    "baselines": (
        "leanmeter.baselines.baselines_command",
        "baselines, savings, bills, tariffs from your own tables",
    ),
    "dashboards": ("leanmeter.dashboards.dashboards_command", "Grafana's dashboards and alert rules: build, push"),
    "deploy": ("leanmeter.servers.deploy_command", "settings, passwords and certificates for deploy/compose.yaml"),
}


_EXTRAS = {
    "simulate": "simulators",
    "evaluation": "collector",
    "notifications": "collector",
    "backup": "collector",
    "restore": "collector",
}
"""What to install for a command that is not named like its extra."""


class _Parser(argparse.ArgumentParser):
    """Mistakes in the command itself get one line as well."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see '{self.prog} --help')\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code: 0 done, 1 found something wrong, 2 a user's mistake."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help"}:
        sys.stdout.write(_overview())
        return 0 if words else 2
    if words[0] in {"-V", "--version"}:
        sys.stdout.write(f"leanmeter {version('leanmeter')}\n")
        return 0
    if words[0] not in COMMANDS:
        sys.stderr.write(f"leanmeter: no command {words[0]!r}; there are {', '.join(COMMANDS)}\n")
        return 2
    parser = _Parser(prog="leanmeter")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    module = _load(words[0])
    if module is None:
        return 2
    module.add_arguments(subparsers)
    arguments = parser.parse_args(words)
    handler: Callable[[argparse.Namespace], int] = arguments.handler
    try:
        return handler(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone, as with `| head`.
        sys.stderr.close()
        return 1
    except Exception as problem:
        if not isinstance(problem, _user_errors()):
            raise
        sys.stderr.write(f"leanmeter: {_one_line(problem)}\n")
        return 2


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    return (
        "usage: leanmeter COMMAND ...\n\n"
        "Measures what a small factory uses and wastes.\n\n" + "\n".join(lines) + "\n\n"
        "'leanmeter COMMAND --help' tells more about each.\n"
    )


def _load(command: str) -> Any | None:
    try:
        return importlib.import_module(COMMANDS[command][0])
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.split(".")[0] in {"leanmeter", "edge_agent", "collector", "visit"}:
            raise
        extra = _EXTRAS.get(command, command)
        sys.stderr.write(
            f"leanmeter: '{command}' needs the package {problem.name!r}; install it with "
            f"pip install 'leanmeter[{extra}]'\n"
        )
        return None


def _user_errors() -> tuple[type[Exception], ...]:
    """Errors that mean that a file, key, name or address given by the user cannot be used."""
    names = (
        ("site_config.errors", "ConfigurationError"),
        ("device_profiles.errors", "ProfileError"),
        ("simulators.errors", "SimulatorError"),
        ("store.protocol", "StoreConfigurationError"),
    )
    return tuple(getattr(importlib.import_module(module), name) for module, name in names)


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())
