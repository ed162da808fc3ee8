import random
from collections.abc import Iterator

import pytest

from simulators.errors import SimulatorError
from simulators.load_curve import Curve, Load, Made, Piece, PositivePart, Sum
from simulators.loads import constant, cycling, sun, taps, wandering


def repeated(*pieces: Piece) -> Load:
    def make() -> Iterator[Piece]:
        while True:
            yield from pieces

    return Made(make)


RAMP = repeated(Piece(10, 0, 100), Piece(5, 100, 100), Piece(5, 100, -100), Piece(20, -100, 0))


def test_rate_and_amount_are_those_of_the_straight_pieces() -> None:
    curve = Curve(RAMP)
    assert curve.rate(0) == 0
    assert curve.rate(2.5) == 25
    assert curve.rate(12) == 100
    assert curve.rate(17.5) == 0
    assert curve.amount(10) * 3600 == pytest.approx(500)
    assert curve.amount(15) * 3600 == pytest.approx(1000)
    assert curve.amount(20) * 3600 == pytest.approx(1000)
    assert curve.amount(40) * 3600 == pytest.approx(0, abs=1e-9)
    assert curve.rate(42.5) == 25


def test_positive_and_negative_parts_are_cut_at_zero() -> None:
    taken, given = Curve(PositivePart(RAMP)), Curve(PositivePart(RAMP, -1.0))
    assert taken.amount(40) * 3600 == pytest.approx(1000 + 125)
    assert given.amount(40) * 3600 == pytest.approx(125 + 1000)
    assert taken.rate(18) == 0
    assert given.rate(18) == pytest.approx(20)


def test_a_sum_has_a_piece_for_each_change() -> None:
    total = Curve(Sum([(1.0, RAMP), (-1.0, constant(30.0)), (2.0, repeated(Piece(3, 0, 6), Piece(4, 6, 0)))]))
    apart = Curve(RAMP), Curve(constant(30.0)), Curve(repeated(Piece(3, 0, 6), Piece(4, 6, 0)))
    for tenth in range(2000):
        time_s = tenth / 10
        expected = apart[0].rate(time_s) - apart[1].rate(time_s) + 2 * apart[2].rate(time_s)
        assert total.rate(time_s) == pytest.approx(expected, abs=1e-9)
        expected = apart[0].amount(time_s) - apart[1].amount(time_s) + 2 * apart[2].amount(time_s)
        assert total.amount(time_s) == pytest.approx(expected, abs=1e-9)


def test_a_curve_does_not_depend_on_what_was_asked_before() -> None:
    times = [random.Random(3).uniform(0, 900) for _ in range(200)]
    asked, in_order = Curve(wandering(1, "x", between_w=(5, 9))), Curve(wandering(1, "x", between_w=(5, 9)))
    in_any_order = {time_s: (asked.rate(time_s), asked.amount(time_s)) for time_s in times}
    assert in_any_order == {time_s: (in_order.rate(time_s), in_order.amount(time_s)) for time_s in sorted(times)}


def test_old_pieces_are_forgotten_but_not_their_amount() -> None:
    curve = Curve(constant(60.0), kept_pieces=10)
    assert curve.amount(60 * 3600) == pytest.approx(3600)
    assert curve.amount(60 * 3600 - 500) == pytest.approx(3600 - 500 / 60)
    with pytest.raises(SimulatorError, match="remembers"):
        curve.rate(0)


LOADS = {
    "cycling": lambda seed: cycling(seed, "m", on_w=(900, 1000), off_w=50, on_s=(9, 30), off_s=(5, 9), start_peak=3),
    "wandering": lambda seed: wandering(seed, "m", between_w=(100, 200)),
    "sun": lambda seed: sun(seed, "m", peak_w=6000, start_hour=10),
    "taps": lambda seed: taps(seed, "m"),
}


@pytest.mark.parametrize("name", LOADS)
def test_a_load_is_repeatable_steady_and_never_negative(name: str) -> None:
    def rates(seed: int) -> list[float]:
        curve = Curve(LOADS[name](seed))
        return [curve.rate(float(second)) for second in range(3600)]

    first = rates(1)
    assert first == rates(1)
    assert first != rates(2)
    assert min(first) >= 0
    pieces = LOADS[name](1).pieces()
    before = next(pieces)
    for _ in range(1000):
        piece = next(pieces)
        assert piece.duration_s > 0
        assert piece.start_rate == before.end_rate
        before = piece


def test_the_sun_shines_by_day_only() -> None:
    curve = Curve(sun(1, "pv", peak_w=6000, start_hour=10))
    assert 1500 < curve.rate(2 * 3600) <= 6000
    assert curve.rate(10 * 3600) == 0
    assert curve.rate(24 * 3600) > 0


def test_a_start_draws_its_peak() -> None:
    curve = Curve(cycling(1, "m", on_w=(1000, 1000), off_w=0, on_s=(9, 9), off_s=(9, 9), start_peak=3, flicker=0))
    assert max(curve.rate(tenth / 10) for tenth in range(180)) == pytest.approx(1000)  # running from before
    assert max(curve.rate(tenth / 10) for tenth in range(180, 300)) == pytest.approx(3000)
    assert curve.rate(25) == pytest.approx(1000)
