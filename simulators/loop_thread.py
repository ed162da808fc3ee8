"""An event loop in a thread of its own, so that simulated devices answer while a test waits for them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

_LONGEST_CALL_S = 30.0
T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers of other threads."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="leanmeter simulators", daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; what still runs there is cancelled."""
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LONGEST_CALL_S)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; its exceptions come out here. Raises TimeoutError after half a minute."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_LONGEST_CALL_S)

    def call(self, work: Callable[[], T]) -> T:
        """The result of a function that runs between two requests, never in the middle of one."""

        async def called() -> T:
            return work()

        return self.run(called())


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
