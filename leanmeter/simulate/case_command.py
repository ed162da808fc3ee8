"""`leanmeter simulate case`: a golden case from a trace of the field."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device_profiles.configuration import configured
from device_profiles.library import load_profile
from device_profiles.register_file import read_register_file
from leanmeter.profiles.profile_cases import decode_file
from simulators.errors import SimulatorError
from simulators.register_sources import FUNCTION_CODES
from simulators.trace_file import TracedDevice, TracedLine, read_trace, registers_of


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `case` to the kinds of simulations."""
    case = kinds.add_parser(
        "case",
        help="a golden case from a trace: what a device held, and what the profile makes of it",
        description="Writes registers.json, settings.json and expected.json for `leanmeter profiles test`. What is "
        "expected is what the profile gives now: compare it with the meter's display before it is kept.",
    )
    case.add_argument("file", type=Path, metavar="FILE", help="written by `leanmeter edge trace`")
    case.add_argument("--device", required=True, metavar="ID", help="which device of the bundle")
    case.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder of cases")
    case.add_argument("--name", default="field", help="after the profile's name (default field)")
    case.add_argument(
        "--profiles", type=Path, action="append", default=[], metavar="DIR", help="a folder with profiles of your own"
    )
    case.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    line, device = _device(arguments)
    if line.framing == "text":
        raise SimulatorError(
            f"--device {device.id}: is a scale, which has no registers; `leanmeter simulate replay` plays its telegrams"
        )
    profile = configured(load_profile(device.profile, arguments.profiles), device.settings)
    image = registers_of(line.exchanges(), device.unit_id)
    if not image:
        raise SimulatorError(f"{arguments.file}: nothing was read of {device.id!r}")
    names = {code: name for name, code in FUNCTION_CODES.items()}
    folder: Path = arguments.output / f"{profile.id.replace('/', '-')}--{arguments.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "registers.json", {names[code]: _blocks(table) for code, table in sorted(image.items())})
        measured = decode_file(profile, read_register_file(folder / "registers.json"))
        _write(folder / "expected.json", measured)
        if device.settings:
            _write(folder / "settings.json", device.settings)
    except OSError as problem:
        raise SimulatorError(f"{folder}: cannot be written: {problem.strerror}") from problem
    sys.stdout.write(f"{folder}: {len(measured)} quantities; compare expected.json with the meter's display\n")
    return 0


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _device(arguments: argparse.Namespace) -> tuple[TracedLine, TracedDevice]:
    lines = read_trace(arguments.file)
    for line in lines:
        for device in line.devices:
            if device.id == arguments.device:
                return line, device
    names = ", ".join(device.id for line in lines for device in line.devices)
    raise SimulatorError(f"--device {arguments.device}: {arguments.file} has {names or 'none'}")


def _blocks(table: dict[int, int]) -> dict[str, list[int]]:
    """Consecutive addresses as lists of words."""
    blocks: dict[int, list[int]] = {}
    start = previous = -2
    for at, word in sorted(table.items()):
        if at != previous + 1:
            start = at
            blocks[start] = []
        blocks[start].append(word)
        previous = at
    return {str(at): words for at, words in blocks.items()}
