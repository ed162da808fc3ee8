"""Pulses of a meter on a GPIO line, counted by the kernel through libgpiod."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from device_profiles.profile import Tier
from edge_agent.backoff import Backoff
from edge_agent.clock import Clock
from edge_agent.errors import AgentConfigurationError
from edge_agent.samples import ColumnShape, Reading, Sample, WholeReading, missing_sample
from edge_agent.totals import Totals
from site_config.schema import PulseInputSettings
from wire_format.quality import Quality

if TYPE_CHECKING:
    from gpiod import EdgeEvent, LineSettings

COUNTER = "counter_1"
RETRY_MINIMUM_S = 1.0
RETRY_MAXIMUM_S = 60.0

log = logging.getLogger(__name__)


class EdgeRequest(Protocol):
    """A line that the kernel watches: what is used of gpiod.LineRequest."""

    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool:
        """Whether there are events to read."""
        ...

    def read_edge_events(self, max_events: int | None = None) -> "list[EdgeEvent]":
        """Take events, the oldest first."""
        ...

    def release(self) -> None:
        """Let go of the line."""
        ...


EdgeSource = Callable[[str, int | str, "LineSettings"], EdgeRequest]
"""Begins to watch a line of a chip; raises OSError, or ValueError for a line that has no such name."""


def kernel_lines() -> EdgeSource:
    """Lines of this computer; raises AgentConfigurationError where the library is missing."""
    try:
        import gpiod  # noqa: PLC0415  # an extra of its own: most agents have no GPIO
    except ImportError as problem:
        raise AgentConfigurationError("a gpio line needs libgpiod: pip install 'leanmeter[gpio]'") from problem

    def request(chip: str, line: int | str, settings: "LineSettings") -> EdgeRequest:
        return gpiod.request_lines(chip, config={line: settings}, consumer="leanmeter")

    return request


class PulseInput:
    """Counts the pulses of one GPIO line since the first start; those that come while the agent stands still are lost.

    The kernel debounces the contact and numbers the pulses. They are counted by their numbers, so none is missed when
    there are more between two polls than it keeps.
    """

    tiers: tuple[Tier, ...] = ("fast",)
    timeout_s = 0.1
    _shape = (ColumnShape(COUNTER, "pulses", 0),)

    def __init__(
        self,
        device_id: str,
        chip: str,
        settings: PulseInputSettings,
        clock: Clock,
        totals: Totals,
        request_lines: EdgeSource,
    ) -> None:
        self.device_id = device_id
        self._chip = chip
        self._settings = settings
        self._clock = clock
        self._count = totals.integral(device_id, COUNTER)
        self._request_lines = request_lines
        self._request: EdgeRequest | None = None
        self._last_number = 0
        self._backoff = Backoff(RETRY_MINIMUM_S, RETRY_MAXIMUM_S)
        self._last_problem = ""

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:  # noqa: ARG002  # it never waits
        """The pulses until now."""
        time_ms = round(self._clock.wall_ms())
        try:
            self._count_pulses()
        except (OSError, ValueError) as problem:
            self.close()
            self._backoff.failed(self._clock.monotonic_s())
            self._report(str(getattr(problem, "strerror", None) or problem))
        if self._request is None:
            return missing_sample(self.device_id, self._shape, time_ms, Quality.LINK_ERROR)
        return Sample(self.device_id, self._shape, time_ms, (self._count.total,), (Quality.GOOD,))

    def begin(self, tier: Tier) -> Reading:
        """The same, in one step."""
        return WholeReading(self, tier)

    def close(self) -> None:
        """Let go of the line."""
        if self._request is not None:
            self._request.release()
            self._request = None

    def _count_pulses(self) -> None:
        """Raises OSError and ValueError, as libgpiod does."""
        if self._request is None:
            if not self._backoff.is_due(self._clock.monotonic_s()):
                return
            self._request = self._request_lines(self._chip, self._settings.line, line_settings(self._settings))
            self._last_number = 0
            self._backoff.succeeded()
            self._report("")
        while self._request.wait_edge_events(0):
            number = self._request.read_edge_events()[-1].line_seqno
            self._count.total += number - self._last_number
            self._last_number = number

    def _report(self, problem: str) -> None:
        """One line when a problem begins or changes, and one when it is over."""
        if problem == self._last_problem:
            return
        self._last_problem = problem
        where = f"{self.device_id} ({self._chip}, line {self._settings.line})"
        if problem:
            log.error("%s: %s; its pulses are not counted", where, problem)
        else:
            log.info("%s: pulses are counted", where)


def line_settings(settings: PulseInputSettings) -> "LineSettings":
    """What the kernel is asked for: one event for each time that the contact closes."""
    from gpiod import LineSettings  # noqa: PLC0415  # as above
    from gpiod.line import Bias, Direction, Edge  # noqa: PLC0415

    bias = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "none": Bias.DISABLED}[settings.pull]
    # A closed contact pulls a line that is held up to ground: active is low then.
    return LineSettings(
        direction=Direction.INPUT,
        edge_detection=Edge.RISING,
        bias=bias,
        active_low=settings.pull == "up",
        debounce_period=timedelta(seconds=settings.debounce_s),
    )
