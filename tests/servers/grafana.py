"""A real Grafana, where one is at hand: the one that GRAFANA_URL names, or a `grafana` on PATH.

Nothing else of this project needs it, and no package registry has it: a run without it says so and does not fail.
"""

import base64
import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.servers.missing import find_program
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.processes import ManagedProcess

URL = "GRAFANA_URL"
TOKEN = "GRAFANA_TOKEN"  # noqa: S105 - the variable's name
HOME = "GRAFANA_HOME"


@dataclass(frozen=True, slots=True)
class Grafana:
    """A server that can be asked; `token` is of a service account with the role Admin."""

    url: str
    token: str

    def call(self, method: str, path: str, body: object = None, authorization: str | None = None) -> tuple[int, Any]:
        """One request; returns status and answer whatever the status is."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=30.0)
        headers = {
            "Authorization": authorization or f"Bearer {self.token}",
            "Content-Type": "application/json",
            # Rules that are made by this API stay changeable in the browser.
            "X-Disable-Provenance": "true",
        }
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, f"{parts.path.rstrip('/')}{path}", body=text, headers=headers)
            reply = connection.getresponse()
            answer = reply.read()
            return reply.status, json.loads(answer) if answer else None
        finally:
            connection.close()


@pytest.fixture(scope="session")
def real_grafana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grafana]:
    """One server for the whole run."""
    if url := os.environ.get(URL):
        yield Grafana(url, os.environ.get(TOKEN, ""))
        return
    program = find_program("grafana")
    if program is None:
        pytest.skip(f"no Grafana is at hand: set {URL} and {TOKEN}, or put grafana on PATH")
    folder = tmp_path_factory.mktemp("grafana")
    home = Path(os.environ.get(HOME) or "/usr/share/grafana")
    port = free_port()
    settings = {
        "paths.data": folder / "data",
        "paths.logs": folder / "logs",
        "paths.provisioning": folder / "provisioning",
        "server.http_addr": LOOPBACK,
        "server.http_port": port,
        "analytics.reporting_enabled": "false",
        "analytics.check_for_updates": "false",
        "security.admin_password": "of-the-test",
    }
    words = [f"cfg:{name}={value}" for name, value in settings.items()]
    process = ManagedProcess([program, "server", "--homepath", home, *words], folder / "grafana.log")
    process.start()
    try:
        url = f"http://{LOOPBACK}:{port}"
        process.wait_for(lambda: _is_healthy(url), timeout_s=90.0, what="a healthy answer")
        yield Grafana(url, _new_token(url, "of-the-test"))
    finally:
        process.kill()


def _is_healthy(url: str) -> bool:
    try:
        return Grafana(url, "").call("GET", "/api/health")[0] == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException, ValueError):
        return False


def _new_token(url: str, password: str) -> str:
    admin = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
    server = Grafana(url, "")
    _, account = server.call("POST", "/api/serviceaccounts", {"name": "test", "role": "Admin"}, admin)
    _, made = server.call("POST", f"/api/serviceaccounts/{account['id']}/tokens", {"name": "test"}, admin)
    return str(made["key"])
