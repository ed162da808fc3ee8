import os

import serial

from tests.servers.terminals import PseudoTerminal


def test_bytes_pass_unchanged_in_both_directions(pseudo_terminal: PseudoTerminal) -> None:
    every_byte = bytes(range(256))
    with serial.Serial(pseudo_terminal.device, baudrate=9600, stopbits=serial.STOPBITS_TWO, timeout=5) as line:
        os.write(pseudo_terminal.controller, every_byte)
        assert line.read(256) == every_byte
        line.write(every_byte)
        assert os.read(pseudo_terminal.controller, 256) == every_byte
