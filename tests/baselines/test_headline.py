from dataclasses import replace

from baselines.headline import Worth, headline
from baselines.linear_model import fit
from baselines.savings import Savings, savings
from tests.baselines.plants import observed

MODEL = fit(observed([121, 139, 161, 179, 201, 219], pieces=[10, 20, 30, 40, 50, 60]), ["pieces"])


def found() -> Savings:
    return savings(MODEL, observed([141.0, 160.0, 142.0], pieces=[30, 40, 30]))


def test_the_sentence_that_an_owner_reads() -> None:
    told = headline(replace(found(), provisional=False), 0.27, Worth(0.2, "EUR", 30.0))
    assert told == (
        "11.4 % less energy than expected (90 %: 10.4 to 12.5), 11 of the 27 points of your goal, "
        "worth 139 EUR a year if it continues."
    )


def test_more_than_the_goal_is_all_of_it() -> None:
    assert ", all 10 points of your goal, worth" in headline(found(), 0.1, Worth(0.2, "EUR", 30.0))


def test_of_six_points_it_is_provisional_and_a_worth_without_a_currency_is_a_number() -> None:
    told = headline(found(), None, Worth(0.2, "", 30.0))
    assert told.endswith(", worth 139 a year if it continues; provisional, because the baseline has too little data.")


def test_what_is_not_proven_is_worth_nothing_yet() -> None:
    told = headline(replace(found(), proven=False, savings=1.0, half_width=2.0), 0.27, Worth(0.2, "EUR", 30.0))
    assert told.endswith("; not yet proven.")
    assert "points" not in told


def test_more_than_expected_within_the_band_proves_nothing_either_way() -> None:
    within = replace(found(), proven=False, savings=-1.0, half_width=2.0)
    assert within.sentence().endswith("; no saving proven")
    assert replace(within, savings=-3.0).sentence().endswith("; no saving")
