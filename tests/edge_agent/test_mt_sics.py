import pytest

from edge_agent.errors import UnusableReplyError
from edge_agent.mt_sics import NoWeight, Weight, parse_reply
from wire_format.quality import Quality


@pytest.mark.parametrize(
    ("line", "weight"),
    [
        (b"S S     100.00 g", Weight(10_000, -5, stable=True)),
        (b"S D     100.50 g", Weight(10_050, -5, stable=False)),
        (b"S S 12.345 kg", Weight(12_345, -3, stable=True)),
        (b"S S -0.5 g", Weight(-5, -4, stable=True)),
        (b"S S   -  1.5 kg", Weight(-15, -1, stable=True)),
        (b"S D 24.18 t", Weight(2418, 1, stable=False)),
        (b"S S 7 g", Weight(7, -3, stable=True)),
    ],
)
def test_weights(line: bytes, weight: Weight) -> None:
    assert parse_reply(line) == weight


@pytest.mark.parametrize(
    ("line", "kilograms"),
    [
        (b"S S 10.00 lb", 4.5359237),
        (b"S S 10.0 oz", 0.28349523),
        (b"S S 10.0 ozt", 0.31103477),
        (b"S S 10.0 ct", 0.002),
    ],
)
def test_other_units_are_exact_to_a_thousandth_of_the_last_digit(line: bytes, kilograms: float) -> None:
    weight = parse_reply(line)
    assert isinstance(weight, Weight)
    digit_kg = kilograms / float(line.split()[2]) * 0.1
    assert weight.integer * 10.0**weight.exponent == pytest.approx(kilograms, abs=digit_kg / 1000)


@pytest.mark.parametrize(
    ("line", "quality"),
    [
        (b"S +", Quality.OVERFLOW),
        (b"S -", Quality.OVERFLOW),
        (b"S I", Quality.DEVICE_ERROR),
        (b"ES", Quality.DEVICE_ERROR),
        (b"ET", Quality.DEVICE_ERROR),
        (b"EL", Quality.DEVICE_ERROR),
    ],
)
def test_answers_without_a_weight(line: bytes, quality: Quality) -> None:
    answer = parse_reply(line)
    assert isinstance(answer, NoWeight)
    assert answer.quality is quality


LONG = [b"S S 1234567890123.5 kg"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"S",
        b"S S",
        b"S S 1.0",
        b"S S one g",
        b"S S 100 PCS",
        b"S X 1.0 g",
        b'I4 A "123"',
        b"\xff\xfe",
        b"+",
        b"S S 1234567890123.5 kg",
    ],
)
def test_anything_else_is_no_reply(line: bytes) -> None:
    with pytest.raises(UnusableReplyError):
        parse_reply(line)


def test_a_weight_in_finer_steps() -> None:
    assert Weight(12, -2, stable=True).in_steps(-5) == 12_000
