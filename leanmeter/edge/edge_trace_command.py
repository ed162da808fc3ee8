"""`leanmeter edge trace`: the running agent's last frames as a bundle that can be sent to somebody and played back."""

import argparse
import sys

from edge_agent.errors import AgentConfigurationError
from edge_agent.trace import ANSWER_NAME, REQUEST_NAME
from leanmeter.edge.edge_asking import ask
from site_config.schema import load_site


def add_arguments(trace: argparse.ArgumentParser) -> None:
    """Add what `trace` takes beside the site file."""
    trace.add_argument("--output", metavar="FILE", help="write there instead of the standard output")
    trace.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    data_dir = load_site(arguments.config).data_dir
    text = ask(data_dir, REQUEST_NAME, ANSWER_NAME)
    if arguments.output is None:
        sys.stdout.write(text)
        return 0
    try:
        with open(arguments.output, "w", encoding="utf-8") as file:  # noqa: PTH123  # a name such as /dev/stdout too
            file.write(text)
    except OSError as problem:
        raise AgentConfigurationError(
            f"--output {arguments.output}: cannot be written: {problem.strerror}"
        ) from problem
    sys.stdout.write(f"{arguments.output}: {max(0, text.count(chr(10)) - 1)} frames\n")
    return 0
