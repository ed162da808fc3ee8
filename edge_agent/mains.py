"""Notices from the phase voltages that there are no mains, when meter and agent go on from a battery."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.life import Life
from edge_agent.samples import Sample, Shape
from wire_format.events import Event, EventKind

GONE_BELOW_V = 25.0
"""Less than a tenth of 230 V and a fifth of 120 V; a meter without mains shows 0 to some volts."""
THERE_ABOVE_V = 50.0
CONFIRMATIONS = 2
"""Rows in a row that must agree."""

_PHASES = frozenset({"voltage_l1_n", "voltage_l2_n", "voltage_l3_n", "voltage_l1_l2", "voltage_l2_l3", "voltage_l3_l1"})


@dataclass(slots=True)
class _Device:
    since_ms: int | None
    """When its voltages went, None while they are there."""
    doubts: int = 0
    first_doubt_ms: int = 0


class MainsWatch:
    """Looks at each row. A device counts once it has shown voltages, so one that is wired without them never does.

    When all devices with voltages have lost them it is told of the agent too: then there are no mains at all.

    Args:
        agent: the edge's own device.
        life: remembers outages over restarts.
        tell: takes an event, and whether it is a known one told with its end.
    """

    def __init__(self, agent: str, life: Life, tell: Callable[[Event, bool], None]) -> None:
        self._agent = agent
        self._life = life
        self._tell = tell
        self._devices = {device: _Device(since_ms) for device, since_ms in life.outages.items() if device != agent}
        self._columns: dict[Shape, tuple[tuple[int, float], ...]] = {}

    def look(self, sample: Sample) -> None:
        """Take a row, with the time that it goes out with."""
        columns = self._columns.get(sample.shape)
        if columns is None:
            columns = self._columns[sample.shape] = tuple(
                (index, 10.0**column.exponent)
                for index, column in enumerate(sample.shape)
                if column.quantity in _PHASES and column.unit == "V"
            )
        if not columns:
            return
        volts = [integer * factor for index, factor in columns if (integer := sample.integers[index]) is not None]
        if len(volts) == len(columns):
            self._judge(sample.device, sample.time_ms, max(volts))

    def _judge(self, name: str, time_ms: int, highest_v: float) -> None:
        device = self._devices.get(name)
        if device is None:
            if highest_v >= THERE_ABOVE_V:
                self._devices[name] = _Device(None)
            return
        is_gone = device.since_ms is not None
        if (highest_v >= THERE_ABOVE_V) if is_gone else (highest_v < GONE_BELOW_V):
            if not device.doubts:
                device.first_doubt_ms = time_ms
            device.doubts += 1
            if device.doubts >= CONFIRMATIONS:
                self._changed(name, device)
        else:
            device.doubts = 0

    def _changed(self, name: str, device: _Device) -> None:
        at_ms, device.doubts = device.first_doubt_ms, 0
        since_ms, device.since_ms = device.since_ms, None if device.since_ms is not None else at_ms
        self._note(name, since_ms, at_ms)
        whole = all(other.since_ms is not None for other in self._devices.values())
        began_ms = self._life.outages.get(self._agent)
        if whole != (began_ms is not None):
            self._note(self._agent, began_ms, at_ms)

    def _note(self, name: str, since_ms: int | None, at_ms: int) -> None:
        """An outage begins at `at_ms`, or the one since `since_ms` ends then."""
        where = "no voltage on any meter" if name == self._agent else "no voltage on any phase"
        if since_ms is None:
            self._life.outages[name] = at_ms
            self._tell(Event(name, EventKind.OUTAGE, at_ms, "voltage", where), False)  # noqa: FBT003  # not again
        else:
            self._life.outages.pop(name, None)
            numbers = {"until_ms": float(at_ms)}
            self._tell(Event(name, EventKind.OUTAGE, since_ms, "voltage", where, numbers), True)  # noqa: FBT003  # again
