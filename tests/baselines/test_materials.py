import pytest

from baselines.errors import BaselineError
from baselines.materials import Stream, balance, flow_cost, losses_cost, wasted_kg

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


DAYS = [
    [Stream("flour", "input", 300.0), Stream("bread", "product", 150.0), Stream("bin", "waste", 10.0)],
    [Stream("flour", "input", 0.0), Stream("bread", "product", 100.0), Stream("bin", "waste", 5.0)],
]
PRICES = {"flour": 0.8, "bin": 0.1}


def test_materials_wasted_of_days_and_their_cost_add_up_to_those_of_the_period() -> None:
    period = [
        Stream("flour", "input", 300.0, cost=240.0),
        Stream("bread", "product", 250.0),
        Stream("bin", "waste", 15.0, cost=1.5),
    ]
    assert [wasted_kg(day) for day in DAYS] == [150.0, -100.0]
    assert sum(wasted_kg(day) for day in DAYS) == balance(period).wasted_kg == 50.0
    costs = [losses_cost(day, PRICES) for day in DAYS]
    assert costs == pytest.approx([121.0, -79.5])
    assert sum(cost or 0.0 for cost in costs) == pytest.approx(flow_cost(period, 0.0, 0.0).losses)


def test_several_materials_are_priced_by_mass() -> None:
    streams = [Stream("flour", "input", 300.0), Stream("sugar", "input", 100.0), Stream("bread", "product", 360.0)]
    assert losses_cost(streams, {"flour": 1.0, "sugar": 2.0}) == pytest.approx(40.0 * 1.25)


@pytest.mark.parametrize("known", [{"flour": 0.8}, {"bin": 0.1}, {}])
def test_without_each_price_the_cost_of_losses_is_not_known(known: dict[str, float]) -> None:
    assert losses_cost(DAYS[0], known) is None


def test_energy_recovered_is_neither_reused_nor_recycled() -> None:
    sums = balance([*STREAMS, Stream("pallets", "waste", 80.0, destination="recovered")])
    assert (sums.recovered_share, sums.reused_share) == pytest.approx((0.4, 0.3))
