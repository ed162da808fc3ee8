from datetime import UTC, date, datetime

import pytest

from languages import formats
from languages.texts import LanguageError, languages, texts


def test_english_is_the_source() -> None:
    assert texts("en").gettext("nobody has translated this") == "nobody has translated this"
    assert texts("en-GB").locale.territory == "GB"
    assert "en" in languages()


@pytest.mark.parametrize(("language", "why"), [("xx", "no language"), ("", "no language"), ("cy", "no texts in 'cy'")])
def test_a_language_that_is_not_there(language: str, why: str) -> None:
    with pytest.raises(LanguageError, match=why):
        texts(language)


def test_numbers_and_days_by_locale() -> None:
    spanish, english = texts("en").locale.parse("es"), texts("en").locale
    assert formats.number(-4210.55, 1, english) == "−4,210.6"
    assert formats.number(-0.04, 1, english) == "0.0"
    assert formats.amount(4210.5, spanish) == "4.210"
    assert [formats.amount(value, english) for value in (0.417, 7.41, 84.24, 1240.2)] == [
        "0.42",
        "7.4",
        "84.2",
        "1,240",
    ]
    assert formats.percent(-0.084, english) == "−8%"
    assert formats.short_weekday(date(2026, 11, 19), spanish) == "jue"
    assert formats.week(date(2026, 11, 16), date(2026, 11, 22), english) == "Nov 16\u2009–\u200922, 2026"
    assert formats.moment(datetime(2026, 11, 19, 2, 10, tzinfo=UTC), spanish) == "jue, 19 nov, 2:10"
