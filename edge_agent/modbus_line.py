"""One Modbus line: a serial port or a TCP connection that several devices share, asked one at a time."""

import logging
from typing import Any

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from edge_agent.clock import Clock
from edge_agent.errors import DeviceExceptionError, LinkDownError, ReplyTimeoutError, UnusableReplyError
from edge_agent.raw_registers import RAW_REPLIES, RawRegistersReply, ReadRegisters
from edge_agent.transports import SerialPort, Transport, frame_gap_s

LATE_WINDOW_S = 0.5
"""How long after a timeout a late reply is waited for, so that it is not taken as the answer to the next request."""

QUIET_AFTER_LATE_S = 0.03
"""A late reply is over when nothing came for that long; USB adapters hand on their bytes every 16 ms."""

RECONNECT_MINIMUM_S = 0.5
RECONNECT_MAXIMUM_S = 30.0
LONGEST_FRAME_CHARACTERS = 256

log = logging.getLogger(__name__)


class ModbusLine:
    """A client for all devices of a line. `read` is for one task at a time: a bus has one conversation.

    Every bound is set here: pymodbus's own retries and reconnects are switched off, since they would hold up the
    other devices of the line for seconds.
    """

    def __init__(
        self,
        line_id: str,
        transport: Transport,
        clock: Clock,
        *,
        timeout_s: float = 1.0,
        late_window_s: float = LATE_WINDOW_S,
    ) -> None:
        self.line_id = line_id
        self.transport = transport
        self._clock = clock
        self._timeout_s = timeout_s
        self._late_window_s = late_window_s
        self._gap_s = frame_gap_s(transport)
        self._has_transaction_ids = not isinstance(transport, SerialPort) and not transport.rtu_framing
        self._client: AsyncModbusSerialClient | AsyncModbusTcpClient | None = None
        self._waiting = False
        self._received_bytes = 0
        self._received_at_s = 0.0
        self._free_at_s = 0.0
        self._late_until_s = 0.0
        self._retry_at_s = 0.0
        self._retry_delay_s = RECONNECT_MINIMUM_S
        self._reported_down = False

    async def read(self, unit_id: int, function_code: int, address: int, count: int, pause_s: float = 0.0) -> bytes:
        """Read registers: their bytes as they came, two for each.

        Args:
            unit_id: the device's Modbus address.
            function_code: 3 for holding registers, 4 for input registers.
            address: 0-based address of the first register.
            count: how many registers.
            pause_s: silence that the device wants before a request, beyond what the line needs.

        Raises:
            LinkDownError: no connection, or it broke; until the next attempt is due this comes at once.
            ReplyTimeoutError: no reply within the timeout.
            UnusableReplyError: a reply, but not to this request.
            DeviceExceptionError: the device answered with an exception.
        """
        client = await self._connected()
        await self._wait_for_silence(pause_s)
        request = ReadRegisters(unit_id, function_code, address, count)
        self._received_bytes = 0
        self._waiting = True
        try:
            reply: ModbusPDU = await client.execute(False, request)  # noqa: FBT003  # pymodbus has no keyword for it
        except ConnectionException as problem:
            raise LinkDownError(f"{self.transport}: connection lost") from problem
        except ModbusException as problem:
            raise self._no_reply() from problem
        finally:
            self._waiting = False
            self._free_at_s = self._clock.monotonic_s() + self._gap_s
        return self._checked(request, reply)

    def close(self) -> None:
        """Drop the connection; the next read makes a new one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _checked(self, request: ReadRegisters, reply: ModbusPDU) -> bytes:
        if self._has_transaction_ids and reply.transaction_id != request.transaction_id:
            raise UnusableReplyError(f"transaction {reply.transaction_id} instead of {request.transaction_id}")
        if reply.dev_id != request.dev_id:
            raise UnusableReplyError(f"answer of unit {reply.dev_id} instead of {request.dev_id}")
        if reply.function_code & 0x7F != request.function_code:
            raise self._spoiled(f"function code {reply.function_code} instead of {request.function_code}")
        if isinstance(reply, ExceptionResponse):
            raise DeviceExceptionError(reply.exception_code)
        if not isinstance(reply, RawRegistersReply):
            raise self._spoiled(f"an answer of type {type(reply).__name__}")
        if reply.byte_count != 2 * request.count or len(reply.data) != reply.byte_count:
            raise self._spoiled(f"{len(reply.data)} bytes of data instead of {2 * request.count}")
        return reply.data

    def _no_reply(self) -> ReplyTimeoutError | UnusableReplyError:
        if not self._has_transaction_ids:
            self._late_until_s = self._clock.monotonic_s() + self._late_window_s
        if self._received_bytes:
            return UnusableReplyError(
                f"{self._received_bytes} bytes that are no valid frame within {self._timeout_s} s"
            )
        return ReplyTimeoutError(f"no reply within {self._timeout_s} s")

    def _spoiled(self, what: str) -> UnusableReplyError:
        """An answer to an older request: whatever is still on its way must pass first."""
        if not self._has_transaction_ids:
            self._late_until_s = self._clock.monotonic_s() + self._late_window_s
        return UnusableReplyError(what)

    async def _wait_for_silence(self, pause_s: float) -> None:
        now_s = self._clock.monotonic_s()
        if now_s < self._late_until_s:
            await self._drain()
            now_s = self._clock.monotonic_s()
        wait_s = self._free_at_s + max(pause_s - self._gap_s, 0.0) - now_s
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    async def _drain(self) -> None:
        """Wait until a late reply has come and gone, or can no longer come."""
        self._received_bytes = 0
        while (now_s := self._clock.monotonic_s()) < self._late_until_s:
            await self._clock.sleep(min(0.01, self._late_until_s - now_s))
            if self._received_bytes and self._clock.monotonic_s() - self._received_at_s > QUIET_AFTER_LATE_S:
                log.info("line %s: a late reply of %d bytes was discarded", self.line_id, self._received_bytes)
                break
        self._late_until_s = 0.0

    async def _connected(self) -> AsyncModbusSerialClient | AsyncModbusTcpClient:
        if self._client is not None and self._client.connected:
            return self._client
        now_s = self._clock.monotonic_s()
        if now_s < self._retry_at_s:
            raise LinkDownError(f"{self.transport}: no connection")
        self.close()
        client = self._new_client()
        if await client.connect():
            if self._reported_down:
                log.warning("line %s: connected to %s again", self.line_id, self.transport)
            self._client, self._reported_down = client, False
            self._retry_delay_s = RECONNECT_MINIMUM_S
            return client
        client.close()
        self._retry_at_s = self._clock.monotonic_s() + self._retry_delay_s
        self._retry_delay_s = min(2 * self._retry_delay_s, RECONNECT_MAXIMUM_S)
        if not self._reported_down:
            self._reported_down = True
            log.error("line %s: cannot connect to %s; trying again until it can", self.line_id, self.transport)
        raise LinkDownError(f"{self.transport}: no connection")

    def _new_client(self) -> AsyncModbusSerialClient | AsyncModbusTcpClient:
        common: dict[str, Any] = {
            "name": self.line_id,
            "retries": 0,
            "reconnect_delay": 0,
            "timeout": self._timeout_s,
            "trace_packet": self._note_packet,
            "trace_connect": self._note_connection,
        }
        client: AsyncModbusSerialClient | AsyncModbusTcpClient
        transport = self.transport
        if isinstance(transport, SerialPort):
            common["timeout"] += LONGEST_FRAME_CHARACTERS * transport.character_s
            client = AsyncModbusSerialClient(
                transport.port,
                framer=FramerType.RTU,
                baudrate=transport.baud,
                parity=transport.parity,
                stopbits=transport.stop_bits,
                **common,
            )
        else:
            framer = FramerType.RTU if transport.rtu_framing else FramerType.SOCKET
            client = AsyncModbusTcpClient(transport.host, port=transport.port, framer=framer, **common)
        for reply in RAW_REPLIES:
            client.register(reply)
        # A silent device behind a gateway is no reason to drop the connection for the others.
        client.set_max_no_responses(1_000_000_000)
        client.ctx.count_until_disconnect = 1_000_000_000
        return client

    def _note_packet(self, sending: bool, data: bytes) -> bytes:
        if not sending:
            self._received_bytes = len(data)
            self._received_at_s = self._clock.monotonic_s()
        return data

    def _note_connection(self, connected: bool) -> None:
        """End the wait for a reply when the connection breaks; pymodbus would wait until the timeout."""
        client = self._client
        if not connected and self._waiting and client is not None and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ConnectionException("connection lost"))
