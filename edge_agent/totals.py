"""All totals of an edge: what has to survive a restart goes with the readings into the outbox."""

import logging
import secrets
from collections import deque

import msgspec

from device_profiles.profile import Encoding, Register
from edge_agent.counters import Counter, CounterEvent, CounterEventKind, CounterState, CounterUpdate, is_monotonic_total
from edge_agent.day_counts import DayCounts, Days
from edge_agent.integrals import Integral
from edge_agent.life import Life
from edge_agent.weighing import WeighingDetector, WeighingEvent, WeighingState
from wire_format.events import Event, EventKind
from wire_format.quality import Quality

MAXIMUM_EVENTS = 1000

log = logging.getLogger(__name__)


class _Saved(msgspec.Struct, array_like=True):
    """The bytes of the state: format 1, the epoch that began with an empty state, and what is kept for each device.

    Later versions add fields at the end, so that each reads what the other wrote.
    """

    format: int
    epoch: str
    counters: dict[str, dict[str, tuple[int, int, int, int]]]
    weighings: dict[str, tuple[int, bool, int]]
    serial_numbers: dict[str, str] = {}
    integrals: dict[str, dict[str, tuple[int, float]]] = {}
    days: Days = {}
    life: Life = msgspec.field(default_factory=Life)


class Totals:
    """Counters and weighing detectors of all devices.

    `urgent` becomes true when an offset or a weighing changed: the state must go out with the reading that shows it.
    A last reading may be older in the state than on the wire, since it only serves to recognise a reset; a total that
    is made here would go back, so what it has grown by must go out too.
    """

    def __init__(self) -> None:
        self._counters: dict[str, dict[str, Counter]] = {}
        self._detectors: dict[str, WeighingDetector] = {}
        self._integrals: dict[str, dict[str, Integral]] = {}
        self._saved = _Saved(1, secrets.token_hex(8), {}, {})
        self.urgent = True
        self.events: deque[CounterEvent | WeighingEvent | Event] = deque(maxlen=MAXIMUM_EVENTS)
        """What happened, for whoever publishes it: take from the left. The oldest are dropped when nobody does."""
        self.days = DayCounts(self._saved.days)
        """How much was kept of each device."""

    @property
    def must_go_out(self) -> bool:
        """Whether the state must go out with what is read now."""
        return self.urgent or any(
            integral.total != self._saved.integrals.get(device, {}).get(name, (0, 0.0))[0]
            for device, integrals in self._integrals.items()
            for name, integral in integrals.items()
        )

    def restore(self, state: bytes) -> None:
        """Go on from the state of an earlier run, before anything is counted; a damaged one is told and left aside."""
        if not state:
            return
        try:
            self._saved = msgspec.msgpack.decode(state, type=_Saved)
            self.days = DayCounts(self._saved.days)
        except msgspec.MsgspecError as problem:
            log.error(  # noqa: TRY400  # a trace would tell nobody more
                "the state of totals cannot be read (%s): totals start at what the meters show", problem
            )

    @property
    def life(self) -> Life:
        """What the agent remembers of itself."""
        return self._saved.life

    def counter(self, device: str, quantity: str, exponent: int, modulus: int | None) -> Counter:
        """The counter of a total, which goes on from where an earlier one of it stood."""
        counters = self._counters.setdefault(device, {})
        if quantity in counters:
            state = counters[quantity].state
        else:
            saved = self._saved.counters.get(device, {}).get(quantity)
            state = None if saved is None else CounterState(*saved)
        counters[quantity] = Counter(device, quantity, exponent, modulus, state)
        return counters[quantity]

    def detector(self, device: str, threshold: int, exponent: int) -> WeighingDetector:
        """The weighing detector of a scale, made anew when the scale's resolution changed."""
        earlier = self._detectors.get(device)
        if earlier is not None:
            state: WeighingState | None = earlier.state
        else:
            saved = self._saved.weighings.get(device)
            state = None if saved is None else WeighingState(*saved)
        self._detectors[device] = WeighingDetector(threshold, exponent, state)
        return self._detectors[device]

    def integral(self, device: str, quantity: str) -> Integral:
        """The integrated total of a device without one, which goes on from where it stood."""
        integrals = self._integrals.setdefault(device, {})
        if quantity not in integrals:
            total, remainder = self._saved.integrals.get(device, {}).get(quantity, (0, 0.0))
            integrals[quantity] = Integral(total, remainder)
        return integrals[quantity]

    def identify(self, device: str, serial_number: str, time_ms: int) -> None:
        """Take note of which meter answers; when it is another one, the device's totals go on from where they stand."""
        known = self._saved.serial_numbers.get(device)
        if known == serial_number:
            return
        self._saved.serial_numbers[device] = serial_number
        self.urgent = True
        if known is None:
            return
        log.warning("%s is another meter since %d: its totals go on from where they stood", device, time_ms)
        for counter in self._counters.get(device, {}).values():
            counter.swap()

    def weighed(self, event: WeighingEvent) -> None:
        """Take note of a weighing."""
        self.urgent = True
        self.events.append(event)
        log.info("%s: weighed %de%d kg", event.device, event.mass, event.exponent)

    def doubted(self, device: str, subject: str, reason: str, time_ms: int) -> None:
        """Take note that what a device says is no longer believed; who told it logs it."""
        self.events.append(Event(device, EventKind.DEVICE_DOUBTED, time_ms, subject, reason))

    def note(self, update: CounterUpdate) -> None:
        """Tell people what happened to a total, and remember it durably."""
        event = update.event
        if event is None:
            return
        self.events.append(event)
        if event.kind not in {CounterEventKind.JITTER, CounterEventKind.TRANSIENT}:
            self.urgent = True
        level = logging.INFO if event.kind is CounterEventKind.JITTER else logging.WARNING
        log.log(
            level,
            "%s %s: %s from %de%d to %de%d",
            event.device,
            event.quantity,
            event.kind.value,
            event.before,
            event.exponent,
            event.after,
            event.exponent,
        )

    def encode(self) -> bytes:
        """The state as bytes. Devices that are not in use now keep what they had."""
        for device, counters in self._counters.items():
            self._saved.counters.setdefault(device, {}).update(
                {
                    quantity: (state.last, state.offset, state.exponent, state.time_ms)
                    for quantity, counter in counters.items()
                    if (state := counter.state) is not None
                }
            )
        for device, integrals in self._integrals.items():
            self._saved.integrals[device] = {name: (value.total, value.remainder) for name, value in integrals.items()}
        for device, detector in self._detectors.items():
            self._saved.weighings[device] = (detector.state.total, detector.state.counted, detector.state.exponent)
        self.urgent = False
        return msgspec.msgpack.encode(self._saved)


class DeviceTotals:
    """Puts the totals of a device's rows right, in place."""

    def __init__(self, totals: Totals, device: str, registers: tuple[Register, ...]) -> None:
        self._totals = totals
        self._counters = [
            (index, totals.counter(device, register.quantity, register.exponent, _modulus(register)))
            for index, register in enumerate(registers)
            if is_monotonic_total(register.quantity)
        ]

    def apply(self, integers: list[int | None], quality: list[Quality], time_ms: int) -> None:
        """Replace raw readings by totals; one that is held back becomes a missing value."""
        for index, counter in self._counters:
            raw = integers[index]
            if raw is None or quality[index] is Quality.OUT_OF_RANGE:
                integers[index] = None
                continue
            update = counter.update(raw, time_ms, quality[index])
            if update.event is not None:
                self._totals.note(update)
            integers[index], quality[index] = update.total, update.quality


_WIDTHS = {Encoding.U16: 1 << 16, Encoding.U32: 1 << 32, Encoding.U64: 1 << 64}


def _modulus(register: Register) -> int | None:
    """At how many steps a register starts again, None where the device's own scale is not known beforehand.

    Where the profile does not tell, it is the register's width at the latest: a total that stood in the last tenth of
    it and starts again at 0 was full.
    """
    modulus = register.counter_modulus or _WIDTHS.get(register.encoding)
    if modulus is None and register.encoding in {Encoding.BCD, Encoding.MOD10K}:
        modulus = 10_000**register.count
    if modulus is None or register.scale_factor or register.multiplier:
        return None
    return round(modulus * register.scale / 10.0**register.exponent)
