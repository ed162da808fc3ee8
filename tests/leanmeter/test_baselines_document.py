"""docs/baselines.md is what the commands print."""

import re
import shlex
import textwrap
from pathlib import Path

import pytest

from leanmeter.command_line import main

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"^( +)\$ (leanmeter baselines .*)\n((?:\1.*\n|\n(?=\1))+)", re.MULTILINE)
EXAMPLES = [
    (found[2], textwrap.dedent(found[3])) for found in EXAMPLE.finditer((DOCS / "baselines.md").read_text("utf-8"))
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("command", "printed"), EXAMPLES, ids=[command.split()[2] for command, _ in EXAMPLES])
def test_an_example_prints_what_the_page_says(
    command: str, printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(DOCS / "examples")
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out.strip() == printed.strip()
