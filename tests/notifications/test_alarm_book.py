from collections.abc import Iterable

from notifications.alarm import Alarm, AlarmKey, Notice, Stage, Verdict
from notifications.alarm_book import decide
from site_config.notification_settings import AlarmKind

SILENT = AlarmKind.DEVICE_SILENT
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
START_MS = 1_795_000_000_000


class Book:
    """What the ledger does with decisions, in memory."""

    def __init__(self, settle_ms: int = 0) -> None:
        self.alarms: dict[AlarmKey, Alarm] = {}
        self.settle_ms = settle_ms

    def see(self, after_ms: int, verdicts: Iterable[Verdict]) -> tuple[Notice, ...]:
        decision = decide(self.alarms, verdicts, START_MS + after_ms, self.settle_ms)
        self.alarms |= {alarm.key: alarm for alarm in decision.changed}
        for key in decision.over:
            del self.alarms[key]
        return decision.notices


def oven(*, raised: bool | None, since_ms: int = START_MS, subject: str = "oven") -> Verdict:
    return Verdict(SILENT, subject, raised, {"since_ms": since_ms})


def stages(notices: Iterable[Notice]) -> list[Stage]:
    return [notice.stage for notice in notices]


def test_an_alarm_begins_once_and_ends_once() -> None:
    book = Book()
    assert stages(book.see(0, [oven(raised=False)])) == []
    (began,) = book.see(1000, [oven(raised=True)])
    assert (began.stage, began.began_ms, began.ended_ms) == (Stage.BEGAN, START_MS + 1000, None)
    assert stages(book.see(2000, [oven(raised=True)])) == []
    (ended,) = book.see(3000, [oven(raised=False)])
    assert (ended.stage, ended.began_ms, ended.ended_ms) == (Stage.ENDED, START_MS + 1000, START_MS + 3000)
    assert stages(book.see(4000, [oven(raised=False)])) == []
    assert book.alarms == {}


def test_what_comes_and_goes_is_told_once() -> None:
    book = Book(settle_ms=5 * MINUTE_MS)
    told = []
    for minute in range(30):
        told += stages(book.see(minute * MINUTE_MS, [oven(raised=minute % 3 == 0)]))
    assert told == [Stage.BEGAN]
    told += stages(book.see(34 * MINUTE_MS, [oven(raised=False)]))
    assert told == [Stage.BEGAN, Stage.ENDED]


def test_it_ended_when_all_became_well_not_when_that_was_believed() -> None:
    book = Book(settle_ms=5 * MINUTE_MS)
    book.see(0, [oven(raised=True)])
    book.see(MINUTE_MS, [oven(raised=False)])
    (ended,) = book.see(7 * MINUTE_MS, [oven(raised=False)])
    assert ended.ended_ms == START_MS + MINUTE_MS


def test_what_cannot_be_told_neither_begins_nor_ends() -> None:
    book = Book()
    assert book.see(0, [oven(raised=None)]) == ()
    book.see(1000, [oven(raised=True)])
    assert book.see(2000, [oven(raised=None)]) == ()
    assert book.see(2 * DAY_MS, [oven(raised=None)]) == ()
    assert len(book.alarms) == 1


def test_what_lasts_is_called_to_mind_ever_more_seldom() -> None:
    book = Book()
    told = {hour: stages(book.see(hour * HOUR_MS, [oven(raised=True)])) for hour in range(24 * 31)}
    days = [hour / 24 for hour, said in told.items() if said == [Stage.REMINDER]]
    assert days == [1, 3, 7, 14, 21, 28]


def test_a_retired_device_is_no_longer_watched() -> None:
    book = Book()
    book.see(0, [oven(raised=True), oven(raised=True, subject="mixer")])
    (withdrawn,) = book.see(1000, [oven(raised=True)])
    assert (withdrawn.stage, withdrawn.subject, withdrawn.ended_ms) == (Stage.WITHDRAWN, "mixer", START_MS + 1000)
    assert [key[1] for key in book.alarms] == ["oven"]


def test_facts_are_the_latest() -> None:
    book = Book()
    book.see(0, [oven(raised=True)])
    book.see(1000, [oven(raised=True, since_ms=7)])
    (ended,) = book.see(2000, [oven(raised=False)])
    assert ended.facts == {"since_ms": 7}
