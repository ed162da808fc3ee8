"""`leanmeter deploy prepare`: what deploy/compose.yaml needs for one installation."""

import argparse
import sys
from pathlib import Path

from leanmeter.servers.installation import prepare


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `deploy prepare`."""
    parser = subparsers.add_parser("deploy", help="settings, passwords and certificates for deploy/compose.yaml")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    command = verbs.add_parser(
        "prepare",
        help="write deploy/local for these sites; what is there already is kept",
        description="Writes settings, passwords, the broker's certificate and dashboards of one installation. "
        "Repeat it to add a site: passwords and certificates that exist are kept.",
    )
    command.add_argument("sites", nargs="*", type=Path, metavar="SITE.YAML", help="site files to add")
    command.add_argument("--host", required=True, help="name or address under which edges reach this machine")
    command.add_argument("--folder", type=Path, default=Path("deploy/local"), help="default: deploy/local")
    command.set_defaults(handler=_prepare)


def _prepare(arguments: argparse.Namespace) -> int:
    found = prepare(arguments.folder, arguments.sites, arguments.host)
    sys.stdout.write(f"{arguments.folder}: ready for docker compose -f deploy/compose.yaml up -d\n\n")
    for access in found:
        sys.stdout.write(
            f"mqtt of {access.username}, with {access.password_file} and {arguments.folder / 'edges' / 'ca.pem'} "
            "copied beside its site.yaml:\n"
            f"  mqtt: {{host: {arguments.host}, port: 8883, tls: true, ca_file: ca.pem, username: {access.username}, "
            f"password_file: {access.password_file.name}}}\n"
        )
    return 0
