from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from notifications import ledger as ledger_module
from notifications.alarm import Alarm, Notice, Stage
from notifications.alarm_book import Decision
from notifications.content import Content, Destination
from notifications.ledger import KEPT_MS, LEASE, Addressed, Ledger
from site_config.notification_settings import AlarmKind
from store.entities import Entities
from store.held_lease import LeaseLostError

NOW_MS = 1_795_000_000_000
ANA, BEN = Destination("ana", "email"), Destination("ben", "webhook")
OWNER = "owner"
CONTENT = Content("subject", "text", "<p>html</p>", b"png", {"type": "alarms"})


@pytest.fixture
async def entities(tmp_path: Path) -> AsyncIterator[Entities]:
    opened = Entities(tmp_path / "entities.sqlite")
    assert await opened.acquire_lease(LEASE, OWNER, 3600)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(entities: Entities, tmp_path: Path) -> AsyncIterator[Ledger]:
    del entities
    opened = Ledger(tmp_path / "entities.sqlite", OWNER)
    yield opened
    await opened.close()


def alarm(subject: str = "oven") -> Alarm:
    return Alarm(AlarmKind.DEVICE_SILENT, subject, NOW_MS, NOW_MS, 0, None, {"since_ms": 5, "why": "x", "share": 0.5})


def notice(stage: Stage, subject: str = "oven", ended_ms: int | None = None) -> Notice:
    return Notice(AlarmKind.DEVICE_SILENT, subject, stage, NOW_MS, ended_ms, {"since_ms": 5})


async def tell(ledger: Ledger, *notices: Notice, due_ms: int = NOW_MS, to: Destination = ANA) -> int:
    return await ledger.keep("bakery", Decision((), (), notices), [Addressed(to, one, due_ms) for one in notices])


async def stages(ledger: Ledger, now_ms: int = NOW_MS) -> list[str]:
    return [waiting.notice.stage for waiting in await ledger.waiting(ANA, now_ms)]


async def test_alarms_are_kept_and_forgotten(ledger: Ledger, tmp_path: Path) -> None:
    await ledger.keep("bakery", Decision((alarm(), alarm("mixer")), (), ()), ())
    await ledger.keep("bakery", Decision((), ((AlarmKind.DEVICE_SILENT, "mixer"),), ()), ())
    again = Ledger(tmp_path / "entities.sqlite")
    assert await again.alarms("bakery") == {alarm().key: alarm()}
    assert await again.alarms("laundry") == {}
    assert await again.sites_with_alarms() == ("bakery",)
    await again.close()


async def test_a_message_says_its_notices_once(ledger: Ledger) -> None:
    await tell(ledger, notice(Stage.BEGAN))
    (waiting,) = await ledger.waiting(ANA, NOW_MS)
    assert await ledger.put(ANA, "bakery", CONTENT, NOW_MS, notices=[waiting.number])
    assert await stages(ledger) == []
    message = await ledger.next_message(ANA)
    assert message is not None
    assert message.content == CONTENT
    assert await ledger.next_message(BEN) is None
    await ledger.note_attempt(message.number)
    await ledger.note_end(message.number, NOW_MS + 5)
    assert await ledger.next_message(ANA) is None
    assert await stages(ledger) == []
    (entry,) = await ledger.messages()
    assert (entry.state, entry.attempts, entry.ended_ms, entry.problem) == ("sent", 1, NOW_MS + 5, None)


async def test_what_comes_while_a_message_is_under_way_waits_for_the_next_one(ledger: Ledger) -> None:
    await ledger.put(ANA, "bakery", CONTENT, NOW_MS)
    await tell(ledger, notice(Stage.BEGAN))
    assert await stages(ledger) == []
    message = await ledger.next_message(ANA)
    assert message is not None
    await ledger.note_end(message.number, NOW_MS, "nobody took it")
    assert await stages(ledger) == ["began"]


async def test_quiet_hours_make_one_notice_of_beginning_and_end(ledger: Ledger) -> None:
    await tell(ledger, notice(Stage.BEGAN), due_ms=NOW_MS + 1000)
    assert await stages(ledger) == []
    await tell(ledger, notice(Stage.REMINDER), due_ms=NOW_MS + 1000)
    await tell(ledger, notice(Stage.ENDED, ended_ms=NOW_MS + 7), due_ms=NOW_MS + 1000)
    (waiting,) = await ledger.waiting(ANA, NOW_MS + 1000)
    assert (waiting.notice.stage, waiting.notice.ended_ms) == (Stage.PASSED, NOW_MS + 7)


async def test_an_end_after_a_told_beginning_is_told(ledger: Ledger) -> None:
    await tell(ledger, notice(Stage.BEGAN))
    (waiting,) = await ledger.waiting(ANA, NOW_MS)
    await ledger.put(ANA, "bakery", CONTENT, NOW_MS, notices=[waiting.number])
    await tell(ledger, notice(Stage.REMINDER), notice(Stage.ENDED, ended_ms=NOW_MS + 7))
    message = await ledger.next_message(ANA)
    assert message is not None
    await ledger.note_end(message.number, NOW_MS)
    assert await stages(ledger) == ["ended"]


async def test_a_key_is_kept_once(ledger: Ledger) -> None:
    assert await ledger.put(ANA, "bakery", CONTENT, NOW_MS, key="week.1")
    assert not await ledger.put(ANA, "bakery", CONTENT, NOW_MS, key="week.1")
    assert await ledger.knows("week.1")
    assert not await ledger.knows("week.2")
    assert len(await ledger.messages()) == 1


async def test_what_waits_is_bounded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MAXIMUM_NOTICES", 3)
    assert await tell(ledger, *(notice(Stage.BEGAN, f"d-{number}") for number in range(3))) == 0
    assert await tell(ledger, notice(Stage.BEGAN, "d-3")) == 1
    assert [one.notice.subject for one in await ledger.waiting(ANA, NOW_MS)] == ["d-1", "d-2", "d-3"]


async def test_what_is_done_is_forgotten_after_a_while(ledger: Ledger) -> None:
    for end in ("sent", "waiting"):
        await ledger.put(ANA, "bakery", CONTENT, NOW_MS, key=end)
    message = await ledger.next_message(ANA)
    assert message is not None
    await ledger.note_end(message.number, NOW_MS)
    await ledger.forget(NOW_MS + KEPT_MS)
    assert await ledger.knows("sent")
    await ledger.forget(NOW_MS + KEPT_MS + 1)
    assert [entry.key for entry in await ledger.messages()] == ["waiting"]
    assert await ledger.backlog() == (1, NOW_MS)


async def test_recipients_who_are_gone_get_nothing(ledger: Ledger) -> None:
    for destination in (ANA, BEN):
        await ledger.put(destination, "bakery", CONTENT, NOW_MS)
        await tell(ledger, notice(Stage.BEGAN), to=destination)
    assert await ledger.give_up_others([BEN], NOW_MS) == 2
    assert await ledger.destinations_under_way() == (BEN,)


async def test_since_when_somebody_wants_the_week(ledger: Ledger) -> None:
    assert await ledger.weekly_since("bakery", "ana", NOW_MS) == NOW_MS
    assert await ledger.weekly_since("bakery", "ana", NOW_MS + 5) == NOW_MS


async def test_without_the_lease_nothing_is_written(ledger: Ledger, entities: Entities) -> None:
    await tell(ledger, notice(Stage.BEGAN))
    await ledger.put(ANA, "bakery", CONTENT, NOW_MS)
    await entities.release_lease(LEASE, OWNER)
    assert await entities.acquire_lease(LEASE, "another", 3600)
    for attempt in (
        tell(ledger, notice(Stage.BEGAN, "mixer")),
        ledger.put(ANA, "bakery", CONTENT, NOW_MS),
        ledger.note_attempt(1),
        ledger.give_up_others([], NOW_MS),
    ):
        with pytest.raises(LeaseLostError):
            await attempt
    # What was sent may be marked: that is true whoever has the lease.
    await ledger.note_end(1, NOW_MS)
    assert [waiting.notice.subject for waiting in await ledger.waiting(ANA, NOW_MS)] == ["oven"]
