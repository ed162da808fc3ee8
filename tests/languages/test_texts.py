from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from baselines.sayings import joined, say
from languages import formats
from languages.texts import LanguageError, accepted, languages, texts


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


def test_what_another_room_says_is_told_in_the_readers_words_and_numbers() -> None:
    spanish, space = texts("es"), "\N{NO-BREAK SPACE}"
    readings = say("readings cover {share:%} of the baseline period; below {least:%} this is provisional",
                   share=Decimal("0.995"), least=Decimal("0.9"))  # fmt: skip
    assert spanish.tell(readings) == (
        f"las lecturas cubren el 99,5{space}% del período de la línea base; por debajo del 90{space}% es provisional"
    )
    why = say("{name} of {day} not known", name="pieces", day="2026-11-19")
    assert spanish.tell(joined([why, "."])) == "no se conoce pieces del 19 nov."
    facts = {"used": Decimal("1240.50"), "limit": 0.2, "worth": 41239.4, "n": 12, "days": ["2026-11-19", "x"]}
    told = say("{used} {limit:g} {worth:,.0f} {n} {days}", **facts)  # type: ignore[arg-type]
    assert spanish.tell(told) == "1.240,50 0,2 41.239 12 19 nov, x"
    assert texts("en").tell(told) == "1,240.50 0.2 41,239 12 Nov 19, x"
    assert spanish.tell(say("{names} and {last}", names=["a", "b"], last="c")) == "a, b y c"
    assert spanish.tell("as it is") == "as it is"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es-PE,es;q=0.9,en;q=0.8", "es-PE"),
        ("en-US,en;q=0.9,es;q=0.8", "en-US"),
        ("cy,es;q=0.5,en;q=0.4", "es"),
        ("es;q=0.2,en;q=0.7", "en"),
        ("es;q=0,cy", "en"),
        ("*", "en"),
        ("", "en"),
        (";;,q=, ;q=x,../../es;q=1", "en"),
        ("cy," * 1000 + "es", "en"),
    ],
)
def test_the_language_that_a_browser_asks_for(header: str, language: str) -> None:
    assert accepted(header) == language
