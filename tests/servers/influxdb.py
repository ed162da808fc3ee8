"""A real InfluxDB 2: the server that LEANMETER_INFLUX_URL names, or an ``influxd`` of the test's own."""

import contextlib
import http.client
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.servers.missing import find_program, skip_without
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.processes import ManagedProcess

URL = "LEANMETER_INFLUX_URL"
TOKEN = "LEANMETER_INFLUX_TOKEN"  # noqa: S105 - the variable's name
ORGANISATION = "LEANMETER_INFLUX_ORG"
HOW_TO_GET_IT = f"scripts/test builds it; or put influxd on PATH; or set {URL} and {TOKEN}"


class InfluxDB:
    """A server that can be asked.

    Args:
        url: where it listens, without a path.
        token: may do everything in the organisation.
        org: the organisation's name.
    """

    def __init__(self, url: str, token: str, org: str) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.org = org

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """One HTTP request, with the token or other headers; returns status and body whatever the status is."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        with contextlib.closing(kind(parts.netloc, timeout=30.0)) as connection:
            target = f"{parts.path}{path}" + (f"?{urlencode(query)}" if query else "")
            connection.request(method, target, body=body, headers=headers or {"Authorization": f"Token {self.token}"})
            response = connection.getresponse()
            return response.status, response.read()

    def is_healthy(self) -> bool:
        """Whether it answers and says that it is ready."""
        try:
            return self.request("GET", "/health")[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def create_bucket(self, name: str) -> str:
        """Creates a bucket that keeps everything, and returns its id."""
        found = self._call("GET", "/api/v2/orgs", {"org": self.org})
        bucket = {"orgID": found["orgs"][0]["id"], "name": name, "retentionRules": []}
        return str(self._call("POST", "/api/v2/buckets", body=bucket)["id"])

    def delete_bucket(self, bucket_id: str) -> None:
        """Deletes a bucket and what it holds."""
        self._call("DELETE", f"/api/v2/buckets/{bucket_id}")

    @contextlib.contextmanager
    def user_who_reads(self, bucket: str, user: str, password: str) -> Iterator[None]:
        """A user with a password (InfluxDB 1's way) who may read this bucket only, as `influx v1 auth create` makes."""
        (found,) = self._call("GET", "/api/v2/buckets", {"name": bucket})["buckets"]
        resource = {"type": "buckets", "id": found["id"], "orgID": found["orgID"]}
        rights = [{"action": "read", "resource": resource}]
        account = {"orgID": found["orgID"], "token": user, "permissions": rights}
        made = self._call("POST", "/private/legacy/authorizations", body=account)
        path = f"/private/legacy/authorizations/{made['id']}"
        self._call("POST", f"{path}/password", body={"password": password})
        try:
            yield
        finally:
            self._call("DELETE", path)

    def write(self, bucket: str, lines: str, precision: str = "ms") -> None:
        """Writes line protocol."""
        query = {"org": self.org, "bucket": bucket, "precision": precision}
        status, answer = self.request("POST", "/api/v2/write", query, lines.encode())
        if status != http.HTTPStatus.NO_CONTENT:
            raise AssertionError(f"writing to {bucket}: {status} {answer.decode(errors='replace')}")

    def query(self, bucket: str, influxql: str) -> list[dict[str, Any]]:
        """The rows of an InfluxQL query: one mapping a row, tags among the columns, times in ms since 1970."""
        answer = self._call("GET", "/query", {"db": bucket, "q": influxql, "epoch": "ms"})
        rows = []
        for result in answer["results"]:
            if "error" in result:
                raise AssertionError(f"{influxql}: {result['error']}")
            for series in result.get("series", []):
                rows += [
                    {**series.get("tags", {}), **dict(zip(series["columns"], values, strict=True))}
                    for values in series["values"]
                ]
        return rows

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        status, answer = self.request(method, path, query, None if body is None else json.dumps(body))
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise AssertionError(f"{method} {path}: {status} {answer.decode(errors='replace')}")
        loaded: dict[str, Any] = json.loads(answer) if answer else {}
        return loaded


class InfluxDBProcess(InfluxDB):
    """A server of the test's own, which may be killed and started again on the same data.

    Args:
        program: influxd itself.
        folder: gets its data and its log.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        address = f"{LOOPBACK}:{free_port()}"
        super().__init__(f"http://{address}", secrets.token_urlsafe(), "leanmeter")
        self._set_up = False
        self.process = ManagedProcess(
            [
                program,
                "--http-bind-address",
                address,
                "--engine-path",
                folder / "engine",
                "--bolt-path",
                folder / "influxd.bolt",
                "--sqlite-path",
                folder / "influxd.sqlite",
                "--reporting-disabled",
            ],
            folder / "influxd.log",
        )

    def start(self) -> None:
        """Starts it and returns when it answers; the first start creates the organisation and the token."""
        self.process.start()
        self.process.wait_for(self.is_healthy, timeout_s=60.0, what="a healthy answer")
        if not self._set_up:
            account = {"username": "test", "password": secrets.token_urlsafe(), "bucket": "unused"}
            self._call("POST", "/api/v2/setup", body={**account, "org": self.org, "token": self.token})
            self._set_up = True

    def stop(self) -> None:
        """Ends it in order."""
        self.process.stop(timeout_s=30.0)

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()


def _new_process(config: pytest.Config, folder: Path) -> InfluxDBProcess:
    program = find_program("influxd")
    if program is None and URL in os.environ:
        pytest.skip(f"{URL} names a server, and tests kill none but their own")
    return InfluxDBProcess(program or skip_without(config, "influxd", HOW_TO_GET_IT), folder)


@pytest.fixture(scope="session")
def influxdb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    """One server for the whole run; tests keep apart by their buckets."""
    if url := os.environ.get(URL):
        yield InfluxDB(url, os.environ.get(TOKEN, ""), os.environ.get(ORGANISATION, "leanmeter"))
        return
    server = _new_process(request.config, tmp_path_factory.mktemp("influxdb"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def influxdb_bucket(influxdb: InfluxDB) -> Iterator[str]:
    """The name of an empty bucket that is deleted with the test."""
    name = f"test-{secrets.token_hex(6)}"
    bucket_id = influxdb.create_bucket(name)
    yield name
    influxdb.delete_bucket(bucket_id)


@pytest.fixture
def influxdb_process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InfluxDBProcess]:
    """A server for one test, which may kill and start it; always an ``influxd`` of the test's own."""
    server = _new_process(request.config, tmp_path_factory.mktemp("influxdb"))
    try:
        server.start()
        yield server
    finally:
        server.kill()
