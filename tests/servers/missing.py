"""Real servers that a machine does not have: tests that need one are skipped, and the run says so and fails."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ALLOW_MISSING = "LEANMETER_ALLOW_MISSING"
MISSING: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def skip_without(config: pytest.Config, server: str, how_to_get_it: str) -> NoReturn:
    """Skips the test that asked, and remembers the server for the end of the run."""
    config.stash.setdefault(MISSING, {})[server] = how_to_get_it
    pytest.skip(f"{server} is missing: {how_to_get_it}")


def find_program(name: str) -> Path | None:
    """A program on PATH, where Debian keeps servers, or where scripts/test has built it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leanmeter" / "bin"
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", str(cache)]))
    return Path(found) if found else None


def require_program(config: pytest.Config, name: str, how_to_get_it: str) -> Path:
    """The program, or the test is skipped."""
    return find_program(name) or skip_without(config, name, how_to_get_it)
