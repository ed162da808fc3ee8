"""A TCP proxy that a test puts between two programs, to have a network that fails."""

import contextlib
from collections.abc import AsyncIterator

from simulators.broker_link import BrokerLink as Proxy

__all__ = ["Proxy", "proxy_to"]


@contextlib.asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy to a port on loopback for the length of a block."""
    async with Proxy(port) as proxy:
        yield proxy
