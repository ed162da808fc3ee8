"""Being the only one of several processes that does something, and noticing when that is over."""

import secrets
import time

from store.entities import Entities

TTL_S = 10.0
RENEW_AFTER_S = 3.0


class LeaseLostError(Exception):
    """Another process does it now; nothing may be done any more until the lease is ours again."""


class HeldLease:
    """The lease of one process. A process that was killed leaves it free after `TTL_S` seconds.

    `owner` is the name under which this process has it.

    Args:
        entities: where leases are.
        name: of what only one may do.
    """

    def __init__(self, entities: Entities, name: str) -> None:
        self._entities = entities
        self._name = name
        self.owner = secrets.token_hex(8)
        self._renewed_s = float("-inf")

    async def acquire(self) -> bool:
        """Take or extend it; False while another has it."""
        asked_s = time.monotonic()
        acquired = await self._entities.acquire_lease(self._name, self.owner, TTL_S)
        self._renewed_s = asked_s if acquired else float("-inf")
        return acquired

    async def hold(self) -> None:
        """Make sure that it is still ours, before something is done; raises LeaseLostError when it is not.

        A process that was stopped for a while must not go on where another has taken over.
        """
        if time.monotonic() - self._renewed_s > RENEW_AFTER_S and not await self.acquire():
            raise LeaseLostError(f"another process has the lease {self._name!r} now")

    async def release(self) -> None:
        """Let the next one have it at once."""
        await self._entities.release_lease(self._name, self.owner)
