"""What only InfluxDB can do wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from store.factory import open_readings
from store.influx_readings import InfluxReadings
from store.protocol import IntervalRow, StoreConfigurationError, StoreError, StoreUnavailableError
from store.schema import INTERVAL_MS
from store.settings import InfluxSettings, StoreSettings
from tests.servers.http_proxy import http_proxy_to
from tests.servers.influxdb import InfluxDB
from tests.servers.ports import LOOPBACK, free_port
from tests.store.rows import START_MS, column, powers, rows

SITE = "bakery"
POWER = "active_power_total"


def settings(server: InfluxDB, bucket_name: str, **keys: object) -> StoreSettings:
    influx = {"url": server.url, "token": server.token, "org": server.org, "bucket": bucket_name, **keys}
    return StoreSettings.model_validate({"influx": influx})


@pytest.fixture
async def store(influxdb: InfluxDB, influxdb_bucket: str) -> AsyncIterator[InfluxReadings]:
    opened = open_readings(settings(influxdb, influxdb_bucket))
    assert isinstance(opened, InfluxReadings)
    yield opened
    await opened.close()


async def test_fields_are_floats_and_tags_are_site_and_device(
    store: InfluxReadings, influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    await store.write(SITE, [rows("oven", [START_MS], column(POWER, 5, exponent=0), column("state", 3, exponent=1))])
    fields = influxdb.query(influxdb_bucket, "SHOW FIELD KEYS FROM reading")
    assert {(field["fieldKey"], field["fieldType"]) for field in fields} == {(POWER, "float"), ("state", "float")}
    assert {row["tagKey"] for row in influxdb.query(influxdb_bucket, "SHOW TAG KEYS FROM reading")} == {
        "site",
        "device",
    }


async def test_rows_of_a_field_with_another_type_are_refused_and_all_others_stored(
    store: InfluxReadings, influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    influxdb.write(influxdb_bucket, f"reading,site={SITE},device=x bad=1i {START_MS}")
    wrong = {7, 8, 40, 99}
    times = [START_MS + 1000 * n for n in range(100)]
    bad = column("bad", *[n if n in wrong else None for n in range(100)])
    written = rows("oven", times, column(POWER, *range(100)), bad)
    answers = await asyncio.gather(
        store.write(SITE, [written, powers("mixer", {0: 1})]),
        *[store.write(SITE, [powers("fan", {n: n})]) for n in range(20)],
    )
    assert [(row.device, row.time_ms) for row in answers[0]] == [("oven", START_MS + 1000 * n) for n in sorted(wrong)]
    assert all("field type conflict" in row.reason for row in answers[0])
    assert set(answers[1:]) == {()}
    series = await store.readings(SITE, "oven", POWER, START_MS, START_MS + 100_000)
    assert series.times_ms == tuple(at for n, at in enumerate(times) if n not in wrong)
    assert (await store.count(SITE)).by_device == {"oven": 96, "mixer": 1, "fan": 20, "x": 1}


async def test_rows_older_than_the_retention_are_refused(influxdb: InfluxDB) -> None:
    created = influxdb.create_bucket("short")
    rule = '{"retentionRules":[{"type":"expire","everySeconds":86400,"shardGroupDurationSeconds":3600}]}'
    status, answer = influxdb.request("PATCH", f"/api/v2/buckets/{created}", body=rule)
    assert status == 200, answer
    store = open_readings(settings(influxdb, "short"))
    try:
        refused = await store.write(SITE, [rows("oven", [1_000_000_000_000], column(POWER, 1))])
        assert [row.time_ms for row in refused] == [1_000_000_000_000]
        assert "retention" in refused[0].reason.lower()
    finally:
        await store.close()
        influxdb.delete_bucket(created)


async def test_names_with_signs_of_the_protocols_come_back_as_they_were(store: InfluxReadings) -> None:
    site, device, quantity = "a b,c='d'", 'x,y=z "q" 100%d', 'th%d voltage,l1="a"'
    await store.write(site, [rows(device, [START_MS, START_MS + 1], column(quantity, 15, 25), column(POWER, None, 1))])
    await store.write(site, [rows(device, [START_MS + 2], column(quantity, 35))])
    series = await store.readings(site, device, quantity, START_MS, START_MS + 10)
    assert series.values == (1.5, 2.5, 3.5)
    assert (await store.latest(site, START_MS))[device, quantity].value == 3.5


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"token": "wrong"}, r"401.*check store\.influx\.token"),
        ({"bucket": "nowhere"}, r"nowhere.*check store\.influx.*bucket"),
        ({"org": "nobody"}, r"nobody.*check store\.influx\.org"),
    ],
)
async def test_a_wrong_configuration_is_named_in_one_line(
    influxdb: InfluxDB, influxdb_bucket: str, keys: dict[str, object], words: str
) -> None:
    store = open_readings(settings(influxdb, influxdb_bucket, **keys))
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        await store.write(SITE, [powers("oven", {0: 1})])
    assert "\n" not in str(caught.value)
    if "org" not in keys:  # InfluxQL's address has no organisation
        with pytest.raises(StoreConfigurationError, match=r"check store\.influx"):
            await store.check()
    await store.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _ask(handler: Handler | None, timeout_s: float = 5.0) -> tuple[str, int]:
    """What a write and a query to a server that does nothing but `handler` end with, and how often it was asked."""
    asked = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        assert handler is not None
        await handler(reader, writer)
        writer.close()

    port = free_port()
    server = None if handler is None else await asyncio.start_server(count, LOOPBACK, port)
    influx = InfluxSettings.model_validate(
        {"url": f"http://{LOOPBACK}:{port}", "token": "t", "org": "o", "bucket": "b", "timeout_s": timeout_s}
    )
    store = InfluxReadings(influx)
    try:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.write(SITE, [powers("oven", {0: 1})])
        with pytest.raises(StoreUnavailableError):
            await store.latest(SITE, 0)
    finally:
        await store.close()
        if server is not None:
            server.close()
    return str(caught.value), asked


def _replying(status: str) -> Handler:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
        await writer.drain()

    return reply


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable", "500 Internal Server Error"])
async def test_an_overloaded_server_is_unavailable_and_asked_once_a_call(status: str) -> None:
    message, asked = await _ask(_replying(status))
    assert status[:3] in message
    assert asked == 2


async def test_a_server_that_says_nothing_is_unavailable_after_the_timeout() -> None:
    async def be_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read(-1)

    _, asked = await _ask(be_silent, timeout_s=0.3)
    assert asked == 2


async def test_an_answer_that_is_none_is_told_in_a_line() -> None:
    port = free_port()
    influx = InfluxSettings.model_validate(
        {"url": f"http://{LOOPBACK}:{port}", "token": "t", "org": "o", "bucket": "b", "timeout_s": 5.0}
    )
    store = InfluxReadings(influx)
    async with await asyncio.start_server(_replying("200 OK"), LOOPBACK, port):
        with pytest.raises(StoreError, match=r"^InfluxDB at \S+: an answer that cannot be read: [^\n]+$"):
            await store.intervals(SITE, START_MS, START_MS + 1)
        await store.close()


async def test_a_server_without_messagepack_gives_the_same_rows(influxdb: InfluxDB, influxdb_bucket: str) -> None:
    async with http_proxy_to(influxdb.url) as proxy:
        influx = {"url": proxy.url, "org": influxdb.org, "bucket": influxdb_bucket, "token": influxdb.token}
        store = open_readings(StoreSettings.model_validate({"influx": influx}))
        await store.write(SITE, [rows("oven", [START_MS, START_MS + 1], column(POWER, 20, 25))])
        hour = IntervalRow(SITE, "oven", START_MS, 2.0, 8.0, 1.0, "measured", "electricity", cost=0.1 + 0.2)
        await store.write_intervals([hour, replace(hour, point="fan", demand=None, resource="")])
        answers = []
        for proxy.only_json in (False, True):
            found = await store.intervals(SITE, START_MS, START_MS + 1)
            series = await store.readings(SITE, "oven", POWER, START_MS, START_MS + 2)
            # A number is a float though JSON has written it as a whole one.
            assert {type(row.amount) for row in found} == {type(value) for value in series.values} == {float}
            answers.append((found, series, await store.latest(SITE, START_MS)))
        await store.close()
    assert answers[0] == answers[1]
    assert len(answers[0][0]) == 2


async def test_a_day_that_nothing_is_expected_of_any_more_is_emptied_by_one_request(
    influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    async with http_proxy_to(influxdb.url) as proxy:
        influx = {"url": proxy.url, "org": influxdb.org, "bucket": influxdb_bucket, "token": influxdb.token}
        store = open_readings(StoreSettings.model_validate({"influx": influx}))
        starts = range(START_MS, START_MS + 96 * INTERVAL_MS, INTERVAL_MS)
        plain = [IntervalRow(SITE, "main", start, 2.0, 8.0, 1.0, "measured", "electricity") for start in starts]
        other = [replace(row, point="oven", expected=1.5) for row in plain[:3]]
        await store.write_intervals([*[replace(row, expected=2.5) for row in plain], *other])

        await store.write_intervals(plain)
        assert proxy.asked["/api/v2/delete"] == 1
        assert await store.intervals(SITE, starts[0], starts[-1] + 1, "main") == plain
        assert await store.intervals(SITE, starts[0], starts[-1] + 1, "oven") == other

        # Between two that are replaced stands one that is not: it stays as it is.
        await store.write_intervals([replace(row, expected=2.5) for row in plain])
        await store.write_intervals([plain[0], plain[1], plain[3]])
        assert proxy.asked["/api/v2/delete"] == 3
        kept = [row.expected for row in await store.intervals(SITE, starts[0], starts[4] + 1, "main")]
        assert kept == [None, None, 2.5, None, 2.5]
        await store.close()


async def test_a_server_that_hangs_up_or_is_not_there_is_unavailable() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader, writer

    message, _ = await _ask(hang_up)
    assert "cannot be reached" in message
    message, _ = await _ask(None)
    assert "cannot be reached" in message


async def test_lines_at_which_the_server_fails_cost_the_writes_that_wait_with_them_nothing(
    influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    async with http_proxy_to(influxdb.url) as proxy:
        proxy.poison, proxy.delay_s = b"device=poison", 0.2
        influx = {"url": proxy.url, "org": influxdb.org, "bucket": influxdb_bucket, "token": influxdb.token}
        store = open_readings(StoreSettings.model_validate({"influx": influx}))
        # Two requests are under way at a time: those that come then are joined.
        names = ["a", "b", "c", "poison", "d", "e"]
        answers = await asyncio.gather(
            *[store.write(SITE, [powers(name, {0: 1})]) for name in names], return_exceptions=True
        )
        assert [name for name, answer in zip(names, answers, strict=True) if answer != ()] == ["poison"]
        assert isinstance(answers[3], StoreUnavailableError)
        assert (await store.count(SITE)).values == 5
        await store.close()
