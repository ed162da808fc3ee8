"""Keeps totals monotonic: what leaves the edge is total = raw + offset, with offset 0 at the start.

A reading that does not follow from the one before is held back until the next ones tell what it was. Pure: integers
in steps of 10**exponent go in, integers and events come out.
"""

from dataclasses import dataclass
from enum import StrEnum

from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES, Kind

CONFIRMATIONS = 3
"""How many readings in a row must agree on a step before it is believed."""

RESET_SHARE = 100
"""After a reset a register stands near 0: below one hundredth of where it stood."""

MAXIMUM_RATE_PER_S = {"kWh": 30.0, "kvarh": 30.0, "kVAh": 30.0, "m3": 10.0, "kg": 1000.0}
"""What no factory exceeds (108 MW, 36,000 m3/h): a faster total is a damaged reading."""

JITTER_STEPS = 2
JITTER_SHARE = 10_000_000
"""Backwards by no more than 2 steps or a ten-millionth (half a step of a 32-bit float) is no step at all."""


class CounterEventKind(StrEnum):
    """What happened to a total."""

    TRANSIENT = "transient"
    """A reading far off, and the next ones were right again."""
    JITTER = "jitter"
    """A reading slightly below the last one."""
    WRAP = "wrap"
    """The register went over its highest value and started again at 0."""
    RESET = "reset"
    """The register was set to 0."""
    STEP = "step"
    """The register stands elsewhere, up or down: most likely another meter."""
    SWAP = "swap"
    """Another meter answers: its serial number is another one."""


@dataclass(frozen=True, slots=True)
class CounterEvent:
    """Something that happened to a total. Readings and the new offset are in steps of 10**exponent."""

    kind: CounterEventKind
    device: str
    quantity: str
    before: int
    after: int
    offset: int
    exponent: int
    time_ms: int


@dataclass(slots=True)
class CounterState:
    """What has to survive a restart. `time_ms` is when `last` was read."""

    last: int
    offset: int
    exponent: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class CounterUpdate:
    """A total that may be published; `total` is None while a reading is held back."""

    total: int | None
    quality: Quality
    event: CounterEvent | None = None


def is_monotonic_total(quantity: str) -> bool:
    """Whether a quantity only ever counts up: totals do, net and signed ones do not."""
    known = QUANTITIES.get(quantity)
    return known is not None and known.kind is Kind.TOTAL and "_net" not in quantity


class Counter:
    """One total of one device.

    `modulus` is the raw value, in steps, at which the register starts again at 0, None where it is not known.
    """

    def __init__(
        self, device: str, quantity: str, exponent: int, modulus: int | None = None, state: CounterState | None = None
    ) -> None:
        self._device = device
        self._quantity = quantity
        self._modulus = modulus
        rate = MAXIMUM_RATE_PER_S.get(QUANTITIES[quantity].unit) if quantity in QUANTITIES else None
        self._steps_per_ms = None if rate is None else rate / 1000 / 10.0**exponent
        self._exponent = exponent
        self._held: list[int] = []
        self._jittering = False
        self._swapped = False
        self.state = None if state is None else rescaled(state, exponent)

    def update(self, raw: int, time_ms: int, quality: Quality = Quality.GOOD) -> CounterUpdate:
        """Take a reading in steps of 10**exponent; a reading without a value never comes here."""
        state = self.state
        if state is None:
            return self._start(raw, time_ms, quality)
        if self._swapped:
            self._swapped = False
            return self._go_on(CounterEventKind.SWAP, state.last + state.offset - raw, raw, time_ms, quality)
        if self._is_jitter(raw, state.last):
            return self._jitter(raw, time_ms, quality)
        if self._follows(raw, time_ms, state):
            event = self._event(CounterEventKind.TRANSIENT, self._held[-1], raw, time_ms) if self._held else None
            self._held.clear()
            # A step below the last reading was published as the last one: it is kept as that.
            self._jittering = False
            state.last, state.time_ms = raw, time_ms
            return CounterUpdate(raw + state.offset, quality, event)
        return self._hold(raw, time_ms, quality)

    def swap(self) -> None:
        """Another meter is there: whatever it shows next, the total goes on from where it stands."""
        self._swapped = True
        self._held.clear()

    def _start(self, raw: int, time_ms: int, quality: Quality) -> CounterUpdate:
        # A meter that is starting up shows 0 for a moment: only a 0 that stays is where it stands.
        if raw == 0 and len(self._held) + 1 < CONFIRMATIONS:
            self._held.append(raw)
            return CounterUpdate(None, Quality.DEVICE_ERROR)
        self._held.clear()
        self.state = CounterState(raw, 0, self._exponent, time_ms)
        return CounterUpdate(raw, quality)

    def _is_jitter(self, raw: int, last: int) -> bool:
        return last > raw >= last - max(JITTER_STEPS, abs(last) // JITTER_SHARE) and raw > 0

    def _jitter(self, raw: int, time_ms: int, quality: Quality) -> CounterUpdate:
        assert self.state is not None  # noqa: S101  # tells mypy what update() has checked
        self._held.clear()
        event = None if self._jittering else self._event(CounterEventKind.JITTER, self.state.last, raw, time_ms)
        self._jittering = True
        return CounterUpdate(self.state.last + self.state.offset, quality, event)

    def _follows(self, raw: int, time_ms: int, state: CounterState) -> bool:
        if raw < state.last:
            return False
        elapsed_ms = time_ms - state.time_ms
        # A clock that was set back says nothing about how long ago the last reading was.
        if self._steps_per_ms is None or elapsed_ms < 0:
            return True
        return raw - state.last <= self._steps_per_ms * max(elapsed_ms, 1000) + JITTER_STEPS

    def _hold(self, raw: int, time_ms: int, quality: Quality) -> CounterUpdate:
        if self._held and not self._agrees(raw, self._held[-1]):
            self._held.clear()
        self._held.append(raw)
        if len(self._held) < CONFIRMATIONS:
            return CounterUpdate(None, Quality.DEVICE_ERROR)
        assert self.state is not None  # noqa: S101  # tells mypy what update() has checked
        before, total = self.state.last, self.state.last + self.state.offset
        kind, offset = self._explain(before, self.state.offset, self._held[0])
        # Two different explanations must never let a total go back.
        return self._go_on(kind, max(offset, total - raw), raw, time_ms, quality)

    def _go_on(self, kind: CounterEventKind, offset: int, raw: int, time_ms: int, quality: Quality) -> CounterUpdate:
        assert self.state is not None  # noqa: S101  # tells mypy what update() has checked
        before = self.state.last
        self.state = CounterState(raw, offset, self._exponent, time_ms)
        self._held.clear()
        return CounterUpdate(raw + offset, quality, self._event(kind, before, raw, time_ms))

    def _agrees(self, raw: int, held: int) -> bool:
        """Whether a reading follows from the one held back, at a rate that exists."""
        if raw < held:
            return self._is_jitter(raw, held)
        return self._steps_per_ms is None or raw - held <= self._steps_per_ms * 60_000 + JITTER_STEPS

    def _explain(self, before: int, offset: int, raw: int) -> tuple[CounterEventKind, int]:
        modulus = self._modulus
        if modulus is not None and raw < before <= modulus and modulus - before + raw <= modulus // 10:
            return CounterEventKind.WRAP, offset + modulus
        if 0 <= raw <= before // RESET_SHARE:
            return CounterEventKind.RESET, offset + before
        return CounterEventKind.STEP, offset + before - raw

    def _event(self, kind: CounterEventKind, before: int, after: int, time_ms: int) -> CounterEvent:
        offset = self.state.offset if self.state else 0
        return CounterEvent(kind, self._device, self._quantity, before, after, offset, self._exponent, time_ms)


def rescaled(state: CounterState, exponent: int) -> CounterState:
    """The same state in steps of another exponent: a profile may learn a finer resolution."""
    if exponent == state.exponent:
        return state
    if exponent < state.exponent:
        factor = 10 ** (state.exponent - exponent)
        return CounterState(state.last * factor, state.offset * factor, exponent, state.time_ms)
    divisor = 10 ** (exponent - state.exponent)
    # Rounded so that the total never goes back.
    last = state.last // divisor
    return CounterState(last, -(-(state.last + state.offset) // divisor) - last, exponent, state.time_ms)
