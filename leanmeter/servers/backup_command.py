"""`leanmeter backup` and `leanmeter restore`: everything a server keeps, in one command each."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from store.backup import Manifest, back_up, restore
from store.protocol import StoreConfigurationError, StoreUnavailableError
from store.server_file import load_server_file


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both commands."""
    for name, handler, text, folder in (
        ("backup", _back_up, "copy store, entities and quarantine while everything runs", "a folder to be made"),
        ("restore", _restore, "put a backup where nothing is yet", "the folder of a backup"),
    ):
        command = subparsers.add_parser(name, help=text)
        command.add_argument("folder", type=Path, help=folder)
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
        command.set_defaults(handler=handler)


def _back_up(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    try:
        manifest = asyncio.run(back_up(settings.store, settings.entities, arguments.folder))
    except StoreUnavailableError as problem:
        raise StoreConfigurationError(f"no backup was made: {problem}") from problem
    sys.stdout.write(f"{arguments.folder}: {_contents(manifest)}\n")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    try:
        manifest = asyncio.run(restore(settings.store, settings.entities, arguments.folder))
    except StoreUnavailableError as problem:
        raise StoreConfigurationError(f"not restored: {problem}") from problem
    made = datetime.fromtimestamp(manifest.made_ms / 1000, UTC)
    sys.stdout.write(f"restored what stood there on {made:%Y-%m-%d %H:%M:%S} UTC: {_contents(manifest)}\n")
    return 0


def _contents(manifest: Manifest) -> str:
    return ", ".join(f"{name} {kept.bytes / 1e6:.1f} MB" for name, kept in manifest.files.items())
