import subprocess
from pathlib import Path


def test_mbpoll_is_a_modbus_master(mbpoll: Path) -> None:
    assert b"usage" in subprocess.run([mbpoll, "-h"], capture_output=True, check=False).stdout.lower()


def test_telegraf_has_its_modbus_plugin(telegraf: Path) -> None:
    listed = subprocess.run([telegraf, "--input-list"], capture_output=True, check=True).stdout
    assert b"modbus" in listed
