import copy
import json
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from baselines.sayings import Saying, joined, say


def test_a_saying_is_its_english_text() -> None:
    told = say("{share:.1%} less {what} than {limit:g}", share=0.1144, what=say("water"), limit=0.2)
    assert told == "11.4 % less water than 0.2"
    assert (told.template, told.facts["share"]) == ("{share:.1%} less {what} than {limit:g}", 0.1144)
    assert json.dumps([told]) == '["11.4 % less water than 0.2"]'


def test_decimals_show_the_digits_they_have_and_lists_are_listed() -> None:
    assert say("{used} and {share:%}", used=Decimal("1240.50"), share=Decimal("0.995")) == "1,240.50 and 99.5 %"
    assert say("on {days}", days=["2026-11-19", "2026-11-20"]) == "on 2026-11-19, 2026-11-20"
    assert say("{last}", last=date(2026, 11, 19)) == "2026-11-19"


def test_joined_parts_keep_their_own_words() -> None:
    told = joined([say("no {what}", what="saving"), "; but more"])
    assert told == "no saving; but more"
    part = told.facts["part0"]
    assert isinstance(part, Saying)
    assert part.template == "no {what}"


def test_a_copy_remembers_too() -> None:
    @dataclass
    class Holder:
        text: str

    told = say("{n} points", n=3)
    assert asdict(Holder(told))["text"] == "3 points"
    assert copy.deepcopy(told).template == "{n} points"
