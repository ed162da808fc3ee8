import random
from dataclasses import replace

import pytest

from edge_agent.planner import ReadRequest, RequestLimits, bus_cost
from edge_agent.read_plan import ReadPlan
from edge_agent.transports import TcpAddress
from tests.edge_agent.registers import register

LIMITS = RequestLimits(bus_cost(TcpAddress("meter")))


def is_refused(request: ReadRequest, illegal: set[int]) -> bool:
    return any(address in illegal for address in range(request.address, request.end))


def settle(plan: ReadPlan, illegal: set[int], cycles: int = 40) -> int:
    """Run cycles until nothing is refused; returns how many it took."""
    for cycle in range(cycles):
        refused = [request for request in plan.requests if is_refused(request, illegal)]
        if not refused:
            return cycle
        for request in refused:
            if request in plan.requests:
                plan.refused(request)
    raise AssertionError(f"still refused after {cycles} cycles: {plan.requests}")


def test_a_missing_register_costs_itself_and_nothing_else() -> None:
    plan = ReadPlan([register(address) for address in range(16)], LIMITS)
    assert len(plan.requests) == 1
    assert settle(plan, {5}) <= 6
    assert [(request.address, request.count) for request in plan.requests] == [(0, 5), (6, 10)]
    assert plan.holes == {(3, 5)}


def test_an_address_that_nobody_asked_for_is_read_around() -> None:
    plan = ReadPlan([register(0, 2), register(2, 2), register(16, 2), register(20, 2)], LIMITS)
    assert settle(plan, {9}) == 1
    assert [(request.address, request.count) for request in plan.requests] == [(0, 4), (16, 6)]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_missing_all_else_is_read_in_the_end(seed: int) -> None:
    chance = random.Random(seed)
    registers, address = [], 0
    for _ in range(20):
        address += chance.choice((0, 0, 0, 2, 9))
        registers.append(register(address, chance.choice((1, 2))))
        address += registers[-1].count
    illegal = {chance.randrange(address) for _ in range(chance.randint(1, 4))}
    plan = ReadPlan(registers, LIMITS)
    settle(plan, illegal, cycles=80)
    readable = [item.address for item in registers if not illegal & set(range(item.address, item.address + item.count))]
    assert [item.address for request in plan.requests for item in request.registers] == readable


def test_a_device_that_refuses_everything_is_asked_again_register_by_register() -> None:
    plan = ReadPlan([register(address, 2) for address in range(0, 12, 2)], LIMITS)
    settle(plan, set(range(100)), cycles=100)
    assert list(plan.requests) == []
    while (request := plan.next_probe()) is not None:
        plan.probe_answered(request)
    assert [(request.address, request.count) for request in plan.requests] == [(0, 12)]


def test_what_a_document_calls_unreadable_is_never_probed() -> None:
    plan = ReadPlan([register(0), register(2)], replace(LIMITS, holes=frozenset({(3, 1)})))
    assert [(request.address, request.count) for request in plan.requests] == [(0, 1), (2, 1)]
    assert plan.next_probe() is None


def test_two_registers_at_one_address_are_one_suspect() -> None:
    plan = ReadPlan([register(7, quantity="high_byte"), register(7, quantity="low_byte"), register(8)], LIMITS)
    settle(plan, {7})
    assert [item.address for request in plan.requests for item in request.registers] == [8]
