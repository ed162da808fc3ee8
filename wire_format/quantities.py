"""Catalogue of what is measured: name, unit, resolution, kind and, where one exists, OBIS code.

Names follow one grammar: `active_power_total` is the sum over phases, `_l1` a phase, `_t1` a tariff,
`active_energy_import_*` the energy of positive power. OBIS codes (value groups C.D.E) are those of
IEC 62056-6-1 for electricity; water and heat use groups 8 and 6.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a quantity behaves in time."""

    INSTANT = "instant"
    """A present value: a power, a flow, a weight on the plate."""
    TOTAL = "total"
    """A register that counts up: energy, volume, pulses, mass."""
    STATE = "state"
    """A code or a bit field: compared, never averaged."""


_LARGEST = {
    "W": 1.08e8,
    "var": 1.08e8,
    "VA": 1.08e8,
    "V": 1e6,
    "A": 1e5,
    "Hz": 1000.0,
    "deg": 720.0,
    "degC": 3000.0,
    "K": 3000.0,
    "m3/h": 36_000.0,
    "m/s": 1000.0,
    "kg": 1e7,
    "kWh": 1e11,
    "kvarh": 1e11,
    "kVAh": 1e11,
    "m3": 1e11,
    "h": 1e7,
}
"""No factory reaches 108 MW, 36,000 m3/h, 100 kA or 1 MV, and no total a century of them: the number is no measurement.

Of one installation's own bounds a profile's `range` says more.
"""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A physical thing with a unit.

    `exponent` is the power of ten to which values without a resolution of their own (32-bit floats)
    are rounded before they are stored: 0.01 V, 0.1 W, 0.001 kWh.
    """

    name: str
    unit: str
    exponent: int
    kind: Kind
    obis: str | None = None

    @property
    def largest(self) -> float | None:
        """The magnitude beyond which a number is no measurement of this, None where anything may be."""
        return _LARGEST.get(self.unit)


def _phases(name: str, unit: str, exponent: int, kind: Kind, obis: dict[str, str]) -> list[Quantity]:
    return [Quantity(f"{name}_{part}", unit, exponent, kind, obis.get(part)) for part in ("total", "l1", "l2", "l3")]


def _group_c(total: int, group_d: int) -> dict[str, str]:
    """OBIS codes of a quantity whose phases follow at C + 20, + 40, + 60 (IEC 62056-6-1, table of value group C)."""
    return {
        part: f"{total + offset}.{group_d}.0" for part, offset in (("total", 0), ("l1", 20), ("l2", 40), ("l3", 60))
    }


def _electricity() -> list[Quantity]:
    instant, total = Kind.INSTANT, Kind.TOTAL
    found = [
        *_phases("active_power", "W", -1, instant, _group_c(16, 7)),
        *_phases("active_power_import", "W", -1, instant, _group_c(1, 7)),
        *_phases("active_power_export", "W", -1, instant, _group_c(2, 7)),
        *_phases("reactive_power", "var", -1, instant, _group_c(3, 7)),
        *_phases("apparent_power", "VA", -1, instant, _group_c(9, 7)),
        *_phases("power_factor", "1", -3, instant, _group_c(13, 7)),
        *_phases("phase_angle", "deg", -2, instant, {}),
        *_phases("demand_active_power", "W", -1, instant, {}),
        *_phases("demand_max_active_power", "W", -1, instant, {}),
        *_phases("demand_apparent_power", "VA", -1, instant, {}),
        *_phases("demand_max_apparent_power", "VA", -1, instant, {}),
        Quantity("frequency", "Hz", -3, instant, "14.7.0"),
    ]
    for direction, group_c in (("import", 1), ("export", 2), ("sum", 15), ("net", 16)):
        found += _phases(f"active_energy_{direction}", "kWh", -3, total, _group_c(group_c, 8))
        found += _phases(f"reactive_energy_{direction}", "kvarh", -3, total, {})
        for part in ("partial", "resettable", "t1", "t2", "t3", "t4"):
            found.append(Quantity(f"active_energy_{direction}_{part}", "kWh", -3, total))
            found.append(Quantity(f"reactive_energy_{direction}_{part}", "kvarh", -3, total))
    for part in ("total", "import_total", "export_total"):
        found.append(Quantity(f"apparent_energy_{part}", "kVAh", -3, total))
    for part, code in (("l1", "32"), ("l2", "52"), ("l3", "72")):
        found.append(Quantity(f"voltage_{part}_n", "V", -2, instant, f"{code}.7.0"))
    found += [Quantity(f"voltage_{pair}", "V", -2, instant) for pair in ("l1_l2", "l2_l3", "l3_l1")]
    found += [Quantity(f"voltage_{part}", "V", -2, instant) for part in ("ln_avg", "ll_avg", "system", "dc")]
    for part, code in (("l1", "31"), ("l2", "51"), ("l3", "71"), ("n", "91")):
        found.append(Quantity(f"current_{part}", "A", -3, instant, f"{code}.7.0"))
    found += [
        Quantity(f"current_{part}", "A", -3, instant) for part in ("avg", "sum", "total", "system", "vector_sum", "dc")
    ]
    for prefix in ("demand_", "demand_max_"):
        found += [Quantity(f"{prefix}current_{part}", "A", -3, instant) for part in ("l1", "l2", "l3", "n")]
        found += [Quantity(f"{prefix}active_power_{part}", "W", -1, instant) for part in ("import", "export")]
    found.append(Quantity("demand_max_current", "A", -3, instant))
    for part in ("l1_n", "l2_n", "l3_n", "l1_l2", "l2_l3", "l3_l1", "ln_avg", "ll_avg"):
        found.append(Quantity(f"thd_voltage_{part}", "%", -2, instant))
    found += [Quantity(f"thd_current_{part}", "%", -2, instant) for part in ("l1", "l2", "l3", "avg")]
    found += [Quantity("power_dc", "W", -1, instant), Quantity("energy_dc", "kWh", -3, total)]
    # Import less export as Eastron names it; others have it for each phase and call the sum active_energy_net_total.
    found.append(Quantity("active_energy_net", "kWh", -3, total))
    found += [Quantity(name, "enum", 0, Kind.STATE) for name in ("phase_sequence", "phase_rotation", "current_tariff")]
    return found


def _others() -> list[Quantity]:
    instant, total, state = Kind.INSTANT, Kind.TOTAL, Kind.STATE
    return [
        Quantity("water_volume_forward", "m3", -4, total, "8-0:1.0.0"),
        Quantity("water_volume_reverse", "m3", -4, total),
        Quantity("water_volume_net_signed", "m3", -4, total),
        Quantity("flow_rate", "m3/h", -4, instant, "8-0:2.0.0"),
        Quantity("temperature", "degC", -2, instant),
        Quantity("heat_energy", "kWh", -3, total, "6-0:1.0.0"),
        Quantity("heat_energy_reverse", "kWh", -3, total),
        Quantity("heat_power", "W", -1, instant, "6-0:8.0.0"),
        Quantity("heat_volume", "m3", -4, total, "6-0:2.0.0"),
        Quantity("flow_temperature", "degC", -2, instant, "6-0:10.0.0"),
        Quantity("return_temperature", "degC", -2, instant, "6-0:11.0.0"),
        Quantity("temperature_difference", "K", -2, instant, "6-0:12.0.0"),
        Quantity("flow_velocity", "m/s", -4, instant),
        Quantity("signal_quality", "1", 0, instant),
        Quantity("compressed_air_volume", "m3", -4, total),
        Quantity("compressed_air_volume_reverse", "m3", -4, total),
        Quantity("compressed_air_flow_rate", "m3/h", -4, instant),
        *(
            Quantity(f"weight_{kind}_ch{channel}", "kg", -4, instant)
            for kind in ("gross", "net", "tare")
            for channel in range(1, 5)
        ),
        *(Quantity(f"weight_stable_ch{channel}", "1", 0, state) for channel in range(1, 5)),
        Quantity("weight_gross", "kg", -4, instant),
        Quantity("weight_net", "kg", -4, instant),
        Quantity("weight_tare", "kg", -4, instant),
        Quantity("weight_stable", "1", 0, state),
        Quantity("weighed_mass_total", "kg", -4, total),
        *(Quantity(f"weighed_mass_total_ch{channel}", "kg", -4, total) for channel in range(1, 5)),
        Quantity("flow_direction", "enum", 0, state),
        *(Quantity(f"counter_{input_number}", "pulses", 0, total) for input_number in range(17)),
        Quantity("digital_inputs", "bitfield", 0, state),
        Quantity("hour_counter", "h", -2, total),
        Quantity("operating_state", "enum", 0, state),
        Quantity("alarms", "bitfield", 0, state),
    ]


def _health() -> list[Quantity]:
    """What edges tell of themselves (docs/observability.md): counts since their start are no totals of a meter."""
    instant = Kind.INSTANT
    units = {"_s": ("s", -3), "_bytes": ("B", 0), "_percent": ("%", -1)}
    names = (
        "uptime_s", "broker_connected", "outbox_bytes", "outbox_use_percent", "outbox_records", "outbox_oldest_age_s",
        "outbox_thinned_rows_total", "outbox_write_failures_total", "undated_waiting", "disk_free_bytes",
        "batches_in_flight", "acknowledgement_age_s", "acknowledgement_timeouts_total", "delay_p99_s",
        "rows_refused_total", "batches_rejected_total", "values_sampled_total", "devices_installed", "devices_alive",
        "link_errors_total", "device_errors_total", "implausible_rows_total", "polls_unanswered_total",
        "polls_skipped_total", "bus_use_percent", "clock_offset_s", "memory_bytes",
    )  # fmt: skip
    found = [Quantity("clock_source", "enum", 0, Kind.STATE)]
    for name in names:
        unit, exponent = next((units[ending] for ending in units if name.endswith(ending)), ("1", 0))
        found.append(Quantity(name, unit, exponent, instant))
    return found


QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in [*_electricity(), *_others(), *_health()]}
