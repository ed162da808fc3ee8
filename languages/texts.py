"""Texts by gettext. English is the source; `catalogues/LANGUAGE.po` replaces it where there is one.

A catalogue is read as its translator left it: there is no compiled file that could be older.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Any, Protocol, runtime_checkable

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from languages import formats

CATALOGUES = Path(__file__).parent / "catalogues"
SOURCE = "en"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_ACCEPTED = 20


@runtime_checkable
class Said(Protocol):
    """A text that remembers what it is made of: a message of the catalogues, and the facts in its places."""

    @property
    def template(self) -> str:
        """The message."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What its places hold, by name."""


class LanguageError(ValueError):
    """There is no such language here; the message is one line."""


@dataclass(frozen=True)
class Texts:
    """The texts of a language, and the locale by which it writes numbers and dates."""

    language: str
    locale: Locale
    translations: NullTranslations

    def gettext(self, text: str) -> str:
        """The text in this language, in English where its catalogue has none."""
        return self.translations.gettext(text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The form that fits the count."""
        return self.translations.ngettext(one, many, count)

    def tell(self, text: str) -> str:
        """A text in this language if it remembers what it is made of (`Said`), and as it is if it does not.

        Numbers keep the digits that their format or their Decimal gives them. Days are the locale's; one that names a
        row (2026-11-19) is of late and told without its year.
        """
        if not isinstance(text, Said):
            return text
        return _Localised(self).vformat(self.gettext(text.template), (), text.facts)


class _Localised(Formatter):
    """`str.format` in which numbers and days are the locale's and parts are told in their own words."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def format_field(self, value: Any, format_spec: str) -> str:
        locale = self._texts.locale
        if isinstance(value, str):
            if _DAY.fullmatch(value):
                return formats.day_and_month(date.fromisoformat(value), locale)
            return self._texts.tell(value)
        if isinstance(value, date):
            return formats.day(value, locale)
        if isinstance(value, (list, tuple)):
            return ", ".join(self.format_field(each, "") for each in value)
        digits = _digits(value, format_spec)
        if format_spec.endswith("%"):
            return formats.percent(float(value), locale, digits)
        return formats.number(float(value), digits, locale)


def _digits(value: float | Decimal, format_spec: str) -> int:
    """How many are shown after the decimal sign."""
    if found := re.search(r"\.(\d+)", format_spec):
        return int(found[1])
    shown = Decimal(f"{value:g}") if format_spec.endswith("g") else value
    digits = -int(shown.as_tuple().exponent) if isinstance(shown, Decimal) else 0
    return max(digits - 2 if format_spec.endswith("%") else digits, 0)


def languages() -> tuple[str, ...]:
    """The languages that there are texts for."""
    return tuple(sorted({SOURCE, *(path.stem for path in CATALOGUES.glob("*.po"))}))


@lru_cache(maxsize=64)
def texts(language: str) -> Texts:
    """The texts of a language such as `es` or `es-PE`; the latter takes texts of `es` where it has none of its own.

    Raises LanguageError when nobody knows the language, or there are no texts for it.
    """
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as problem:
        raise LanguageError(f"{language!r} is no language; use a code such as es or es-PE") from problem
    for name in (str(locale), locale.language):
        path = CATALOGUES / f"{name}.po"
        if path.exists():
            return Texts(language, locale, _compiled(path))
    if locale.language != SOURCE:
        raise LanguageError(f"there are no texts in {language!r} yet; there are {', '.join(languages())}")
    return Texts(language, locale, NullTranslations())


def accepted(header: str, otherwise: str = SOURCE) -> str:
    """The first that there are texts in, of the languages a browser asks for (`Accept-Language`, RFC 9110, 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(",", _MOST_ACCEPTED)[:_MOST_ACCEPTED]:
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1.0)
        except ValueError:
            continue
        wanted.append((quality, tag.strip()))
    for quality, tag in sorted(wanted, key=lambda each: -each[0]):
        try:
            if quality > 0.0:
                return texts(tag).language
        except LanguageError:
            continue
    return otherwise


def _compiled(path: Path) -> NullTranslations:
    with path.open("rb") as source:
        catalogue = read_po(source)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
