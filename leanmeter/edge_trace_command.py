"""`leanmeter edge trace`: the running agent's last frames as a bundle that can be sent to somebody and played back."""

import argparse
import contextlib
import sys
import time

from edge_agent.errors import AgentConfigurationError
from edge_agent.trace import ANSWER_NAME, REQUEST_NAME
from site_config.schema import load_site

_TIMEOUT_S = 10.0
_LOOK_S = 0.1


def add_arguments(trace: argparse.ArgumentParser) -> None:
    """Add what `trace` takes beside the site file."""
    trace.add_argument("--output", metavar="FILE", help="write there instead of the standard output")
    trace.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    data_dir = load_site(arguments.config).data_dir
    request, answer = data_dir / REQUEST_NAME, data_dir / ANSWER_NAME
    try:
        answer.unlink(missing_ok=True)
        request.touch()
    except OSError as problem:
        raise AgentConfigurationError(
            f"data_dir {data_dir}: {problem.strerror}; run this on the agent's computer, as its user"
        ) from problem
    deadline_s = time.monotonic() + _TIMEOUT_S
    while not answer.exists():
        if time.monotonic() > deadline_s:
            with contextlib.suppress(OSError):
                request.unlink()
            raise AgentConfigurationError(
                f"no answer within {_TIMEOUT_S:g} s: no agent with the data_dir {data_dir} runs on this computer"
            )
        time.sleep(_LOOK_S)
    text = answer.read_text(encoding="utf-8")
    answer.unlink(missing_ok=True)
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
