import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from site_config.errors import ConfigurationError
from store.server_file import load_server_file
from tests.servers.ports import free_port
from tests.visit.bakery import Bakery
from visit.app import run


@pytest.fixture
async def bakery(tmp_path: Path) -> AsyncIterator[Bakery]:
    made = Bakery(tmp_path)
    yield made
    await made.close()


async def test_of_several_sites_one_must_be_named(bakery: Bakery) -> None:
    await bakery.declare()
    await bakery.declare(lambda site: site.update(site="branch"))

    with pytest.raises(ConfigurationError, match=r"visit\.site: name one of branch, workshop"):
        await run(load_server_file(bakery.visit_file(free_port())), asyncio.Event())


async def test_without_any_site_one_line_says_what_to_do(bakery: Bakery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visit.app.FILE_DEADLINE_S", 0.2)
    await bakery.readings.check()

    with pytest.raises(ConfigurationError, match=r"visit\.site: no site is known yet; .* start the collector"):
        await run(load_server_file(bakery.visit_file(free_port())), asyncio.Event())
