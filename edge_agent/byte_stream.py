"""A TCP connection or a serial port as a pair of streams, for devices that speak in lines of text."""

import asyncio

from pymodbus.transport.serialtransport import create_serial_connection

from edge_agent.transports import SerialPort, Transport

MAXIMUM_BUFFER_BYTES = 1024


async def open_stream(transport: Transport, timeout_s: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; raises OSError (with TimeoutError among them) when that is not possible."""
    async with asyncio.timeout(timeout_s):
        if not isinstance(transport, SerialPort):
            return await asyncio.open_connection(transport.host, transport.port, limit=MAXIMUM_BUFFER_BYTES)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MAXIMUM_BUFFER_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        connection, _ = await create_serial_connection(
            loop,
            lambda: protocol,
            transport.port,
            baudrate=transport.baud,
            bytesize=8,
            parity=transport.parity,
            stopbits=transport.stop_bits,
        )
        return reader, asyncio.StreamWriter(connection, protocol, reader, loop)
