"""The plugin as somebody else's project sees it: nothing but pytest, the plugin and software of its own."""

import subprocess
import sys
from pathlib import Path

OWN_SOFTWARE = """
import socket
import struct


def power_w(host, port, unit_id=1):
    with socket.create_connection((host, port), timeout=1) as meter:
        meter.sendall(struct.pack(">HHHBBHH", 7, 0, 6, unit_id, 4, 52, 2))
        reply = meter.recv(300)
    if reply[7] != 4:
        raise RuntimeError(f"exception {reply[8]}")
    return struct.unpack(">f", reply[9:13])[0]


def weight(host, port):
    with socket.create_connection((host, port), timeout=1) as scale:
        scale.sendall(b"S\\r\\n")
        return scale.recv(100).decode().split()
"""

OWN_TESTS = """
import os
import time

import own_software
import pytest


def test_power(leanmeter):
    meter = leanmeter.meter("eastron/sdm630", power_w=5000)
    assert own_software.power_w(meter.host, meter.port) == 5000
    assert meter.requests == 1


def test_what_it_measures_is_set_and_counted(leanmeter):
    meter = leanmeter.meter("eastron/sdm630", power_w=3_600_000)
    before_kwh, began_s = meter.values()["active_energy_import_total"], time.monotonic()
    time.sleep(0.2)
    meter.power_w = 0
    counted_kwh = meter.values()["active_energy_import_total"] - before_kwh
    assert counted_kwh == pytest.approx(time.monotonic() - began_s, abs=0.1)
    time.sleep(0.1)
    assert own_software.power_w(meter.host, meter.port) == 0
    assert meter.values()["active_energy_import_total"] - before_kwh == pytest.approx(counted_kwh, abs=0.06)


def test_two_meters_on_one_port_and_one_shows_what_it_is_told(leanmeter):
    meter = leanmeter.meter("eastron/sdm630", power_w=5000)
    other = leanmeter.meter("eastron/sdm630", beside=meter, unit_id=2)
    other.show(active_power_total=-12.0)
    assert own_software.power_w(meter.host, meter.port, 2) == -12
    with pytest.raises(Exception, match="unit_id 2: is taken"):
        leanmeter.meter("abb/b23", beside=meter, unit_id=2)
    with pytest.raises(Exception, match="watts: eastron/sdm630 has active_energy"):
        meter.show(watts=1)


def test_it_breaks_and_is_mended(leanmeter):
    meter = leanmeter.meter("eastron/sdm630", power_w=5000)
    with meter.failing("exception", exception_code=4), pytest.raises(RuntimeError, match="exception 4"):
        own_software.power_w(meter.host, meter.port)
    with meter.failing("silence"), pytest.raises(TimeoutError):
        own_software.power_w(meter.host, meter.port)
    assert own_software.power_w(meter.host, meter.port) == 5000
    meter.fail("counter_reset")
    meter.heal()
    assert meter.values()["active_energy_import_total"] < 0.1
    for wrong in ({"kind": "rust"}, {"kind": "delay"}, {"kind": "silence", "delay_s": 1}):
        with pytest.raises(Exception, match="delay|rust"):
            meter.fail(**wrong)


def test_a_scale(leanmeter):
    scale = leanmeter.scale("scales/mt-sics", settling_s=0.3)
    scale.put(2.5)
    began_s = time.monotonic()
    assert own_software.weight(scale.host, scale.port) == ["S", "S", "2.500", "kg"]
    assert time.monotonic() - began_s > 0.2
    scale.put(99)
    assert own_software.weight(scale.host, scale.port) == ["S", "+"]
    with scale.failing("silence"), pytest.raises(TimeoutError):
        own_software.weight(scale.host, scale.port)
    with pytest.raises(Exception, match="a scale can have"):
        scale.fail("wrong_unit", unit_id=3)


@pytest.mark.parametrize("over", ["serial", "rtu-tcp"])
def test_rtu(leanmeter, over):
    meter = leanmeter.meter("eastron/sdm630", power_w=5000, over=over, baud=115200)
    request = bytes.fromhex("0104003400023005")
    if over == "serial":
        line = os.open(meter.path, os.O_RDWR | os.O_NOCTTY)
        os.write(line, request)
        time.sleep(0.2)
        reply = os.read(line, 100)
        os.close(line)
        assert os.path.exists(os.path.dirname(meter.path))
    else:
        import socket

        with socket.create_connection((meter.host, meter.port), timeout=1) as line:
            line.sendall(request)
            reply = line.recv(100)
    assert reply[:7].hex() == "010404459c4000"
"""


def run_pytest(project: Path) -> subprocess.CompletedProcess[str]:
    # The project's own folder, and none of this one's settings.
    (project / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=100, check=False)


def test_a_project_with_nothing_but_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "own_software.py").write_text(OWN_SOFTWARE)
    (tmp_path / "test_own_software.py").write_text(OWN_TESTS)
    ran = run_pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout


def test_a_project_that_does_not_use_it_does_not_load_it(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\ndef test_nothing():\n"
        "    assert 'simulators.pytest_plugin' in sys.modules\n"
        "    assert not {'pydantic', 'yaml', 'serial', 'simulators.simulator'} & set(sys.modules)\n"
    )
    ran = run_pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
