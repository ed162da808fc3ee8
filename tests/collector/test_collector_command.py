import json
from pathlib import Path

import pytest

from leanmeter.command_line import main
from tests.collector.edge import connected_edge
from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import Processes
from tests.servers.waiting import eventually_async
from tests.store.rows import powers


def configuration(folder: Path, port: int) -> Path:
    path = folder / "server.yaml"
    keys = {
        "collector": {"mqtt": {"port": port}},
        "store": {"sqlite": str(folder / "readings.sqlite")},
        "entities": str(folder / "entities.sqlite"),
    }
    path.write_text(json.dumps(keys))
    return path


async def test_run_takes_batches_and_ends_cleanly(tmp_path: Path, broker: Mosquitto, processes: Processes) -> None:
    path = configuration(tmp_path, broker.port)
    collector = processes.start_leanmeter("collector", "run", "--config", path)
    await eventually_async(lambda: "Received SUBSCRIBE" in broker.log() or collector.exit_code is not None)
    async with connected_edge(broker) as edge:
        await edge.publish(edge.batch(powers("oven", {0: 10})))
        assert (await edge.answer()).stored
        await edge.publish_bytes(b"damaged", edge.batch().batch_id.to_bytes())
        assert not (await edge.answer()).stored
    assert collector.stop() == 0, collector.log()
    assert "Traceback" not in collector.log()
    listed = processes.run_leanmeter("collector", "quarantine", "list", "--config", path, "--json")
    (entry,) = json.loads(listed.stdout)
    assert (entry["topic"], entry["bytes"], entry["seen"]) == ("leanmeter/v1/bakery/edge-1/batch", 7, 1)
    shown = processes.run_leanmeter("collector", "quarantine", "list", "--config", path)
    assert "7 bytes: version 100" in shown.stdout


def test_mistakes_are_one_line_and_exit_code_2(tmp_path: Path, processes: Processes) -> None:
    path = configuration(tmp_path, 1)
    path.write_text(path.read_text().replace("readings.sqlite", "server.yaml"))
    missing = tmp_path / "missing.yaml"
    for arguments, words in (
        (("run", "--config", path), "server.yaml: is damaged, or no SQLite file"),
        (("run", "--config", missing), "missing.yaml: cannot be read"),
        (("quarantine", "list", "--config", path), "entities.sqlite does not exist yet"),
    ):
        ended = processes.run_leanmeter("collector", *arguments)
        assert ended.returncode == 2, ended.stderr
        assert words in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_two_files_of_one_site_are_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = "site: bakery\nlines: [{id: a, tcp: {host: 10.0.0.2}, devices: [{id: oven, profile: x/y}]}]\n"
    files = [tmp_path / "one.yaml", tmp_path / "other.yaml"]
    for file in files:
        file.write_text(site)
    path = configuration(tmp_path, 1)
    keys = json.loads(path.read_text())
    keys["collector"]["sites"] = [str(file) for file in files]
    path.write_text(json.dumps(keys))

    assert main(["collector", "run", "--config", str(path)]) == 2
    told = capsys.readouterr().err
    assert "one.yaml and" in told
    assert "other.yaml both declare site 'bakery'" in told
    assert told.count("\n") == 1
