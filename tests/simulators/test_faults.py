from dataclasses import replace

from simulators.faults import (
    DamagedChecksum,
    Delay,
    During,
    ExceptionAt,
    Frozen,
    LateReply,
    Reply,
    Request,
    Silence,
    Truncated,
    WithProbability,
    WrongUnit,
    apply_all,
)

REQUEST = Request(1, bytes((4, 0, 10, 0, 4)))
REPLY = Reply(1, bytes((4, 2, 0, 7)), delay_s=0.01)


def test_faults_compose_in_their_order() -> None:
    reply = apply_all([Delay(0.1), WrongUnit(9), Truncated(3), DamagedChecksum()], REQUEST, REPLY)
    assert reply.unit_id == 9
    assert round(reply.delay_s, 6) == 0.11
    assert not reply.detached
    assert reply.framed(b"\x09\x04\x02\x00") == b"\x09\x04\xfd"


def test_silence_and_late_replies() -> None:
    assert Silence().apply(REQUEST, REPLY).silent
    late = LateReply(1.5).apply(REQUEST, REPLY)
    assert late.detached
    assert late.delay_s == 1.51


def test_an_exception_stands_at_its_address_only() -> None:
    assert ExceptionAt(13, 4).apply(REQUEST, REPLY).pdu == bytes((0x84, 4))
    assert ExceptionAt(10).apply(REQUEST, REPLY).pdu == bytes((0x84, 2))
    assert ExceptionAt(14).apply(REQUEST, REPLY) == REPLY
    assert ExceptionAt(9).apply(REQUEST, REPLY) == REPLY
    assert ExceptionAt(10, function_code=3).apply(REQUEST, REPLY) == REPLY


def test_a_frozen_device_repeats_itself_to_each_request() -> None:
    frozen = Frozen()
    other = Request(1, bytes((4, 0, 0, 0, 1)))
    assert frozen.apply(REQUEST, REPLY).pdu == REPLY.pdu
    changed = replace(REPLY, pdu=bytes((4, 2, 0, 8)))
    assert frozen.apply(other, changed).pdu == changed.pdu
    assert frozen.apply(REQUEST, changed).pdu == REPLY.pdu


def test_a_fault_has_its_time() -> None:
    now_s = 0.0
    fault = During(Silence(), lambda: now_s, 10.0, 20.0)
    assert not fault.apply(REQUEST, REPLY).silent
    now_s = 10.0
    assert fault.apply(REQUEST, REPLY).silent
    now_s = 20.0
    assert not fault.apply(REQUEST, REPLY).silent


def test_chance_is_repeatable() -> None:
    def silences(seed: int) -> list[bool]:
        fault = WithProbability(Silence(), 0.3, seed)
        return [fault.apply(REQUEST, REPLY).silent for _ in range(1000)]

    assert silences(1) == silences(1)
    assert silences(1) != silences(2)
    assert 250 < sum(silences(1)) < 350
