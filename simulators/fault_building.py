"""From the faults of a scenario file to what they do to a device of a profile."""

from collections.abc import Callable, Sequence

from device_profiles.profile import Encoding, Profile, Register
from simulators.device_simulation import example_values, profile_unit
from simulators.electricity import Wiring
from simulators.encoding import FLOAT_CODES, limits, words_of
from simulators.errors import SimulatorError
from simulators.faults import (
    Clock,
    DamagedChecksum,
    Delay,
    During,
    ExceptionAt,
    Fault,
    Frozen,
    LateReply,
    Reply,
    Request,
    Silence,
    Truncated,
    WithProbability,
    WrongUnit,
)
from simulators.line_faults import GATEWAY_TARGET_SILENT, Collision, HangUp, Joined, Noise, Refusal, WrongTransaction
from simulators.load_curve import Load
from simulators.register_faults import Overwritten, SwappedWords
from simulators.scenario import TELEGRAM_FAULTS, VALUE_FAULTS, FaultSettings
from simulators.value_faults import ValuesAt, counter_reset, counter_wrap, is_total, measured_otherwise

_PHASES = ("l1", "l2", "l3")
_NAN_WORDS = {Encoding.F32: (0x7FC0, 0), Encoding.F64: (0x7FF8, 0, 0, 0)}
_TWO_REGISTERS = 2


def reply_faults(
    settings: Sequence[FaultSettings], profile: Profile, clock: Clock, *, seed: int, is_tcp: bool
) -> list[Fault]:
    """The faults that change replies, each in its time and with its probability.

    Args:
        settings: all faults of the device; those of the device itself are left aside.
        profile: of the device.
        clock: the scenario's time in s.
        seed: of the faults that have none of their own.
        is_tcp: whether frames have the header of Modbus TCP.

    Raises:
        SimulatorError: a fault does not fit the device.
    """
    return _timed(settings, clock, seed, lambda entry, own_seed: _reply_fault(entry, profile, own_seed, is_tcp=is_tcp))


def telegram_faults(settings: Sequence[FaultSettings], clock: Clock, *, seed: int) -> list[Fault]:
    """The faults of a scale with a protocol of its own; raises SimulatorError for those that it cannot have."""
    return _timed(settings, clock, seed, _telegram_fault)


def _timed(
    settings: Sequence[FaultSettings], clock: Clock, seed: int, make: Callable[[FaultSettings, int], Fault]
) -> list[Fault]:
    found: list[Fault] = []
    for index, entry in enumerate(settings):
        if entry.kind in VALUE_FAULTS:
            continue
        own_seed = seed * 1000 + index if entry.seed is None else entry.seed
        fault = make(entry, own_seed)
        if entry.probability < 1:
            fault = WithProbability(fault, entry.probability, own_seed)
        found.append(During(fault, clock, entry.from_s, entry.to_s))
    return found


def _telegram_fault(entry: FaultSettings, seed: int) -> Fault:
    if entry.kind not in TELEGRAM_FAULTS:
        raise SimulatorError(f"{entry.kind}: a scale can have {', '.join(sorted(TELEGRAM_FAULTS))}")
    makers: dict[str, Callable[[], Fault]] = {
        "silence": Silence,
        "delay": lambda: Delay(entry.delay_s or 0.0),
        "late_reply": lambda: LateReply(entry.delay_s or 0.0),
        "frozen": Frozen,
        "truncated": lambda: Truncated(entry.length or 0),
        "joined": Joined,
        "checksum": DamagedChecksum,
        "noise": lambda: Noise(seed),
        "hang_up": HangUp,
    }
    return makers[entry.kind]()


def _reply_fault(entry: FaultSettings, profile: Profile, seed: int, *, is_tcp: bool) -> Fault:
    if entry.kind in TELEGRAM_FAULTS:
        return _telegram_fault(entry, seed)
    makers: dict[str, Callable[[], Fault]] = {
        "exception": lambda: _exception(entry),
        "wrong_unit": lambda: WrongUnit(entry.unit_id or 0),
        "wrong_transaction": lambda: _wrong_transaction(profile, is_tcp=is_tcp),
        # A gateway drops what has collided and tells its master that nobody answered.
        "duplicate_id": lambda: Refusal(GATEWAY_TARGET_SILENT) if is_tcp else _collision(profile, seed),
        "swapped_words": lambda: _swapped_words(profile),
        "nan": lambda: _overwritten(profile, entry, _nan),
        "sentinel": lambda: _overwritten(profile, entry, _sentinel),
        "zero": lambda: _overwritten(profile, entry, lambda register: (0,) * register.count),
    }
    return makers[entry.kind]()


def _exception(entry: FaultSettings) -> Fault:
    code = entry.exception_code or 0
    return Refusal(code) if entry.address is None else ExceptionAt(entry.address, code)


def _wrong_transaction(profile: Profile, *, is_tcp: bool) -> Fault:
    if not is_tcp:
        raise SimulatorError(f"wrong_transaction: RTU frames of {profile.id} carry no transaction; use transport tcp")
    return WrongTransaction()


def _collision(profile: Profile, seed: int) -> Fault:
    values_at = example_values(profile, seed + 1)
    time_s = 0.0

    def moving_clock() -> float:
        nonlocal time_s
        time_s += 1.0
        return time_s

    other = profile_unit(profile, values_at, moving_clock)

    def answer(request: Request) -> Reply:
        return other.reply(request)

    return Collision(answer)


def _swapped_words(profile: Profile) -> Fault:
    return SwappedWords(
        frozenset(
            (code, register.address)
            for register in profile.registers
            if register.count == _TWO_REGISTERS and register.encoding is not Encoding.ASCII
            for code in _codes(profile, register)
        )
    )


def _overwritten(profile: Profile, entry: FaultSettings, words: Callable[[Register], tuple[int, ...]]) -> Fault:
    register = _register(profile, entry)
    addresses = range(register.address, register.address + register.count)
    return Overwritten(frozenset(_codes(profile, register)), dict(zip(addresses, words(register), strict=True)))


def _nan(register: Register) -> tuple[int, ...]:
    if register.encoding not in _NAN_WORDS:
        raise SimulatorError(f"nan: {register.quantity} is an integer there, which has no NaN; use sentinel or zero")
    words = _NAN_WORDS[register.encoding]
    return words if register.word_order == "big" else words[::-1]


def _sentinel(register: Register) -> tuple[int, ...]:
    if not register.invalid:
        raise SimulatorError(f"sentinel: {register.quantity} has none in this profile; use nan or zero")
    return words_of(register, None)


def _register(profile: Profile, entry: FaultSettings) -> Register:
    try:
        return profile.register(entry.quantity or "")
    except KeyError:
        raise SimulatorError(
            f"{entry.kind}: {profile.id} has no {entry.quantity!r} at a fixed address; `leanmeter profiles show "
            f"{profile.id}` names what it has"
        ) from None


def _codes(profile: Profile, register: Register) -> tuple[int, ...]:
    return profile.function_codes_alike or (register.function_code,)


def faulty_values(
    settings: Sequence[FaultSettings], profile: Profile, true_at: ValuesAt, *, seed: int, load: Load | None
) -> ValuesAt:
    """What a device shows that measures or counts wrongly.

    Args:
        settings: all faults of the device; those that change replies are left aside.
        profile: of the device.
        true_at: what it would show.
        seed: with which `true_at` was made.
        load: with which `true_at` was made.

    Raises:
        SimulatorError: a fault does not fit the device.
    """
    shown = true_at
    for entry in settings:
        if entry.kind == "counter_reset":
            shown = counter_reset(shown, entry.from_s)
        elif entry.kind == "meter_swap":
            shown = counter_reset(shown, entry.from_s, entry.total or 0.0)
        elif entry.kind == "counter_wrap":
            shown = counter_wrap(shown, entry.from_s, {entry.quantity or "": _modulus(profile, entry)})
        elif entry.kind in VALUE_FAULTS:
            if profile.resource != "electricity" or profile.protocol != "modbus":
                raise SimulatorError(f"{entry.kind}: {profile.id} is no electricity meter")
            other = example_values(profile, seed, load, _wiring(entry))
            shown = measured_otherwise(shown, other, entry.from_s, entry.to_s)
    return shown


def _modulus(profile: Profile, entry: FaultSettings) -> float:
    register = _register(profile, entry)
    if register.encoding in FLOAT_CODES or register.multiplier or not is_total(register.quantity):
        raise SimulatorError(f"counter_wrap: {register.quantity} of {profile.id} has no value at which it starts again")
    return (register.counter_modulus or limits(register)[1] + 1) * register.scale


def _wiring(entry: FaultSettings) -> Wiring:
    phase = _PHASES.index(entry.phase or "l1")
    if entry.kind == "ct_turned":
        return Wiring(turned_phase=phase)
    if entry.kind == "phase_lost":
        return Wiring(lost_phase=phase)
    return Wiring(exchanged_phases=(phase, _PHASES.index(entry.other_phase or "l1")))
