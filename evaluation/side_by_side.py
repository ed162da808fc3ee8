"""Several pieces of work at once: while one waits for the store, another is computed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Found = TypeVar("Found")


async def side_by_side(work: Iterable[Callable[[], Awaitable[Found]]], at_once: int) -> list[Found]:
    """What each piece of work returns, in their order; at most `at_once` are under way.

    When one raises, the others are cancelled and ended before it is raised here.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(piece: Callable[[], Awaitable[Found]]) -> Found:
        async with gate:
            return await piece()

    tasks = [asyncio.create_task(one(piece)) for piece in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
