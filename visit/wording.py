"""Numbers, units and times as people read them. Pure."""

from visit.language import _

MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"


def number(value: float, digits: int) -> str:
    """A number with a fixed count of digits after the point; narrow spaces between thousands, no negative zero."""
    text = f"{abs(value):,.{digits}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return MINUS + text if value < 0 and text.strip("0.") else text


def amount(value: float) -> str:
    """An amount with about three figures: 0.42, 7.4, 84.2, 1 240."""
    size = abs(value)
    return number(value, 2 if size < 1 else 1 if size < 1000 else 0)


def power(power_kw: float | None) -> tuple[str, str]:
    """A power as number and unit: below 1 kW in W, so that a fridge is not "0.1 kW"."""
    if power_kw is None:
        return NO_VALUE, "kW"
    if abs(power_kw) < 0.9995:
        return number(power_kw * 1000, 0), "W"
    return number(power_kw, 2 if abs(power_kw) < 9.995 else 1 if abs(power_kw) < 999.95 else 0), "kW"


def power_text(power_kw: float | None) -> str:
    """A power in one piece, or a dash."""
    return NO_VALUE if power_kw is None else " ".join(power(power_kw))


def rate(value: float | None, unit: str) -> tuple[str, str]:
    """A present rate or weight as number and unit; `unit` is that of the value (kW, m3/h, kg)."""
    if unit == "kW":
        return power(value)
    if value is None:
        return NO_VALUE, unit_name(unit)
    if unit == "m3/h" and abs(value) < 0.9995:
        return number(value * 1000, 0), "L/h"
    return number(value, 2), unit_name(unit)


def today(value: float | None, unit: str) -> str:
    """What was used since midnight, with its unit; small volumes in litres."""
    if value is None:
        return NO_VALUE
    if unit == "m3" and abs(value) < 0.9995:
        return f"{number(value * 1000, 0)} L"
    return f"{amount(value)} {unit_name(unit)}".rstrip()


def percent(share: float | None) -> str:
    """A share of 1 in percent; nothing where there is none."""
    return "" if share is None else f"{share * 100:.0f}\N{NARROW NO-BREAK SPACE}%"


def unit_name(unit: str) -> str:
    """A unit as it is printed: m³ for m3."""
    return unit.replace("m3", "m³")


def duration(seconds: float) -> str:
    """A length of time in one unit: 8 s, 3 min, 2 h, 4 days."""
    if seconds < 60:
        return _("{count} s").format(count=int(seconds))
    if seconds < 3600:
        return _("{count} min").format(count=int(seconds / 60))
    if seconds < 48 * 3600:
        return _("{count} h").format(count=int(seconds / 3600))
    return _("{count} days").format(count=int(seconds / 86400))


def age(seconds: float | None) -> str:
    """How old a value is."""
    if seconds is None:
        return ""
    return _("just now") if seconds < 3 else _("{duration} ago").format(duration=duration(seconds))
