"""Scales of every protocol on TCP and on a serial line: what they send by themselves and what they answer."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.errors import SimulatorError
from simulators.faults import LateReply, Silence, Truncated
from simulators.line_faults import HangUp
from simulators.scale import Scale
from simulators.scale_models import SCALE_PROTOCOLS, scale_talk
from simulators.scale_protocols.telegrams import VOCABULARIES
from simulators.scale_server import SerialScale, TcpScale
from simulators.serial_port import PseudoTerminal
from simulators.weighing import Drift, Load, Overloads
from tests.simulators.modbus_parts import bytes_within, raw_terminal


class Plate:
    def __init__(self, mass_kg: float, *, stable: bool = True) -> None:
        self.now = Load(mass_kg, stable)

    def load(self, _time_s: float) -> Load:
        return self.now


@asynccontextmanager
async def served(
    protocol: str, plate: Plate
) -> AsyncIterator[tuple[TcpScale, asyncio.StreamReader, asyncio.StreamWriter]]:
    talk = scale_talk(protocol, Scale(plate, lambda: 0.0), interval_s=0.01)
    async with TcpScale(talk, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        yield server, reader, writer
        writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: bytes, length: int) -> bytes:
    writer.write(command)
    return await asyncio.wait_for(reader.readexactly(length), 2)


@pytest.mark.parametrize("protocol", [name for name, words in VOCABULARIES.items() if words.streams])
async def test_a_scale_that_sends_by_itself(protocol: str) -> None:
    expected = VOCABULARIES[protocol].telegram(Scale(Plate(1.5), lambda: 0.0).display())
    async with served(protocol, Plate(1.5)) as (_, reader, _writer):
        assert await asyncio.wait_for(reader.readexactly(3 * len(expected)), 2) == 3 * expected


@pytest.mark.parametrize(
    ("protocol", "command", "answer"),
    [
        ("mt_sics", b"SI\r\n", b"S S      1.500 kg\r\n"),
        ("kern_kcp", b"S\r\n", b"S S      1.500 kg\r\n"),
        ("cas_enq_dc1", b"\x05", b"\x06"),
        ("cas_enq_dc1", b"\x11", b"\x01\x02S 01.500kg\x65\x03\x04"),
        ("sma", b"\nW\r", b"\n 1G       1.500kg \r"),
        ("sma", b"noise\nP\r", b"\n 1G       1.500kg \r"),
        ("sma", b"\nH\r", b"\n 1g      1.5000kg \r"),
        ("sartorius_sbi", b"\x1bP", b"+    1.500 kg \r\n"),
        ("nci", b"W\r", b"\n 1.500kg\r\n\x30\x70\x30\r\x03"),
    ],
)
async def test_a_scale_that_is_asked(protocol: str, command: bytes, answer: bytes) -> None:
    async with served(protocol, Plate(1.5)) as (_, reader, writer):
        assert await ask(reader, writer, command, len(answer)) == answer


async def test_keys_of_a_scale() -> None:
    plate = Plate(0.5)
    async with served("sma", plate) as (_, reader, writer):
        assert await ask(reader, writer, b"\nT\r\nM\r", 20) == b"\n 1T       0.500kg \r"
        plate.now = Load(2.0, stable=False)
        assert await ask(reader, writer, b"\nW\r", 20) == b"\n 1NM      1.500kg \r"
        writer.write(b"\nC\r")
        assert await ask(reader, writer, b"\nW\r", 20) == b"\n 1GM      2.000kg \r"
        assert await ask(reader, writer, b"\nR\r", 60) == 3 * b"\n 1GM      2.000kg \r"
        plate.now = Load(16.0, stable=True)
        writer.write(b"\nW\r")
        # Repeated telegrams from before may still be on their way.
        assert await asyncio.wait_for(reader.readuntil(b"\nO1G  ----------kg \r"), 2)


@pytest.mark.parametrize("protocol", ["cas_22_byte", "mt_sics"])
async def test_a_scale_on_a_serial_line(protocol: str, tmp_path: Path) -> None:
    with PseudoTerminal(tmp_path / "scale") as port:
        talk = scale_talk(protocol, Scale(Plate(1.5), lambda: 0.0), interval_s=0.005)
        async with SerialScale(talk, port):
            # Nobody reads for a while: a line does not remember.
            await asyncio.sleep(0.3)
            with raw_terminal(port.path) as descriptor:
                if protocol == "mt_sics":
                    os.write(descriptor, b"SI\r\n")
                    assert await bytes_within(descriptor, 19, 2.0) == b"S S      1.500 kg\r\n"
                else:
                    data = await bytes_within(descriptor, 2000, 0.3)
                    assert b"ST,GS,\x31\xc4,0001.500 kg\r\n" in data
                    assert len(data) < 2000


async def test_faults_of_telegrams() -> None:
    async with served("mt_sics", Plate(1.5)) as (server, reader, writer):
        server.faults.append(Truncated(5))
        assert await ask(reader, writer, b"SI\r\n", 5) == b"S S  "
        server.faults[:] = [LateReply(0.15)]
        writer.write(b"SI\r\n")
        await asyncio.sleep(0.02)
        server.faults[:] = [Silence()]
        writer.write(b"SI\r\n")
        assert await asyncio.wait_for(reader.readexactly(19), 2) == b"S S      1.500 kg\r\n"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        server.faults[:] = [HangUp()]
        writer.write(b"SI\r\n")
        assert await asyncio.wait_for(reader.read(), 2) == b""


async def test_a_scale_that_sends_by_itself_can_hang_up_too() -> None:
    async with served("rice_lake_stream", Plate(1.5)) as (server, reader, _writer):
        server.faults.append(HangUp())
        assert len(await asyncio.wait_for(reader.read(), 2)) < 1000


def test_what_creeps_and_who_leans_on_it() -> None:
    assert Drift(Plate(1.0), kg_per_hour=3.6).load(10.0).mass_kg == pytest.approx(1.01)
    leaning = Overloads(Plate(1.0), every_s=10, mass_kg=20, duration_s=2)
    assert [leaning.load(time_s).mass_kg for time_s in (0, 7.9, 8, 9.9, 10)] == [1, 1, 21, 21, 1]
    assert not leaning.load(9).stable


def test_all_protocols_have_a_name_and_others_are_refused() -> None:
    assert len(SCALE_PROTOCOLS) == len(set(SCALE_PROTOCOLS)) == 17
    with pytest.raises(SimulatorError, match="bizerba"):
        scale_talk("bizerba", Scale(Plate(0), lambda: 0.0))
