"""The pytest plugin: the fixture `leanmeter` starts meters and scales for tests of your own software.

    def test_my_software(leanmeter):
        meter = leanmeter.meter("eastron/sdm630", power_w=5000)
        assert my_software.power_w(meter.host, meter.port) == 5000

Nothing is loaded before a test asks for it. See docs/simulators.md.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.simulator import Simulator


@pytest.fixture
def leanmeter() -> "Iterator[Simulator]":
    """Simulated meters and scales that live as long as the test: `leanmeter.meter(...)`, `leanmeter.scale(...)`."""
    from simulators.simulator import Simulator  # noqa: PLC0415  # other people's test runs must not pay for it

    with Simulator() as simulator:
        yield simulator
