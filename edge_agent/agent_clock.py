"""The agent's clock: the system's, put right by others while the system itself does not know what time it is."""

import logging
from collections.abc import Callable
from pathlib import Path

from edge_agent.clock import Clock, SteadyClock, clock_source

EARLIEST_TIME_MS = 1_735_689_600_000
"""2025-01-01: a clock that says less was never set. A computer without one starts at its image's date or in 1970."""
TOLERANCE_MS = 5_000.0
"""A system clock this near to the collector's is left as it is: the answer was under way for a while too."""
BEHIND_MS = 60_000
"""A clock that is so far behind the last time at which the agent lived has not been set since."""

log = logging.getLogger(__name__)


def boot_id() -> str:
    """Tells one start of the computer from another; empty where the system has no such thing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class AgentClock:
    """Sources in order of trust: ntp, hardware, the collector's time, a visitor's, none.

    A system without any source is believed when its time is likely: not before 2025, not before the agent last lived,
    and the computer has not been started since (one without a battery then goes on where it was switched off).

    Args:
        system: the clocks of the operating system.
        system_source: what the system's time rests on: ntp, hardware, none.
        boot: the computer's present start.
    """

    def __init__(
        self, system: Clock, system_source: Callable[[], str] = clock_source, boot: Callable[[], str] = boot_id
    ) -> None:
        self.boot_id = boot()
        self.on_step: Callable[[float], None] = lambda _: None
        """Called with the ms by which the time stepped, back if negative."""
        self._system = system
        self._system_source = system_source
        self._believed_source = system_source()
        self._corrected_by = ""
        self._offset_ms = 0.0
        self._alive_ms = 0
        self._restarted = False
        self._steady = SteadyClock(_Corrected(self), self._stepped)

    def remember(self, alive_ms: int, boot: str) -> None:
        """Tell when the agent last lived, and in which start of the computer."""
        self._alive_ms = alive_ms
        self._restarted = bool(boot) and boot != self.boot_id

    @property
    def source(self) -> str:
        """What the time rests on."""
        if self._believed_source == "hardware" and not self._is_likely():
            return self._corrected_by or "none"
        return self._believed_source if self._believed_source != "none" else self._corrected_by or "none"

    @property
    def is_known(self) -> bool:
        """Whether samples can be given their times."""
        return self.source != "none" or (self._is_likely() and not self._restarted)

    @property
    def offset_ms(self) -> float:
        """By how much the system's time is put right."""
        return self._offset_ms

    def check_source(self) -> bool:
        """Ask the system again; returns whether the source has changed."""
        before = self.source
        self._believed_source = self._system_source()
        if self._believed_source == "ntp":
            self._corrected_by, self._offset_ms = "", 0.0
        return self.source != before

    def adopt(self, source: str, wall_ms: float, at_s: float) -> bool:
        """Somebody says what time it was at `at_s` of the monotonic clock; returns whether that is believed."""
        if self._believed_source == "ntp" or self.source == "hardware" or wall_ms < EARLIEST_TIME_MS:
            return False
        if source == "visitor" and self._corrected_by == "collector":
            return False
        system_ms = self._system.wall_ms() - (self._system.monotonic_s() - at_s) * 1000
        offset_ms = wall_ms - system_ms
        if self._corrected_by != source:
            log.warning("the %s says what time it is: the system's clock is %.1f s off", source, -offset_ms / 1000)
        if abs(offset_ms - self._offset_ms) > TOLERANCE_MS:
            self._offset_ms = offset_ms
        self._corrected_by = source
        return True

    def wall_ms(self) -> float:
        """Milliseconds since 1970 UTC."""
        return self._steady.wall_ms()

    def monotonic_s(self) -> float:
        """Seconds since some moment, never set back; the same for all programs until the computer is started again."""
        return self._system.monotonic_s()

    async def sleep(self, duration_s: float) -> None:
        """Let others run for that long."""
        await self._system.sleep(duration_s)

    def corrected_ms(self) -> float:
        """The system's time put right, without `SteadyClock`'s smoothing."""
        return self._system.wall_ms() + self._offset_ms

    def _is_likely(self) -> bool:
        return self.corrected_ms() >= max(EARLIEST_TIME_MS, self._alive_ms - BEHIND_MS)

    def _stepped(self, by_ms: float) -> None:
        # It may be right after a step that somebody made by hand.
        self._restarted = self._restarted and abs(by_ms) < BEHIND_MS
        self.on_step(by_ms)


class _Corrected:
    def __init__(self, clock: AgentClock) -> None:
        self._clock = clock
        self.monotonic_s = clock.monotonic_s
        self.sleep = clock.sleep

    def wall_ms(self) -> float:
        return self._clock.corrected_ms()
