"""HTTP to InfluxDB 2: writing through influxdb-client, InfluxQL and deleting over plain HTTP; no hidden retries."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from store.protocol import StoreConfigurationError, StoreError, StoreUnavailableError
from store.settings import InfluxSettings

CONNECT_TIMEOUT_S = 5.0
MAXIMUM_CONNECTIONS = 8
CHUNK_ROWS = 10_000

Row = dict[str, Any]


class LinesRefusedError(StoreError):
    """InfluxDB took some or none of the lines, and would answer the same again.

    Args:
        reason: in InfluxDB's words.
        status: 400 (none is stored), 413 (too large, none is stored) or 422 (the others are stored).
    """

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class ServerFailedError(StoreUnavailableError):
    """InfluxDB failed at these lines (500): perhaps at one of them only."""


class InfluxRequests:
    """One bucket of one server. Connections are made with the first request.

    Args:
        settings: where it is. Raises ConfigurationError when the token's file cannot be read.
    """

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._token = settings.read_token()
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_s, connect=CONNECT_TIMEOUT_S)
        self._session: aiohttp.ClientSession | None = None
        self._client: InfluxDBClientAsync | None = None
        self._writer: Any = None

    async def write(self, lines: bytes) -> None:
        """Write line protocol with times in ms.

        Raises LinesRefusedError, StoreUnavailableError or StoreConfigurationError.
        """
        if self._writer is None:
            self._client = InfluxDBClientAsync(
                self._url,
                self._token,
                self._settings.org,
                timeout=self._timeout,
                connection_pool_maxsize=MAXIMUM_CONNECTIONS,
            )
            self._writer = self._client.write_api()
        try:
            await self._writer.write(self._settings.bucket, self._settings.org, lines, "ms")
        except ApiException as problem:
            raise self._error(problem.status or 0, _message(problem.body)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise self._unreachable(problem) from problem

    async def query(self, influxql: str) -> list[list[Row]]:
        """Run InfluxQL statements; the rows of each, tags among the columns, times in ms.

        Raises StoreUnavailableError or StoreConfigurationError.
        """
        parameters = {"db": self._settings.bucket, "epoch": "ms"}
        body = await self._request("POST", "/query", parameters, {"q": influxql})
        answers = []
        for result in msgspec.json.decode(body)["results"]:
            if "error" in result:
                raise self._query_error(str(result["error"]))
            answers.append(list(_rows(result)))
        return answers

    async def stream(self, influxql: str) -> AsyncIterator[Row]:
        """Run one InfluxQL statement whose answer may be large: its series piece by piece, as InfluxDB gives them.

        Raises StoreUnavailableError or StoreConfigurationError.
        """
        parameters = {"db": self._settings.bucket, "epoch": "ms", "chunked": "true", "chunk_size": str(CHUNK_ROWS)}
        timeout = aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT_S, sock_read=self._settings.timeout_s)
        url = self._url + "/query"
        try:
            async with self._connected().post(url, params=parameters, data={"q": influxql}, timeout=timeout) as reply:
                if reply.status >= HTTPStatus.BAD_REQUEST:
                    raise self._error(reply.status, _message(await reply.read()))
                piece = b""
                async for part in reply.content.iter_any():
                    *lines, piece = (piece + part).split(b"\n")
                    for line in filter(None, lines):
                        for series in self._series_in(line):
                            yield series
                for series in self._series_in(piece) if piece else ():
                    yield series
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise self._unreachable(problem) from problem

    def _series_in(self, line: bytes) -> Iterator[Row]:
        for result in msgspec.json.decode(line)["results"]:
            if "error" in result:
                raise self._query_error(str(result["error"]))
            yield from result.get("series", ())

    async def delete(self, start_ms: int, last_ms: int, predicate: str) -> None:
        """Delete the points of [start, last] that the predicate names, such as `_measurement="reading"`."""
        parameters = {"org": self._settings.org, "bucket": self._settings.bucket}
        body = {"start": _rfc3339(start_ms), "stop": _rfc3339(last_ms), "predicate": predicate}
        await self._request("POST", "/api/v2/delete", parameters, msgspec.json.encode(body))

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]
            self._client = self._writer = None

    async def _request(self, method: str, path: str, parameters: dict[str, str], body: Any) -> bytes:
        try:
            async with self._connected().request(method, self._url + path, params=parameters, data=body) as reply:
                answer = await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise self._unreachable(problem) from problem
        if reply.status >= HTTPStatus.BAD_REQUEST:
            error = self._error(reply.status, _message(answer))
            raise StoreError(f"InfluxDB at {self._url}: {error}") if isinstance(error, LinesRefusedError) else error
        return answer

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                headers={"Authorization": f"Token {self._token}"},
                connector=aiohttp.TCPConnector(limit=MAXIMUM_CONNECTIONS),
            )
        return self._session

    def _error(self, status: int, message: str) -> StoreError:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return StoreConfigurationError(
                f"InfluxDB at {self._url}: the token may not use bucket {self._settings.bucket!r} of organisation "
                f"{self._settings.org!r} ({status} {message}); check store.influx.token"
            )
        if status == HTTPStatus.NOT_FOUND:
            return StoreConfigurationError(
                f"InfluxDB at {self._url}: {message}; check store.influx.org and store.influx.bucket"
            )
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}:
            return LinesRefusedError(message, status)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return ServerFailedError(f"InfluxDB at {self._url}: {status} {message}")
        return StoreUnavailableError(f"InfluxDB at {self._url}: {status} {message}")

    def _query_error(self, message: str) -> StoreError:
        if "not found" in message:
            return StoreConfigurationError(f"InfluxDB at {self._url}: {message}; check store.influx.bucket")
        if "timeout" in message or "max-" in message:
            return StoreUnavailableError(f"InfluxDB at {self._url}: {message}")
        return StoreError(f"InfluxDB at {self._url}: {message}")

    def _unreachable(self, problem: Exception) -> StoreUnavailableError:
        what = str(problem) or type(problem).__name__
        return StoreUnavailableError(f"InfluxDB at {self._url} cannot be reached: {what}")


def _rows(result: Row) -> Iterator[Row]:
    for series in result.get("series", ()):
        tags = series.get("tags", {})
        for values in series["values"]:
            yield {**tags, **dict(zip(series["columns"], values, strict=True))}


def _message(body: str | bytes | None) -> str:
    try:
        return str(msgspec.json.decode(body or b"{}").get("message", ""))
    except (msgspec.DecodeError, AttributeError, UnicodeDecodeError):
        return (body if isinstance(body, str) else (body or b"").decode(errors="replace"))[:200]


def _rfc3339(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
