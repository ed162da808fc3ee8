"""English that is left in a translated text: what the catalogue says otherwise."""

import re
from functools import cache

from babel.messages.pofile import read_po

from languages.texts import CATALOGUES

_SHORTEST = 4
"""Fewer letters than this are a unit or a word of many languages."""


def english_in(text: str, language: str) -> set[str]:
    """Pieces of messages, between their places for facts, that stand in the text though the catalogue has others."""
    plain = " ".join(text.split())
    return {piece for piece in _pieces(language) if re.search(rf"(?<![\w-]){re.escape(piece)}(?![\w-])", plain)}


@cache
def _pieces(language: str) -> frozenset[str]:
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        catalogue = read_po(source)
    english: set[str] = set()
    translated: set[str] = set()
    for message in catalogue:
        for texts, found in ((message.id, english), (message.string, translated)):
            for text in [texts] if isinstance(texts, str) else texts or ():
                found |= {piece.strip(" ,;:.()?") for piece in re.split(r"{[^}]*}", text)}
    same = " | ".join(translated)
    return frozenset(piece for piece in english if len(piece) >= _SHORTEST and piece not in same)
