import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge_agent.clock import Clock, SystemClock
from edge_agent.samples import Sample
from edge_agent.scale import Scale, scale_driver
from edge_agent.scale_protocols.protocols import SCALE_PROTOCOLS
from edge_agent.totals import Totals
from edge_agent.transports import SerialPort, TcpAddress, Transport
from edge_agent.weighing import WeighingEvent
from tests.edge_agent.clocks import ManualClock
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.terminals import PseudoTerminal
from tests.servers.waiting import eventually_async
from wire_format.quality import Quality


class ScaleServer:
    """Answers SI with the line that is set; None is silence."""

    def __init__(self) -> None:
        self.answer: bytes | None = b"S S     0.000 kg"
        self.port = 0
        self.requests = 0
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while line := await reader.readline():
            assert line == b"SI\r\n"
            self.requests += 1
            if self.answer is not None:
                writer.write(self.answer + b"\r\n")
        writer.close()

    def drop(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def running_scale() -> AsyncIterator[ScaleServer]:
    scale = ScaleServer()
    server = await asyncio.start_server(scale.serve, LOOPBACK, 0)
    scale.port = server.sockets[0].getsockname()[1]
    try:
        yield scale
    finally:
        server.close()
        scale.drop()
        await asyncio.sleep(0)


def scale_at(
    transport: Transport,
    clock: Clock | None = None,
    totals: Totals | None = None,
    *,
    protocol: str = "mt_sics",
    timeout_s: float = 0.2,
) -> Scale:
    quantities = ("weight_net", "weight_gross", "weight_tare", "weight_stable", "weighed_mass_total")
    known = ("packing-scale", SCALE_PROTOCOLS[protocol], quantities, transport, clock or SystemClock())
    return scale_driver(*known, totals or Totals(), threshold_kg=0.1, timeout_s=timeout_s)


def driver_of(scale: ScaleServer, totals: Totals | None = None, clock: Clock | None = None) -> Scale:
    return scale_at(TcpAddress(LOOPBACK, scale.port), clock, totals)


def cell(sample: Sample, quantity: str) -> tuple[float | None, Quality]:
    for column, integer, quality in zip(sample.shape, sample.integers, sample.quality, strict=True):
        if column.quantity == quantity:
            return None if integer is None else integer * 10.0**column.exponent, quality
    raise KeyError(quantity)


async def test_a_weighing_is_seen_and_added_up_once() -> None:
    async with running_scale() as scale:
        totals = Totals()
        driver = driver_of(scale, totals)
        seen = []
        for answer in (b"S S 0.000 kg", b"S D 1.200 kg", b"S S 2.500 kg", b"S S 2.500 kg", b"S D 0.010 kg"):
            scale.answer = answer
            totals.urgent = False
            sample = await driver.read("fast")
            seen.append((cell(sample, "weight_net")[0], cell(sample, "weight_stable")[0], totals.urgent))
        driver.close()
    assert seen == [(0.0, 1, False), (1.2, 0, False), (2.5, 1, True), (2.5, 1, False), (0.01, 0, False)]
    assert cell(sample, "weighed_mass_total") == (2.5, Quality.GOOD)


async def test_an_overloaded_scale_has_no_weight_but_its_sum() -> None:
    async with running_scale() as scale:
        driver = driver_of(scale)
        scale.answer = b"S +"
        sample = await driver.read("fast")
        driver.close()
    assert cell(sample, "weight_net") == (None, Quality.OVERFLOW)
    assert cell(sample, "weighed_mass_total") == (0.0, Quality.GOOD)
    assert sample.answered


async def test_a_silent_scale_is_a_link_error_and_its_late_answer_is_not_taken() -> None:
    async with running_scale() as scale:
        clock = ManualClock()
        driver = driver_of(scale, clock=clock)
        scale.answer = None
        sample = await driver.read("fast")
        assert cell(sample, "weight_net") == (None, Quality.LINK_ERROR)
        assert cell(sample, "weighed_mass_total") == (None, Quality.LINK_ERROR)
        assert not sample.answered
        scale.answer = b"S S 4.000 kg"
        clock.advance(60)
        assert cell(await driver.read("fast"), "weight_net")[0] == 4.0
        driver.close()
        assert scale.connections == 2


async def test_an_answer_of_another_kind_is_a_link_error() -> None:
    async with running_scale() as scale:
        driver = driver_of(scale)
        scale.answer = b"hello"
        assert cell(await driver.read("fast"), "weight_net") == (None, Quality.LINK_ERROR)
        driver.close()


async def test_an_answer_without_an_end_is_bounded() -> None:
    async with running_scale() as scale:
        driver = driver_of(scale)
        scale.answer = b"x" * 100_000
        assert cell(await driver.read("fast"), "weight_net") == (None, Quality.LINK_ERROR)
        driver.close()


async def test_a_broken_connection_is_made_again() -> None:
    async with running_scale() as scale:
        clock = ManualClock()
        driver = driver_of(scale, clock=clock)
        assert (await driver.read("fast")).answered
        scale.drop()
        assert not (await driver.read("fast")).answered
        clock.advance(60)
        assert (await driver.read("fast")).answered
        driver.close()


async def test_where_nobody_listens_the_next_try_waits() -> None:
    clock = ManualClock()
    driver = scale_at(TcpAddress(LOOPBACK, free_port()), clock)
    assert not (await driver.read("fast")).answered
    async with asyncio.timeout(0.2):
        for _ in range(50):
            assert not (await driver.read("fast")).answered


async def test_a_scale_with_finer_digits_keeps_the_sum() -> None:
    async with running_scale() as scale:
        driver = driver_of(scale)
        for answer in (b"S S 2.500 kg", b"S S 0.000 kg", b"S S 250.001 g", b"S S 0.000 g"):
            scale.answer = answer
            sample = await driver.read("fast")
        driver.close()
    assert cell(sample, "weighed_mass_total")[0] == pytest.approx(2.750001)


async def test_a_scale_on_a_serial_port(pseudo_terminal: PseudoTerminal) -> None:
    loop = asyncio.get_running_loop()
    controller = open(pseudo_terminal.controller, "r+b", buffering=0, closefd=False)  # noqa: ASYNC230, SIM115
    loop.add_reader(controller, lambda: controller.write(b"S S 1.500 kg\r\n") if controller.read(64) else None)
    driver = scale_at(SerialPort(pseudo_terminal.device))
    try:
        assert cell(await driver.read("fast"), "weight_net") == (1.5, Quality.GOOD)
    finally:
        driver.close()
        loop.remove_reader(controller)


class SendingServer:
    """Sends what is put into it, as fast as it comes."""

    def __init__(self) -> None:
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)

    def send(self, data: bytes) -> None:
        for writer in self.writers:
            writer.write(data)


@asynccontextmanager
async def sending_scale(protocol: str, totals: Totals) -> AsyncIterator[tuple[SendingServer, Scale]]:
    scale = SendingServer()
    server = await asyncio.start_server(scale.serve, LOOPBACK, 0)
    scale.port = server.sockets[0].getsockname()[1]
    driver = scale_at(TcpAddress(LOOPBACK, scale.port), totals=totals, protocol=protocol, timeout_s=1.0)
    first = asyncio.create_task(driver.read("fast"))
    try:
        await eventually_async(lambda: bool(scale.writers))
        scale.send(b"12.5 kg\r\n")  # the end of a telegram that began before
        yield scale, driver
    finally:
        await asyncio.gather(first, return_exceptions=True)
        driver.close()
        server.close()
        for writer in scale.writers:
            writer.close()


def stream(*readings: tuple[str, float]) -> bytes:
    return b"".join(f"{state},NT,{weight:+08.2f}kg\r\n".encode() for state, weight in readings)


async def test_a_short_weighing_between_two_polls_is_not_missed() -> None:
    totals = Totals()
    async with sending_scale("aandd_18_byte_gs", totals) as (scale, driver):
        empty = ("ST", 0.0)
        for mass in (2.5, 4.25):
            scale.send(stream(empty, empty, ("US", mass / 2), ("ST", mass), ("ST", mass), ("US", 1.0), empty, empty))
        await eventually_async(lambda: len(totals.events) == 2)
        scale.send(stream(empty))
        sample = await driver.read("fast")
    assert cell(sample, "weighed_mass_total") == (6.75, Quality.GOOD)
    assert cell(sample, "weight_net") == (0.0, Quality.GOOD)
    assert cell(sample, "weight_gross") == (None, Quality.DEVICE_ERROR)
    assert [event.mass for event in totals.events if isinstance(event, WeighingEvent)] == [25_000, 42_500]


async def test_a_single_damaged_telegram_counts_for_nothing() -> None:
    totals = Totals()
    async with sending_scale("aandd_18_byte_gs", totals) as (scale, driver):
        empty = ("ST", 0.0)
        # 92.50 is what one turned bit makes of 12.50; 0.00 in between would make one load two.
        load = ("ST", 12.5)
        scale.send(stream(empty, empty, ("ST", 92.5), load, load, empty, load, load, empty, empty))
        await eventually_async(lambda: len(totals.events) == 1)
        scale.send(stream(empty))
        sample = await driver.read("fast")
    assert cell(sample, "weighed_mass_total") == (12.5, Quality.GOOD)


async def test_a_scale_that_falls_silent_has_no_weight() -> None:
    async with sending_scale("aandd_18_byte_gs", Totals()) as (scale, driver):
        scale.send(stream(("ST", 1.0), ("ST", 1.0)))
        await eventually_async(lambda: driver.read("fast"))
        for _ in range(2):
            sample = await driver.read("fast", 0.05)
    assert cell(sample, "weight_net") == (None, Quality.LINK_ERROR)
    assert cell(sample, "weighed_mass_total") == (None, Quality.LINK_ERROR)


async def test_the_handshake_of_retail_scales() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while byte := await reader.read(1):
            writer.write(b"\x06" if byte == b"\x05" else b"\x01\x02S 01.234kge\x03\x04")
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    driver = scale_at(TcpAddress(LOOPBACK, server.sockets[0].getsockname()[1]), protocol="cas_enq_dc1")
    assert cell(await driver.read("fast"), "weight_net") == (1.234, Quality.GOOD)
    driver.close()
    server.close()
