"""What deploy/compose.yaml needs of its own for one installation: settings, passwords, certificates, dashboards."""

import base64
import hashlib
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards.build import write
from leanmeter.dashboards.dashboard_names import names_of
from site_config.errors import ConfigurationError
from site_config.schema import Site, load_site
from site_config.yaml_file import read_yaml

COLLECTOR = "collector"
_PASSWORDS = ("influx_password", "influx_token", "influx_grafana_password", "grafana_admin_password")
_SECRETS_OF_OTHERS = ("smtp_password", "telegram_token")
_HASH_ROUNDS = 101
"""mosquitto's own default for PBKDF2 with SHA-512; passwords here are random, so that more would add nothing."""
_CERTIFICATE_DAYS = "3650"
# In the containers.
_SECRETS = "/run/secrets"
_KEPT = "notifications"
_SITES = "/etc/leanmeter/sites"


@dataclass(frozen=True, slots=True)
class EdgeAccess:
    """What one edge needs to reach the broker: its user name, and the file with its password."""

    username: str
    password_file: Path


def prepare(folder: Path, site_files: Sequence[Path], host: str) -> list[EdgeAccess]:
    """Write or complete the folder that deploy/compose.yaml mounts; what is there already is kept.

    Passwords, certificates and other sites stay as they are, so that it can be repeated for a further site. Settings
    and dashboards follow from the site files each time.

    Args:
        folder: `deploy/local` of a checkout.
        site_files: of the sites to add; their edges get access to the broker.
        host: name or address under which edges reach the broker; goes into its certificate when that is made.

    Returns:
        The access of every edge known so far.

    Raises:
        ConfigurationError: a file cannot be read or written, or openssl is missing.
    """
    try:
        sites = _take_sites(folder / "sites", site_files)
        secrets_folder = _private(folder / "secrets")
        edges_folder = _private(folder / "edges")
        for name in _PASSWORDS:
            _password(secrets_folder / name)
        for name in _SECRETS_OF_OTHERS:
            _empty(secrets_folder / name)
        accounts = {COLLECTOR: _password(secrets_folder / "mqtt_collector_password")}
        found = []
        for site in sites:
            access = EdgeAccess(f"{site.site}/{site.edge}", edges_folder / f"{site.site}.{site.edge}.password")
            accounts[access.username] = _password(access.password_file)
            found.append(access)
        _write_accounts(secrets_folder / "mqtt_passwords", accounts)
        _make_certificates(secrets_folder, host)
        shutil.copyfile(secrets_folder / "mqtt_ca", edges_folder / "ca.pem")
        _write_server_file(folder / "server.yaml", sites)
        write(folder / "dashboards", names_of(sites))
    except OSError as problem:
        raise ConfigurationError(f"--folder {folder}: {problem.filename or folder}: {problem.strerror}") from problem
    return found


def password_line(username: str, password: str, salt: bytes) -> str:
    """A line of mosquitto's password file (its format 7: PBKDF2 with SHA-512)."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    return f"{username}:$7${_HASH_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


def _take_sites(folder: Path, site_files: Sequence[Path]) -> list[Site]:
    folder.mkdir(parents=True, exist_ok=True)
    for path in site_files:
        shutil.copyfile(path, folder / f"{load_site(path).site}.yaml")
    sites = [load_site(path) for path in sorted(folder.glob("*.yaml"))]
    if not sites:
        raise ConfigurationError("name at least one site file")
    return sites


def _private(folder: Path) -> Path:
    # Containers run under ids of their own, so the files are readable by all; the folder is what keeps others out.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _password(path: Path) -> str:
    if not path.exists():
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        path.chmod(0o644)
    return path.read_text(encoding="utf-8").strip()


def _empty(path: Path) -> None:
    """A secret that others give; it stays empty where nothing needs it."""
    path.touch()
    path.chmod(0o644)


def _write_accounts(path: Path, accounts: dict[str, str]) -> None:
    path.write_text(
        "".join(password_line(name, word, secrets.token_bytes(12)) for name, word in accounts.items()), encoding="utf-8"
    )
    path.chmod(0o644)


def _write_server_file(path: Path, sites: Sequence[Site]) -> None:
    settings: dict[str, Any] = {
        "store": {
            "influx": {
                "url": "http://influxdb:8086",
                "org": "leanmeter",
                "bucket": "leanmeter",
                "token_file": f"{_SECRETS}/influx_token",
            }
        },
        "entities": "/data/entities.sqlite",
        "collector": {
            "mqtt": {
                "host": "mosquitto",
                "port": 8883,
                "tls": True,
                "ca_file": f"{_SECRETS}/mqtt_ca",
                "username": COLLECTOR,
                "password_file": f"{_SECRETS}/mqtt_collector_password",
            },
            "sites": [f"{_SITES}/{site.site}.yaml" for site in sites],
            # compose.yaml asks here whether they live.
            "metrics_port": 9464,
        },
        "evaluation": {"metrics_port": 9464},
        "visit": {"site": sites[0].site, "host": "0.0.0.0", "port": 8080},  # noqa: S104  # compose publishes it
    }
    # Who is told what is for people to say, and stays.
    before = read_yaml(path) if path.exists() else None
    if isinstance(before, dict) and _KEPT in before:
        settings[_KEPT] = before[_KEPT]
    path.write_text(
        f"# Written by `leanmeter deploy prepare`, which keeps {_KEPT}; docs/server-file.example.yaml has every key.\n"
        + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True),
        encoding="utf-8",
    )


def _make_certificates(folder: Path, host: str) -> None:
    """A certificate authority of this installation's own, and the broker's certificate by it."""
    authority, authority_key = folder / "mqtt_ca", folder / "mqtt_ca_key"
    certificate, key = folder / "mqtt_server_certificate", folder / "mqtt_server_key"
    if certificate.exists():
        return
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        "req", "-x509", *new_key, "-keyout", str(authority_key), "-out", str(authority), "-days", _CERTIFICATE_DAYS,
        "-subj", "/CN=Leanmeter broker authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    kind = "IP" if host.replace(".", "").isdigit() or ":" in host else "DNS"
    names = dict.fromkeys(["DNS:mosquitto", "DNS:localhost", "IP:127.0.0.1", f"{kind}:{host}"])
    _openssl(
        "req", "-x509", "-CA", str(authority), "-CAkey", str(authority_key), *new_key, "-keyout", str(key),
        "-out", str(certificate), "-days", _CERTIFICATE_DAYS, "-subj", "/CN=Leanmeter broker",
        "-addext", f"subjectAltName={','.join(names)}", "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "extendedKeyUsage=serverAuth",
    )  # fmt: skip
    for path in (authority, certificate, key):
        path.chmod(0o644)


def _openssl(*arguments: str) -> None:
    program = shutil.which("openssl")
    if program is None:
        raise ConfigurationError(
            "openssl is missing, which makes the broker's certificate; on Debian: apt install openssl"
        )
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603  # no shell
    if done.returncode != 0:
        raise ConfigurationError(f"openssl {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
