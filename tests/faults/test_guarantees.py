"""docs/guarantees.md links a test in each row, and each link leads somewhere."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "guarantees.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.partition("## Not promised by the edge")[0].splitlines()
    if line.startswith("| ") and not line.startswith(("| what happens", "| what fails"))
]


def test_each_row_links_a_test_and_says_when_it_was_seen_to_fail() -> None:
    assert len(ROWS) > 25
    for happens, promised, *_, test, seen in ROWS:
        assert re.search(r"\]\(\.\./tests/\S+\.py\)", test), happens
        assert promised
        assert seen.strip("| "), happens


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 40
    assert [link for link in links if not (DOCUMENT.parent / link).is_file()] == []


def test_every_family_of_faults_is_in_the_table() -> None:
    families = {path.name for path in Path(__file__).parent.glob("test_*.py")} - {"test_guarantees.py"}
    assert [name for name in sorted(families) if name not in TEXT] == []
