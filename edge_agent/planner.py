"""Groups registers into read requests, so that a cycle takes the least time on the bus."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from device_profiles.profile import FunctionCode, Profile, Register, Tier
from edge_agent.transports import SerialPort, Transport, frame_gap_s

# Function code, unit id, byte count and CRC around the registers of a reply, and a whole request.
RTU_REPLY_OVERHEAD_CHARACTERS = 5
RTU_REQUEST_CHARACTERS = 8
# A round trip on a local network, and what two more bytes of a packet cost there and in decoding.
TCP_ROUND_TRIP_S = 0.002
TCP_REGISTER_S = 2e-6
# The time most meters take until they answer; it only weighs one more request against more registers.
DEVICE_DELAY_S = 0.02
# A longer slow request would not fit into what the fast ones leave of a cycle; it is asked in parts.
SLOW_REQUEST_S = 0.15


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One read: `count` registers or bits from `address`, of which `registers` are wanted."""

    function_code: FunctionCode
    address: int
    count: int
    registers: tuple[Register, ...]

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.count


@dataclass(frozen=True, slots=True)
class BusCost:
    """What a request takes on the bus: `request_s` and for each register `register_s`."""

    request_s: float
    register_s: float

    def of(self, count: int) -> float:
        """Seconds for a request of that many registers and its reply."""
        return self.request_s + count * self.register_s


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What a request may be.

    `max_gap` is how many registers in a row that the profile does not list may be read on the way to the next one:
    most devices answer a few, and many refuse what their document does not list.
    `holes` are (function code, address) that the device refuses: never read, never read across. `cuts` are
    (function code, address) before which a request must end: where a refused request was split in search of a hole.
    """

    cost: BusCost
    max_registers: int = 125
    max_gap: int = 16
    holes: frozenset[tuple[int, int]] = frozenset()
    cuts: frozenset[tuple[int, int]] = frozenset()


def bus_cost(transport: Transport, pause_s: float = 0.0, device_delay_s: float = DEVICE_DELAY_S) -> BusCost:
    """The cost of reading over a transport, with the pause that a device model wants between requests."""
    if isinstance(transport, SerialPort):
        characters = RTU_REQUEST_CHARACTERS + RTU_REPLY_OVERHEAD_CHARACTERS
        fixed_s = characters * transport.character_s + 2 * frame_gap_s(transport)
        return BusCost(fixed_s + pause_s + device_delay_s, 2 * transport.character_s)
    return BusCost(TCP_ROUND_TRIP_S + pause_s + device_delay_s + frame_gap_s(transport), TCP_REGISTER_S)


def request_limits(profile: Profile, transport: Transport, tier: Tier) -> RequestLimits:
    """The limits for a tier of a device model over a transport."""
    cost = bus_cost(transport, profile.pause_s)
    most = profile.max_registers_per_request
    if tier == "slow":
        most = min(most, max(4, int((SLOW_REQUEST_S - cost.request_s) / cost.register_s)))
    return RequestLimits(cost, max_registers=most, max_gap=profile.max_gap, holes=profile.unreadable)


def with_one_function_code(profile: Profile) -> Profile:
    """Read registers that a device answers under several function codes with the first of these.

    What stands under any of them may then be one request; every plan with several codes is one with the first code too,
    so that nothing is lost.
    """
    alike = profile.function_codes_alike
    if len(alike) < 2:
        return profile

    def unified(registers: tuple[Register, ...]) -> tuple[Register, ...]:
        return tuple(
            replace(register, function_code=alike[0]) if register.function_code in alike else register
            for register in registers
        )

    return replace(
        profile,
        registers=unified(profile.registers),
        helpers=unified(profile.helpers),
        unreadable=frozenset((alike[0] if code in alike else code, address) for code, address in profile.unreadable),
    )


def plan_requests(registers: Iterable[Register], limits: RequestLimits) -> tuple[ReadRequest, ...]:
    """The requests that read all registers in the least time, in order of function code and address.

    Dynamic programming over the registers sorted by address: the best plan for the first n ends with one request for
    the last k of them. Registers that lie on a hole are left out.
    """
    by_function_code: dict[FunctionCode, list[Register]] = {}
    for register in registers:
        if not _touches(limits.holes, register.function_code, register.address, register.address + register.count):
            by_function_code.setdefault(register.function_code, []).append(register)
    requests: list[ReadRequest] = []
    for function_code in sorted(by_function_code):
        group = sorted(by_function_code[function_code], key=lambda register: (register.address, register.count))
        requests += _plan_sorted(function_code, group, limits)
    return tuple(requests)


def plan_time_s(requests: Iterable[ReadRequest], cost: BusCost) -> float:
    """What the requests take on the bus together."""
    return sum(cost.of(request.count) for request in requests)


def _plan_sorted(function_code: FunctionCode, group: Sequence[Register], limits: RequestLimits) -> list[ReadRequest]:
    best_s = [0.0] + [float("inf")] * len(group)
    first_of_last = [0] * (len(group) + 1)
    ends = list(accumulate((register.address + register.count for register in group), max))
    for end in range(1, len(group) + 1):
        request_end = 0
        for first in range(end - 1, -1, -1):
            request_end = max(request_end, group[first].address + group[first].count)
            start = group[first].address
            # A register wider than the limit stands alone: the device may take it all the same.
            if first < end - 1 and (
                group[first + 1].address - ends[first] > limits.max_gap
                or not _may_be_one(function_code, start, request_end, limits)
            ):
                break
            total_s = best_s[first] + limits.cost.of(request_end - start)
            if total_s < best_s[end]:
                best_s[end], first_of_last[end] = total_s, first
    requests: list[ReadRequest] = []
    end = len(group)
    while end:
        members = tuple(group[first_of_last[end] : end])
        start = members[0].address
        count = max(register.address + register.count for register in members) - start
        requests.append(ReadRequest(function_code, start, count, members))
        end = first_of_last[end]
    return requests[::-1]


def _may_be_one(function_code: int, start: int, end: int, limits: RequestLimits) -> bool:
    return (
        end - start <= limits.max_registers
        and not _touches(limits.holes, function_code, start, end)
        and not _touches(limits.cuts, function_code, start + 1, end)
    )


def _touches(places: Collection[tuple[int, int]], function_code: int, start: int, end: int) -> bool:
    return bool(places) and any(code == function_code and start <= address < end for code, address in places)
