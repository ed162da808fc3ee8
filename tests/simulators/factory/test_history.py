"""History in the store against what a master reads from the same plant, live and in a hurry."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from device_profiles.decoding import Block, compile_decoder
from device_profiles.library import load_profile
from device_profiles.profile import Profile
from leanmeter.simulate.plant_history import write_history
from leanmeter.simulate.plant_payloads import made_elsewhere
from simulators.errors import SimulatorError
from simulators.factory.history import payloads
from simulators.factory.plant import Plant
from simulators.factory.plant_files import ready_plants
from simulators.factory.plant_servers import plant_units
from simulators.factory.plant_site import modbus_units
from simulators.factory.rows import device_name
from simulators.factory.truth import truth
from simulators.modbus_server import ModbusTcpServer
from store.factory import open_entities, open_readings
from store.protocol import OperatedReadingStore
from store.server_file import ServerFile
from store.settings import StoreSettings
from tests.scale import scaled
from tests.simulators.factory.plants import plant

INTERVAL_S = 60.0
PLANT_OF_ALL_KINDS = "bakery"


def server_file(directory: Path) -> ServerFile:
    store = StoreSettings(sqlite=directory / "readings.sqlite")
    return ServerFile(store=store, entities=directory / "entities.sqlite")


def blocks_of(profile: Profile) -> list[Block]:
    """A request for each run of registers."""
    found: list[Block] = []
    for register in sorted((*profile.registers, *profile.helpers), key=lambda r: (r.function_code, r.address)):
        last = found[-1] if found else None
        if last and last.function_code == register.function_code and last.address + last.count == register.address:
            count = last.count + register.count
            if count <= min(60, profile.max_registers_per_request):
                found[-1] = Block(last.function_code, last.address, count)
                continue
        found.append(Block(register.function_code, register.address, register.count))
    return found


class Master:
    """Reads a device whole and decodes it as an agent does."""

    def __init__(self, profile: Profile, unit_id: int, client: AsyncModbusTcpClient) -> None:
        self._client = client
        self._unit_id = unit_id
        self._blocks = blocks_of(profile)
        self._registers = profile.registers
        self._decoder = compile_decoder(profile.registers, profile.helpers, self._blocks)

    async def values(self) -> dict[str, float]:
        replies = []
        for block in self._blocks:
            read = self._client.read_input_registers
            if block.function_code == 3:
                read = self._client.read_holding_registers
            words = (await read(block.address, count=block.count, device_id=self._unit_id)).registers
            replies.append(struct.pack(f">{len(words)}H", *words))
        decoded = self._decoder.decode(replies)
        return {
            register.quantity: integer * 10**register.exponent
            if register.exponent >= 0
            else integer / 10**-register.exponent
            for register, (integer, _) in zip(self._registers, decoded, strict=True)
            if integer is not None
        }


async def stored_values(
    store: OperatedReadingStore, site: Plant, point: str, profile: str
) -> dict[str, dict[int, float]]:
    """Quantity -> time in ms -> value."""
    found = {}
    for quantity in [register.quantity for register in load_profile(profile).registers]:
        series = await store.readings(site.file.id, device_name(point), quantity, 0, 2**53)
        if series.times_ms:
            found[quantity] = dict(zip(series.times_ms, series.values, strict=True))
    return found


async def test_history_is_what_a_master_reads_live_at_any_speed(tmp_path: Path) -> None:
    recorded, live = plant(PLANT_OF_ALL_KINDS), plant(PLANT_OF_ALL_KINDS)
    start_s, end_s = recorded.start_s, recorded.calendar.day(1).window.start_s
    facts = await write_history(recorded, server_file(tmp_path), start_s, end_s, interval_s=INTERVAL_S, evaluate=False)
    assert facts["values"] > 200_000

    now_s = start_s
    units = plant_units(live, lambda: now_s, reply_delay_s=0.0)
    store = open_readings(server_file(tmp_path).store)
    compared = 0
    async with (
        ModbusTcpServer(units, "127.0.0.1", 0) as server,
        AsyncModbusTcpClient("127.0.0.1", port=server.port, retries=0) as client,
    ):
        devices = {
            point: (
                Master(load_profile(profile), unit_id, client),
                await stored_values(store, live, point, profile),
            )
            for point, profile, unit_id in modbus_units(live.file)
        }
        # Every so many minutes of the day, as a simulation at that many times the speed is read.
        step_s = INTERVAL_S * scaled(31, 1)
        while (now_s := now_s + step_s) < end_s:
            for point, (master, history) in devices.items():
                seen = await master.values()
                for quantity, values in history.items():
                    assert seen[quantity] == values[round(now_s * 1000)], (point, quantity, now_s - start_s)
                    compared += 1
    await store.close()
    assert compared > 5000


async def test_intervals_and_days_are_the_truth(tmp_path: Path) -> None:
    site = plant("hotel-laundry")
    end_s = site.calendar.day(2).window.start_s + 120
    await write_history(site, server_file(tmp_path), site.start_s, end_s)
    found = truth(site, site.start_s, end_s)
    assert [day["date"] for day in found["days"]] == ["2026-08-28", "2026-08-29"]
    store = open_readings(server_file(tmp_path).store)
    rows = await store.days("hotel-laundry", 0, 2**53)
    await store.close()
    entities = open_entities(server_file(tmp_path).entities)
    # A collector that starts on it finds nothing to be computed again.
    assert (await entities.recomputations(), await entities.dirty_count()) == ((), 0)
    await entities.close()
    by_day = {(row.start_ms, row.point): row for row in rows}
    for number, day in enumerate(found["days"]):
        midnight_ms = round(site.calendar.day(number).window.start_s * 1000)
        for point, entry in day["points"].items():
            row = by_day[midnight_ms, point]
            assert row.coverage == pytest.approx(1.0)
            settings = site.file.points[point]
            crate = settings.crate_kg if settings.weighs else 0.0
            sign = -1 if point == "main" and entry["amount"] < 0 else 1
            # A register's last digit at both ends of the day; 32-bit floats of large totals have coarse ones.
            assert row.amount * sign == pytest.approx(entry["amount"] * sign, rel=1e-3, abs=0.25 + crate), point


def batches(site: Plant, hours: float) -> Iterator[bytes]:
    return (payload for payload, _ in payloads(site, site.start_s, site.start_s + hours * 3600, INTERVAL_S))


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(batches(plant("garment"), 3)) == list(batches(plant("garment"), 3))
    assert list(batches(plant("garment"), 3)) != list(batches(plant("garment", seed=2), 3))


@pytest.mark.parametrize("name", ready_plants())
def test_every_ready_plant_has_a_history(name: str) -> None:
    assert list(batches(plant(name), 1))


async def test_another_process_makes_the_same_bytes_and_tells_what_is_wrong() -> None:
    site = plant("garment")
    made = [payload async for payload, _ in made_elsewhere(site, site.start_s, site.start_s + 3 * 3600, INTERVAL_S)]
    assert made == list(batches(site, 3))
    with pytest.raises(SimulatorError, match="before the plant's first day"):
        async for _ in made_elsewhere(site, site.start_s - 1, site.start_s, INTERVAL_S):
            pass


async def test_written_twice_is_written_once(tmp_path: Path) -> None:
    counts = []
    for _ in range(2):
        site = plant("metal-parts")
        await write_history(site, server_file(tmp_path), site.start_s, site.start_s + 3600, evaluate=False)
        store = open_readings(server_file(tmp_path).store)
        counts.append(await store.count(site.file.id))
        await store.close()
    assert counts[0] == counts[1]
    assert counts[0].duplicates == 0
    assert len(counts[0].by_device) == 23
