"""Every profile from the library through the agent's own way: planned, read in blocks, decoded."""

import struct
from dataclasses import replace

import pytest

from device_profiles.decoding import compile_decoder, decode_registers
from device_profiles.library import load_profile, profile_ids
from device_profiles.profile import Profile
from edge_agent.planner import RequestLimits, bus_cost, plan_requests
from edge_agent.transports import SerialPort
from simulators.device_simulation import example_values
from simulators.register_image import ImageEncoder
from wire_format.quality import Quality

LAYOUTS = [
    pytest.param(replace(layout, alternatives=()), id=f"{profile_id}-{index}")
    for profile_id in profile_ids()
    for profile in [load_profile(profile_id)]
    for index, layout in enumerate((profile, *profile.alternatives))
    if layout.registers
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_blocks_give_what_single_registers_give(layout: Profile) -> None:
    limits = RequestLimits(
        bus_cost(SerialPort("/dev/null", 9600, "N", 1)),
        max_registers=layout.max_registers_per_request,
        holes=layout.unreadable,
    )
    requests = plan_requests((*layout.registers, *layout.helpers), limits)
    image = ImageEncoder(layout).encode(example_values(layout, 1)(47.0))
    replies = []
    for request in requests:
        addresses = range(request.address, request.end)
        assert not {(request.function_code, address) for address in addresses} & layout.unreadable
        assert request.count <= layout.max_registers_per_request
        words = [image[request.function_code].get(address, 0) for address in addresses]
        replies.append(struct.pack(f">{len(words)}H", *words))
    decoder = compile_decoder(layout.registers, layout.helpers, requests)
    assert decoder.missing == ()
    alone = decode_registers(layout, image)
    for register, (integer, quality) in zip(layout.registers, decoder.decode(replies), strict=True):
        if register.quantity in alone:
            assert quality is Quality.GOOD
            assert integer is not None
            step = 10.0**register.exponent
            assert integer * step == pytest.approx(alone[register.quantity], abs=step * 0.5001, rel=1e-6)
        else:
            assert integer is None
