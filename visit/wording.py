"""Numbers, units and times as people read them, in a language. Pure."""

from dataclasses import dataclass

from languages import formats
from languages.formats import MINUS
from languages.texts import SOURCE, Texts, texts

NO_VALUE = "\N{EN DASH}"

__all__ = ["MINUS", "NO_VALUE", "Wording"]


@dataclass(frozen=True)
class Wording:
    """Words of a language; numbers by its locale."""

    texts: Texts

    def number(self, value: float, digits: int) -> str:
        """A number with a fixed count of digits after the decimal sign."""
        return formats.number(value, digits, self.texts.locale)

    def amount(self, value: float) -> str:
        """An amount with about three figures: 0.42, 7.4, 84.2, 1,240."""
        return formats.amount(value, self.texts.locale)

    def power(self, power_kw: float | None) -> tuple[str, str]:
        """A power as number and unit: below 1 kW in W, so that a fridge is not "0.1 kW"."""
        if power_kw is None:
            return NO_VALUE, "kW"
        if abs(power_kw) < 0.9995:
            return self.number(power_kw * 1000, 0), "W"
        return self.number(power_kw, 2 if abs(power_kw) < 9.995 else 1 if abs(power_kw) < 999.95 else 0), "kW"

    def power_text(self, power_kw: float | None) -> str:
        """A power in one piece, or a dash."""
        return NO_VALUE if power_kw is None else " ".join(self.power(power_kw))

    def rate(self, value: float | None, unit: str) -> tuple[str, str]:
        """A present rate or weight as number and unit; `unit` is that of the value (kW, m3/h, kg)."""
        if unit == "kW":
            return self.power(value)
        if value is None:
            return NO_VALUE, unit_name(unit)
        if unit == "m3/h" and abs(value) < 0.9995:
            return self.number(value * 1000, 0), "L/h"
        return self.number(value, 2), unit_name(unit)

    def today(self, value: float | None, unit: str) -> str:
        """What was used since midnight, with its unit; small volumes in litres."""
        if value is None:
            return NO_VALUE
        if unit == "m3" and abs(value) < 0.9995:
            return f"{self.number(value * 1000, 0)} L"
        return f"{self.amount(value)} {unit_name(unit)}".rstrip()

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share of 1 in percent; nothing where there is none."""
        return "" if share is None else formats.percent(share, self.texts.locale, digits)

    def duration(self, seconds: float) -> str:
        """A length of time in one unit: 8 s, 3 min, 2 h, 4 days."""
        _ = self.texts.gettext
        if seconds < 60:
            return _("{count} s").format(count=int(seconds))
        if seconds < 3600:
            return _("{count} min").format(count=int(seconds / 60))
        if seconds < 48 * 3600:
            return _("{count} h").format(count=int(seconds / 3600))
        return _("{count} days").format(count=self.number(int(seconds / 86400), 0))

    def age(self, seconds: float | None) -> str:
        """How old a value is."""
        _ = self.texts.gettext
        if seconds is None:
            return ""
        return _("just now") if seconds < 3 else _("{duration} ago").format(duration=self.duration(seconds))


def unit_name(unit: str) -> str:
    """A unit as it is printed: m³ for m3."""
    return unit.replace("m3", "m³")


ENGLISH = Wording(texts(SOURCE))
