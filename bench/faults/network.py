"""A network that resets, falls silent, leaves connections half-open or is slow, between agent and broker."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.faults.line import line
from bench.faults.registry import Outcome, Size, fault
from tests.servers.ports import free_port
from tests.servers.proxy import Proxy


@fault("network: resets, silence, half-open connections, delay")
def network(size: Size, folder: Path) -> Outcome:
    """One of them each second, for up to a second."""
    port = free_port()
    with line(folder, size, port=port) as made:
        with _proxy(port, made.broker.port, size.faults):
            pass
        with _proxy(port, made.broker.port, 0) as stop:
            made.finish()
            stop()
        return made.outcome(size.faults)


@contextmanager
def _proxy(port: int, target: int, faults: int) -> Iterator[Callable[[], None]]:
    """A proxy in a thread: with faults until they are over, without any until it is told to stop."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with Proxy(target, listen_port=port) as proxy:
            await (_disturb(proxy, faults) if faults else stop.wait())
            proxy.release()

    def end() -> None:
        loop.call_soon_threadsafe(stop.set)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield end
    finally:
        if not faults:
            end()
        thread.join()
        loop.close()


async def _disturb(proxy: Proxy, faults: int) -> None:
    chance = random.Random(5)
    for _ in range(faults):
        await asyncio.sleep(chance.uniform(0.2, 1.0))
        match chance.randrange(4):
            case 0:
                proxy.reset()
            case 1:
                proxy.hold()
                await asyncio.sleep(chance.uniform(0.1, 1.0))
                proxy.release()
            case 2:
                proxy.forget()
                await asyncio.sleep(chance.uniform(0.1, 0.5))
                proxy.reset()
            case 3:
                proxy.delay_s = chance.uniform(0.01, 0.3)
                await asyncio.sleep(chance.uniform(0.1, 1.0))
                proxy.delay_s = 0.0
