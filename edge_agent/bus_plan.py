"""What a site file comes to on the bus, before anything is opened: requests and the time that they take."""

from dataclasses import dataclass

from device_profiles.profile import Tier
from edge_agent.installation import MT_SICS, SUNSPEC, InstalledDevice, InstalledLine
from edge_agent.planner import ReadRequest, RequestLimits, bus_cost, plan_requests, plan_time_s
from edge_agent.transports import Transport

MT_SICS_BYTES = 24
"""A request and its answer."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """The requests of a device by tier, and the seconds that they take. Addresses of SunSpec devices are relative."""

    device: InstalledDevice
    requests: dict[Tier, tuple[ReadRequest, ...]]
    time_s: dict[Tier, float]


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What a line is asked in a cycle."""

    line: InstalledLine
    devices: tuple[DevicePlan, ...]

    @property
    def cycle_s(self) -> float:
        """The bus time of one cycle of all fast quantities."""
        return sum(device.time_s.get("fast", 0.0) for device in self.devices)

    @property
    def longest_cycle_s(self) -> float:
        """The same with the longest of the slow reads, of which there is one a cycle as far as possible."""
        return self.cycle_s + max((device.time_s.get("slow", 0.0) for device in self.devices), default=0.0)


def plan_line(line: InstalledLine) -> LinePlan:
    """Plan a line as the agent will."""
    return LinePlan(line, tuple(_plan_device(device, line.transport) for device in line.devices))


def _plan_device(device: InstalledDevice, transport: Transport) -> DevicePlan:
    profile = device.profile
    cost = bus_cost(transport, profile.pause_s)
    if profile.protocol == MT_SICS:
        return DevicePlan(device, {}, {"fast": cost.of(MT_SICS_BYTES // 2)})
    limits = RequestLimits(cost, max_registers=profile.max_registers_per_request, holes=profile.unreadable)
    requests: dict[Tier, tuple[ReadRequest, ...]] = {}
    tiers: tuple[Tier, ...] = ("fast", "slow")
    for tier in tiers:
        registers = [register for register in profile.registers if register.tier == tier]
        if registers:
            names = {name for register in registers for name in register.helper_names}
            helpers = [helper for helper in profile.helpers if helper.quantity in names]
            requests[tier] = plan_requests([*registers, *helpers], limits)
    return DevicePlan(device, requests, {tier: plan_time_s(planned, cost) for tier, planned in requests.items()})


def is_relative(device: InstalledDevice) -> bool:
    """Whether addresses count from the start of a SunSpec model."""
    return device.profile.protocol == SUNSPEC
