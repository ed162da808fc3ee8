import asyncio

import aiomqtt
import pytest

from tests.servers.mosquitto import Mosquitto, MosquittoFactory
from tests.servers.ports import accepts_connections


def client(broker: Mosquitto, identifier: str) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host, broker.port, identifier=identifier, protocol=aiomqtt.ProtocolVersion.V5, timeout=10
    )


async def test_a_published_message_arrives(mosquitto: Mosquitto) -> None:
    async with client(mosquitto, "reader") as reader, client(mosquitto, "writer") as writer:
        await reader.subscribe("leanmeter/#", qos=1)
        await writer.publish("leanmeter/v1/a/b/batch", b"\x01payload", qos=1)
        message = await asyncio.wait_for(anext(aiter(reader.messages)), 10)
    assert (message.topic.value, message.payload) == ("leanmeter/v1/a/b/batch", b"\x01payload")


@pytest.mark.parametrize("persistent", [True, False])
async def test_a_retained_message_outlives_a_kill_only_on_a_persistent_broker(
    start_mosquitto: MosquittoFactory, *, persistent: bool
) -> None:
    broker = start_mosquitto(persistent=persistent)
    async with client(broker, "writer") as writer:
        for number in range(3):
            await writer.publish(f"leanmeter/{number}", b"kept", qos=1, retain=True)
    broker.kill()
    assert not accepts_connections(broker.host, broker.port)
    broker.start()
    async with client(broker, "reader") as reader:
        await reader.subscribe("leanmeter/#", qos=1)
        if persistent:
            message = await asyncio.wait_for(anext(aiter(reader.messages)), 10)
            assert message.payload == b"kept"
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(aiter(reader.messages)), 0.5)


def test_a_bad_configuration_fails_at_once_and_shows_the_log(start_mosquitto: MosquittoFactory) -> None:
    with pytest.raises(AssertionError, match="no_such_setting"):
        start_mosquitto(settings="no_such_setting true")
