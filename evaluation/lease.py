"""Being the only evaluation, and noticing when that is over."""

import secrets
import time

from store.entities import Entities

NAME = "evaluation"
TTL_S = 10.0
RENEW_AFTER_S = 3.0


class LeaseLostError(Exception):
    """Another process evaluates now; nothing may be written any more until the lease is ours again."""


class EvaluationLease:
    """The lease of one process. A process that was killed leaves it free after `TTL_S` seconds."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._owner = secrets.token_hex(8)
        self._renewed_s = float("-inf")

    async def acquire(self) -> bool:
        """Take or extend it; False while another has it."""
        asked_s = time.monotonic()
        acquired = await self._entities.acquire_lease(NAME, self._owner, TTL_S)
        self._renewed_s = asked_s if acquired else float("-inf")
        return acquired

    async def hold(self) -> None:
        """Make sure that it is still ours, before a write; raises LeaseLostError when it is not.

        A process that was stopped for a while must not write over what another has computed from newer readings.
        """
        if time.monotonic() - self._renewed_s > RENEW_AFTER_S and not await self.acquire():
            raise LeaseLostError("another process evaluates now")

    async def release(self) -> None:
        """Let the next one have it at once."""
        await self._entities.release_lease(NAME, self._owner)
