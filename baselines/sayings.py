"""Sentences that another language can say too: the English text, with the template and the facts that it is made of.

The template is the message of the gettext catalogues (`languages/`), which know the facts by their names and formats.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Any, Self

Fact = str | int | float | Decimal | date | Sequence[str]
"""A Decimal has the digits that are shown, a date is a day, a sequence is listed; a string may be a Saying again."""


class Saying(str):
    """An English text as any other, which remembers `template` and `facts`; lost where it is put into an f-string."""

    __slots__ = ("facts", "template")

    template: str
    facts: Mapping[str, Fact]

    def __new__(cls, template: str, facts: Mapping[str, Fact]) -> Self:
        """The English text."""
        told = super().__new__(cls, _ENGLISH.vformat(template, (), facts))
        told.template = template
        told.facts = facts
        return told

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Self:
        """Nothing in it changes."""
        return self


def say(template: str, **facts: Fact) -> Saying:
    """A text in the words of `template`, such as `say("{share:.1%} less than expected", share=0.114)`.

    Formats are those of `str.format`; `%` puts a space before its sign and, without a precision, shows the digits that
    a Decimal has.
    """
    return Saying(template, facts)


def joined(parts: Sequence[str], separator: str = "") -> Saying:
    """Texts one after the other, each in its own words."""
    names = [f"part{number}" for number in range(len(parts))]
    return Saying(separator.join(f"{{{name}}}" for name in names), dict(zip(names, parts, strict=True)))


class _English(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Decimal) and not format_spec:
            return f"{value:,}"
        if isinstance(value, (list, tuple)):
            return ", ".join(value)
        if format_spec.endswith("%"):
            return f"{value:{format_spec}}".replace("%", " %")
        return str(super().format_field(value, format_spec))


_ENGLISH = _English()
