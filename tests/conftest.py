"""Fixtures for real servers, and what becomes of a run that lacked one (see tests/servers/)."""

import os
from typing import Any

import pytest

from tests.servers.missing import ALLOW_MISSING, MISSING

pytest_plugins = [
    "tests.servers.processes",  # first: pytest can no longer rewrite its asserts once another has imported it
    "tests.servers.chromium",
    "tests.servers.grafana",
    "tests.servers.influxdb",
    "tests.servers.modbus_peers",
    "tests.servers.mosquitto",
    "tests.servers.terminals",
]


SERVERS_MISSING = 7
"""The exit code of a run that lacked a real server: none of pytest's own."""


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    missing = session.config.stash.get(MISSING, {})
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = missing  # one of several processes: the first one tells of all
    elif missing and session.exitstatus in {0, 1} and os.environ.get(ALLOW_MISSING) != "1":
        session.exitstatus = SERVERS_MISSING


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash.setdefault(MISSING, {}).update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missing = config.stash.get(MISSING, {})
    if not missing:
        return
    allowed = os.environ.get(ALLOW_MISSING) == "1"
    terminalreporter.section("missing real servers" + (" (allowed)" if allowed else ": the run fails without them"))
    for server, how_to_get_it in sorted(missing.items()):
        terminalreporter.line(f"{server}: {how_to_get_it}")
