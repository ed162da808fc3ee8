"""HTTP to InfluxDB 2: writing through influxdb-client, InfluxQL and deleting over plain HTTP; no hidden retries."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from store.protocol import StoreConfigurationError, StoreError, StoreUnavailableError
from store.settings import InfluxSettings

CONNECT_TIMEOUT_S = 5.0
MAXIMUM_CONNECTIONS = 8
CHUNK_ROWS = 10_000

# JSON takes InfluxDB half as long again to write and us twice as long to read; a server without MessagePack sends it.
# Compressing costs more than sending does.
_MESSAGE_PACK = "application/x-msgpack"
_ASKED_FOR = {"Accept": _MESSAGE_PACK, "Accept-Encoding": "identity"}

Row = dict[str, Any]
Values = TypeVar("Values")


class Answered(msgspec.Struct, Generic[Values]):
    """One series of an answer: its rows, and the tags by which the statement groups."""

    columns: list[str]
    values: list[Values] = []
    tags: dict[str, str] = {}


class _Result(msgspec.Struct, Generic[Values]):
    series: list[Answered[Values]] = []
    error: str = ""


class _Answer(msgspec.Struct, Generic[Values]):
    results: list[_Result[Values]]


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
        return [list(_rows(series)) for series in await self.series(influxql, list[Any])]

    async def series(self, influxql: str, row: Any) -> list[list[Answered[Any]]]:
        """Run InfluxQL statements; the series of each, every row as a `row` (a tuple's type, time first, in ms).

        Raises StoreUnavailableError or StoreConfigurationError, StoreError when a row is no `row`.
        """
        parameters = {"db": self._settings.bucket, "epoch": "ms"}
        body, content_type = await self._request("POST", "/query", parameters, {"q": influxql}, _ASKED_FOR)
        try:
            answer = _decoder(content_type == _MESSAGE_PACK, row).decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise StoreError(f"InfluxDB at {self._url}: an answer that cannot be read: {problem}") from None
        for result in answer.results:
            if result.error:
                raise self._query_error(result.error)
        return [result.series for result in answer.results]

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

    async def _request(
        self, method: str, path: str, parameters: dict[str, str], body: Any, headers: dict[str, str] | None = None
    ) -> tuple[bytes, str]:
        """The answer's body and its type."""
        url = self._url + path
        try:
            async with self._connected().request(method, url, params=parameters, data=body, headers=headers) as reply:
                answer = await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise self._unreachable(problem) from problem
        if reply.status >= HTTPStatus.BAD_REQUEST:
            error = self._error(reply.status, _message(answer))
            raise StoreError(f"InfluxDB at {self._url}: {error}") if isinstance(error, LinesRefusedError) else error
        return answer, reply.content_type

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


@cache
def _decoder(is_packed: bool, row: Any) -> Any:
    kind = _Answer[row]
    return msgspec.msgpack.Decoder(kind) if is_packed else msgspec.json.Decoder(kind)


def _rows(answered: Sequence[Answered[list[Any]]]) -> Iterator[Row]:
    for series in answered:
        for values in series.values:
            yield {**series.tags, **dict(zip(series.columns, values, strict=True))}


def _message(body: str | bytes | None) -> str:
    try:
        return str(msgspec.json.decode(body or b"{}").get("message", ""))
    except (msgspec.DecodeError, AttributeError, UnicodeDecodeError):
        return (body if isinstance(body, str) else (body or b"").decode(errors="replace"))[:200]


def _rfc3339(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
