import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from evaluation.side_by_side import side_by_side


class Watched:
    """Pieces of work that count how many are under way."""

    def __init__(self) -> None:
        self.under_way = self.most = 0
        self.cancelled: list[int] = []
        self.began = asyncio.Event()

    async def piece(self, number: int, turns: int) -> int:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.began.set()
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        finally:
            self.under_way -= 1
        return number


async def test_results_stand_in_the_order_of_the_work_however_long_each_takes() -> None:
    watched = Watched()

    found = await side_by_side([partial(watched.piece, number, 20 - 4 * number) for number in range(5)], 3)

    assert found == [0, 1, 2, 3, 4]
    assert watched.most == 3


async def test_when_one_fails_the_others_have_ended_before_it_is_told() -> None:
    watched = Watched()

    async def fails() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    def piece(number: int) -> Callable[[], Awaitable[int]]:
        return partial(watched.piece, number, 1000)

    with pytest.raises(ValueError, match="no"):
        await side_by_side([piece(0), fails, piece(2), piece(3)], 3)

    assert watched.under_way == 0
    assert {0, 2} <= set(watched.cancelled)


async def test_who_is_cancelled_leaves_nothing_running() -> None:
    watched = Watched()
    waiting = asyncio.create_task(side_by_side([partial(watched.piece, 0, 1000)], 2))
    await watched.began.wait()

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert watched.cancelled == [0]
