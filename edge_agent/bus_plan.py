"""What a site file comes to on the bus, before anything is opened: requests and the time that they take."""

from dataclasses import dataclass

from device_profiles.profile import Tier
from edge_agent.installation import SUNSPEC, InstalledDevice, InstalledLine
from edge_agent.planner import BusCost, ReadRequest, bus_cost, plan_requests, plan_time_s, request_limits
from edge_agent.scale_protocols.protocols import SCALE_PROTOCOLS
from edge_agent.transports import GpioChip, Transport

SCALE_BYTES = 24
"""A request and its answer."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """The requests of a device by tier, and the seconds that they take. Addresses of SunSpec devices are relative."""

    device: InstalledDevice
    requests: dict[Tier, tuple[ReadRequest, ...]]
    time_s: dict[Tier, float]
    cost: BusCost


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
        """The same with the longest of the slow requests: they fill what is left of a cycle one by one."""
        slow_s = (
            device.cost.of(request.count) for device in self.devices for request in device.requests.get("slow", ())
        )
        return self.cycle_s + max(slow_s, default=0.0)


def plan_line(line: InstalledLine) -> LinePlan:
    """Plan a line as the agent will."""
    return LinePlan(line, tuple(_plan_device(device, line.transport) for device in line.devices))


def _plan_device(device: InstalledDevice, transport: Transport | GpioChip) -> DevicePlan:
    profile = device.profile
    if isinstance(transport, GpioChip):
        return DevicePlan(device, {}, {"fast": 0.0}, BusCost(0.0, 0.0))
    cost = bus_cost(transport, profile.pause_s)
    if profile.protocol in SCALE_PROTOCOLS:
        return DevicePlan(device, {}, {"fast": cost.of(SCALE_BYTES // 2)}, cost)
    requests: dict[Tier, tuple[ReadRequest, ...]] = {}
    tiers: tuple[Tier, ...] = ("fast", "slow")
    for tier in tiers:
        registers = [register for register in profile.registers if register.tier == tier]
        if registers:
            names = {name for register in registers for name in register.helper_names}
            helpers = [helper for helper in profile.helpers if helper.quantity in names]
            requests[tier] = plan_requests([*registers, *helpers], request_limits(profile, transport, tier))
    return DevicePlan(device, requests, {tier: plan_time_s(planned, cost) for tier, planned in requests.items()}, cost)


def is_relative(device: InstalledDevice) -> bool:
    """Whether addresses count from the start of a SunSpec model."""
    return device.profile.protocol == SUNSPEC
