import pytest

from baselines.errors import BaselineError
from baselines.materials import Stream, balance, flow_cost

STREAMS = [
    Stream("flour", "input", 800.0, cost=640.0),
    Stream("sugar", "input", 200.0, cost=160.0),
    Stream("bread", "product", 800.0),
    Stream("evaporated", "loss", 50.0),
    Stream("returned dough", "waste", 60.0, destination="reused"),
    Stream("crumbs for feed", "waste", 40.0, destination="recycled", cost=2.0),
    Stream("bin", "waste", 20.0, cost=8.0),
]


def test_what_came_in_is_accounted_for() -> None:
    sums = balance(STREAMS)
    assert (sums.input_kg, sums.product_kg, sums.loss_kg, sums.waste_kg) == (1000.0, 800.0, 50.0, 120.0)
    assert sums.wasted_kg == 200.0
    assert sums.imbalance_kg == pytest.approx(30.0)
    assert sums.imbalance_share == pytest.approx(0.03)
    assert sums.material_yield == pytest.approx(0.8)
    assert sums.waste_a_product_kg == pytest.approx(0.15)
    assert sums.reused_share == pytest.approx(0.5)
    assert sums.recycled_share == pytest.approx(1 / 3)


def test_losses_carry_their_share_of_material_energy_and_work_and_all_of_their_handling() -> None:
    # Of 800 + 100 + 300, a fifth went into losses; 10 for handling come on top.
    cost = flow_cost(STREAMS, energy_cost=100.0, system_cost=300.0)
    assert cost.product == pytest.approx(960.0)
    assert cost.losses == pytest.approx(250.0)
    assert cost.losses_share == pytest.approx(250.0 / 1210.0)


def test_no_waste_has_no_shares_and_nothing_in_is_no_balance() -> None:
    assert balance(STREAMS[:3]).recycled_share == 0.0
    with pytest.raises(BaselineError, match="what came in and what became product"):
        balance(STREAMS[2:])
    with pytest.raises(BaselineError, match="stream flour: -1 kg"):
        balance([Stream("flour", "input", -1.0)])
