"""Every text in the code has its translation in every catalogue, with the same places for numbers and names."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from languages.texts import CATALOGUES, languages

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("baselines", "evaluation", "notifications", "visit")
KEYWORDS = {**DEFAULT_KEYWORDS, "say": None}
"""As in scripts/catalogues."""
CATALOGUE_FILES = sorted(CATALOGUES.glob("*.po"))


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source)


def texts_in_code() -> set[str]:
    found: set[str] = set()
    for room in ROOMS:
        for _, _, text, _, _ in extract_from_dir(REPOSITORY / room, keywords=KEYWORDS):
            found.add(text if isinstance(text, str) else text[0])
    return found


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def places(text: str) -> list[str]:
    return sorted(re.findall(r"{\w+(?::[^}]*)?}", text))


def test_there_are_catalogues() -> None:
    assert [path.stem for path in CATALOGUE_FILES] == [name for name in languages() if name != "en"]
    assert len(texts_in_code()) > 150


@pytest.mark.parametrize("path", CATALOGUE_FILES, ids=lambda path: path.stem)
def test_a_catalogue_has_every_text_and_no_other(path: Path) -> None:
    told = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue(path) if message.id}
    assert told == texts_in_code(), "run scripts/catalogues, then translate what is new"
    missing = [message.id for message in catalogue(path) if message.id and not all(forms(message))]
    assert missing == []


@pytest.mark.parametrize("path", CATALOGUE_FILES, ids=lambda path: path.stem)
def test_a_translation_names_what_its_text_names(path: Path) -> None:
    for message in catalogue(path):
        sources = [message.id] if isinstance(message.id, str) else list(message.id)
        for form in forms(message):
            if message.id:
                assert places(form) in [places(source) for source in sources], message.id
                assert len(form) < 2 * max(map(len, sources)) + 20, message.id
