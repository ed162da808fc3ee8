"""How wrong meters and their current transformers may be: the part of a saving's uncertainty that no model sees.

Limits in per cent of reading near rated load and at unity power factor: IEC 62053-21 (classes 1, 2), IEC 62053-22
(0.2 S, 0.5 S), EN 50470-3 (A, B, C) for active energy; IEC 61869-2 (0.1 to 3, with and without S) for current
transformers' ratio. At a few per cent of rated load the limits are wider, which is not counted here.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from baselines.errors import BaselineError

METER_LIMITS_PERCENT = {"0.2S": 0.2, "0.5S": 0.5, "0.5": 0.5, "1": 1.0, "2": 2.0, "A": 2.0, "B": 1.0, "C": 0.5}
TRANSFORMER_LIMITS_PERCENT = {
    "0.1": 0.1, "0.2": 0.2, "0.2S": 0.2, "0.5": 0.5, "0.5S": 0.5, "1": 1.0, "3": 3.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MeterAccuracy:
    """The accuracy classes of a meter and, where there are some, of its current transformers."""

    meter_class: str
    transformer_class: str | None = None

    def __post_init__(self) -> None:
        if self.meter_class not in METER_LIMITS_PERCENT:
            known = ", ".join(METER_LIMITS_PERCENT)
            raise BaselineError(f"meter class {self.meter_class!r} is not known; there are {known}")
        if self.transformer_class is not None and self.transformer_class not in TRANSFORMER_LIMITS_PERCENT:
            known = ", ".join(TRANSFORMER_LIMITS_PERCENT)
            raise BaselineError(f"current transformer class {self.transformer_class!r} is not known; there are {known}")

    @property
    def standard_uncertainty(self) -> float:
        """Of a reading, as a fraction: sqrt(meter² + transformer²) / sqrt(3).

        A class says only that the error lies within a limit: each is taken as equally likely up to it (JCGM 100:2008,
        GUM, 4.3.7).
        """
        transformer = 0.0 if self.transformer_class is None else TRANSFORMER_LIMITS_PERCENT[self.transformer_class]
        return math.hypot(METER_LIMITS_PERCENT[self.meter_class], transformer) / 100.0 / math.sqrt(3.0)


def systematic_half_width(
    expected: float, actual: float, confidence: float, accuracy: MeterAccuracy, *, same_meter: bool
) -> float:
    """Half the width of the band that the meters alone give a saving, in the unit of the energy.

    A meter's error is systematic: it does not average out over rows. The same meter in both periods is wrong by the
    same share u in both, so the saving is too: z u |expected − actual|. Another meter in the reporting period is wrong
    independently: z u sqrt(expected² + actual²).
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    amount = abs(expected - actual) if same_meter else math.hypot(expected, actual)
    return z * accuracy.standard_uncertainty * amount
