"""One bad row never blocks its batch, one bad batch never its edge, one bad edge never the others: on a real broker."""

import asyncio
import time
from pathlib import Path
from typing import Any

from collector.quarantine import Quarantine
from store.server_file import ServerFile
from tests.collector.conftest import StartCollector
from tests.collector.edge import Edge, connected_edge
from tests.collector.test_collector import stored
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import eventually_async
from tests.store.rows import START_MS, column, powers, rows
from wire_format.batch import Batch
from wire_format.codec import encode_batch


def bounded(broker: Mosquitto, **limits: float) -> dict[str, Any]:
    return {"collector": {"mqtt": {"host": broker.host, "port": broker.port}, "limits": limits}}


async def test_an_edge_beyond_its_rate_is_not_answered_and_the_others_are_at_once(
    broker: Mosquitto, run_collector: StartCollector
) -> None:
    async with (
        run_collector(broker, **bounded(broker, batches_per_s=2)) as settings,
        connected_edge(broker, edge="loud") as loud,
        connected_edge(broker, edge="quiet") as quiet,
    ):
        flood = [loud.batch(powers("oven", {n: n})) for n in range(300)]
        flooding = asyncio.gather(*[loud.publish(batch) for batch in flood])
        delays_s = []
        for n in range(10):
            began_s = time.monotonic()
            await quiet.publish(quiet.batch(powers("mixer", {n: n})))
            assert (await quiet.answer()).stored
            delays_s.append(time.monotonic() - began_s)
        await flooding
        assert max(delays_s) < 3.0, delays_s
        # Ten seconds' worth of the flood was taken; the rest comes again, and is taken when it does.
        answered = await drain(loud)
        assert 20 <= answered <= 60
        assert (await stored(settings)).by_device == {"oven": answered, "mixer": 10}
        await eventually_async(lambda: answered_again(loud, flood[-1]))


async def answered_again(edge: Edge, batch: Batch) -> bool:
    await edge.publish(batch)
    return await drain(edge) == 1


async def drain(edge: Edge) -> int:
    count = 0
    while True:
        try:
            assert (await edge.answer(timeout_s=1.0)).stored
        except TimeoutError:
            return count
        count += 1


async def test_a_device_too_many_is_kept_aside_and_costs_nobody_anything(
    broker: Mosquitto, run_collector: StartCollector
) -> None:
    async with run_collector(broker, **bounded(broker, devices_per_edge=2)) as settings:
        for _ in range(2):
            async with connected_edge(broker) as edge:
                await edge.publish(edge.batch(*[powers(device, {0: 7}) for device in ("oven", "mixer", "fridge")]))
                answer = await edge.answer()
                assert answer.stored
                assert [(row.device, row.time_ms) for row in answer.refused] == [("fridge", START_MS)]
        assert (await stored(settings)).by_device == {"oven": 1, "mixer": 1}
        quarantine = Quarantine(settings.entities)
        ((number, seen),) = [(entry.number, entry.seen) for entry in await quarantine.entries()]
        assert seen == 2
        assert b'"integer":7' in (await quarantine.payload(number) or b"")
        await quarantine.close()


async def test_bad_rows_and_bad_batches_cost_only_themselves(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with (
        run_collector(broker) as settings,
        connected_edge(broker, edge="bad") as bad,
        connected_edge(broker, edge="good") as good,
    ):
        good_batches = []
        for n in range(20):
            times = [START_MS + 1000 * n, START_MS + 1000 * n + 1]
            mixed = bad.batch(rows("oven", [n, *times], column("active_power_total", n, n, n)))
            await bad.publish(mixed)
            await bad.publish_bytes(b"\x01" + bytes([n]) * 50, bad.batch().batch_id.to_bytes())
            await bad.publish_bytes(encode_batch(mixed), mixed.batch_id.to_bytes(), topic=f"leanmeter/v1/Bad/{n}/batch")
            good_batches.append(good.batch(powers("mixer", {n: n})))
            await good.publish(good_batches[-1])
        assert all(answer.stored for answer in (await good.answers_to(good_batches)).values())
        answers = [await bad.answer() for _ in range(40)]
        assert sorted(len(answer.refused) for answer in answers if answer.stored) == [1] * 20
        assert (await stored(settings)).by_device == {"oven": 40, "mixer": 20}
        assert await count_quarantined(settings) == 60


async def count_quarantined(settings: ServerFile) -> int:
    quarantine = Quarantine(Path(settings.entities))
    try:
        return len(await quarantine.entries())
    finally:
        await quarantine.close()
