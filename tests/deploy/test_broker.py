"""The shipped mosquitto configuration on a real mosquitto: who may say and hear what."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from leanmeter.servers.installation import prepare
from tests.servers.missing import require_program
from tests.servers.ports import LOOPBACK, accepts_connections, free_port
from tests.servers.processes import ManagedProcess
from wire_format.topics import SHARED_BATCHES, EdgeAddress

DEPLOY = Path(__file__).parents[2] / "deploy"
SITE = "site: {site}\nedge: gate\npoints: []\n"
MILL, DEPOT = EdgeAddress("mill", "gate"), EdgeAddress("depot", "gate")
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Broker:
    port: int
    local: Path

    def password(self, username: str) -> str:
        if username == "collector":
            return (self.local / "secrets" / "mqtt_collector_password").read_text()
        return (self.local / "edges" / f"{username.replace('/', '.')}.password").read_text()

    @contextlib.asynccontextmanager
    async def connected(self, username: str | None, password: str | None = None) -> AsyncIterator[aiomqtt.Client]:
        word = self.password(username) if username is not None and password is None else password
        context = ssl.create_default_context(cafile=self.local / "edges" / "ca.pem")
        async with aiomqtt.Client(
            LOOPBACK, self.port, username=username, password=word, tls_context=context,
            protocol=aiomqtt.ProtocolVersion.V5, timeout=WAIT_S,
        ) as client:  # fmt: skip
            yield client


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    program = require_program(request.config, "mosquitto", "apt install mosquitto")
    folder = tmp_path_factory.mktemp("broker")
    sites = []
    for address in (MILL, DEPOT):
        sites.append(folder / f"{address.site}.yaml")
        sites[-1].write_text(SITE.format(site=address.site), encoding="utf-8")
    prepare(folder / "local", sites, "box")
    port = free_port()
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    for there, here in {
        "/run/secrets": str(folder / "local" / "secrets"),
        "/mosquitto/config": str(DEPLOY / "mosquitto"),
        "listener 8883": f"listener {port} {LOOPBACK}",
    }.items():
        assert there in text
        text = text.replace(there, here)
    # root's mosquitto would give up its rights, and the test's folder with them; else no effect
    (folder / "mosquitto.conf").write_text(f"user root\n{text}", encoding="utf-8")
    process = ManagedProcess([program, "-c", folder / "mosquitto.conf"], folder / "mosquitto.log")
    process.start()
    try:
        process.wait_for(lambda: accepts_connections(LOOPBACK, port), what=f"port {port}")
        yield Broker(port, folder / "local")
    finally:
        process.kill()


async def heard(client: aiomqtt.Client, until: bytes) -> list[tuple[str, bytes]]:
    """Topics and payloads up to the one that ends it."""
    found: list[tuple[str, bytes]] = []
    async with asyncio.timeout(WAIT_S):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.payload == until:
                return found
            found.append((message.topic.value, message.payload))
    raise AssertionError("the client has ended")


async def test_an_edge_and_the_collector_hear_each_other(broker: Broker) -> None:
    async with broker.connected("collector") as collector, broker.connected("mill/gate") as edge:
        await collector.subscribe(SHARED_BATCHES, qos=1)
        await edge.subscribe(MILL.topic("ack"), qos=1)
        await edge.publish(MILL.topic("batch"), b"batch", qos=1)
        await edge.publish(MILL.topic("batch"), b"end", qos=1)
        assert await heard(collector, b"end") == [(MILL.topic("batch"), b"batch")]
        await collector.publish(MILL.topic("ack"), b"stored", qos=1)
        await collector.publish(MILL.topic("ack"), b"end", qos=1)
        assert await heard(edge, b"end") == [(MILL.topic("ack"), b"stored")]


async def test_an_edge_speaks_for_itself_alone_and_acknowledges_nothing(broker: Broker) -> None:
    async with (
        broker.connected("collector") as collector,
        broker.connected("mill/gate") as mill,
        broker.connected("depot/gate") as depot,
    ):
        await collector.subscribe(SHARED_BATCHES, qos=1)
        await depot.subscribe(DEPOT.topic("ack"), qos=1)
        await mill.subscribe("leanmeter/v1/#", qos=1)
        await mill.publish(DEPOT.topic("batch"), b"in another's name", qos=1)
        await mill.publish(DEPOT.topic("ack"), b"forged", qos=1)
        await mill.publish(MILL.topic("ack"), b"forged for itself", qos=1)
        await depot.publish(DEPOT.topic("batch"), b"not for the mill", qos=1)
        await depot.publish(DEPOT.topic("batch"), b"end", qos=1)
        assert await heard(collector, b"end") == [(DEPOT.topic("batch"), b"not for the mill")]
        for topic in (DEPOT.topic("ack"), MILL.topic("ack")):
            await collector.publish(topic, b"end", qos=1)
        assert await heard(depot, b"end") == []
        assert await heard(mill, b"end") == []


@pytest.mark.parametrize(
    ("username", "password"), [(None, None), ("mill/gate", "guessed"), ("mill/other", "x"), ("+/gate", "x")]
)
async def test_nobody_else_is_let_in(broker: Broker, username: str | None, password: str | None) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed|bad user"):
        async with broker.connected(username, password):
            pass


async def test_without_tls_there_is_no_answer(broker: Broker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client(
            LOOPBACK, broker.port, username="mill/gate", password=broker.password("mill/gate"), timeout=3.0
        ):
            pass
