"""What cannot be read or stored is kept before the answer, with reason and origin, and stored once when it can be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml

from store.protocol import StoredCount
from store.server_file import ServerFile
from tests.collector.conftest import StartCollector
from tests.collector.edge import connected_edge
from tests.collector.test_collector import stored
from tests.servers.influxdb import InfluxDBProcess
from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import Processes
from tests.store.rows import START_MS, column, powers, rows
from wire_format.batch import BatchId

POWER = "active_power_total"


def server_file(folder: Path, settings: ServerFile, **limits: int) -> Path:
    """The file of a collector that runs in the test, for the command line; limits as somebody has mended them."""
    keys = json.loads(settings.model_dump_json(exclude_none=True))
    keys["collector"].pop("sites", None)
    keys["collector"]["limits"] |= limits
    path = folder / "server.yaml"
    path.write_text(yaml.safe_dump(keys), encoding="utf-8")
    return path


class Quarantine:
    """The commands, as somebody uses them beside a running collector."""

    def __init__(self, processes: Processes, config: Path) -> None:
        self._processes = processes
        self._config = config

    async def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((await self.run("list", "--json"))[1])
        return found

    async def run(self, *arguments: str) -> tuple[int, str]:
        ended = await asyncio.to_thread(
            self._processes.run_leanmeter, "collector", "quarantine", *arguments, "--config", self._config
        )
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stdout + ended.stderr


async def test_a_row_that_influxdb_refuses_for_its_type_is_stored_once_after_the_bucket_was_mended(
    broker: Mosquitto,
    run_collector: StartCollector,
    influxdb_process: InfluxDBProcess,
    processes: Processes,
    tmp_path: Path,
) -> None:
    server = influxdb_process
    bucket_id = server.create_bucket("factory")
    (tmp_path / "token").write_text(server.token)
    influx = {"url": server.url, "org": server.org, "bucket": "factory", "token_file": tmp_path / "token"}
    server.write("factory", f"reading,site=other,device=x bad=1i {START_MS}")
    async with run_collector(broker, store={"influx": influx}) as settings:
        async with connected_edge(broker) as edge:
            good = rows("oven", [START_MS, START_MS + 1], column(POWER, 10, 20))
            await edge.publish(edge.batch(good, rows("oven", [START_MS + 2], column(POWER, 30), column("bad", 7))))
            answer = await edge.answer()
            assert answer.stored
            assert [row.time_ms for row in answer.refused] == [START_MS + 2]
        assert await stored(settings) == StoredCount(2, 0, {"oven": 2})
        quarantine = Quarantine(processes, server_file(tmp_path, settings))
        (entry,) = await quarantine.listed()
        assert "field type conflict" in entry["reason"]
        number = str(entry["number"])
        code, text = await quarantine.run("retry", number)
        assert (code, "still not stored" in text) == (1, True), text
        assert [(again["number"], again["seen"]) for again in await quarantine.listed()] == [(entry["number"], 2)]
        # What somebody does about it: a bucket without the field of the wrong type.
        server.delete_bucket(bucket_id)
        server.create_bucket("factory")
        assert await quarantine.run("retry", number) == (0, f"{number}: stored\n")
        assert await quarantine.listed() == []
        assert await stored(settings) == StoredCount(2, 0, {"oven": 2})


async def test_what_was_beyond_a_limit_is_stored_once_after_the_limit_was_raised(
    broker: Mosquitto, run_collector: StartCollector, processes: Processes, tmp_path: Path
) -> None:
    limited = {"mqtt": {"host": broker.host, "port": broker.port}, "limits": {"quantities_per_device": 2}}
    async with run_collector(broker, collector=limited) as settings, connected_edge(broker) as edge:
        for second in range(3):
            given = rows("oven", [START_MS + second], column("a", 1), column("b", 2), column("c", 3))
            await edge.publish(edge.batch(given))
            assert len((await edge.answer()).refused) == 1
        assert await stored(settings) == StoredCount(6, 0, {"oven": 6})
        quarantine = Quarantine(processes, server_file(tmp_path, settings, quantities_per_device=3))
        assert len(await quarantine.listed()) == 3
        assert (await quarantine.run("retry", "--all"))[0] == 0
        assert await quarantine.listed() == []
        assert await stored(settings) == StoredCount(9, 0, {"oven": 9})


async def test_an_unreadable_batch_is_shown_and_stays_and_mistakes_are_one_line(
    broker: Mosquitto, run_collector: StartCollector, processes: Processes, tmp_path: Path
) -> None:
    async with run_collector(broker) as settings, connected_edge(broker) as edge:
        claimed = BatchId("00112233445566ff", 9)
        await edge.publish_bytes(b"\x01no batch, but as long as one", claimed.to_bytes())
        assert not (await edge.answer()).stored
        quarantine = Quarantine(processes, server_file(tmp_path, settings))
        code, text = await quarantine.run("show", "1", "--output", str(tmp_path / "kept"))
        assert code == 0
        assert "leanmeter/v1/bakery/edge-1/batch" in text
        assert b"no batch".hex(" ") in text
        assert (tmp_path / "kept").read_bytes() == b"\x01no batch, but as long as one"
        code, text = await quarantine.run("retry", "1")
        assert (code, text.startswith("1: still not stored batch: ")) == (1, True), text
        for arguments, words in (
            (("show", "7"), "there is no entry 7"),
            (("retry", "7"), "there is no entry 7"),
            (("retry",), "give numbers from the list, or --all"),
            (("show", "1", "--output", str(tmp_path)), "cannot be written"),
        ):
            code, text = await quarantine.run(*arguments)
            assert (code, words in text, text.count("\n")) == (2, True, 1), text
        await edge.publish(edge.batch(powers("oven", {0: 10})))
        assert (await edge.answer()).stored
