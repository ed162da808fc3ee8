import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.missing import ALLOW_MISSING

REPOSITORY = Path(__file__).parents[2]
NEEDS_A_SERVER = "def test_needs_one(mbpoll): pass\ndef test_needs_none(): pass\n"


@pytest.mark.parametrize(
    ("allow_missing", "exit_code", "processes"), [("", 7, ()), ("1", 0, ()), ("", 7, ("--numprocesses", "2"))]
)
def test_a_missing_server_is_named_and_fails_the_run_unless_allowed(
    tmp_path: Path, allow_missing: str, exit_code: int, processes: tuple[str, ...]
) -> None:
    (tmp_path / "test_needs.py").write_text(NEEDS_A_SERVER)
    command = [sys.executable, "-m", "pytest", *processes, "-p", "tests.conftest", "-p", "no:cacheprovider"]
    environment = {"PATH": "", "XDG_CACHE_HOME": str(tmp_path), ALLOW_MISSING: allow_missing}
    run = subprocess.run(
        [*command, "-c", REPOSITORY / "pyproject.toml", tmp_path / "test_needs.py"],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (exit_code, "")
    assert "1 passed, 1 skipped" in run.stdout
    assert "mbpoll: apt install mbpoll" in run.stdout
