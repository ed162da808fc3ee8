"""A Modbus unit of a profile: registers that are given, a recorded load, or a machine of the simulator's own."""

from collections.abc import Callable, Mapping

from device_profiles.profile import Profile
from simulators.electricity import AS_IT_SHOULD_BE, Consumer, ElectricityMeter, Mains, StartTotals, Wiring
from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.inverter import Inverter
from simulators.load_curve import Load
from simulators.loads import cycling, sun, taps
from simulators.modbus_unit import ModbusUnit
from simulators.other_devices import other_values
from simulators.register_image import ImageEncoder, ReadAlone, RegisterImage
from simulators.register_sources import MEASURING_CYCLE_S, ChangingRegisters, LiteralRegisters
from simulators.sunspec import BASE_ADDRESS, FUNCTION_CODE, chain_encoder, lay_out, shown_model, simulated_layout
from simulators.water import WaterMeter

Clock = Callable[[], float]
"""Seconds since the simulation's start."""

ValuesAt = Callable[[float], Mapping[str, Value]]
"""What a device measures at a time of the simulation, by quantity."""


def profile_unit(
    profile: Profile,
    values_at: ValuesAt,
    clock: Clock,
    *,
    reply_delay_s: float = 0.0,
    refresh_interval_s: float = MEASURING_CYCLE_S,
) -> ModbusUnit:
    """A unit that shows values through a profile's registers; raises SimulatorError for a profile without any."""
    if profile.protocol == "sunspec":
        encode, read_alone = chain_encoder(profile), tuple[ReadAlone, ...]()
    elif profile.protocol == "modbus":
        encoder = ImageEncoder(profile)
        encode, read_alone = encoder.encode, encoder.read_alone
    else:
        raise SimulatorError(f"{profile.id}: speaks {profile.protocol}, not Modbus")
    registers = ChangingRegisters(
        lambda: values_at(clock()), encode, clock, refresh_interval_s=refresh_interval_s, read_alone=read_alone
    )
    return ModbusUnit(
        registers, max_registers_per_request=profile.max_registers_per_request, reply_delay_s=reply_delay_s
    )


def literal_unit(profile: Profile, image: RegisterImage, *, reply_delay_s: float = 0.0) -> ModbusUnit:
    """A unit that answers with given registers.

    Of a SunSpec profile they may be the whole chain (from 40000 on) or, by offset, one model.
    """
    if profile.protocol == "sunspec" and not any(address >= BASE_ADDRESS for address in image.get(FUNCTION_CODE, {})):
        image = lay_out(shown_model(simulated_layout(profile)), image.get(FUNCTION_CODE, {}))
    for code in profile.function_codes_alike:
        if code not in image:
            image = image | {code: next((image[other] for other in profile.function_codes_alike if other in image), {})}
    return ModbusUnit(LiteralRegisters(image), reply_delay_s=reply_delay_s)


def example_values(profile: Profile, seed: int, load: Load | None = None, wiring: Wiring = AS_IT_SHOULD_BE) -> ValuesAt:
    """What a device of a profile measures.

    Args:
        profile: the device.
        seed: of the machine, the sun, the taps or the products that it measures.
        load: measured instead of them (W, of a water meter m3/h).
        wiring: of an electricity meter.
    """
    others = other_values(profile, seed)
    measured = _measured(profile, seed, load, wiring)
    return others if measured is None else lambda time_s: {**others(time_s), **measured(time_s)}


def _measured(profile: Profile, seed: int, load: Load | None, wiring: Wiring) -> ValuesAt | None:
    if profile.protocol == "sunspec":
        return Inverter(load or sun(seed, "pv", peak_w=6000, start_hour=10), Mains(), 9400.0).values
    if profile.resource == "electricity":
        machine = load or cycling(
            seed, "machine", on_w=(3000, 3600), off_w=250, on_s=(40, 90), off_s=(20, 50), start_peak=2.0
        )
        return ElectricityMeter([Consumer(machine, cos_phi=0.92)], Mains(), StartTotals(4321.0), wiring).values
    if profile.resource == "water":
        return WaterMeter(load or taps(seed, "taps"), 1284.4).values
    return None
