"""Texts by gettext. English is the source; `catalogues/LANGUAGE.po` replaces it where there is one.

A catalogue is read as its translator left it: there is no compiled file that could be older.
"""

from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent / "catalogues"
SOURCE = "en"


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


def _compiled(path: Path) -> NullTranslations:
    with path.open("rb") as source:
        catalogue = read_po(source)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
