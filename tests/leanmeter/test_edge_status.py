"""`leanmeter edge status` and the agent's /metrics, of an agent between a simulated meter and nobody."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.agent import Agent
from leanmeter.command_line import main
from simulators.modbus_server import ModbusTcpServer
from site_config.errors import ConfigurationError
from site_config.schema import load_site
from tests.edge_agent.test_agent import simulated
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.waiting import eventually_async


def site_file(folder: Path, tcp_port: int, metrics_port: int) -> Path:
    path = folder / "site.yaml"
    path.write_text(
        f"""
site: workshop
mqtt: {{host: {LOOPBACK}, port: {free_port()}}}
data_dir: {folder / "data"}
poll_interval_s: 0.5
metrics_port: {metrics_port}
lines:
  - id: cabinet
    tcp: {{host: {LOOPBACK}, port: {tcp_port}}}
    timeout_s: 0.2
    devices:
      - {{id: main-meter, profile: eastron/sdm630, unit_id: 1}}
      - {{id: absent-meter, profile: eastron/sdm630, unit_id: 9}}
""",
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Agent]:
    agent, stop = Agent(load_site(path)), asyncio.Event()
    agent.drain_timeout_s = 0.1
    task = asyncio.create_task(agent.run(stop))
    try:
        await eventually_async(lambda: agent.values_sampled > 0 or task.done(), timeout_s=15)
        yield agent
    finally:
        stop.set()
        await task


async def test_status_tells_people_and_programs_how_the_agent_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.agent.METRICS_INTERVAL_S", 0.1)
    metrics_port = free_port()
    unit = {1: simulated("eastron/sdm630", active_power_total=4200.0)}
    async with ModbusTcpServer(unit, LOOPBACK, 0) as tcp:
        path = site_file(tmp_path, tcp.port, metrics_port)
        async with running(path):
            assert await asyncio.to_thread(main, ["edge", "status", "--config", str(path)]) == 0
            table = capsys.readouterr().out
            assert await asyncio.to_thread(main, ["edge", "status", "--config", str(path), "--json"]) == 0
            status = json.loads(capsys.readouterr().out)
            metrics = await asyncio.to_thread(_fetch, f"http://{LOOPBACK}:{metrics_port}/metrics")
    assert "NOT CONNECTED; nothing is lost" in table
    assert "main-meter    answers" in table
    assert "absent-meter  NEVER HEARD" in table
    assert status["running"]
    assert status["devices"]["main-meter"]["values"] > 0
    assert status["devices"]["absent-meter"]["link_errors"] > 0
    assert 'leanmeter_devices_alive{device="agent-edge-1"} 1.0' in metrics
    assert 'leanmeter_values_sampled_total{device="agent-edge-1"}' in metrics


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # of the loopback
        return str(answer.read().decode())


def test_an_agent_that_does_not_run_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leanmeter.edge.edge_status_command._TIMEOUT_S", 0.2)
    path = site_file(tmp_path, free_port(), free_port())
    (tmp_path / "data").mkdir()
    assert main(["edge", "status", "--config", str(path)]) == 1
    assert "not running" in capsys.readouterr().err
    assert main(["edge", "status", "--config", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"running": False}
    assert not list((tmp_path / "data").iterdir())


async def test_a_metrics_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with ModbusTcpServer({}, LOOPBACK, 0) as taken:
        agent = Agent(load_site(site_file(tmp_path, taken.port, taken.port)))
        with pytest.raises(ConfigurationError, match="metrics_port"):
            await agent.run(asyncio.Event())
