"""The simulators' encoder against the agent's decoder: two readings of the same facts."""

import pytest

from device_profiles.decoding import decode_registers
from device_profiles.library import load_profile, profile_ids
from device_profiles.profile import Encoding
from simulators.device_simulation import example_values
from simulators.encoding import FLOAT_CODES
from simulators.register_image import ImageEncoder


@pytest.mark.parametrize("name", [name for name in profile_ids() if load_profile(name).registers])
@pytest.mark.parametrize("time_s", [0.0, 47.0])
def test_what_a_device_shows_is_what_it_measures(name: str, time_s: float) -> None:
    profile = load_profile(name)
    values = example_values(profile, 1)(time_s)
    decoded = decode_registers(profile, ImageEncoder(profile).encode(values))
    # An accumulator of SunSpec that stands at 0 is "not accumulated".
    shown_registers = [
        register for register in profile.registers if values[register.quantity] != 0 or 0 not in register.invalid
    ]
    assert set(decoded) == {register.quantity for register in shown_registers}
    for register in shown_registers:
        shown, meant = decoded[register.quantity], values[register.quantity]
        assert isinstance(meant, float)
        resolution = 10.0**register.exponent
        tolerance = resolution * 0.501
        if register.encoding in FLOAT_CODES:
            tolerance += abs(meant) * (1e-7 if register.encoding is Encoding.F32 else 1e-15)
        elif register.scale_factor is not None or register.multiplier is not None:
            tolerance += abs(meant) * 3e-3  # 15 bits, a tenfold headroom, a power of ten shared by 231 V and 400 V
        assert shown == pytest.approx(meant, abs=tolerance), register
