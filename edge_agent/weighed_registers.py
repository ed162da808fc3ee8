"""Weighing transmitters on Modbus: what their weight registers come to in weighings, as a scale's telegrams do."""

import re
from collections.abc import Iterable, Sequence

from device_profiles.profile import Register
from edge_agent.samples import ColumnShape
from edge_agent.totals import Totals
from edge_agent.weighing import WeighingEvent
from wire_format.quality import Quality

_WEIGHT = re.compile(r"weight_(net|gross)(_ch\d)?")


def weighed_totals(quantities: Iterable[str]) -> tuple[str, ...]:
    """The totals of weighed mass that a device with these quantities gives: one for each of its scales."""
    found = (_WEIGHT.fullmatch(name) for name in quantities)
    return tuple(sorted({f"weighed_mass_total{match[2] or ''}" for match in found if match}))


class WeighedTotal:
    """The mass of all weighings of one scale of a device since the first start.

    A weighing is told by the weight that the display shows: net where it is told, else gross. Where the device does not
    tell whether it stands still, it does when two readings are the same. While neither weight is told the total is
    missing: a weighing may have been missed.
    """

    def __init__(
        self, device_id: str, total: str, registers: Sequence[Register], totals: Totals, threshold_kg: float
    ) -> None:
        channel = total.removeprefix("weighed_mass_total")
        at = {register.quantity: index for index, register in enumerate(registers)}
        self._weights = [at[name] for kind in ("net", "gross") if (name := f"weight_{kind}{channel}") in at]
        self._stable = at.get(f"weight_stable{channel}")
        self._steps = {index: registers[index].exponent for index in self._weights}
        exponent = min(self._steps.values())
        self.column = ColumnShape(total, "kg", exponent)
        self._device_id = device_id
        self._totals = totals
        # A device's only scale goes by the device's name, as one with a protocol of its own does.
        threshold = max(1, round(threshold_kg / 10.0**exponent))
        self._detector = totals.detector(device_id + channel, threshold, exponent)
        self._last: tuple[int, int] | None = None

    def update(
        self, integers: Sequence[int | None], quality: Sequence[Quality], time_ms: int
    ) -> tuple[int | None, Quality]:
        """Take a row as it was decoded; the total with its quality."""
        shown = next((index for index in self._weights if quality[index] is Quality.GOOD), None)
        weight = None if shown is None else integers[shown]
        if shown is None or weight is None:
            self._last = None
            return None, quality[self._weights[0]]
        stable = (shown, weight) == self._last if self._stable is None else integers[self._stable] == 1
        self._last = shown, weight
        exponent = self.column.exponent
        mass = self._detector.update(weight * 10 ** (self._steps[shown] - exponent), stable=stable)
        if mass:
            self._totals.weighed(WeighingEvent(self._device_id, mass, exponent, time_ms, self.column.quantity))
        return self._detector.state.total, Quality.GOOD
