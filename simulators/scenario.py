"""A scenario file: devices on lines, what goes wrong with them and when, and what a reader should make of it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from simulators.errors import SimulatorError
from site_config.errors import ConfigurationError
from site_config.yaml_file import StrictModel, load_model

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Phase = Literal["l1", "l2", "l3"]
Seconds = Annotated[float, Field(ge=0, le=30 * 86400)]

FAULT_KINDS: dict[str, tuple[str, ...]] = {
    # on the line: they change a reply
    "silence": (),
    "delay": ("delay_s",),
    "late_reply": ("delay_s",),
    "exception": ("exception_code", "address?"),
    "frozen": (),
    "wrong_unit": ("unit_id",),
    "wrong_transaction": (),
    "truncated": ("length",),
    "joined": (),
    "checksum": (),
    "noise": (),
    "hang_up": (),
    "duplicate_id": (),
    # in the registers: the reply is right in every other way
    "swapped_words": (),
    "nan": ("quantity",),
    "sentinel": ("quantity",),
    "zero": ("quantity",),
    # in the device: it measures or counts wrongly
    "counter_reset": (),
    "counter_wrap": ("quantity",),
    "meter_swap": ("total",),
    "ct_turned": ("phase",),
    "ct_exchanged": ("phase", "other_phase"),
    "phase_lost": ("phase",),
}
"""Kind -> the settings that it takes; those with a question mark may be left out."""

VALUE_FAULTS = {"counter_reset", "counter_wrap", "meter_swap", "ct_turned", "ct_exchanged", "phase_lost"}
"""Faults of the device itself. They have a time but no probability."""

TELEGRAM_FAULTS = {"silence", "delay", "late_reply", "truncated", "joined", "checksum", "noise", "hang_up", "frozen"}
"""What a scale with a protocol of its own can be given."""


class FaultSettings(StrictModel):
    """A fault of a device, or of all devices of a line, in [from_s, to_s) of the scenario."""

    kind: str
    device: Slug | None = None
    line: Slug | None = None
    from_s: Seconds = 0.0
    to_s: Seconds = 30 * 86400.0
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int | None = None
    delay_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    exception_code: Annotated[int, Field(ge=1, le=255)] | None = None
    address: Annotated[int, Field(ge=0, le=65535)] | None = None
    unit_id: Annotated[int, Field(ge=0, le=255)] | None = None
    length: Annotated[int, Field(ge=0, le=300)] | None = None
    quantity: str | None = None
    total: Annotated[float, Field(ge=0)] | None = None
    phase: Phase | None = None
    other_phase: Phase | None = None

    @model_validator(mode="after")
    def _settings_fit_the_kind(self) -> Self:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(FAULT_KINDS)}")
        if (self.device is None) == (self.line is None):
            raise ValueError(f"{self.kind}: name either a device or a line")
        if self.from_s >= self.to_s:
            raise ValueError(f"{self.kind}: to_s must be later than from_s")
        taken = FAULT_KINDS[self.kind]
        for name in ("delay_s", "exception_code", "address", "unit_id", "length", "quantity", "total", "phase"):
            given = getattr(self, name) is not None
            if given and name not in taken and f"{name}?" not in taken:
                raise ValueError(f"{self.kind}: takes no {name}")
            if not given and name in taken:
                raise ValueError(f"{self.kind}: needs {name}")
        if self.kind == "ct_exchanged" and self.other_phase in {None, self.phase}:
            raise ValueError("ct_exchanged: needs phase and another other_phase")
        if self.kind in VALUE_FAULTS and self.probability != 1.0:
            raise ValueError(f"{self.kind}: happens at from_s, it has no probability")
        return self


class ScenarioDevice(StrictModel):
    """A simulated device. `power_w` is a constant load (of a water meter in m3/h), `power` a recorded one.

    On a scale somebody weighs something `every_s`: `masses_kg`, in their order and then again, or by chance.
    """

    id: Slug
    profile: str
    unit_id: Annotated[int, Field(ge=0, le=255)] = 1
    power_w: float | None = None
    power: Path | None = None
    masses_kg: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(max_length=1000)] = ()
    every_s: Annotated[float, Field(ge=2.5, le=3600)] = 8.0
    seed: int | None = None
    frozen_after_s: Annotated[float, Field(gt=0)] | None = None
    """As in the site file: how long the agent lets the device repeat itself."""

    @model_validator(mode="after")
    def _one_load(self) -> Self:
        if self.power_w is not None and self.power is not None:
            raise ValueError(f"device {self.id!r}: name power_w or power, not both")
        return self


class ScenarioLine(StrictModel):
    """Devices behind one TCP port or on one serial line, a pseudo-terminal."""

    id: Slug
    transport: Literal["tcp", "rtu_over_tcp", "serial"] = "tcp"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    baud: Annotated[int, Field(ge=300, le=1_000_000)] = 115200
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    devices: Annotated[tuple[ScenarioDevice, ...], Field(min_length=1, max_length=247)]


class ExpectedTotal(StrictModel):
    """How far a total must have grown, in the quantity's unit; None is as far as what was really used."""

    growth: float | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.002


class ExpectedDevice(StrictModel):
    """What a reader should have made of a device at the end.

    `values`: whether good values are those of the faultless device ("true") or those that a wrongly connected one
    shows ("shown"). `qualities`: which marks other than good appear, all of them and no others. `events`: which kinds
    of events its totals had (wrap, reset, step, transient, jitter), all and no others. `recovers`: whether the last
    value of every quantity is good. `oldest_s`: how old a good value may be.
    """

    values: Literal["true", "shown"] = "true"
    qualities: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    recovers: bool = True
    oldest_s: Annotated[float, Field(ge=1, le=3600)] = 1.0
    totals: dict[str, ExpectedTotal] = Field(default_factory=dict)


SYSTEM_FAULT_KINDS: dict[str, tuple[str, ...]] = {
    "broker_gone": (),
    "broker_held": (),
    "broker_reset": (),
    "broker_half_open": (),
    "broker_slow": ("delay_s",),
    "clock_step": ("step_s",),
}
"""What goes wrong around an agent, kind -> the settings that it takes."""


class SystemFault(StrictModel):
    """What goes wrong with the way to the broker, or with the agent's clock, in [from_s, to_s) of the scenario.

    A broker that is gone refuses connections, one that is held swallows them; at `from_s` connections are reset, or
    stay open and never carry anything again. The clock is `step_s` fast, or slow if negative.
    """

    kind: str
    from_s: Seconds = 0.0
    to_s: Seconds = 30 * 86400.0
    delay_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    step_s: Annotated[float, Field(ge=-86400, le=86400)] | None = None

    @model_validator(mode="after")
    def _settings_fit_the_kind(self) -> Self:
        if self.kind not in SYSTEM_FAULT_KINDS:
            raise ValueError(f"kind {self.kind!r} is none of {', '.join(SYSTEM_FAULT_KINDS)}")
        if self.from_s >= self.to_s:
            raise ValueError(f"{self.kind}: to_s must be later than from_s")
        for name in ("delay_s", "step_s"):
            if (getattr(self, name) is not None) != (name in SYSTEM_FAULT_KINDS[self.kind]):
                takes = "needs" if name in SYSTEM_FAULT_KINDS[self.kind] else "takes no"
                raise ValueError(f"{self.kind}: {takes} {name}")
        return self

    @property
    def is_of_the_clock(self) -> bool:
        """Whether it is the agent's clock that is wrong."""
        return self.kind == "clock_step"


class Scenario(StrictModel):
    """The file as it is written.

    With `system_faults` the whole line is tried, from the devices to the store: each value that the agent took must
    stand there once, and `expected_events` (kinds) too.
    """

    name: str = ""
    seed: int = 1
    duration_s: Annotated[float, Field(gt=0, le=30 * 86400)] = 60.0
    poll_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 1.0
    lines: Annotated[tuple[ScenarioLine, ...], Field(min_length=1, max_length=64)]
    faults: Annotated[tuple[FaultSettings, ...], Field(max_length=1000)] = ()
    system_faults: Annotated[tuple[SystemFault, ...], Field(max_length=100)] = ()
    expected: dict[Slug, ExpectedDevice] = Field(default_factory=dict)
    expected_events: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        devices = [device.id for line in self.lines for device in line.devices]
        lines = [line.id for line in self.lines]
        for kind, names in (("device", devices), ("line", lines)):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{kind} id {min(twice)!r} is used twice; every {kind} needs its own")
        for line in self.lines:
            units = [device.unit_id for device in line.devices]
            if len(set(units)) < len(units):
                raise ValueError(f"line {line.id!r}: two devices have one unit_id; the fault duplicate_id does that")
        for index, fault in enumerate(self.faults):
            if fault.device is not None and fault.device not in devices:
                raise ValueError(f"faults[{index}].device: no device {fault.device!r} in lines")
            if fault.line is not None and fault.line not in lines:
                raise ValueError(f"faults[{index}].line: no line {fault.line!r}")
        if self.system_faults and self.expected:
            raise ValueError("expected: with system_faults what counts is what is stored; leave it out")
        for name in self.expected:
            if name not in devices:
                raise ValueError(f"expected.{name}: no such device in lines")
        return self


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises SimulatorError with one line that names the file, the key and the rule."""
    try:
        return load_model(path, Scenario)
    except ConfigurationError as problem:
        raise SimulatorError(str(problem)) from problem
