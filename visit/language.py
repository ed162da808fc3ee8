"""Texts of the page. English is the source; a catalogue of `languages/` replaces it where there is one."""

from languages.texts import SOURCE, texts

_TEXTS = texts(SOURCE)

_ = _TEXTS.gettext
ngettext = _TEXTS.ngettext
