"""Faults that scenarios are made of, one by one, and the sentences that a wrong scenario file gets."""

import math
from pathlib import Path

import pytest
import yaml

from device_profiles.library import load_profile
from simulators.electricity import Consumer, ElectricityMeter, Mains, StartTotals, Wiring
from simulators.errors import SimulatorError
from simulators.faults import Reply, Request
from simulators.line_faults import Collision, HangUp, Joined, Noise, Refusal, WrongTransaction
from simulators.modbus_frames import rtu_frame
from simulators.power_recording import PowerRecording
from simulators.register_faults import Overwritten, SwappedWords
from simulators.scenario import load_scenario
from simulators.scenario_run import ScenarioRun
from simulators.value_faults import counter_reset, counter_wrap, measured_otherwise

REQUEST = Request(1, bytes((4, 0, 10, 0, 4)))
REPLY = Reply(1, bytes((4, 8, 0, 1, 0, 2, 0, 3, 0, 4)))
THREE_KW = Consumer(PowerRecording([0.0, 3600.0], [3000.0, 3000.0]), cos_phi=0.8)


def test_frames_on_their_way() -> None:
    assert HangUp().apply(REQUEST, REPLY).hang_up
    assert WrongTransaction().apply(REQUEST, REPLY).framed(b"\xff\xff\0\0") == b"\0\0\0\0"
    joined = Joined()
    assert joined.apply(REQUEST, REPLY).framed(b"ab") == b"ab"
    assert joined.apply(REQUEST, REPLY).framed(b"cd") == b"abcd"
    assert joined.apply(REQUEST, REPLY).framed(b"ef") == b"cdef"
    assert Refusal(11).apply(REQUEST, REPLY).pdu == b"\x84\x0b"


def test_noise_is_repeatable_and_never_leaves_a_frame_as_it_was() -> None:
    frame = rtu_frame(1, REPLY.pdu)
    noise, again = Noise(7), Noise(7)
    spoilt = [noise.apply(REQUEST, REPLY).framed(frame) for _ in range(200)]
    assert spoilt == [again.apply(REQUEST, REPLY).framed(frame) for _ in range(200)]
    assert sum(after == frame for after in spoilt) <= 2  # two turned bits may be the same one


def test_two_devices_that_answer_at_once() -> None:
    frame = rtu_frame(1, REPLY.pdu)
    other = Reply(1, bytes((4, 8, 0, 3, 0, 2, 0, 3, 0, 4)))
    assert Collision(lambda _: REPLY).apply(REQUEST, REPLY).framed(frame) == frame
    collided = Collision(lambda _: other).apply(REQUEST, REPLY).framed(frame)
    assert collided != frame
    assert collided[3:5] == bytes((0, 1 & 3))


def test_registers_that_are_not_what_was_measured() -> None:
    assert Overwritten(frozenset({4}), {11: 0x7FC0, 99: 1}).apply(REQUEST, REPLY).pdu[4:6] == b"\x7f\xc0"
    assert Overwritten(frozenset({3}), {11: 0x7FC0}).apply(REQUEST, REPLY) == REPLY
    swapped = SwappedWords(frozenset({(4, 10), (4, 13)})).apply(REQUEST, REPLY)
    assert swapped.pdu[2:] == bytes((0, 2, 0, 1, 0, 3, 0, 4))  # the value that begins at 13 is not whole in this reply
    refused = Reply(1, b"\x84\x02")
    assert SwappedWords(frozenset({(4, 10)})).apply(REQUEST, refused) == refused


def counting(time_s: float) -> dict[str, float | str | None]:
    return {"active_energy_import_total": 100.0 + time_s, "active_power_total": 3600.0}


def test_counters_that_jump() -> None:
    reset, swap = counter_reset(counting, 10), counter_reset(counting, 10, start=77.0)
    wrap = counter_wrap(counting, 10, {"active_energy_import_total": 1000.0})
    name = "active_energy_import_total"
    assert [reset(time_s)[name] for time_s in (9, 10, 12)] == [109.0, 0.0, 2.0]
    assert [swap(time_s)[name] for time_s in (9, 10, 12)] == [109.0, 77.0, 79.0]
    assert [wrap(time_s)[name] for time_s in (9, 10, 12)] == [999.0, 0.0, 2.0]
    assert reset(12)["active_power_total"] == 3600.0


def test_a_meter_that_was_connected_wrongly_for_a_while_keeps_what_it_counted() -> None:
    def twice(time_s: float) -> dict[str, float | str | None]:
        return {"active_energy_import_total": 500.0 + 2 * time_s, "active_power_total": 7200.0}

    faulty = measured_otherwise(counting, twice, 10, 20)
    assert [faulty(time_s)["active_energy_import_total"] for time_s in (10, 15, 20, 30)] == [110, 120, 130, 140]
    assert [faulty(time_s)["active_power_total"] for time_s in (9, 15, 20)] == [3600, 7200, 3600]


def shown(wiring: Wiring) -> dict[str, float]:
    meter = ElectricityMeter([THREE_KW], Mains(), StartTotals(1.0), wiring)
    return {name: value for name, value in meter.values(3600.0).items() if isinstance(value, float)}


def test_wires_on_the_wrong_screws() -> None:
    turned = shown(Wiring(turned_phase=0))
    assert turned["active_power_l1"] == pytest.approx(-1000)
    assert turned["active_power_total"] == pytest.approx(1000)
    assert turned["active_energy_import_total"] == pytest.approx(2.0)
    # Two exchanged transformers of a balanced load: cos(phi + 120) + cos(phi - 120) = -cos(phi), so the sum is 0.
    exchanged = shown(Wiring(exchanged_phases=(0, 1)))
    assert exchanged["active_power_total"] == pytest.approx(0, abs=1e-9)
    reactive = 1000 * math.tan(math.acos(0.8))
    angle = math.radians(120)
    assert exchanged["active_power_l1"] == pytest.approx(1000 * math.cos(angle) - reactive * math.sin(angle))
    lost = shown(Wiring(lost_phase=2))
    assert (lost["voltage_l3_n"], lost["current_l3"], lost["active_power_l3"]) == (0, 0, 0)
    assert lost["active_power_total"] == pytest.approx(2000)


LINES = [{"id": "a", "devices": [{"id": "m", "profile": "eastron/sdm120"}]}]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "silense", "device": "m"}, "'silense' is none of silence"),
        ({"kind": "silence"}, "either a device or a line"),
        ({"kind": "silence", "device": "x"}, "no device 'x'"),
        ({"kind": "delay", "device": "m"}, "delay: needs delay_s"),
        ({"kind": "silence", "device": "m", "length": 3}, "silence: takes no length"),
        ({"kind": "ct_turned", "device": "m", "phase": "l1", "probability": 0.5}, "no probability"),
        ({"kind": "sentinel", "device": "m", "quantity": "active_power_total"}, "use nan or zero"),
        ({"kind": "nan", "device": "m", "quantity": "weight_net"}, "profiles show eastron/sdm120"),
        ({"kind": "counter_wrap", "device": "m", "quantity": "active_energy_import_total"}, "starts again"),
    ],
)
async def test_a_mistake_in_a_scenario_is_told_in_one_line(
    fault: dict[str, object], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump({"lines": LINES, "faults": [fault]}))
    with pytest.raises(SimulatorError) as caught:
        async with ScenarioRun(load_scenario(path), tmp_path):
            pass
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_scenario_names_its_places_in_a_site_file(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    line = {"id": "bus", "transport": "serial", "baud": 19200, "devices": [{"id": "n", "profile": "abb/b23"}]}
    path.write_text(yaml.safe_dump({"lines": [*LINES, line]}))
    async with ScenarioRun(load_scenario(path), tmp_path, 1884) as run:
        site = yaml.safe_load(run.site_file.read_text())
        assert (tmp_path / "bus").is_char_device()
    assert site["mqtt"]["port"] == 1884
    assert site["lines"][0]["tcp"]["port"] > 0
    assert site["lines"][1]["serial"]["baud"] == 19200
    assert load_profile(site["lines"][1]["devices"][0]["profile"]).id == "abb/b23"
