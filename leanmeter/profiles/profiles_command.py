"""`leanmeter profiles`: which device models are known, what they deliver, what registers mean, and a user's own."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device_profiles.configuration import configured
from device_profiles.errors import ProfileError
from device_profiles.json_schema import profile_json_schema
from device_profiles.library import LIBRARY, load_profile, load_profile_file, profile_ids
from device_profiles.register_file import read_register_file
from leanmeter.profiles.profile_cases import CASES, cases_of, decode_file, differences
from leanmeter.profiles.profile_pages import details, devices_document, page, summary
from wire_format.quantities import QUANTITIES


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `profiles` with its subcommands; each sets `handler`."""
    profiles = subparsers.add_parser("profiles", help="device models: list, show, decode, check, test your own")
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
    decode.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting that the site file would give, such as current_transformer_ratio=40; may be repeated",
    )
    decode.add_argument("--json", action="store_true", help="write JSON")

    lint = _command(commands, "lint", _lint, "check profiles: the library's, or files and folders of your own")
    test = _command(commands, "test", _test, "check a folder of your own: its profiles and their golden cases")
    test.add_argument("folder", type=Path, help="<maker>/<model>.yaml and cases/<maker>-<model>/registers.json ...")

    _command(commands, "schema", _schema, "the JSON Schema of a profile's file, for editors")
    _command(commands, "document", _document, "all devices as a Markdown page")

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
        _write_json([summary(profile) for profile in profiles])
        return 0
    width = max((len(profile.id) for profile in profiles), default=0)
    for profile in profiles:
        models = ", ".join(profile.models)
        sys.stdout.write(f"{profile.id:<{width}}  {profile.maker} {models} ({len(profile.quantities)} quantities)\n")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.id, arguments.profiles)
    if arguments.json:
        _write_json(details(profile))
        return 0
    sys.stdout.write("\n".join(page(profile)) + "\n")
    return 0


def _decode(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.id, arguments.profiles)
    given = _settings(arguments.set)
    profile = configured(profile, given)
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


def _settings(words: list[str]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise ProfileError(f"--set {word}: write NAME=VALUE")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def _test(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    directories = [folder, *arguments.profiles]
    own = [path for path in _files(folder) if path.parent.parent == folder]
    for path in own:
        load_profile_file(path, extra_directories=directories)
    cases = cases_of(folder / CASES, directories) if (folder / CASES).is_dir() else {}
    wrong = [line for case, profile_id in cases.items() for line in differences(case, profile_id, directories)]
    for path in own:
        if f"{path.parent.name}/{path.stem}" not in cases.values():
            name = f"{path.parent.name}-{path.stem}"
            wrong.append(f"{path}: no case; write {folder / CASES / name}/registers.json and expected.json")
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    sys.stdout.write(f"{len(own)} profiles, {len(cases)} cases: {f'{len(wrong)} wrong' if wrong else 'all right'}\n")
    return 1 if wrong else 0


def _schema(_arguments: argparse.Namespace) -> int:
    sys.stdout.write(profile_json_schema())
    return 0


def _document(arguments: argparse.Namespace) -> int:
    profiles = [load_profile(name, arguments.profiles) for name in profile_ids(arguments.profiles)]
    sys.stdout.write(devices_document(profiles))
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    files = [file for path in arguments.paths or [LIBRARY] for file in _files(path)]
    directories = [*(path for path in arguments.paths if path.is_dir()), *arguments.profiles]
    wrong = 0
    for file in files:
        try:
            load_profile_file(file, extra_directories=directories)
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
