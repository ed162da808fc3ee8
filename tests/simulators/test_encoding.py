"""Registers worked out by hand from the encodings' definitions."""

import math
from typing import Any

import pytest

from device_profiles.profile import Encoding, Register
from simulators.encoding import words_of


def register(encoding: Encoding, count: int, **facts: Any) -> Register:
    return Register(
        facts.pop("quantity", "active_power_total"), "W", facts.pop("function_code", 3), 0, count, encoding, **facts
    )


@pytest.mark.parametrize(
    ("encoding", "count", "facts", "value", "words"),
    [
        (Encoding.U16, 1, {}, 65535, (0xFFFF,)),
        (Encoding.U16, 1, {"scale": 0.1}, 49.98 * 10, (0x1386,)),
        (Encoding.S16, 1, {}, -2, (0xFFFE,)),
        (Encoding.S16, 1, {"byte_order": "little"}, 0x1234, (0x3412,)),
        (Encoding.U32, 2, {}, 0x00012345, (0x0001, 0x2345)),
        (Encoding.U32, 2, {"word_order": "little"}, 0x00012345, (0x2345, 0x0001)),
        (Encoding.U32, 2, {"byte_order": "little"}, 0x00012345, (0x0100, 0x4523)),
        (Encoding.S32, 2, {"scale": 0.1}, -1.5, (0xFFFF, 0xFFF1)),
        (Encoding.S32, 2, {"scale": 0.01}, 2300.07, (0x0003, 0x8277)),
        (Encoding.U64, 4, {"scale": 0.01, "quantity": "active_energy_import_total"}, 6874.0, (0, 0, 0x000A, 0x7D28)),
        (Encoding.S64, 4, {}, -1, (0xFFFF,) * 4),
        (Encoding.F32, 2, {}, 230.2, (0x4366, 0x3333)),
        (Encoding.F32, 2, {"word_order": "little"}, 230.2, (0x3333, 0x4366)),
        (Encoding.F32, 2, {"scale": 1000.0}, 1500.0, (0x3FC0, 0x0000)),
        (Encoding.F64, 4, {}, 1.0, (0x3FF0, 0, 0, 0)),
        (Encoding.F64, 4, {"word_order": "little", "byte_order": "little"}, 1.0, (0, 0, 0, 0xF03F)),
        (Encoding.BCD, 2, {}, 12345678, (0x1234, 0x5678)),
        (Encoding.BCD, 2, {"scale": 0.01}, 12.3, (0x0000, 0x1230)),
        (Encoding.MOD10K, 3, {}, 123456789012, (1234, 5678, 9012)),
        (Encoding.MOD10K, 2, {"word_order": "little"}, 12345678, (5678, 1234)),
        (Encoding.ASCII, 2, {}, "AB1", (0x4142, 0x3100)),
        (Encoding.ASCII, 2, {"byte_order": "little"}, "AB1", (0x4241, 0x0031)),
        (Encoding.U16, 1, {"function_code": 2}, 7.0, (1,)),
    ],
)
def test_words_are_those_of_the_definition(
    encoding: Encoding, count: int, facts: dict[str, Any], value: float | str, words: tuple[int, ...]
) -> None:
    assert words_of(register(encoding, count, **facts), value) == words


@pytest.mark.parametrize(
    ("encoding", "count", "invalid", "words"),
    [
        (Encoding.S16, 1, (0x7FFF,), (0x7FFF,)),
        (Encoding.S16, 1, (-32768,), (0x8000,)),
        (Encoding.U32, 2, (0xFFFFFFFF,), (0xFFFF, 0xFFFF)),
        (Encoding.U64, 4, (0xFFFFFFFFFFFFFFFF,), (0xFFFF,) * 4),
        (Encoding.F32, 2, (), (0x7FC0, 0)),
        (Encoding.F64, 4, (), (0x7FF8, 0, 0, 0)),
        (Encoding.U16, 1, (), (0,)),
    ],
)
@pytest.mark.parametrize("value", [None, math.nan])
def test_not_available_is_the_sentinel(
    encoding: Encoding, count: int, invalid: tuple[int, ...], words: tuple[int, ...], value: float | None
) -> None:
    assert words_of(register(encoding, count, invalid=invalid), value) == words


def test_a_value_that_does_not_fit_is_not_available_or_the_limit() -> None:
    assert words_of(register(Encoding.S16, 1, invalid=(0x7FFF,)), 40000.0) == (0x7FFF,)
    assert words_of(register(Encoding.S16, 1), 40000.0) == (0x7FFF,)
    assert words_of(register(Encoding.S16, 1), -40000.0) == (0x8000,)
    assert words_of(register(Encoding.U16, 1), -1.0) == (0,)
    assert words_of(register(Encoding.F32, 2), 1e300) == (0x7F80, 0)
    assert words_of(register(Encoding.U16, 1), math.inf) == (0xFFFF,)


def test_a_total_starts_again_at_its_modulus_or_its_width() -> None:
    total = {"quantity": "active_energy_import_total"}
    assert words_of(register(Encoding.U32, 2, counter_modulus=1_000_000, **total), 1_000_003) == (0, 3)
    assert words_of(register(Encoding.U16, 1, **total), 65536 + 9) == (9,)
    assert words_of(register(Encoding.BCD, 1, **total), 10_007) == (0x0007,)


def test_a_factor_of_the_device_divides_the_raw_value() -> None:
    assert words_of(register(Encoding.S16, 1), 12340.0, 10.0) == (1234,)
    assert words_of(register(Encoding.U16, 1), 49.98, 10.0**-2) == (4998,)


def test_a_text_in_a_number_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="active_power_total"):
        words_of(register(Encoding.U16, 1), "12")
