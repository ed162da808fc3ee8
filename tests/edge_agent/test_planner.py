import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from device_profiles.profile import FunctionCode, Profile, Register
from edge_agent.planner import (
    BusCost,
    RequestLimits,
    bus_cost,
    plan_requests,
    plan_time_s,
    request_limits,
    with_one_function_code,
)
from edge_agent.transports import SerialPort, TcpAddress
from tests.edge_agent.registers import register

PROFILE = Profile("maker/meter", "Maker", ("Meter",), "electricity", "modbus", "A", ("test",), ())
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


def longest_gap(listed: set[int], start: int, end: int) -> int:
    """The longest stretch of a request that the profile does not list."""
    row = "".join("x" if address in listed else "." for address in range(start, end))
    return max(len(run) for run in row.split("x"))


def cheapest_s(registers: list[Register], limits: RequestLimits, alike: tuple[FunctionCode, ...]) -> float:
    """The least time of all allowed ways to divide the registers; codes in `alike` may share a request."""
    kinds = {code: 0 if code in alike else code for code in (3, 4)}
    listed: dict[int, set[int]] = {kind: set() for kind in kinds.values()}
    for item in registers:
        listed[kinds[item.function_code]].update(range(item.address, item.address + item.count))
    holes = {(kinds[code], address) for code, address in limits.holes}
    best = float("inf")
    for groups in partitions(registers):
        total_s = 0.0
        for group in groups:
            start = min(item.address for item in group)
            end = max(item.address + item.count for item in group)
            kind = kinds[group[0].function_code]
            if (
                any(kinds[item.function_code] != kind for item in group)
                or (end - start > limits.max_registers and len(group) > 1)
                or longest_gap(listed[kind], start, end) > limits.max_gap
                or any((kind, address) in holes for address in range(start, end))
            ):
                break
            total_s += limits.cost.of(end - start)
        else:
            best = min(best, total_s)
    return best


@pytest.mark.parametrize("seed", range(500))
def test_plan_is_as_cheap_as_the_best_of_all_plans(seed: int) -> None:
    chance = random.Random(seed)
    registers: list[Register] = []
    address = 0
    for _ in range(chance.randint(1, 7)):
        # Some overlap: two quantities in one register, a value that is also half of another.
        address = max(0, address + chance.choice((-2, -1, 0, 0, 0, 1, 3, 8, 20, 40)))
        count = chance.choice((1, 2, 4))
        registers.append(register(address, count, chance.choice((3, 3, 3, 4))))
        address += count
    alike: tuple[FunctionCode, ...] = chance.choice(((), (3, 4), (4, 3)))
    taken = {item.address + offset for item in registers for offset in range(item.count)}
    free = [place for place in range(address + 1) if place not in taken]
    unreadable = frozenset((chance.choice((3, 4)), chance.choice(free)) for _ in range(chance.randint(0, 3)) if free)
    profile = with_one_function_code(
        replace(PROFILE, registers=tuple(registers), function_codes_alike=alike, unreadable=unreadable)
    )
    limits = RequestLimits(
        SLOW_BUS,
        max_registers=chance.choice((8, 20, 125)),
        max_gap=chance.choice((5, 16, 99)),
        holes=profile.unreadable,
    )
    requests = plan_requests(chance.sample(profile.registers, len(registers)), limits)
    best_s = cheapest_s(registers, replace(limits, holes=unreadable), alike)
    assert plan_time_s(requests, limits.cost) == pytest.approx(best_s)
    assert sorted(item.address for request in requests for item in request.registers) == sorted(
        item.address for item in registers
    )


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


def test_a_profile_may_allow_no_gap_at_all() -> None:
    limits = request_limits(replace(PROFILE, max_gap=0), TcpAddress("meter"), "fast")
    assert len(plan_requests([register(0, 2), register(2, 2), register(5, 2)], limits)) == 2


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
