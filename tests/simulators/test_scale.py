import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from simulators.scale import Scale
from simulators.scale_protocols.mt_sics import SERIAL_NUMBER, MtSics
from simulators.scale_server import TcpScale
from simulators.weighing import Load, OperatorSequence


class Plate:
    """A plate that the test loads."""

    def __init__(self, mass_kg: float = 0.0, *, stable: bool = True) -> None:
        self.now = Load(mass_kg, stable)

    def load(self, _time_s: float) -> Load:
        return self.now


Ask = Callable[[str], "asyncio.Future[str]"]


@asynccontextmanager
async def connected(
    plate: Plate, *, stability_timeout_s: float = 5.0
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    scale = Scale(plate, lambda: 0.0)
    talk = MtSics(scale, stability_timeout_s=stability_timeout_s, repeat_interval_s=0.01)
    async with TcpScale(talk, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        yield reader, writer
        writer.close()


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], command: str) -> str:
    connection[1].write(command.encode() + b"\r\n")
    return await reply(connection)


async def reply(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> str:
    line = await asyncio.wait_for(connection[0].readline(), 2)
    assert line.endswith(b"\r\n")
    return line[:-2].decode("ascii")


@pytest.mark.parametrize(
    ("mass_kg", "stable", "answer"),
    [
        (1.234, True, "S S      1.234 kg"),
        (12.5, False, "S D     12.500 kg"),
        (0.0, True, "S S      0.000 kg"),
        (-0.0001, True, "S S      0.000 kg"),
        (-0.003, True, "S S     -0.003 kg"),
        (15.1, True, "S +"),
        (-0.5, True, "S -"),
    ],
)
async def test_the_weight_as_it_is(mass_kg: float, stable: bool, answer: str) -> None:
    async with connected(Plate(mass_kg, stable=stable)) as connection:
        assert await ask(connection, "SI") == answer


async def test_a_stable_weight_is_waited_for() -> None:
    plate = Plate(2.0, stable=False)
    async with connected(plate) as connection:
        waiting = asyncio.create_task(ask(connection, "S"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        plate.now = Load(2.001, stable=True)
        assert await waiting == "S S      2.001 kg"


async def test_what_never_stands_still_is_not_executable() -> None:
    async with connected(Plate(2.0, stable=False), stability_timeout_s=0.05) as connection:
        assert await ask(connection, "S") == "S I"
        assert await ask(connection, "Z") == "Z I"
        assert await ask(connection, "T") == "T I"


async def test_a_new_command_waits_for_the_one_before_unless_it_cancels() -> None:
    plate = Plate(2.0, stable=False)
    async with connected(plate) as connection:
        connection[1].write(b"S\r\n")
        assert await ask(connection, "@") == f'I4 A "{SERIAL_NUMBER}"'
        connection[1].write(b"S\r\nSI\r\n")
        await asyncio.sleep(0.05)
        plate.now = Load(3.0, stable=True)
        assert await reply(connection) == "S S      3.000 kg"
        assert await reply(connection) == "S S      3.000 kg"


async def test_weights_are_repeated_until_another_command() -> None:
    async with connected(Plate(1.0)) as connection:
        assert await ask(connection, "SIR") == "S S      1.000 kg"
        assert await reply(connection) == "S S      1.000 kg"
        connection[1].write(b"I4\r\n")
        while (line := await reply(connection)) != f'I4 A "{SERIAL_NUMBER}"':
            assert line == "S S      1.000 kg"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection[0].readline(), 0.1)


async def test_tare_and_zero() -> None:
    plate = Plate(0.2)
    async with connected(plate) as connection:
        assert await ask(connection, "Z") == "Z A"
        plate.now = Load(0.7, stable=True)
        assert await ask(connection, "T") == "T S      0.500 kg"
        plate.now = Load(1.7, stable=True)
        assert await ask(connection, "S") == "S S      1.000 kg"
        assert await ask(connection, "TA") == "TA A      0.500 kg"
        assert await ask(connection, "Z") == "Z +"  # too much for a zero
        assert await ask(connection, "TAC") == "TAC A"
        assert await ask(connection, "S") == "S S      1.500 kg"


@pytest.mark.parametrize("command", ["s", "XYZ", "", "S S", "I99"])
async def test_what_is_no_command_is_a_syntax_error(command: str) -> None:
    async with connected(Plate()) as connection:
        assert await ask(connection, command) == "ES"
        assert await ask(connection, "SI") == "S S      0.000 kg"


async def test_an_endless_line_is_refused() -> None:
    async with connected(Plate()) as connection:
        connection[1].write(b"S" * 1000)
        assert await reply(connection) == "ET"
        assert await asyncio.wait_for(connection[0].read(), 2) == b""


def test_an_operator_weighs_products_one_after_another() -> None:
    source = OperatorSequence(1)
    loads = [source.load(tenth / 10) for tenth in range(6000)]
    weighings = 0
    weighed_kg = 0.0
    counted = False
    for load in loads:
        if load.stable and load.mass_kg > 0.1 and not counted:
            assert 1.0 <= load.mass_kg <= 5.0
            weighings += 1
            weighed_kg += load.mass_kg
        if load.stable:
            counted = load.mass_kg > 0.1
    assert 65 < weighings < 85  # about every 8 s in 600 s
    assert source.weighed_kg(599.9) == pytest.approx(weighed_kg)
    assert any(not load.stable for load in loads)
    again = OperatorSequence(1)
    assert loads == [again.load(tenth / 10) for tenth in range(6000)]
    assert OperatorSequence(2).load(60.0) != source.load(60.0)


def test_a_settling_weight_is_never_called_stable_before_it_is_right() -> None:
    source = OperatorSequence(3)
    stable = {source.load(hundredth / 100).mass_kg for hundredth in range(6000) if source.load(hundredth / 100).stable}
    assert len(stable) < 12  # each product and the empty plate, nothing between
