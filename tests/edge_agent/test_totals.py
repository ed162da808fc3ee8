import msgspec
import pytest

from device_profiles.profile import Encoding
from edge_agent.counters import CounterEvent, CounterEventKind
from edge_agent.totals import DeviceTotals, Totals
from tests.edge_agent.registers import register
from wire_format.quality import Quality

ENERGY = register(
    10, 2, quantity="active_energy_import_total", unit="kWh", exponent=-2, scale=0.01, counter_modulus=1_000_000
)
POWER = register(0, 2, quantity="active_power_total", unit="W", encoding=Encoding.S32)
NET = register(20, 2, quantity="active_energy_net_total", unit="kWh", exponent=-2, encoding=Encoding.S32)


def feed(totals: DeviceTotals, rows: list[list[int | None]], start_s: int = 0) -> list[list[int | None]]:
    results = []
    for second, row in enumerate(rows, start_s):
        integers, quality = list(row), [Quality.GOOD] * len(row)
        totals.apply(integers, quality, second * 1000)
        results.append(integers)
    return results


def test_only_totals_that_count_up_are_kept_from_going_back() -> None:
    totals = DeviceTotals(Totals(), "oven", (POWER, ENERGY, NET))
    assert feed(totals, [[500, 10_000, 900], [100, 0, 800], [90, 10_001, -5]]) == [
        [500, 10_000, 900],
        [100, None, 800],
        [90, 10_001, -5],
    ]


def test_a_missing_value_stays_missing_with_its_reason() -> None:
    totals = DeviceTotals(Totals(), "oven", (ENERGY,))
    integers: list[int | None] = [None]
    quality = [Quality.LINK_ERROR]
    totals.apply(integers, quality, 0)
    assert (integers, quality) == ([None], [Quality.LINK_ERROR])


def test_an_offset_survives_a_restart() -> None:
    totals = Totals()
    feed(DeviceTotals(totals, "oven", (ENERGY,)), [[999_999], [3], [4], [5]])
    assert totals.urgent
    saved = totals.encode()
    restarted = Totals()
    restarted.restore(saved)
    assert feed(DeviceTotals(restarted, "oven", (ENERGY,)), [[6], [7]], start_s=10) == [[1_000_006], [1_000_007]]


def test_a_device_that_is_out_of_use_for_a_run_keeps_its_offset() -> None:
    totals = Totals()
    feed(DeviceTotals(totals, "oven", (ENERGY,)), [[999_999], [3], [4], [5]])
    without = Totals()
    without.restore(totals.encode())
    feed(DeviceTotals(without, "mixer", (ENERGY,)), [[50]])
    again = Totals()
    again.restore(without.encode())
    assert feed(DeviceTotals(again, "oven", (ENERGY,)), [[6]], start_s=10) == [[1_000_006]]


def test_a_layout_with_another_resolution_goes_on_from_the_same_total() -> None:
    totals = Totals()
    feed(DeviceTotals(totals, "oven", (ENERGY,)), [[999_999], [3], [4], [5]])
    finer = register(10, 2, quantity="active_energy_import_total", unit="kWh", exponent=-3)
    assert feed(DeviceTotals(totals, "oven", (finer,)), [[61]], start_s=10) == [[10_000_061]]


def test_weighings_survive_a_restart() -> None:
    totals = Totals()
    totals.detector("scale", 100, -3).update(1500, stable=True)
    restarted = Totals()
    restarted.restore(totals.encode())
    state = restarted.detector("scale", 100, -3).state
    assert (state.total, state.counted) == (1500, True)


def test_a_damaged_state_is_told_and_totals_start_anew(caplog: pytest.LogCaptureFixture) -> None:
    totals = Totals()
    totals.restore(b"\xc1 not a state")
    assert "state of totals cannot be read" in caplog.text
    assert feed(DeviceTotals(totals, "oven", (ENERGY,)), [[77]]) == [[77]]


def test_what_happened_to_a_total_is_told(caplog: pytest.LogCaptureFixture) -> None:
    feed(DeviceTotals(Totals(), "oven", (ENERGY,)), [[999_999], [3], [4], [5]])
    assert "oven active_energy_import_total: wrap" in caplog.text


@pytest.mark.parametrize(
    ("encoding", "full"), [(Encoding.U32, 1 << 32), (Encoding.BCD, 10**8), (Encoding.MOD10K, 10**8)]
)
def test_a_register_that_was_full_goes_on_though_its_profile_does_not_tell_its_width(
    encoding: Encoding, full: int
) -> None:
    plain = register(
        10, 2, quantity="active_energy_import_total", unit="kWh", encoding=encoding, exponent=-2, scale=0.01
    )
    totals = DeviceTotals(Totals(), "oven", (plain,))
    assert feed(totals, [[full - 2], [3], [4], [5]])[-1] == [full + 5]


def test_another_meter_adds_nothing_even_if_it_shows_more() -> None:
    totals = Totals()
    oven = DeviceTotals(totals, "oven", (ENERGY,))
    totals.identify("oven", "0a", 0)
    assert feed(oven, [[500], [501]]) == [[500], [501]]
    totals.identify("oven", "0b", 2000)
    assert feed(oven, [[510], [512]], start_s=3600) == [[501], [503]]
    assert [event.kind for event in totals.events if isinstance(event, CounterEvent)] == [CounterEventKind.SWAP]


def test_the_meter_that_was_there_is_known_after_a_restart() -> None:
    totals = Totals()
    totals.identify("oven", "0a", 0)
    feed(DeviceTotals(totals, "oven", (ENERGY,)), [[500]])
    restarted = Totals()
    restarted.restore(totals.encode())
    oven = DeviceTotals(restarted, "oven", (ENERGY,))
    restarted.identify("oven", "0b", 1000)
    assert feed(oven, [[9], [10]], start_s=10) == [[500], [501]]


def test_a_state_of_an_earlier_version_is_read() -> None:
    saved = msgspec.msgpack.encode([1, "epoch", {"oven": {ENERGY.quantity: [500, 7, -2, 0]}}, {}])
    totals = Totals()
    totals.restore(saved)
    assert feed(DeviceTotals(totals, "oven", (ENERGY,)), [[501]], start_s=10) == [[508]]
