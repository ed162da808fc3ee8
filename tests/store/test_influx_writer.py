"""Requests to InfluxDB: joined while they wait, and never two at a time."""

import asyncio
from typing import TYPE_CHECKING, cast

from store.influx_writer import InfluxWriter

if TYPE_CHECKING:
    from store.influx_requests import InfluxRequests


class _Requests:
    """Takes every line after a moment; tells how many requests there were, and how many at once."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.most_at_once = 0
        self._under_way = 0

    async def write(self, lines: bytes) -> None:
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        self.bodies.append(lines)
        self._under_way -= 1


async def test_one_request_is_under_way_and_what_waits_is_joined() -> None:
    requests = _Requests()
    writer = InfluxWriter(cast("InfluxRequests", requests))

    found = await asyncio.gather(*[writer.write([f"line {number}"]) for number in range(50)])
    await writer.close()

    assert found == [{}] * 50
    assert requests.most_at_once == 1
    assert requests.bodies == [b"line 0", b"\n".join(b"line %d" % number for number in range(1, 50))]
