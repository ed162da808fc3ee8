"""An agent that takes a changed site file while it runs, and goes on with the one before when the new one is wrong."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.agent import Agent
from edge_agent.errors import AgentConfigurationError
from leanmeter import service_manager
from site_config.errors import ConfigurationError
from site_config.schema import Site

_FIXED = ("site", "edge", "data_dir")
"""What a reload cannot change: it says whose outbox this is."""

log = logging.getLogger(__name__)


class ReloadingAgent:
    """Runs agents one after the other on the same outbox, which a reload neither moves nor empties.

    Args:
        agent: the first one.
        load: reads the site file; raises ConfigurationError.
        profile_directories: of the user.
    """

    def __init__(self, agent: Agent, load: Callable[[], Site], profile_directories: Sequence[Path] = ()) -> None:
        self.agent = agent
        self._load = load
        self._profile_directories = profile_directories
        self._stop = asyncio.Event()
        self._stopped = False
        self._next: Agent | None = None

    def stop(self) -> None:
        """End."""
        self._stopped = True
        self._stop.set()

    def reload(self) -> None:
        """Take the site file as it is now, or say in one line why not."""
        service_manager.reloading()
        try:
            self._next = self._made(self._load())
        except ConfigurationError as problem:
            log.error("not reloaded, the configuration before is used: %s", problem)  # noqa: TRY400  # the user's file
            service_manager.notify("READY=1")
            return
        log.warning("the site file is read again; lines are opened anew")
        self.agent.drain_timeout_s = 0.0
        self._stop.set()

    async def run(self) -> None:
        """Run until `stop`; raises what the first agent's `run` raises."""
        before: Agent | None = None
        while not self._stopped:
            try:
                await self.agent.run(self._stop)
            except ConfigurationError as problem:
                if before is None:
                    raise
                log.error("not reloaded, the configuration before is used: %s", problem)  # noqa: TRY400  # as above
                self.agent, before = Agent(before.site, profile_directories=self._profile_directories), None
                continue
            if self._next is not None and not self._stopped:
                before, self.agent, self._next = self.agent, self._next, None
                self._stop = asyncio.Event()
                service_manager.notify("READY=1")

    def _made(self, site: Site) -> Agent:
        for name in _FIXED:
            if getattr(site, name) != getattr(self.agent.site, name):
                raise AgentConfigurationError(f"{name}: cannot be changed while the agent runs; restart it")
        return Agent(site, profile_directories=self._profile_directories)
