"""The requests of one device, which learn from what the device refuses."""

from collections.abc import Iterable
from dataclasses import replace

from device_profiles.profile import Register
from edge_agent.planner import BusCost, ReadRequest, RequestLimits, plan_requests

SILENCES = 3
"""After so many in a row something else is tried."""

IGNORED_CYCLES = 5
"""So many times in a row a request must be the only one without an answer before that says something about it."""


class ReadPlan:
    """Plans the registers of one tier, and finds the register at which a device answers "illegal address".

    A refused request is cut in two and both halves are tried in the next cycle, so that the search never costs more
    than a request a cycle. It is cut at the widest stretch that nobody asked for, since that is what devices refuse
    most often; what is left at the end is a register that the device does not have. It is left out, and asked for
    alone now and then: some devices refuse while they start, and meters get new firmware.

    Some devices do not refuse what they lack, they say nothing. A request without an answer is the last one of the next
    cycle, so that the others tell whether the device is there; when it is, time after time, the request counts as
    refused. Where there is but one request, a single register of it is asked for instead now and then.
    """

    def __init__(self, registers: Iterable[Register], limits: RequestLimits) -> None:
        self._registers = tuple(registers)
        self._limits = limits
        self._cuts: dict[tuple[int, int], tuple[int, int]] = {}
        self._left_out: list[ReadRequest] = []
        self._unheard: ReadRequest | None = None
        self._silences = 0
        self._ignored = 0
        self.requests = plan_requests(self._registers, limits)

    @property
    def cost(self) -> BusCost:
        """What requests take on the bus."""
        return self._limits.cost

    @property
    def holes(self) -> frozenset[tuple[int, int]]:
        """The (function code, address) that the device refuses or is known not to have."""
        return self._limits.holes

    def refused(self, request: ReadRequest) -> bool:
        """Take note that the device refused a request; true when that ended a search with a register it lacks."""
        code = request.function_code
        if len({register.address for register in request.registers}) > 1:
            self._cuts[code, _cut_address(request)] = (request.address, request.end)
            self._replan(self._limits.holes)
            return False
        holes = {(code, address) for address in range(request.address, request.end)}
        # The cuts of this search have done their work: whatever else is readable may be one request again.
        self._cuts = {
            cut: span for cut, span in self._cuts.items() if cut[0] != code or not span[0] <= request.address < span[1]
        }
        self._left_out.append(request)
        self._replan(self._limits.holes | holes)
        return True

    def order(self) -> tuple[int, ...]:
        """In which order to ask: positions in `requests`."""
        count = len(self.requests)
        first = self.requests.index(self._unheard) + 1 if self._unheard in self.requests else 0
        return tuple((first + step) % count for step in range(count))

    def lone_request(self) -> ReadRequest | None:
        """What to ask in place of the only request, after several silences: one register of it, another each time."""
        registers = self.requests[0].registers if len(self.requests) == 1 else ()
        if len(registers) < 2 or self._silences < SILENCES or not self._silences % 2:
            return None
        register = registers[self._silences // 2 % len(registers)]
        return ReadRequest(register.function_code, register.address, register.count, (register,))

    def unheard(self, request: ReadRequest, *, alone: bool) -> bool:
        """Take note that a request got no answer, `alone` when all others of the cycle did; true as `refused`."""
        self._ignored = self._ignored + 1 if alone and request == self._unheard else int(alone)
        self._unheard = request
        self._silences += 1
        if self._ignored < IGNORED_CYCLES:
            return False
        self.heard()
        return self.refused(request)

    def heard(self) -> None:
        """Take note of a cycle in which everything was answered."""
        self._unheard, self._silences, self._ignored = None, 0, 0

    def next_probe(self) -> ReadRequest | None:
        """A request for a register that was left out, another one each time; None when there is none."""
        if not self._left_out:
            return None
        self._left_out.append(self._left_out.pop(0))
        return self._left_out[-1]

    def probe_answered(self, request: ReadRequest) -> None:
        """A register that was left out is there: ask for it with the others again."""
        self._left_out.remove(request)
        code = request.function_code
        self._replan(self._limits.holes - {(code, address) for address in range(request.address, request.end)})

    def _replan(self, holes: frozenset[tuple[int, int]]) -> None:
        self._limits = replace(self._limits, holes=holes, cuts=frozenset(self._cuts))
        self.requests = plan_requests(self._registers, self._limits)


def _cut_address(request: ReadRequest) -> int:
    """Where the second half begins: after the widest gap, or else at the address in the middle."""
    addresses = sorted({register.address for register in request.registers})
    widest, cut = 0, addresses[len(addresses) // 2]
    end = request.address
    for register in request.registers:
        if register.address - end > widest:
            widest, cut = register.address - end, register.address
        end = max(end, register.address + register.count)
    return cut
