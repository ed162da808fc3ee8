"""The site file `site.yaml`: lines, devices, points and assignments, as a user writes them."""

import ssl
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, field_validator, model_validator

from site_config.errors import ConfigurationError, SiteFileError
from site_config.points import Assignment, Point, Resource, Role
from site_config.secret_file import read_secret
from site_config.yaml_file import StrictModel, load_model
from wire_format.quantities import QUANTITIES
from wire_format.topics import AGENT_PREFIX

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", max_length=63)]
Port = Annotated[int, Field(ge=1, le=65535)]

_AMOUNT_AND_RATE: dict[Resource, tuple[str, str | None]] = {
    Resource.ELECTRICITY: ("active_energy_import_total", "active_power_total"),
    Resource.REACTIVE_ENERGY: ("reactive_energy_import_total", "reactive_power_total"),
    Resource.WATER: ("water_volume_forward", "flow_rate"),
    Resource.HEAT: ("heat_energy", "heat_power"),
    Resource.COMPRESSED_AIR: ("compressed_air_volume", "compressed_air_flow_rate"),
    Resource.MATERIAL: ("weighed_mass_total", None),
    Resource.WASTE: ("weighed_mass_total", None),
    Resource.PRODUCT: ("weighed_mass_total", None),
}


TRANSPORTS = ("serial", "tcp", "rtu_over_tcp", "gpio")
"""What a line runs over, by the key of the site file."""


def _not_zero(value: float) -> float:
    if value == 0.0:
        raise ValueError("must not be 0, which would make nothing of every reading; leave it out for 1")
    return value


def _bare_host(value: str) -> str:
    """An address beside which the port has a key of its own."""
    if "/" in value or value.count(":") == 1:
        raise ValueError("must be a name or address alone, such as 192.168.1.10; a port has its own key")
    return value


Host = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_bare_host)]
Factor = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_not_zero)]


class MqttSettings(StrictModel):
    """How the broker is reached. A password stands in a file of its own, never here."""

    host: Host = "127.0.0.1"
    port: Port = 1883
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _used(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username")
        if self.ca_file is not None and not self.tls:
            raise ValueError("ca_file is for `tls: true`; without it nothing is encrypted")
        return self

    def password(self) -> str | None:
        """Read the password; raises ConfigurationError when its file cannot be read or is empty."""
        return None if self.password_file is None else read_secret(self.password_file, "mqtt.password_file")

    def tls_context(self) -> ssl.SSLContext | None:
        """What the broker's certificate is checked with; raises ConfigurationError for a file that holds none."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        except ssl.SSLError:
            raise ConfigurationError(f"mqtt.ca_file: {self.ca_file}: holds no certificate (PEM)") from None
        except OSError as problem:
            raise ConfigurationError(f"mqtt.ca_file: {self.ca_file}: cannot be read: {problem.strerror}") from None


class SerialSettings(StrictModel):
    """A serial adapter. Settings that are left out are the first device's defaults, else 9600 8N1."""

    port: str
    baud: Annotated[int, Field(ge=300, le=1_000_000)] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    data_bits: Literal[7, 8] | None = None


class TcpSettings(StrictModel):
    """A TCP address: a device with Modbus TCP, a gateway, a scale."""

    host: Host
    port: Port = 502


class GpioSettings(StrictModel):
    """The GPIO lines of this computer."""

    chip: str = "/dev/gpiochip0"


class PulseInputSettings(StrictModel):
    """The GPIO line to which a contact is wired.

    `line` is its number on the chip (17 for GPIO17 of a Raspberry Pi) or its name. `pull` says how the open contact is
    held: up where it closes to ground. A pulse must last longer than `debounce_s`; those of S0 outputs last 30 ms and
    more (IEC 62053-31).
    """

    line: Annotated[int, Field(ge=0, le=1023)] | Annotated[str, Field(min_length=1, max_length=64)]
    pull: Literal["up", "down", "none"] = "up"
    debounce_s: Annotated[float, Field(ge=0, le=1)] = 0.01


class DeviceSettings(StrictModel):
    """An installed device. `unit_id` is its Modbus address; scales have none.

    `settings` are what its profile asks because the device does not tell: a CT ratio, a unit, decimals.
    `sunspec_block` tells which of several SunSpec models of the unit is meant, of those that the profile covers:
    2 is the second meter behind an inverter. `frozen_after_s` is for how long its replies may be the same to the last
    bit though they contradict themselves: longer for a meter that renews its registers rarely.
    """

    id: Slug
    profile: str
    unit_id: Annotated[int, Field(ge=0, le=255)] = 1
    sunspec_block: Annotated[int, Field(ge=1, le=16)] = 1
    input: PulseInputSettings | None = None
    poll_interval_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    frozen_after_s: Annotated[float, Field(gt=0, le=86400)] = 300.0
    weighing_threshold_kg: Annotated[float, Field(gt=0)] = 0.1
    settings: Annotated[dict[str, float | str], Field(default_factory=dict, max_length=32)]


class LineSettings(StrictModel):
    """What is reached over one serial line or one TCP connection."""

    id: Slug
    serial: SerialSettings | None = None
    tcp: TcpSettings | None = None
    rtu_over_tcp: TcpSettings | None = None
    gpio: GpioSettings | None = None
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    devices: Annotated[tuple[DeviceSettings, ...], Field(min_length=1, max_length=247)]

    @model_validator(mode="after")
    def _one_transport(self) -> Self:
        named = [name for name in TRANSPORTS if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"line {self.id!r} needs exactly one of {', '.join(TRANSPORTS)}")
        for device in self.devices:
            if (device.input is None) != (self.gpio is None):
                needs = (
                    "needs its `input`, such as {line: 17}"
                    if self.gpio
                    else "has an `input`, which only gpio lines have"
                )
                raise ValueError(f"line {self.id!r}: {device.id} {needs}")
        return self


class PointSettings(StrictModel):
    """A measuring point; `measured_by` names the device that has measured it from the beginning."""

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    resource: Resource
    role: Role = Role.PART
    parent: Slug | None = None
    line: Slug | None = None
    measured_by: Slug | None = None
    amount: str | None = None
    rate: str | None = None
    factor: Factor = 1.0


class AssignmentSettings(StrictModel):
    """A device measures a point in [from, to); `amount` and `rate` name other quantities than the usual ones."""

    device: Slug
    point: Slug
    since: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = Field(None, alias="to")
    amount: str | None = None
    rate: str | None = None
    factor: Factor = 1.0


class SiteFile(StrictModel):
    """The file as it is written."""

    site: Slug
    edge: Annotated[Slug, Field(max_length=57)] = "edge-1"
    name: Annotated[str, Field(max_length=200)] = ""
    time_zone: str = "UTC"
    mqtt: MqttSettings = MqttSettings()
    data_dir: Path = Path("leanmeter-data/edge")
    poll_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    slow_interval_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    sync_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 10.0
    acknowledgement_timeout_s: Annotated[float, Field(ge=0.5, le=600)] = 10.0
    outbox_max_bytes: Annotated[int, Field(ge=65536)] = 1024 * 1024 * 1024
    metrics_port: Port | None = None
    lines: Annotated[tuple[LineSettings, ...], Field(max_length=64)] = ()
    points: Annotated[tuple[PointSettings, ...], Field(max_length=1000)] = ()
    assignments: Annotated[tuple[AssignmentSettings, ...], Field(max_length=10_000)] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as problem:
            raise ValueError("is no time zone; use a name such as America/Lima or Asia/Jakarta") from problem
        return value

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        devices = [device.id for line in self.lines for device in line.devices]
        points = [point.id for point in self.points]
        for kind, names in (("line", [line.id for line in self.lines]), ("device", devices), ("point", points)):
            for name in names:
                if kind == "device" and name.startswith(AGENT_PREFIX):
                    raise ValueError(f"device id {name!r}: names that begin with {AGENT_PREFIX} are those of edges")
                if names.count(name) > 1:
                    raise ValueError(f"{kind} id {name!r} is used twice; every {kind} needs its own")
        for point in self.points:
            self._check_point(point, devices)
        for index, assignment in enumerate(self.assignments):
            key = f"assignments[{index}]"
            if assignment.device not in devices:
                raise ValueError(f"{key}.device: no device {assignment.device!r} in lines")
            if assignment.point not in points:
                raise ValueError(f"{key}.point: no point {assignment.point!r} in points")
            if assignment.since and assignment.until and assignment.since >= assignment.until:
                raise ValueError(f"{key}.to: must be later than from")
            _check_quantities(key, assignment.amount, assignment.rate)
        return self

    def _check_point(self, point: PointSettings, devices: list[str]) -> None:
        key = f"points: {point.id}"
        if point.measured_by is not None and point.measured_by not in devices:
            raise ValueError(f"{key}.measured_by: no device {point.measured_by!r} in lines")
        _check_quantities(key, point.amount, point.rate)
        if point.measured_by is not None and point.amount is None and point.resource not in _AMOUNT_AND_RATE:
            raise ValueError(f"{key}.amount: name the total that counts for {point.resource.value}")
        by_id = {other.id: other for other in self.points}
        seen = {point.id}
        parent = point.parent
        while parent is not None:
            if parent not in by_id:
                raise ValueError(f"{key}.parent: no point {parent!r} in points")
            if parent in seen:
                raise ValueError(f"{key}.parent: {parent!r} is below this point already; a tree has no rings")
            if by_id[parent].resource is not point.resource:
                raise ValueError(f"{key}.parent: {parent!r} measures {by_id[parent].resource.value}")
            seen.add(parent)
            parent = by_id[parent].parent


class Site:
    """A checked site file, with the points and assignments that follow from it."""

    def __init__(self, file: SiteFile) -> None:
        self.file = file
        self.site = file.site
        self.edge = file.edge
        self.name = file.name or file.site
        self.time_zone = ZoneInfo(file.time_zone)
        self.mqtt = file.mqtt
        self.data_dir = file.data_dir
        self.poll_interval_s = file.poll_interval_s
        self.slow_interval_s = file.slow_interval_s
        self.sync_interval_s = file.sync_interval_s
        self.acknowledgement_timeout_s = file.acknowledgement_timeout_s
        self.outbox_max_bytes = file.outbox_max_bytes
        self.metrics_port = file.metrics_port
        self.lines = file.lines
        self.points = tuple(
            Point(point.id, point.name, point.resource, point.role, point.parent, point.line) for point in file.points
        )
        by_id = {point.id: point for point in self.points}
        declared = [
            _assignment(by_id[point.id], point.measured_by, point.amount, point.rate, point.factor)
            for point in file.points
            if point.measured_by is not None
        ]
        moved = [
            _assignment(
                by_id[entry.point], entry.device, entry.amount, entry.rate, entry.factor, entry.since, entry.until
            )
            for entry in file.assignments
        ]
        self.assignments = (*declared, *moved)


def load_site(path: Path) -> Site:
    """Read a site file; raises SiteFileError with one line that names the file, the key and the rule."""
    return Site(load_model(path, SiteFile, SiteFileError))


def _check_quantities(key: str, amount: str | None, rate: str | None) -> None:
    for name, quantity in (("amount", amount), ("rate", rate)):
        if quantity is not None and quantity not in QUANTITIES:
            raise ValueError(f"{key}.{name}: unknown quantity {quantity!r}; `leanmeter profiles show` names them")


def _assignment(
    point: Point,
    device: str,
    amount: str | None,
    rate: str | None,
    factor: float,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Assignment:
    usual_amount, usual_rate = _AMOUNT_AND_RATE.get(point.resource, (None, None))
    export = None
    if point.resource is Resource.ELECTRICITY and amount is None:
        if point.role is Role.GENERATION:
            usual_amount = "active_energy_export_total"
        elif point.role is Role.MAIN:
            export = "active_energy_export_total"
    chosen = amount or usual_amount
    if chosen is None:
        raise SiteFileError(f"assignment of {device!r} to {point.id!r}: name the total that counts with `amount`")
    return Assignment(
        device, point.id, chosen, rate or usual_rate, export, _milliseconds(since), _milliseconds(until), factor
    )


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
