"""`leanmeter profiles`: which device models are known, what they deliver, and what registers mean."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device_profiles.decoding import decode_registers
from device_profiles.errors import ProfileError
from device_profiles.library import LIBRARY, load_profile, load_profile_file, profile_ids
from device_profiles.profile import Profile, Register
from device_profiles.register_file import Registers, read_register_file
from device_profiles.sunspec import find_layout, walk_chain
from wire_format.quantities import QUANTITIES


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `profiles` with its subcommands; each sets `handler`."""
    profiles = subparsers.add_parser("profiles", help="device models: list, show, decode, check")
    commands = profiles.add_subparsers(required=True, metavar="command")

    listing = _command(commands, "list", _list, "every profile: id, maker, models, quantities")
    listing.add_argument("--json", action="store_true", help="write JSON")

    show = _command(commands, "show", _show, "one profile: registers, units, sources, notes")
    show.add_argument("id", help="for example eastron/sdm630")
    show.add_argument("--json", action="store_true", help="write JSON")

    decode = _command(commands, "decode", _decode, "what literal registers mean")
    decode.add_argument("id", help="for example eastron/sdm630")
    decode.add_argument(
        "--registers",
        required=True,
        type=Path,
        metavar="FILE.json",
        help='{"input": {"0": [17279, ...]}, "holding": {...}}: 0-based start address and 16-bit values',
    )
    decode.add_argument("--json", action="store_true", help="write JSON")

    lint = _command(commands, "lint", _lint, "check profiles: the library's, or files and folders of your own")
    lint.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="<maker>/<model>.yaml, or a folder of such")


def _command(commands: Any, name: str, handler: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.add_argument(
        "--profiles",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="a folder of your own profiles, searched before the library; may be repeated",
    )
    parser.set_defaults(handler=handler)
    return parser


def _list(arguments: argparse.Namespace) -> int:
    profiles = [load_profile(name, arguments.profiles) for name in profile_ids(arguments.profiles)]
    if arguments.json:
        _write_json([_summary(profile) for profile in profiles])
        return 0
    width = max((len(profile.id) for profile in profiles), default=0)
    for profile in profiles:
        models = ", ".join(profile.models)
        sys.stdout.write(f"{profile.id:<{width}}  {profile.maker} {models} ({len(profile.quantities)} quantities)\n")
    return 0


def _summary(profile: Profile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "maker": profile.maker,
        "models": list(profile.models),
        "resource": profile.resource,
        "quantities": list(profile.quantities),
        "grade": profile.grade,
    }


def _show(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.id, arguments.profiles)
    if arguments.json:
        _write_json(_details(profile))
        return 0
    sys.stdout.write("\n".join(_page(profile)) + "\n")
    return 0


def _details(profile: Profile) -> dict[str, Any]:
    defaults = profile.serial_defaults
    return {
        **_summary(profile),
        "protocol": profile.protocol,
        "transports": list(profile.transports),
        "max_registers_per_request": profile.max_registers_per_request,
        "pause_s": profile.pause_s,
        "serial_defaults": {
            name: getattr(defaults, name) for name in ("baud", "data_bits", "parity", "stop_bits", "unit_id")
        },
        "layouts": [
            {
                "sunspec_models": list(layout.sunspec_models),
                "registers": [_register_details(register) for register in layout.registers],
                "helpers": [_register_details(register) for register in layout.helpers],
            }
            for layout in (profile, *profile.alternatives)
            if layout.registers
        ],
        "identification": [
            _register_details(entry.register) | {"values": {str(code): text for code, text in entry.values.items()}}
            for entry in profile.identification
        ],
        "source": list(profile.source),
        "notes": dict(profile.notes),
    }


def _register_details(register: Register) -> dict[str, Any]:
    details = {name: getattr(register, name) for name in Register.__slots__}
    return details | {"encoding": register.encoding.value}


def _page(profile: Profile) -> list[str]:
    lines = [
        f"{profile.id}: {profile.maker} {', '.join(profile.models)}",
        f"{profile.resource}, {profile.protocol} over {' or '.join(profile.transports)}, grade {profile.grade}",
    ]
    for layout in (profile, *profile.alternatives):
        if layout.sunspec_models:
            lines += [
                "",
                f"SunSpec models {', '.join(map(str, layout.sunspec_models))} (addresses from the model's start)",
            ]
        elif layout.registers:
            lines.append("")
        lines += [_register_line(register, register.unit) for register in layout.registers]
        lines += [_register_line(helper, "(helper)") for helper in layout.helpers]
    if not profile.registers:
        lines += ["", *(f"  {name}  {QUANTITIES[name].unit}" for name in profile.quantities)]
    if profile.identification:
        lines += ["", "identification"]
        lines += [_register_line(entry.register, "") for entry in profile.identification]
    lines += ["", "sources", *(f"  {source}" for source in profile.source)]
    if profile.notes:
        lines += ["", "notes", *(f"  {key}: {text}" for key, text in profile.notes.items())]
    return lines


def _register_line(register: Register, unit: str) -> str:
    scale = "" if register.scale == 1 else f" x {register.scale:g}"
    kind = f"{register.encoding}{scale}"
    return (
        f"  {register.quantity:<34} function {register.function_code}  {register.address:>5}  "
        f"{kind:<14} {unit:<9} {register.tier}".rstrip()
    )


def _decode(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.id, arguments.profiles)
    registers = read_register_file(arguments.registers)
    try:
        values = decode_file(profile, registers)
    except ProfileError as problem:
        raise ProfileError(f"{arguments.registers}: {problem}") from problem
    if arguments.json:
        _write_json(values)
        return 0
    for quantity, value in values.items():
        sys.stdout.write(f"{quantity:<34} {value:>16.10g} {QUANTITIES[quantity].unit}\n")
    return 0


def decode_file(profile: Profile, registers: Registers) -> dict[str, float]:
    """What literal registers of a device mean; those of a SunSpec device stand at absolute addresses.

    Raises ProfileError when the device has no registers or shows none of the profile's SunSpec models.
    """
    if profile.protocol == "modbus":
        return decode_registers(profile, registers)
    if profile.protocol != "sunspec":
        raise ProfileError(f"profile: {profile.id} speaks {profile.protocol}, which has no registers")
    words = registers.get(profile.registers[0].function_code, {})
    found = find_layout(profile, walk_chain(words))
    if found is None:
        wanted = [model for layout in (profile, *profile.alternatives) for model in layout.sunspec_models]
        raise ProfileError(f"registers: the chain has none of the models {', '.join(map(str, wanted))}")
    layout, model = found
    inside = {
        code: {
            address - model.start: word for address, word in table.items() if model.start <= address < model.following
        }
        for code, table in registers.items()
    }
    return decode_registers(layout, inside)


def _lint(arguments: argparse.Namespace) -> int:
    files = [file for path in arguments.paths or [LIBRARY] for file in _files(path)]
    wrong = 0
    for file in files:
        try:
            load_profile_file(file)
        except ProfileError as problem:
            wrong += 1
            sys.stderr.write(f"{problem}\n")
    sys.stdout.write(f"{len(files) - wrong} of {len(files)} profiles are right\n")
    return 1 if wrong else 0


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*.yaml"))
    if not found:
        raise ProfileError(f"{path}: there is no .yaml file in this folder")
    return found


def _write_json(content: Any) -> None:
    sys.stdout.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
