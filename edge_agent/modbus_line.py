"""One Modbus line: a serial port or a TCP connection that several devices share, asked one at a time."""

import asyncio
import contextlib
import itertools
import logging

from edge_agent.byte_link import ByteLink, open_link
from edge_agent.clock import Clock
from edge_agent.errors import DeviceExceptionError, LinkDownError, NotAskedError, ReplyTimeoutError, UnusableReplyError
from edge_agent.frame_trace import FrameTrace
from edge_agent.modbus_frames import RTU_OVERHEAD_BYTES, Reply, Request, take_rtu_replies, take_tcp_replies
from edge_agent.transports import SerialPort, Transport, frame_gap_s
from edge_agent.unanswered import Unanswered

RTU_REQUEST_BYTES = 8
LONGEST_QUIET_WAIT_S = 0.3
"""A line that is never quiet is asked all the same."""

RECONNECT_MINIMUM_S = 0.5
RECONNECT_MAXIMUM_S = 30.0

log = logging.getLogger(__name__)


class ModbusLine:
    """The master of a line. `read` is for one task at a time: a bus has one conversation.

    A late reply is never taken for the answer to another request. Modbus TCP numbers its transactions; on serial lines
    and RTU over TCP a request whose answer could be mistaken for a late one waits for another timeout, and is preceded
    by one that differs in length (see `unanswered`).
    """

    def __init__(self, line_id: str, transport: Transport, clock: Clock, *, timeout_s: float = 1.0) -> None:
        self.line_id = line_id
        self.transport = transport
        self.timeout_s = timeout_s
        self.trace = FrameTrace()
        self._clock = clock
        self._gap_s = frame_gap_s(transport)
        self._is_tcp = not isinstance(transport, SerialPort) and not transport.rtu_framing
        self._character_s = transport.character_s if isinstance(transport, SerialPort) else 0.0
        self._link: ByteLink | None = None
        self._heard = bytearray()
        self._transactions = itertools.cycle(range(1, 0x10000))
        self._unanswered = Unanswered(timeout_s)
        self._free_at_s = 0.0
        self._retry_at_s = 0.0
        self._retry_delay_s = RECONNECT_MINIMUM_S
        self._reported_down = False

    async def read(
        self,
        unit_id: int,
        function_code: int,
        address: int,
        count: int,
        pause_s: float = 0.0,
        timeout_s: float | None = None,
    ) -> bytes:
        """Read registers: their bytes as they came, two for each; bits are packed, the first one lowest.

        Args:
            unit_id: the device's Modbus address.
            function_code: 1 for coils, 2 for discrete inputs, 3 for holding registers, 4 for input registers.
            address: 0-based address of the first register.
            count: how many registers or bits.
            pause_s: silence that the device wants before a request, beyond what the line needs.
            timeout_s: how long to wait instead of the line's own timeout.

        Raises:
            LinkDownError: no connection, or it broke; until the next attempt is due this comes at once.
            ReplyTimeoutError: no reply within the timeout.
            UnusableReplyError: a reply, but not to this request.
            DeviceExceptionError: the device answered with an exception.
        """
        request = Request(unit_id, function_code, address, count)
        timeout_s = self.timeout_s if timeout_s is None else timeout_s
        now_s = self._clock.monotonic_s()
        if self._unanswered.must_wait(request, now_s):
            raise NotAskedError("not asked while a late reply may come")
        if self._unanswered.may_be_mistaken(request, now_s):
            other = self._unanswered.distinct(request, now_s)
            if other is None:
                self._unanswered.leave_alone(unit_id, now_s)
                raise NotAskedError("not asked while a late reply may come")
            await self._exchange(other, pause_s, timeout_s)
        return await self._exchange(request, pause_s, timeout_s)

    def close(self) -> None:
        """Drop the connection; the next read makes a new one."""
        if self._link is not None:
            self._link.close()
            self._link = None

    async def _exchange(self, request: Request, pause_s: float, timeout_s: float) -> bytes:
        link = await self._connected()
        await self._wait_for_silence(link, pause_s)
        link.take()
        self._heard.clear()
        transaction_id = next(self._transactions)
        frame = request.tcp_frame(transaction_id) if self._is_tcp else request.rtu_frame()
        on_line_s = (RTU_REQUEST_BYTES + RTU_OVERHEAD_BYTES + request.reply_bytes) * self._character_s
        deadline_s = asyncio.get_running_loop().time() + timeout_s + on_line_s
        received_bytes = 0
        try:
            link.write(frame)
            while True:
                data = await link.receive(deadline_s)
                received_bytes += len(data)
                self._heard += data
                answer = self._answer(request, transaction_id)
                if answer is not None:
                    return answer
        except TimeoutError:
            self._note_unanswered(request, damaged=received_bytes > 0)
            if received_bytes:
                raise UnusableReplyError("bytes that are no valid answer") from None
            # The same words for every timeout: who logs changes says it once.
            raise ReplyTimeoutError("no reply") from None
        except OSError:
            self.close()
            raise LinkDownError(f"{self.transport}: connection lost") from None
        except asyncio.CancelledError:
            self._note_unanswered(request)
            raise
        finally:
            self._free_at_s = self._clock.monotonic_s() + self._gap_s

    def _answer(self, request: Request, transaction_id: int) -> bytes | None:
        """The answer among what was heard, None when it is still to come. Late replies are passed over."""
        if not self._is_tcp:
            replies = take_rtu_replies(self._heard, request.unit_id)
        else:
            numbered = take_tcp_replies(self._heard)
            if numbered is None:
                self.close()
                raise UnusableReplyError("bytes that are no Modbus TCP")
            replies = [reply for reply in numbered if reply.transaction_id == transaction_id]
        for reply in replies:
            problem = _mismatch(request, reply)
            if problem and self._unanswered.any_of(request.unit_id, self._clock.monotonic_s()):
                log.info("line %s: a late reply of unit %d was discarded", self.line_id, request.unit_id)
                continue
            if problem:
                # Whatever this is an answer to, the one that was asked for may still be on its way.
                self._note_unanswered(request, damaged=True)
                raise UnusableReplyError(problem)
            if reply.exception_code is not None:
                self._take_exception(request, reply.exception_code)
            self._unanswered.answered(request.unit_id, self._clock.monotonic_s())
            return reply.data
        return None

    def _take_exception(self, request: Request, code: int) -> None:
        """An exception has no length: it may be the answer to an older request as well."""
        now_s = self._clock.monotonic_s()
        if self._unanswered.any_of(request.unit_id, now_s):
            self._unanswered.leave_alone(request.unit_id, now_s)
            raise UnusableReplyError(f"exception {code} after an unanswered request")
        raise DeviceExceptionError(code)

    def _note_unanswered(self, request: Request, *, damaged: bool = False) -> None:
        if not self._is_tcp:
            self._unanswered.add(request, self._clock.monotonic_s(), damaged=damaged)

    async def _wait_for_silence(self, link: ByteLink, pause_s: float) -> None:
        """Wait for the frame gap and for the device's pause, and until a late frame that is just coming is over."""
        give_up_s = self._clock.monotonic_s() + LONGEST_QUIET_WAIT_S + pause_s
        while True:
            now_s = self._clock.monotonic_s()
            wait_s = self._free_at_s + max(pause_s - self._gap_s, 0.0) - now_s
            if self._gap_s:
                wait_s = max(wait_s, link.received_at_s + self._gap_s - now_s)
            if wait_s <= 0 or now_s >= give_up_s:
                return
            await self._clock.sleep(wait_s)

    async def _connected(self) -> ByteLink:
        if self._link is not None and self._link.is_open:
            return self._link
        now_s = self._clock.monotonic_s()
        if now_s < self._retry_at_s:
            raise LinkDownError(f"{self.transport}: no connection")
        self.close()
        with contextlib.suppress(OSError):
            self._link = await open_link(self.transport, self.timeout_s, self.trace)
            if self._reported_down:
                log.warning("line %s: connected to %s again", self.line_id, self.transport)
            self._reported_down = False
            self._retry_delay_s = RECONNECT_MINIMUM_S
            return self._link
        self._retry_at_s = self._clock.monotonic_s() + self._retry_delay_s
        self._retry_delay_s = min(2 * self._retry_delay_s, RECONNECT_MAXIMUM_S)
        if not self._reported_down:
            self._reported_down = True
            log.error("line %s: cannot connect to %s; trying again until it can", self.line_id, self.transport)
        raise LinkDownError(f"{self.transport}: no connection")


def _mismatch(request: Request, reply: Reply) -> str:
    """Why a reply is none to a request; empty when it may be."""
    if reply.unit_id != request.unit_id:
        return f"answer of unit {reply.unit_id} instead of {request.unit_id}"
    if reply.function_code != request.function_code:
        return f"function code {reply.function_code} instead of {request.function_code}"
    if reply.exception_code is None and len(reply.data) != request.reply_bytes:
        return f"{len(reply.data)} bytes of data instead of {request.reply_bytes}"
    return ""
