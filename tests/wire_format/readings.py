"""Believable readings of three-phase meters: 26 quantities each, every second."""

import random

from wire_format.batch import Column, DeviceRows
from wire_format.quantities import QUANTITIES

PER_PHASE = ("active_power", "reactive_power", "apparent_power", "power_factor")
NAMES = (
    *(f"voltage_l{phase}_n" for phase in (1, 2, 3)),
    *(f"current_l{phase}" for phase in (1, 2, 3)),
    *(f"{name}_{part}" for name in PER_PHASE for part in ("l1", "l2", "l3", "total")),
    "frequency",
    "active_energy_import_total",
    "active_energy_export_total",
    "reactive_energy_import_total",
)


def seconds_of_meter(device: str, seconds: int, first_ms: int, seed: int) -> DeviceRows:
    """Rows of one meter; the same seed gives the same rows."""
    noise = random.Random(seed)  # repeatable, no secret
    active = [noise.uniform(500, 5000) for _ in range(3)]
    energy, reactive_energy = noise.randrange(10**7, 10**9), noise.randrange(10**8)
    rows = []
    for _ in range(seconds):
        active = [max(0.0, power + noise.gauss(0, 15)) for power in active]
        voltage = [noise.gauss(231, 0.3) for _ in range(3)]
        factor = [0.9 + noise.gauss(0, 0.004) for _ in range(3)]
        apparent = [power / cosine for power, cosine in zip(active, factor, strict=True)]
        reactive = [(s * s - p * p) ** 0.5 for s, p in zip(apparent, active, strict=True)]
        energy += round(sum(active) / 3600)
        reactive_energy += round(sum(reactive) / 3600)
        row = [*voltage, *(s / u for s, u in zip(apparent, voltage, strict=True))]
        for phases in (active, reactive, apparent):
            row += [*phases, sum(phases)]
        row += [*factor, sum(active) / sum(apparent), noise.gauss(50, 0.01)]
        numbers = [round(x * 10.0 ** -QUANTITIES[name].exponent) for name, x in zip(NAMES, row, strict=False)]
        rows.append([*numbers, energy, 0, reactive_energy])
    columns = tuple(
        Column(name, QUANTITIES[name].unit, QUANTITIES[name].exponent, tuple(row[index] for row in rows))
        for index, name in enumerate(NAMES)
    )
    times = tuple(first_ms + 1000 * second + noise.randrange(-3, 4) for second in range(seconds))
    return DeviceRows(device, times, columns)


def seconds_of_meters(meters: int, seconds: int, first_ms: int = 1_764_000_000_000) -> tuple[DeviceRows, ...]:
    """Rows of several meters of one model, 40 ms apart."""
    return tuple(
        seconds_of_meter(f"meter-{number}", seconds, first_ms + 40 * number, seed=number) for number in range(meters)
    )
