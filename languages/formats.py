"""Numbers, days and times as the reader's language writes them. Pure."""

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent

MINUS = "\N{MINUS SIGN}"


def number(value: float, digits: int, locale: Locale) -> str:
    """A number with a fixed count of digits after the decimal sign."""
    rounded = round(value, digits) + 0.0  # no negative zero
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(rounded, format=pattern, locale=locale).replace("-", MINUS)


def amount(value: float, locale: Locale) -> str:
    """An amount with about three figures: 0.42, 7.4, 84.2, 1,240."""
    size = abs(value)
    return number(value, 2 if size < 1 else 1 if size < 100 else 0, locale)


def percent(share: float, locale: Locale, digits: int = 0) -> str:
    """A share of 1 in percent, as the locale writes it: 12.3% or 12,3 %."""
    pattern = str(locale.percent_formats[None].pattern)
    if digits:
        pattern = pattern.replace("0", "0." + "0" * digits, 1)
    return format_percent(round(share, digits + 2) + 0.0, format=pattern, locale=locale).replace("-", MINUS)


def day(value: date, locale: Locale) -> str:
    """Such as "Nov 19, 2026" or "19 nov 2026"."""
    return format_date(value, "medium", locale=locale)


def weekday(day: date, locale: Locale) -> str:
    """Such as "Thursday"."""
    return format_date(day, "EEEE", locale=locale)


def short_weekday(day: date, locale: Locale) -> str:
    """Such as "Thu"."""
    return format_date(day, "EEE", locale=locale)


def day_and_month(day: date, locale: Locale) -> str:
    """Such as "Nov 19" or "19 nov"."""
    return format_skeleton("MMMd", datetime(day.year, day.month, day.day), locale=locale)  # noqa: DTZ001  # a calendar day has no zone


def week(first: date, last: date, locale: Locale) -> str:
    """Days from first to last, such as "Nov 16 – 22, 2026"."""
    return format_interval(first, last, "yMMMd", locale=locale)


def time_of_day(moment: datetime, locale: Locale) -> str:
    """Hours and minutes of a moment that knows its zone."""
    return format_time(moment, "short", tzinfo=moment.tzinfo, locale=locale)


def moment(value: datetime, locale: Locale) -> str:
    """Day and time of a moment that knows its zone, such as "Thu, Nov 19, 02:10"."""
    day = format_skeleton("MMMEd", value, tzinfo=value.tzinfo, locale=locale)
    return f"{day}, {time_of_day(value, locale)}"
