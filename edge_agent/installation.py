"""What a site file and the profiles come to: lines with their devices, checked before anything is opened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from device_profiles.configuration import configured
from device_profiles.errors import ProfileError
from device_profiles.library import load_profile
from device_profiles.profile import Profile
from edge_agent.errors import AgentConfigurationError
from edge_agent.integrals import integrated_totals
from edge_agent.planner import with_one_function_code
from edge_agent.scale_protocols.protocols import SCALE_PROTOCOLS
from edge_agent.transports import GpioChip, SerialPort, TcpAddress, Transport
from edge_agent.weighed_registers import weighed_totals
from site_config.schema import TRANSPORTS, DeviceSettings, LineSettings, Site

SUNSPEC = "sunspec"
MODBUS = "modbus"
GPIO = "gpio"


@dataclass(frozen=True, slots=True)
class InstalledDevice:
    """A device of the site file with its model."""

    settings: DeviceSettings
    profile: Profile

    @property
    def quantities(self) -> frozenset[str]:
        """Everything that it can give, with the totals that are made here where it has none."""
        layouts = (self.profile, *self.profile.alternatives)
        return frozenset(self.profile.quantities).union(
            weighed_totals(self.profile.quantities),
            *({register.quantity for register in layout.registers} for layout in layouts),
            *({entry.quantity for entry in integrated_totals(layout)} for layout in layouts),
        )


@dataclass(frozen=True, slots=True)
class InstalledLine:
    """A line of the site file, with what it runs over."""

    settings: LineSettings
    transport: Transport | GpioChip
    devices: tuple[InstalledDevice, ...]

    @property
    def is_scale(self) -> bool:
        """Whether a scale with a protocol of its own is on it."""
        return self.devices[0].profile.protocol in SCALE_PROTOCOLS


def installed_lines(site: Site, profile_directories: Sequence[Path] = ()) -> tuple[InstalledLine, ...]:
    """Join the site file with the profiles.

    Raises AgentConfigurationError with one line that names line, device and what to do.
    """
    lines = tuple(_installed_line(line, profile_directories) for line in site.lines)
    _check_ports(lines)
    _check_assignments(site, lines)
    return lines


def _installed_line(line: LineSettings, profile_directories: Sequence[Path]) -> InstalledLine:
    devices = tuple(_installed_device(line, device, profile_directories) for device in line.devices)
    installed = InstalledLine(line, _transport(line, devices[0].profile), devices)
    for device in devices:
        if (device.profile.protocol == GPIO) != (line.gpio is not None):
            raise AgentConfigurationError(
                f"line {line.id!r}, device {device.settings.id!r}: a gpio line counts pulses, profile pulses/gpio, "
                "and nothing else does"
            )
    if line.gpio is not None:
        inputs = [device.settings.input.line for device in devices if device.settings.input is not None]
        twice = {number for number in inputs if inputs.count(number) > 1}
        if twice:
            raise AgentConfigurationError(f"line {line.id!r}: two devices have input line {min(twice, key=str)!r}")
        return installed
    if any(device.profile.protocol in SCALE_PROTOCOLS for device in devices):
        if len(devices) > 1:
            raise AgentConfigurationError(f"line {line.id!r}: a scale is alone on its line; give it a line of its own")
        if line.rtu_over_tcp is not None:
            raise AgentConfigurationError(f"line {line.id!r}: a scale has no RTU frames; write tcp or serial")
        return installed
    for unit_id in {device.settings.unit_id for device in devices}:
        sharing = [device for device in devices if device.settings.unit_id == unit_id]
        if len(sharing) > 1 and not _different_blocks(sharing):
            names = " and ".join(device.settings.id for device in sharing)
            raise AgentConfigurationError(
                f"line {line.id!r}: {names} have the same unit_id {unit_id}; each device of a line needs its own"
            )
        if unit_id == 0 and line.tcp is None:
            raise AgentConfigurationError(
                f"line {line.id!r}: unit_id 0 is the broadcast address, which no device answers; use 1 to 247"
            )
    return installed


def _different_blocks(devices: Sequence[InstalledDevice]) -> bool:
    """Whether devices with the same unit id are different SunSpec models of it: an inverter and its meters."""
    blocks = {(device.profile.id, device.settings.sunspec_block) for device in devices}
    return len(blocks) == len(devices) and all(device.profile.protocol == SUNSPEC for device in devices)


def _installed_device(
    line: LineSettings, device: DeviceSettings, profile_directories: Sequence[Path]
) -> InstalledDevice:
    try:
        profile = configured(load_profile(device.profile, profile_directories), device.settings)
    except ProfileError as problem:
        raise AgentConfigurationError(f"line {line.id!r}, device {device.id!r}: {problem}") from problem
    if profile.protocol not in {MODBUS, SUNSPEC, GPIO, *SCALE_PROTOCOLS}:
        raise AgentConfigurationError(
            f"line {line.id!r}, device {device.id!r}: profile {device.profile!r} speaks {profile.protocol!r}, "
            "for which there is no driver"
        )
    return InstalledDevice(device, with_one_function_code(profile))


def _transport(line: LineSettings, profile: Profile) -> Transport | GpioChip:
    if line.gpio is not None:
        return GpioChip(line.gpio.chip)
    if line.tcp is not None:
        return TcpAddress(line.tcp.host, line.tcp.port)
    if line.rtu_over_tcp is not None:
        return TcpAddress(line.rtu_over_tcp.host, line.rtu_over_tcp.port, rtu_framing=True)
    if line.serial is None:
        raise AgentConfigurationError(f"line {line.id!r} needs exactly one of {', '.join(TRANSPORTS)}")
    serial, defaults = line.serial, profile.serial_defaults
    return SerialPort(
        serial.port,
        serial.baud or defaults.baud or 9600,
        serial.parity or defaults.parity or "N",
        serial.stop_bits or defaults.stop_bits or 1,
        serial.data_bits or defaults.data_bits or 8,
    )


def _check_ports(lines: Iterable[InstalledLine]) -> None:
    users: dict[str, str] = {}
    for line in lines:
        if isinstance(line.transport, SerialPort):
            port = line.transport.port
            if port in users:
                raise AgentConfigurationError(
                    f"lines {users[port]!r} and {line.settings.id!r} both use {port}; put their devices on one line"
                )
            users[port] = line.settings.id


def _check_assignments(site: Site, lines: Iterable[InstalledLine]) -> None:
    devices = {device.settings.id: device for line in lines for device in line.devices}
    for assignment in site.assignments:
        device = devices[assignment.device]
        if assignment.amount_quantity not in device.quantities:
            totals = sorted(name for name in device.quantities if "total" in name or "volume" in name)
            raise AgentConfigurationError(
                f"point {assignment.point!r}: device {assignment.device!r} ({device.profile.id}) has no "
                f"{assignment.amount_quantity!r}; name another with amount, for example "
                f"{', '.join(totals[:4]) or 'none'}"
            )
