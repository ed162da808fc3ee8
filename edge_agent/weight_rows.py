"""Rows of a scale: what its telegrams come to in columns, and which of them complete a weighing."""

from collections.abc import Iterable

from edge_agent.samples import ColumnShape, Sample, Shape, missing_sample
from edge_agent.scale_protocols.weight import Mass, NoWeight, ScaleReply, Weight
from edge_agent.totals import Totals
from edge_agent.weighing import WeighingEvent
from wire_format.quality import Quality

FINEST_EXPONENT_AT_START = -4

_MASSES = ("weight_net", "weight_gross", "weight_tare")
_KNOWN = (*_MASSES, "weight_stable", "weighed_mass_total")


class WeightRows:
    """The columns of one scale, and the mass of all its weighings since the first start.

    That sum is made of weights that the scale called stable, so it is as good as they are: GOOD, not ESTIMATED. It is
    missing whenever the scale could not be heard, since a weighing may have been missed.
    """

    def __init__(self, device_id: str, quantities: Iterable[str], totals: Totals, threshold_kg: float) -> None:
        self._device_id = device_id
        self._totals = totals
        self._threshold_kg = threshold_kg
        wanted = set(quantities)
        self._names = tuple(name for name in _KNOWN if name in wanted)
        self._set_exponent(FINEST_EXPONENT_AT_START)

    def would_weigh(self, reply: ScaleReply) -> bool:
        """Whether this weight, if it is stable, would complete a weighing."""
        if isinstance(reply, NoWeight) or reply.stable is False:
            return False
        self._refine(reply)
        return self._detector.would_count(reply.shown.in_steps(self._exponent))

    def weigh(self, reply: ScaleReply, time_ms: int, *, stable: bool) -> None:
        """Let a weight count; a telegram without one counts for nothing."""
        if isinstance(reply, NoWeight):
            return
        self._refine(reply)
        mass = self._detector.update(reply.shown.in_steps(self._exponent), stable=stable)
        if mass:
            self._totals.weighed(WeighingEvent(self._device_id, mass, self._exponent, time_ms))

    def is_empty(self, reply: ScaleReply) -> bool:
        """Whether nearly nothing lies on the scale."""
        if isinstance(reply, NoWeight):
            return False
        self._refine(reply)
        return self._detector.is_empty(reply.shown.in_steps(self._exponent))

    def row(self, reply: ScaleReply, time_ms: int, *, stable: bool) -> Sample:
        """The row of a reply; `stable` as the scale says or as its readings show."""
        cells: dict[str, tuple[int | None, Quality]] = {}
        if isinstance(reply, NoWeight):
            cells = dict.fromkeys((*_MASSES, "weight_stable"), (None, reply.quality))
        else:
            self._refine(reply)
            for name, mass in zip(_MASSES, (reply.net, reply.gross, reply.tare), strict=True):
                if mass is None:
                    cells[name] = (None, Quality.DEVICE_ERROR)
                else:
                    cells[name] = (mass.in_steps(self._exponent), Quality.GOOD)
            cells["weight_stable"] = (int(stable), Quality.ESTIMATED if reply.stable is None else Quality.GOOD)
        cells["weighed_mass_total"] = (self._detector.state.total, Quality.GOOD)
        integers = tuple(cells[name][0] for name in self._names)
        return Sample(self._device_id, self._shape, time_ms, integers, tuple(cells[name][1] for name in self._names))

    def missing(self, time_ms: int) -> Sample:
        """The row when the scale could not be heard."""
        return missing_sample(self._device_id, self._shape, time_ms, Quality.LINK_ERROR)

    def _refine(self, weight: Weight) -> None:
        """Follow a scale that shows finer digits than it did."""
        exponent = min(mass.exponent for mass in _masses(weight))
        if exponent < self._exponent:
            self._set_exponent(exponent)

    def _set_exponent(self, exponent: int) -> None:
        self._exponent = exponent
        units = {"weight_stable": ("1", 0)}
        self._shape: Shape = tuple(ColumnShape(name, *units.get(name, ("kg", exponent))) for name in self._names)
        threshold = max(1, round(self._threshold_kg / 10.0**exponent))
        self._detector = self._totals.detector(self._device_id, threshold, exponent)


def _masses(weight: Weight) -> list[Mass]:
    return [mass for mass in (weight.net, weight.gross, weight.tare) if mass is not None]
