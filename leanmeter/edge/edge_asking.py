"""Asks the agent that runs on this computer something, by files in its folder."""

import contextlib
import time
from pathlib import Path

from edge_agent.errors import AgentConfigurationError

TIMEOUT_S = 10.0
_LOOK_S = 0.1


class NoAgentError(AgentConfigurationError):
    """Nobody answers."""


def ask(data_dir: Path, request_name: str, answer_name: str, timeout_s: float = TIMEOUT_S) -> str:
    """Leave a request and wait for the answer.

    Raises NoAgentError when no agent of this folder runs, AgentConfigurationError when the folder cannot be used.
    """
    request, answer = data_dir / request_name, data_dir / answer_name
    try:
        answer.unlink(missing_ok=True)
        request.touch()
    except OSError as problem:
        raise AgentConfigurationError(
            f"data_dir {data_dir}: {problem.strerror}; run this on the agent's computer, as its user"
        ) from problem
    deadline_s = time.monotonic() + timeout_s
    while not answer.exists():
        if time.monotonic() > deadline_s:
            with contextlib.suppress(OSError):
                request.unlink()
            raise NoAgentError(
                f"no answer within {timeout_s:g} s: no agent with the data_dir {data_dir} runs on this computer"
            )
        time.sleep(_LOOK_S)
    text = answer.read_text(encoding="utf-8")
    answer.unlink(missing_ok=True)
    return text
