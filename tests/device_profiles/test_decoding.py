import math
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.decoding import TINIEST, Block, Decoded, compile_decoder, decode_registers
from device_profiles.profile import Encoding, Order, Profile, Register
from tests.device_profiles.registers import STRUCT_LETTERS, encode, register
from wire_format.quality import Quality

INTEGERS = [Encoding.U16, Encoding.S16, Encoding.U32, Encoding.S32, Encoding.U64, Encoding.S64]
ORDERS: list[Order] = ["big", "little"]


def decode_one(target: Register, reply: bytes, helpers: tuple[Register, ...] = ()) -> Decoded:
    block = Block(target.function_code, 0, len(reply) // 2)
    return compile_decoder([target], helpers, [block]).decode([reply])[0]


def limits(encoding: Encoding) -> tuple[int, int]:
    bits = 8 * struct.calcsize(f">{STRUCT_LETTERS[encoding]}")
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if encoding.value[0] == "s" else (0, (1 << bits) - 1)


@given(data=st.data())
@pytest.mark.parametrize("encoding", INTEGERS)
@pytest.mark.parametrize("word_order", ORDERS)
@pytest.mark.parametrize("byte_order", ORDERS)
def test_integers_are_exact_in_every_order(
    encoding: Encoding, word_order: Order, byte_order: Order, data: st.DataObject
) -> None:
    value = data.draw(st.integers(*limits(encoding)))
    offset = data.draw(st.integers(0, 3))
    target = register(encoding=encoding, address=offset, word_order=word_order, byte_order=byte_order)
    reply = b"\xa5\x5a" * offset + encode(value, encoding, word_order, byte_order) + b"\x12\x34"
    expected: Decoded = (value, Quality.GOOD) if abs(value) < 1 << 62 else (None, Quality.OVERFLOW)
    assert decode_one(target, reply) == expected


@given(value=st.floats(-1e9, 1e9, width=32))
@pytest.mark.parametrize("word_order", ORDERS)
@pytest.mark.parametrize("byte_order", ORDERS)
def test_floats_are_rounded_to_the_exponent(word_order: Order, byte_order: Order, value: float) -> None:
    target = register(encoding=Encoding.F32, scale=1.0, exponent=-2, word_order=word_order, byte_order=byte_order)
    integer, quality = decode_one(target, encode(value, Encoding.F32, word_order, byte_order))
    if 0 < abs(value) < TINIEST:
        assert (integer, quality) == (None, Quality.OUT_OF_RANGE)
        return
    assert quality is Quality.GOOD
    assert integer is not None
    # Half a step, and what a double of this size cannot hold.
    assert abs(Decimal(integer).scaleb(-2) - Decimal(value)) <= Decimal("0.005000001")


@given(value=st.floats(-1e12, 1e12))
def test_a_double_with_everything_swapped_reads_back(value: float) -> None:
    target = register(encoding=Encoding.F64, scale=1.0, exponent=-4, word_order="little", byte_order="little")
    integer, _ = decode_one(target, struct.pack("<d", value))
    assert integer == round(value * 1e4)


@given(digits=st.integers(0, 99_999_999))
@pytest.mark.parametrize("word_order", ORDERS)
def test_bcd_and_modulo_10000_are_decimal_digits(word_order: Order, digits: int) -> None:
    bcd = [bytes.fromhex(f"{digits:08d}"[:4]), bytes.fromhex(f"{digits:08d}"[4:])]
    mod10k = [struct.pack(">H", digits // 10_000), struct.pack(">H", digits % 10_000)]
    for encoding, words in ((Encoding.BCD, bcd), (Encoding.MOD10K, mod10k)):
        target = register(encoding=encoding, count=2, word_order=word_order)
        reply = b"".join(reversed(words) if word_order == "little" else words)
        assert decode_one(target, reply) == (digits, Quality.GOOD)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [(Encoding.BCD, (0x12AB, 0x3456)), (Encoding.MOD10K, (10_000, 1)), (Encoding.MOD10K, (1, 0xFFFF))],
)
def test_what_is_no_decimal_digit_is_a_device_error(encoding: Encoding, words: tuple[int, int]) -> None:
    target = register(encoding=encoding, count=2)
    assert decode_one(target, struct.pack(">2H", *words)) == (None, Quality.DEVICE_ERROR)


def test_a_sentinel_is_no_value_and_its_neighbour_is() -> None:
    target = register(invalid=(0x7FFFFFFF,))
    assert decode_one(target, encode(0x7FFFFFFF, Encoding.S32)) == (None, Quality.DEVICE_ERROR)
    assert decode_one(target, encode(0x7FFFFFFE, Encoding.S32)) == (0x7FFFFFFE, Quality.GOOD)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_a_device_error(value: float) -> None:
    target = register(encoding=Encoding.F32, scale=1.0)
    assert decode_one(target, encode(value, Encoding.F32)) == (None, Quality.DEVICE_ERROR)


def test_a_float_beyond_the_wire_is_an_overflow() -> None:
    target = register(encoding=Encoding.F32, scale=1.0)
    assert decode_one(target, encode(3e38, Encoding.F32)) == (None, Quality.OVERFLOW)


@pytest.mark.parametrize(
    ("raw", "quality"),
    [(-1, Quality.OUT_OF_RANGE), (0, Quality.GOOD), (1000, Quality.GOOD), (1001, Quality.OUT_OF_RANGE)],
)
def test_an_implausible_value_is_marked_and_kept(raw: int, quality: Quality) -> None:
    assert decode_one(register(minimum=0.0, maximum=100.0), encode(raw, Encoding.S32)) == (raw, quality)


def test_what_nothing_can_measure_has_no_number() -> None:
    target = register(encoding=Encoding.F32, scale=1.0, largest=1e8)
    for value in (1.1e8, -3e38, 1e-30, -4e-41):
        assert decode_one(target, encode(value, Encoding.F32)) == (None, Quality.OUT_OF_RANGE)
    assert decode_one(target, encode(-1e8, Encoding.F32)) == (-1_000_000_000, Quality.GOOD)
    assert decode_one(target, encode(1e-9, Encoding.F32)) == (0, Quality.GOOD)
    assert decode_one(target, encode(0.0, Encoding.F32)) == (0, Quality.GOOD)


def test_a_scale_that_is_no_power_of_ten_stays_exact() -> None:
    target = register(encoding=Encoding.U64, scale=0.25, exponent=-2)
    raw = 10**16 + 1
    assert decode_one(target, encode(raw, Encoding.U64)) == (25 * raw, Quality.GOOD)


def test_a_turned_sign_is_a_negative_scale() -> None:
    assert decode_one(register(scale=-0.1), encode(1234, Encoding.S32)) == (-1234, Quality.GOOD)


def test_an_integer_with_more_decimals_than_are_kept_is_rounded() -> None:
    target = register("water_volume_forward", encoding=Encoding.U32, scale=0.003785411784, exponent=-4)
    assert decode_one(target, encode(1000, Encoding.U32)) == (37854, Quality.GOOD)


SCALE_FACTOR = register("W_SF", address=2, encoding=Encoding.S16, scale=1.0, exponent=0, invalid=(-32768,))


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (0, (12340, Quality.GOOD)),
        (2, (1_234_000, Quality.GOOD)),
        (-1, (1234, Quality.GOOD)),
        (-2, (123, Quality.GOOD)),
        (-32768, (None, Quality.DEVICE_ERROR)),
        (11, (None, Quality.DEVICE_ERROR)),
    ],
)
def test_a_scale_factor_is_read_from_the_device(power: int, expected: Decoded) -> None:
    target = register(scale=1.0, scale_factor="W_SF")
    assert decode_one(target, struct.pack(">ih", 1234, power), (SCALE_FACTOR,)) == expected


def test_a_value_whose_scale_factor_was_not_read_is_a_link_error() -> None:
    target = register(scale=1.0, scale_factor="W_SF")
    decoder = compile_decoder([target], [SCALE_FACTOR], [Block(3, 0, 2), Block(3, 2, 1)])
    assert decoder.decode([encode(1234, Encoding.S32), Quality.LINK_ERROR]) == ((None, Quality.LINK_ERROR),)


def test_a_helper_that_is_not_there_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="there is no helper 'W_SF'"):
        compile_decoder([register(scale_factor="W_SF")], [], [Block(3, 0, 2)])


RATIO = register("ct_ratio", address=2, encoding=Encoding.U16, scale=0.1, exponent=-1)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(400, (49360, Quality.GOOD)), (10, (1234, Quality.GOOD)), (0, (None, Quality.DEVICE_ERROR))]
)
def test_a_ratio_is_read_from_the_device(ratio: int, expected: Decoded) -> None:
    target = register(multiplier="ct_ratio")
    assert decode_one(target, struct.pack(">iH", 1234, ratio), (RATIO,)) == expected


UNIT_CODE = register("unit_code", address=4, encoding=Encoding.U16, scale=1.0, exponent=0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, (15_005_000, Quality.GOOD)), (8, (15_005, Quality.GOOD)), (3, (None, Quality.DEVICE_ERROR))],
)
def test_a_unit_that_is_set_in_the_device_is_converted(code: int, expected: Decoded) -> None:
    target = register(
        "water_volume_forward",
        encoding=Encoding.F64,
        scale=1.0,
        exponent=-4,
        multiplier="unit_code",
        multiplier_table=((0, 1.0), (8, 0.001)),
    )
    assert decode_one(target, struct.pack(">dH", 1500.5, code), (UNIT_CODE,)) == expected


class TestBlocks:
    registers = (
        register("active_power_l1", address=10),
        register("active_power_l2", address=12),
        register("frequency", address=20, encoding=Encoding.U16, scale=0.01, exponent=-2),
    )

    def decode(self, blocks: list[Block], replies: list[bytes | Quality]) -> tuple[Decoded, ...]:
        return compile_decoder(self.registers, [], blocks).decode(replies)

    def test_results_are_in_the_order_of_the_registers(self) -> None:
        found = self.decode([Block(3, 20, 1), Block(3, 10, 4)], [struct.pack(">H", 4998), struct.pack(">ii", 1, -2)])
        assert [integer for integer, _ in found] == [1, -2, 4998]

    def test_a_block_without_a_reply_gives_its_quality_to_its_own_values_only(self) -> None:
        found = self.decode([Block(3, 10, 4), Block(3, 20, 1)], [Quality.DEVICE_ERROR, struct.pack(">H", 4998)])
        assert found == ((None, Quality.DEVICE_ERROR), (None, Quality.DEVICE_ERROR), (4998, Quality.GOOD))

    @pytest.mark.parametrize("reply", [b"", bytes(6), bytes(7), bytes(10)])
    def test_a_reply_of_another_length_is_not_read(self, reply: bytes) -> None:
        assert self.decode([Block(3, 10, 4)], [reply]) == ((None, Quality.LINK_ERROR),) * 3

    def test_a_register_that_is_cut_by_a_blocks_end_is_not_read(self) -> None:
        decoder = compile_decoder(self.registers, [], [Block(3, 10, 3)])
        assert decoder.missing == ("active_power_l2", "frequency")
        assert decoder.decode([bytes(6)])[1] == (None, Quality.LINK_ERROR)

    def test_another_function_code_is_another_register(self) -> None:
        assert compile_decoder(self.registers, [], [Block(4, 10, 11)]).missing == tuple(
            register.quantity for register in self.registers
        )

    def test_a_register_in_two_blocks_is_taken_from_the_first(self) -> None:
        found = self.decode([Block(3, 10, 4), Block(3, 12, 2)], [struct.pack(">ii", 1, 2), Quality.LINK_ERROR])
        assert found[1] == (2, Quality.GOOD)

    def test_registers_that_share_an_address_are_both_read(self) -> None:
        whole = register(address=0, encoding=Encoding.U32)
        half = register("frequency", address=1, encoding=Encoding.U16)
        found = compile_decoder([whole, half], [], [Block(3, 0, 2)]).decode([bytes([0, 1, 0, 2])])
        assert [integer for integer, _ in found] == [65538, 2]


def profile_of(registers: tuple[Register, ...], **changes: Any) -> Profile:
    return Profile(
        id="maker/model",
        maker="Maker",
        models=("Model",),
        resource="electricity",
        protocol="modbus",
        grade="B",
        source=("a test",),
        registers=registers,
        **changes,
    )


def table(address: int, reply: bytes) -> dict[int, int]:
    return {address + index: word for index, (word,) in enumerate(struct.iter_unpack(">H", reply))}


@given(value=st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_literal_floats_are_given_as_short_as_they_can_be_written(value: float) -> None:
    profile = profile_of((register(encoding=Encoding.F32, scale=1.0, exponent=-1),))
    found = decode_registers(profile, {3: table(0, struct.pack(">f", value))})
    if TINIEST <= abs(value) < 1e17 or not value:
        assert struct.pack(">f", found["active_power_total"] + 0.0) == struct.pack(">f", value + 0.0)
    assert decode_registers(profile, {3: table(0, struct.pack(">f", 231.3))}) == {"active_power_total": 231.3}


def test_function_codes_that_a_device_answers_alike_stand_for_each_other() -> None:
    registers = (register(),)
    words = {4: table(0, encode(1234, Encoding.S32))}
    assert decode_registers(profile_of(registers, function_codes_alike=(3, 4)), words) == {"active_power_total": 123.4}
    assert decode_registers(profile_of(registers), words) == {}


def test_a_value_whose_helper_is_not_covered_is_left_out() -> None:
    profile = profile_of((register(scale=1.0, scale_factor="W_SF"),), helpers=(SCALE_FACTOR,))
    assert decode_registers(profile, {3: table(0, encode(1234, Encoding.S32))}) == {}
    assert decode_registers(profile, {3: table(0, struct.pack(">ih", 1234, 1))}) == {"active_power_total": 12340.0}
