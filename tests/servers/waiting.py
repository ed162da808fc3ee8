"""Waiting for a condition, with a deadline instead of a guessed sleep."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

POLL_INTERVAL_S = 0.02

Result = TypeVar("Result")


def eventually(predicate: Callable[[], Result], timeout_s: float = 10.0, what: str = "the condition") -> Result:
    """Calls the predicate until it returns something true, and returns that; fails after ``timeout_s`` seconds.

    What the predicate raises ends the wait at once: only "not yet" is worth another try.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s} s; last seen: {result!r}")
        time.sleep(POLL_INTERVAL_S)


@overload
async def eventually_async(
    predicate: Callable[[], Awaitable[Result]], timeout_s: float = 10.0, what: str = "the condition"
) -> Result: ...


@overload
async def eventually_async(
    predicate: Callable[[], Result], timeout_s: float = 10.0, what: str = "the condition"
) -> Result: ...


async def eventually_async(predicate: Callable[[], Any], timeout_s: float = 10.0, what: str = "the condition") -> Any:
    """The same for an event loop, which goes on meanwhile; the predicate may be a coroutine function."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = predicate()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s} s; last seen: {result!r}")
        await asyncio.sleep(POLL_INTERVAL_S)
