"""Says once that something is out of reach, again now and then, and once that it is back."""

import logging
import time

from store.protocol import StoreConfigurationError

logger = logging.getLogger(__name__)

REPEAT_S = 60.0


class Outage:
    """The state of something that may be out of reach.

    Args:
        what: its name in the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None
        self._said = 0.0

    def failed(self, problem: Exception) -> None:
        """A try has failed: nothing is lost, but for a problem that stays until somebody acts, he is called."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        elif now - self._said < REPEAT_S:
            return
        self._said = now
        level = logging.ERROR if isinstance(problem, StoreConfigurationError) else logging.WARNING
        logger.log(level, "%s out of reach for %.0f s, trying again: %s", self._what, now - self._since, problem)

    def succeeded(self) -> None:
        """A try went well."""
        if self._since is not None:
            logger.warning("%s is back after %.0f s", self._what, time.monotonic() - self._since)
            self._since = None
