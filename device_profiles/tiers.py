"""Which quantities are read at every poll, and which need no more than the slow interval."""

import re

from device_profiles.profile import Tier

_FAST = re.compile(
    r"(active|reactive|apparent)_power_(total|l[123])"
    r"|current_.+|voltage_.+|frequency|power_factor_total|power_dc"
    r"|active_energy_(import|export)_total"
    r"|water_volume_forward|flow_rate|heat_energy|heat_power|flow_temperature|return_temperature"
    r"|compressed_air_volume|compressed_air_flow_rate|weight_.+|weighed_mass_total|counter_\d+|operating_state"
)


def default_tier(quantity: str) -> Tier:
    """Fast: powers, currents, voltages, frequency, total power factor and the main totals; slow: everything else."""
    return "fast" if _FAST.fullmatch(quantity) else "slow"
