import itertools
import random
from collections.abc import Iterator

import pytest

from device_profiles.profile import Register
from edge_agent.planner import BusCost, RequestLimits, bus_cost, plan_requests, plan_time_s
from edge_agent.transports import SerialPort, TcpAddress
from tests.edge_agent.registers import register

SLOW_BUS = bus_cost(SerialPort("/dev/null", 9600))


def partitions(items: list[Register]) -> Iterator[list[list[Register]]]:
    """Every way to divide registers into requests."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for chosen in itertools.combinations(rest, size):
            left = [item for item in rest if item not in chosen]
            for others in partitions(left):
                yield [[first, *chosen], *others]


def gaps(listed: set[int], start: int, end: int) -> list[str]:
    """The stretches of a request that nobody asked for."""
    return "".join("x" if address in listed else "." for address in range(start, end)).split("x")


def cheapest_s(registers: list[Register], limits: RequestLimits) -> float:
    """The least time of all allowed ways to divide the registers."""
    best = float("inf")
    for groups in partitions(registers):
        total_s = 0.0
        for group in groups:
            start = min(item.address for item in group)
            end = max(item.address + item.count for item in group)
            inside = {(group[0].function_code, address) for address in range(start, end)}
            codes = {item.function_code for item in group}
            listed = {item.address + offset for item in group for offset in range(item.count)}
            gap = max(len(run) for run in gaps(listed, start, end))
            if gap > limits.max_gap or len(codes) > 1 or end - start > limits.max_registers or inside & limits.holes:
                break
            total_s += limits.cost.of(end - start)
        else:
            best = min(best, total_s)
    return best


@pytest.mark.parametrize("seed", range(60))
def test_plan_is_as_cheap_as_the_best_of_all_plans(seed: int) -> None:
    chance = random.Random(seed)
    registers, address = [], 0
    for _ in range(chance.randint(1, 7)):
        address += chance.choice((0, 0, 1, 3, 8, 20, 40))
        count = chance.choice((1, 2, 4))
        registers.append(register(address, count, chance.choice((3, 3, 3, 4))))
        address += count
    taken = {(item.function_code, item.address + offset) for item in registers for offset in range(item.count)}
    holes = frozenset({(3, chance.randint(0, address)) for _ in range(chance.randint(0, 3))} - taken)
    limits = RequestLimits(
        SLOW_BUS, max_registers=chance.choice((8, 20, 125)), max_gap=chance.choice((5, 16, 99)), holes=holes
    )
    shuffled = chance.sample(registers, len(registers))
    requests = plan_requests(shuffled, limits)
    assert plan_time_s(requests, limits.cost) == pytest.approx(cheapest_s(registers, limits))
    assert sorted(item.address for request in requests for item in request.registers) == [
        item.address for item in registers
    ]


def test_requests_cover_their_registers_within_the_limits() -> None:
    registers = [register(address, 2) for address in range(0, 400, 2)]
    requests = plan_requests(registers, RequestLimits(SLOW_BUS, max_registers=80))
    assert [request.count for request in requests] == [80] * 5
    for request in requests:
        for item in request.registers:
            assert request.address <= item.address
            assert item.address + item.count <= request.end


def test_a_gap_is_read_when_that_is_quicker_than_another_request() -> None:
    # At 9600 baud a request costs about 41 ms and a register 2.1 ms.
    limits = RequestLimits(SLOW_BUS)
    assert len(plan_requests([register(0, 2), register(12, 2)], limits)) == 1
    assert len(plan_requests([register(0, 2), register(60, 2)], limits)) == 2
    on_tcp = RequestLimits(bus_cost(TcpAddress("meter")), max_gap=60)
    assert len(plan_requests([register(0, 2), register(60, 2)], on_tcp)) == 1


def test_a_wide_gap_is_not_read_across_however_quick_that_were() -> None:
    on_tcp = RequestLimits(bus_cost(TcpAddress("meter")), max_gap=16)
    assert len(plan_requests([register(0, 2), register(18, 2)], on_tcp)) == 1
    assert len(plan_requests([register(0, 2), register(19, 2)], on_tcp)) == 2


def test_a_hole_is_not_read_across() -> None:
    limits = RequestLimits(SLOW_BUS, holes=frozenset({(3, 3)}))
    requests = plan_requests([register(0, 2), register(4, 2)], limits)
    assert [(request.address, request.count) for request in requests] == [(0, 2), (4, 2)]


def test_a_register_on_a_hole_is_left_out() -> None:
    limits = RequestLimits(SLOW_BUS, holes=frozenset({(3, 3)}))
    assert [request.address for request in plan_requests([register(0, 2), register(2, 2)], limits)] == [0]


def test_a_hole_of_one_function_code_is_none_of_another() -> None:
    limits = RequestLimits(SLOW_BUS, holes=frozenset({(3, 2)}))
    assert len(plan_requests([register(0, 2, 4), register(3, 2, 4)], limits)) == 1


def test_a_register_wider_than_the_limit_is_read_alone() -> None:
    requests = plan_requests([register(0, 4), register(4, 1)], RequestLimits(SLOW_BUS, max_registers=2))
    assert [(request.address, request.count) for request in requests] == [(0, 4), (4, 1)]


def test_the_bus_time_of_a_known_request() -> None:
    # 8 + 5 + 2 x 10 characters of 10 bits at 9600 baud, two gaps of 3.5 characters, nothing else.
    cost = bus_cost(SerialPort("/dev/null", 9600), device_delay_s=0.0)
    assert cost.of(10) == pytest.approx((33 + 7) * 10 / 9600)


def test_equal_costs_give_fewer_requests() -> None:
    free_registers = RequestLimits(BusCost(1.0, 0.0))
    assert len(plan_requests([register(address * 10) for address in range(12)], free_registers)) == 1
