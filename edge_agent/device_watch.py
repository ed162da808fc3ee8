"""Which devices answer, since when the others are silent, and what was wrong with what they said."""

from collections.abc import Iterable
from dataclasses import dataclass

from edge_agent.clock import Clock
from edge_agent.samples import Sample
from wire_format.quality import Quality


@dataclass(slots=True)
class DeviceState:
    """Of one device since the start; times are of the monotonic clock, None before it was ever heard."""

    heard_s: float | None = None
    answers: bool = False
    link_errors: int = 0
    device_errors: int = 0
    implausible: int = 0


class DeviceWatch:
    """Looks at each row. Errors are counted by rows: one that has several counts once for each kind."""

    def __init__(self, clock: Clock, devices: Iterable[str]) -> None:
        self._clock = clock
        self.devices = {device: DeviceState() for device in devices}

    def look(self, sample: Sample) -> None:
        """Take a row."""
        state = self.devices.get(sample.device)
        if state is None:
            return
        state.answers = sample.answered
        if sample.answered:
            state.heard_s = self._clock.monotonic_s()
        if any(sample.quality):
            state.link_errors += Quality.LINK_ERROR in sample.quality
            state.device_errors += Quality.DEVICE_ERROR in sample.quality or Quality.OVERFLOW in sample.quality
            state.implausible += Quality.OUT_OF_RANGE in sample.quality

    def alive(self) -> int:
        """How many answered when they were last asked."""
        return sum(state.answers for state in self.devices.values())

    def silent_for_s(self, device: str) -> float | None:
        """Since when a device has not been heard, 0 while it answers; None when it never was."""
        state = self.devices[device]
        if state.answers:
            return 0.0
        return None if state.heard_s is None else self._clock.monotonic_s() - state.heard_s
