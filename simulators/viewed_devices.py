"""What a terminal shows of a simulated device: its registers or its display, its faults, and what is asked of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from device_profiles.profile import Profile, Register
from simulators.encoding import Value
from simulators.faults import Reply, Request
from simulators.modbus_unit import ModbusUnit
from simulators.scale import Scale

_TABLES = {1: "coil", 2: "bit", 3: "holding", 4: "input"}
_WORDS_SHOWN = 8

Faults = Callable[[], Sequence[str]]


class ViewedDevice(Protocol):
    """A device on the screen; a `!` in a sentence about a request marks what is wrong."""

    @property
    def name(self) -> str:
        """A few letters."""
        ...

    @property
    def place(self) -> str:
        """What and where it is."""
        ...

    @property
    def requests(self) -> int:
        """How often it was asked."""
        ...

    def rows(self) -> list[str]:
        """A line for each thing that it holds."""
        ...

    def faults(self) -> Sequence[str]:
        """What is wrong with it now."""
        ...

    def watch(self, note: Callable[[str], None]) -> None:
        """Tell of each request from now on."""
        ...


class ViewedMeter:
    """A Modbus device.

    Args:
        name: its name.
        profile: what it is.
        unit_id: its address, None where the name tells it.
        unit: what answers there.
        values: what it measures now; None where it holds literal registers.
        faults: sentences about what is wrong now.
    """

    def __init__(
        self,
        name: str,
        profile: Profile,
        unit_id: int | None,
        unit: ModbusUnit,
        values: Callable[[], Mapping[str, Value]] | None,
        faults: Faults = lambda: (),
    ) -> None:
        self.name = name
        self.place = profile.id if unit_id is None else f"unit {unit_id} {profile.id}"
        self.faults = faults
        self._profile = profile
        self._unit = unit
        self._values = values

    @property
    def requests(self) -> int:
        """How often it was asked."""
        return self._unit.requests

    def rows(self) -> list[str]:
        """Table, 0-based address, quantity, value, words."""
        values = {} if self._values is None else self._values()
        registers = sorted(self._profile.registers, key=lambda register: (register.function_code, register.address))
        return [self._row(register, values) for register in registers]

    def watch(self, note: Callable[[str], None]) -> None:
        """Tell of each request from now on."""
        self._unit.observers.append(lambda request, reply: note(_exchange(request, reply)))

    def _row(self, register: Register, values: Mapping[str, Value]) -> str:
        place = f"{_TABLES.get(register.function_code, '')} {register.address}"
        words = self._unit.registers.words(register.function_code, register.address, register.count) or ()
        shown = " ".join(f"{word:04x}" for word in words[:4])
        value = f"{_number(values.get(register.quantity)):>10} {register.unit}"
        return f"{place:<13} {register.quantity:<28} {value:<16} {shown}"


class ViewedScale:
    """A scale with a protocol of its own.

    Args:
        name: its name.
        protocol: how it speaks.
        scale: the weighing part.
        observers: of the server: told of each telegram.
        faults: sentences about what is wrong now.
    """

    def __init__(
        self,
        name: str,
        protocol: str,
        scale: Scale,
        observers: list[Callable[[Request, Reply], None]],
        faults: Faults = lambda: (),
    ) -> None:
        self.name = name
        self.place = f"scale {protocol}"
        self.requests = 0
        self.faults = faults
        self._scale = scale
        self._observers = observers

    def rows(self) -> list[str]:
        """The display."""
        display = self._scale.display()
        state = {"": "stable" if display.stable else "swings", "+": "overload", "-": "underload"}[display.beyond]
        return [
            f"{'net' if display.is_net else 'gross'}  {display.shown_kg:.{display.decimals}f} {display.unit}  {state}",
            f"tare   {display.tare_kg:.{display.decimals}f} {display.unit}",
        ]

    def watch(self, note: Callable[[str], None]) -> None:
        """Tell of each telegram from now on."""

        def seen(request: Request, reply: Reply) -> None:
            self.requests += 1
            asked = "" if request.pdu == b"\0" else f"{_printable(request.pdu)}  "
            note(f"{asked}{_what_became(reply) or _printable(reply.framed(reply.pdu))}")

        self._observers.append(seen)


def _exchange(request: Request, reply: Reply) -> str:
    asked = f"function {request.function_code}"
    if request.address is not None and request.count is not None:
        asked += f"  {request.count:>3} from {request.address:<5}"
    wrong = _what_became(reply)
    if wrong:
        return f"{asked}  {wrong}"
    late = f" after {reply.delay_s:.2f} s" if reply.delay_s >= 0.1 else ""
    spoilt = " ! spoilt on the way" if reply.frame_edits else ""
    if reply.pdu[0] != request.function_code:
        return f"{asked}  ! exception {reply.pdu[1]}{late}{spoilt}"
    more = " ..." if len(reply.pdu) > 2 + 2 * _WORDS_SHOWN else ""
    return f"{asked}  {reply.pdu[2 : 2 + 2 * _WORDS_SHOWN].hex(' ', 2)}{more}{late}{spoilt}"


def _what_became(reply: Reply) -> str:
    if reply.hang_up:
        return "! connection closed"
    return "! no answer" if reply.silent else ""


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else f"<{byte:02x}>" for byte in data[:60])


def _number(value: Value) -> str:
    if isinstance(value, float | int):
        return f"{value + 0.0:.6g}"  # without the sign of a negative zero
    return value or ""
