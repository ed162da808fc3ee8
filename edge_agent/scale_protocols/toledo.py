"""Toledo continuous: three status words, six digits of weight and six of tare, between STX and CR.

Bits are those of Mettler Toledo's and Rice Lake's descriptions (8142). A checksum makes the low 7 bits of all bytes
add up to 0.
"""

from edge_agent.scale_protocols.weight import (
    OUT_OF_RANGE,
    NoWeight,
    ScaleReply,
    Weight,
    device_error,
    mass,
    refused,
)

_ALWAYS_ONE = 0x20
_MULTIPLES = {0: "00", 1: "0"}
_DECIMALS = {2: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5}
_LENGTHS = {17: False, 18: True, 11: False, 12: True}
"""Whether there is a checksum."""


def parse(telegram: bytes) -> ScaleReply:
    """Read the bytes from STX to CR or checksum, parity taken off; raises UnusableReplyError when they are none."""
    has_checksum = _LENGTHS.get(len(telegram))
    if has_checksum is None or telegram[0] != 0x02 or (has_checksum and sum(telegram) % 128):
        raise refused(telegram, "Toledo continuous")
    word_a, word_b, word_c = telegram[1:4]
    carriage_return = telegram[-2] if has_checksum else telegram[-1]
    weight, tare = telegram[4:10], telegram[10:16] if len(telegram) > 12 else b""
    if (
        carriage_return != 0x0D
        or not word_a & word_b & word_c & _ALWAYS_ONE
        or (word_a | word_c) & 0x40
        or not word_a & 0x18
    ):
        raise refused(telegram, "Toledo continuous")
    if word_b & 0x04:
        return OUT_OF_RANGE
    if not weight.isdigit() or (tare and not tare.isdigit()):
        raise refused(telegram, "Toledo continuous")
    if word_b & 0x40:
        return device_error("was switched on and has not been set to zero")
    if word_c & 0x10:
        return device_error("shows expanded weight; leave that mode")
    extension = word_c & 0x07
    if extension > 1:
        return device_error(f"shows a unit of code {extension}, which differs from model to model")
    unit = "g" if extension else "kg" if word_b & 0x10 else "lb"
    shown = mass(_number(word_a & 0x07, weight, negative=bool(word_b & 0x02)), unit)
    tared = mass(_number(word_a & 0x07, tare or b"0", negative=False), unit)
    if isinstance(shown, NoWeight) or isinstance(tared, NoWeight):
        raise refused(telegram, "Toledo continuous")
    stable, net = not word_b & 0x08, bool(word_b & 0x01)
    if not tare:
        return Weight(net=shown, stable=stable) if net else Weight(gross=shown, stable=stable)
    if net:
        return Weight(net=shown, gross=shown.plus(tared), tare=tared, stable=stable)
    return Weight(net=shown.plus(tared, -1), gross=shown, tare=tared, stable=stable)


def _number(position: int, digits: bytes, *, negative: bool) -> str:
    """Digits with the point that word A tells, or with the zeros that are not sent."""
    text = digits.decode("ascii")
    sign = "-" if negative else ""
    if position in _MULTIPLES:
        return sign + text + _MULTIPLES[position]
    decimals = _DECIMALS[position]
    text = text.zfill(decimals + 1)
    return f"{sign}{text[: len(text) - decimals]}.{text[len(text) - decimals :]}"
