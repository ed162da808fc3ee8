"""Whatever keeps a page from its start is one line, which names the key and what to do."""

import asyncio
import socket
from pathlib import Path

import pytest
import yaml

from leanmeter.command_line import main
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.processes import Processes
from tests.visit.bakery import Bakery
from visit import app


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A server file that a page could start with."""

    async def declare() -> Path:
        bakery = Bakery(tmp_path)
        await bakery.declare()
        await bakery.fill(hours=0.1)
        await bakery.close()
        return bakery.visit_file(free_port())

    return asyncio.run(declare())


def refused(file: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]) -> str:
    """Starts with a change in the file; returns the one line that it ends with."""
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**written, **change}), encoding="utf-8")
    assert main(["visit", "run", "--config", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1, told
    return told


def test_a_port_that_is_taken(settings: Path, processes: Processes) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        settings.write_text(yaml.safe_dump({**yaml.safe_load(settings.read_text()), "visit": {"port": port}}))
        # In a process of its own, as a user starts it: nothing else may be said.
        ended = processes.run_leanmeter("visit", "run", "--config", settings)

    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert f"{LOOPBACK}:{port} is taken" in ended.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"store": {"sqlite": "/nowhere/r.sqlite"}}, ("store.sqlite", "/nowhere/r.sqlite does not exist")),
        ({"entities": "/nowhere/e.sqlite"}, ("entities", "/nowhere/e.sqlite does not exist")),
        ({"visit": {"exampel": True}}, ("visit.exampel", "unknown key")),
        ({"visit": {"language": "cy"}}, ("visit.language", "no texts in 'cy'", "en, es")),
        ({"collector": {"mqtt": {"prt": 1883}}}, ("collector.mqtt.prt", "unknown key")),
        ({"visit": {"host": "203.0.113.7"}}, ("visit.host", "203.0.113.7", "cannot listen")),
    ],
)
def test_a_mistake_in_the_file(
    settings: Path,
    change: dict[str, object],
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "FILE_DEADLINE_S", 0.1)
    told = refused(settings, change, capsys)

    assert all(word in told for word in words), told
    assert not Path("/nowhere").exists()


def test_it_ends_when_told(settings: Path, processes: Processes) -> None:
    process = processes.start_preloaded("visit", "run", "--config", settings)
    process.wait_for_log("the page is at http", timeout_s=20)

    assert process.stop() == 0
    assert "Traceback" not in process.log()


def test_a_site_that_nobody_has_declared_is_told(settings: Path, processes: Processes) -> None:
    """The page waits for it all the same: it may be declared later."""
    written = yaml.safe_load(settings.read_text(encoding="utf-8"))
    settings.write_text(yaml.safe_dump({**written, "visit": {"port": free_port(), "site": "wrokshop"}}))
    process = processes.start_preloaded("visit", "run", "--config", settings)

    process.wait_for_log("visit.site: nobody has declared wrokshop yet; there is workshop", timeout_s=20)
    process.wait_for_log("the page is at http", timeout_s=20)
