"""Broker and clock go wrong around a running line, by a scenario file: nothing is lost, doubled or left untold."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from leanmeter.simulate.whole_scenario import Stored, differences, run_whole
from simulators.broker_link import BrokerLink, schedule
from simulators.errors import SimulatorError
from simulators.scenario import SYSTEM_FAULT_KINDS, SystemFault, load_scenario
from tests.servers.ports import LOOPBACK
from tests.servers.waiting import eventually_async

FILE = Path(__file__).with_name("whole.yaml")
WELL = Stored({"oven": 9}, {"oven": 9}, 0, 0, frozenset({"clock_step", "weighing"}))


async def test_every_value_arrives_once(tmp_path: Path) -> None:
    scenario = load_scenario(FILE)
    assert {fault.kind for fault in scenario.system_faults} == set(SYSTEM_FAULT_KINDS)
    stored = await run_whole(scenario, tmp_path)
    assert differences(scenario, stored) == {"oven": [], "scale": [], "system": []}
    assert min(stored.stored.values()) > 10


@pytest.mark.parametrize(
    ("stored", "device", "told"),
    [
        (replace(WELL, stored={"oven": 8}), "oven", "9 values were sampled, 8 are stored"),
        (replace(WELL, sampled={"oven": 0}, stored={}), "oven", "nothing was read"),
        (replace(WELL, duplicates=2), "system", "2 values are stored twice"),
        (replace(WELL, unacknowledged=1), "system", "1 records still wait in the outbox"),
        (replace(WELL, events=frozenset({"weighing"})), "system", "events: no clock_step"),
    ],
)
def test_what_went_wrong_is_told(stored: Stored, device: str, told: str) -> None:
    found = differences(load_scenario(FILE), stored)
    assert found[device] == [told]
    assert not any(found[other] for other in found if other != device)


async def test_faults_of_the_link_come_and_go_in_their_time() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def echoed(port: int) -> bool:
        try:
            async with asyncio.timeout(0.15):
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
                writer.write(b"a")
                found = await reader.read(1)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return found == b"a"

    broker = await asyncio.start_server(answer, LOOPBACK, 0)
    async with BrokerLink(broker.sockets[0].getsockname()[1]) as link:
        for kind in ("broker_gone", "broker_held"):
            assert await echoed(link.port)
            cancel = schedule(link, [SystemFault(kind=kind, from_s=0.0, to_s=0.5)])
            await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            assert not await echoed(link.port)
            await eventually_async(lambda: asyncio.wait_for(echoed(link.port), 1))
            cancel()
    broker.close()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("kind: broker_reset", "kind: broker_drunk", "kind 'broker_drunk' is none of broker_gone"),
        (", delay_s: 0.2", "", "broker_slow: needs delay_s"),
        ("kind: broker_gone,", "kind: broker_gone, step_s: 3,", "broker_gone: takes no step_s"),
        ("expected_events:", "expected: {oven: {}}\nexpected_events:", "expected: with system_faults"),
    ],
)
def test_mistakes_are_told_in_one_line(key: str, value: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(FILE.read_text().replace(key, value, 1))
    with pytest.raises(SimulatorError, match=said):
        load_scenario(path)
