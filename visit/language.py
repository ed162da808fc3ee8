"""Texts of the page. English is the source; a catalogue beside this file replaces it where there is one."""

from gettext import translation
from pathlib import Path

_TEXTS = translation("leanmeter", localedir=Path(__file__).parent / "catalogues", fallback=True)

_ = _TEXTS.gettext
ngettext = _TEXTS.ngettext
