"""Devices for which there is no machine of their own: counters count, scales weigh, the rest stands still."""

import math
from collections.abc import Callable, Mapping

from device_profiles.profile import Profile, Register
from simulators.encoding import Value
from simulators.weighing import OperatorSequence
from wire_format.quantities import QUANTITIES, Kind

_COUNTS_A_SECOND = 0.5
_FIRST_COUNT = 1000
_COUNTED_UNITS = {"pulses"}


def other_values(profile: Profile, seed: int) -> Callable[[float], Mapping[str, Value]]:
    """Values for every quantity of a profile.

    Counters and totals count one step every two seconds from 1000 on; weights are those of an operator's products;
    states are 0; a present value rests in the middle of what is plausible, at 1 where nothing is known.
    """
    operator = OperatorSequence(seed)
    resting = {register.quantity: _resting(register) for register in profile.registers}
    counting = [register.quantity for register in profile.registers if _counts(register)]

    def values_at(time_s: float) -> Mapping[str, Value]:
        load = operator.load(time_s)
        weights: dict[str, Value] = {
            "weight_gross": load.mass_kg,
            "weight_net": load.mass_kg,
            "weight_tare": 0.0,
            "weight_stable": 1.0 if load.stable else 0.0,
        }
        count = float(_FIRST_COUNT + math.floor(time_s * _COUNTS_A_SECOND))
        return resting | dict.fromkeys(counting, count) | weights

    return values_at


def _counts(register: Register) -> bool:
    quantity = QUANTITIES.get(register.quantity)
    return register.unit in _COUNTED_UNITS or (quantity is not None and quantity.kind is Kind.TOTAL)


def _resting(register: Register) -> Value:
    quantity = QUANTITIES.get(register.quantity)
    if quantity is None or quantity.kind is not Kind.INSTANT:
        return 0.0
    if register.minimum is not None and register.maximum is not None:
        return (register.minimum + register.maximum) / 2
    return 1.0
