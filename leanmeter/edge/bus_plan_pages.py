"""The plan of a line as text for whoever wires it, and as JSON."""

from collections.abc import Iterator
from dataclasses import replace

from device_profiles.profile import SerialDefaults
from edge_agent.bus_plan import DevicePlan, LinePlan, is_relative, plan_line
from edge_agent.line_time import SPARE_S
from edge_agent.transports import SerialPort
from site_config.schema import Site

QUICKER_BAUDS = (19_200, 38_400, 57_600, 115_200)


def plan_as_text(plan: LinePlan, site: Site) -> str:
    """What is asked of each device and how long that takes, with what should be changed first."""
    poll_ms = round(site.poll_interval_s * 1000)
    lines = [f"{plan.line.settings.id}: {plan.line.transport}: {_ms(plan.cycle_s)} of every {poll_ms} ms"]
    lines += [f"  ! {advice}" for advice in _advice(plan, site)]
    for device in plan.devices:
        settings = device.device.settings
        place = f"unit {settings.unit_id}" if settings.input is None else f"line {settings.input.line}"
        times = [
            f"{_ms(time_s)} {'a poll' if tier == 'fast' else f'every {site.slow_interval_s:g} s'}"
            for tier, time_s in device.time_s.items()
            if time_s
        ]
        lines.append(f"  {settings.id} ({device.device.profile.id}, {place}){': ' if times else ''}{', '.join(times)}")
        sign = "+" if is_relative(device.device) else ""
        lines += [
            f"    {tier}: function code {request.function_code}, {request.count} registers from "
            f"{sign}{request.address}, {len(request.registers)} quantities"
            for tier, requests in device.requests.items()
            for request in requests
        ]
    return "\n".join(lines) + "\n"


def plan_as_json(plan: LinePlan, site: Site) -> dict[str, object]:
    """The same for programs, with the name of every quantity."""
    return {
        "line": plan.line.settings.id,
        "transport": str(plan.line.transport),
        "poll_interval_s": site.poll_interval_s,
        "cycle_s": round(plan.cycle_s, 4),
        "longest_cycle_s": round(plan.longest_cycle_s, 4),
        "advice": list(_advice(plan, site)),
        "devices": [_device_as_json(device) for device in plan.devices],
    }


def _device_as_json(plan: DevicePlan) -> dict[str, object]:
    return {
        "device": plan.device.settings.id,
        "profile": plan.device.profile.id,
        "unit_id": plan.device.settings.unit_id,
        "addresses": "from the start of the SunSpec model" if is_relative(plan.device) else "absolute",
        "time_s": {tier: round(time_s, 4) for tier, time_s in plan.time_s.items()},
        "requests": [
            {
                "tier": tier,
                "function_code": request.function_code,
                "address": request.address,
                "count": request.count,
                "quantities": [register.quantity for register in request.registers],
            }
            for tier, requests in plan.requests.items()
            for request in requests
        ],
    }


def _advice(plan: LinePlan, site: Site) -> Iterator[str]:
    limit_s = site.poll_interval_s - SPARE_S
    if plan.longest_cycle_s > limit_s:
        what = (
            "too slow, polls will be skipped"
            if plan.cycle_s > limit_s
            else "nearly full, so slow quantities come late and cost a poll now and then"
        )
        yield f"{what}; {_quicker(plan, limit_s)}"
    if isinstance(plan.line.transport, SerialPort):
        for device in plan.devices:
            delivered = device.device.profile.serial_defaults
            if _differs(delivered, plan.line.transport):
                as_set = _line_settings(delivered, plan.line.transport)
                yield f"{device.device.settings.id} is delivered at {as_set}; set it to the line's"


def _quicker(plan: LinePlan, limit_s: float) -> str:
    port = plan.line.transport
    for baud in QUICKER_BAUDS:
        if isinstance(port, SerialPort) and baud > port.baud:
            quicker = plan_line(replace(plan.line, transport=replace(port, baud=baud)))
            if quicker.longest_cycle_s <= limit_s:
                return f"{baud} baud would take {_ms(quicker.cycle_s)}, or raise poll_interval_s"
    return "raise poll_interval_s, or divide the devices between two lines"


def _differs(delivered: SerialDefaults, port: SerialPort) -> bool:
    return _line_settings(delivered, port) != _line_settings(SerialDefaults(), port)


def _line_settings(delivered: SerialDefaults, port: SerialPort) -> str:
    """As it is delivered; what no source names is taken to be as the line's."""
    data_bits, parity = delivered.data_bits or port.data_bits, delivered.parity or port.parity
    return f"{delivered.baud or port.baud} {data_bits}{parity}{delivered.stop_bits or port.stop_bits}"


def _ms(duration_s: float) -> str:
    return f"{round(duration_s * 1000)} ms"
