import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from notifications import courier as courier_module
from notifications.channels.errors import RefusedError, UnreachableError
from notifications.content import Content, Destination, Message
from notifications.courier import GIVEN_UP_AFTER_MS, MAXIMUM_REFUSALS, Courier
from notifications.ledger import LEASE, Ledger
from store.entities import Entities
from store.held_lease import LeaseLostError
from tests.servers.waiting import eventually_async

NOW_MS = 1_795_000_000_000
MAIL, HOOK = Destination("ana", "email"), Destination("ana", "webhook")


class Double:
    """A channel that does what a test wants."""

    def __init__(self, action: Callable[[Message], Exception | None] = lambda _: None) -> None:
        self.action = action
        self.subjects: list[str] = []
        self.keys: list[str] = []

    async def send(self, message: Message) -> None:
        self.keys.append(message.key)
        problem = self.action(message)
        if problem is not None:
            raise problem
        self.subjects.append(message.content.subject)


async def hold() -> None:
    """The lease is ours."""


@pytest.fixture
async def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ledger]:
    monkeypatch.setattr(courier_module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(courier_module, "LONGEST_PAUSE_S", 0.02)
    entities = Entities(tmp_path / "entities.sqlite")
    await entities.acquire_lease(LEASE, "me", 3600)
    opened = Ledger(tmp_path / "entities.sqlite", "me")
    yield opened
    await opened.close()
    await entities.close()


async def put(ledger: Ledger, destination: Destination, *subjects: str) -> None:
    for subject in subjects:
        await ledger.put(destination, "bakery", Content(subject, "", ""), NOW_MS)


async def until_empty(courier: Courier, ledger: Ledger) -> None:
    async def nothing_waits() -> bool:
        await courier.start_due()
        return (await ledger.backlog())[0] == 0

    await eventually_async(nothing_waits, what="an empty ledger")


async def states(ledger: Ledger) -> dict[str, str]:
    return {entry.subject: entry.state for entry in await ledger.messages()}


async def test_each_destination_gets_its_messages_in_order(ledger: Ledger) -> None:
    mail, hook = Double(), Double()
    await put(ledger, MAIL, "a", "b", "c")
    await put(ledger, HOOK, "d", "e")
    courier = Courier(ledger, {MAIL: mail, HOOK: hook}, hold, lambda: NOW_MS)
    await until_empty(courier, ledger)
    assert (mail.subjects, hook.subjects) == (["a", "b", "c"], ["d", "e"])
    assert courier.counts.sent == 5


async def test_a_channel_that_hangs_keeps_no_other_waiting(ledger: Ledger) -> None:
    class Hanging:
        async def send(self, message: Message) -> None:
            del message
            await asyncio.Event().wait()

    hook = Double()
    await put(ledger, MAIL, "a")
    await put(ledger, HOOK, "b", "c")
    courier = Courier(ledger, {MAIL: Hanging(), HOOK: hook}, hold, lambda: NOW_MS)
    await courier.start_due()
    await eventually_async(lambda: hook.subjects == ["b", "c"])
    await courier.end(0.0)
    assert await states(ledger) == {"a": "waiting", "b": "sent", "c": "sent"}


async def test_a_failing_channel_is_tried_again_and_told_of_once(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failures = iter([UnreachableError("no route"), UnreachableError("no route"), UnreachableError("no route")])
    mail = Double(lambda _: next(failures, None))
    await put(ledger, MAIL, "a", "b")
    courier = Courier(ledger, {MAIL: mail}, hold, lambda: NOW_MS)
    await courier.start_due()
    await eventually_async(lambda: courier.failing == (MAIL,))
    await until_empty(courier, ledger)
    assert mail.subjects == ["a", "b"]
    assert len(set(mail.keys[:4])) == 1
    assert courier.failing == ()
    assert (courier.counts.failures, courier.counts.sent) == (3, 2)
    told = [record for record in caplog.records if record.name == "notifications.courier"]
    assert [record.levelname for record in told] == ["ERROR", "WARNING"]
    assert "no route" in told[0].message


async def test_a_message_that_nobody_wants_is_given_up_and_the_next_one_goes(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    mail = Double(lambda message: RefusedError("550 never") if message.content.subject == "a" else None)
    await put(ledger, MAIL, "a", "b")
    courier = Courier(ledger, {MAIL: mail}, hold, lambda: NOW_MS)
    await until_empty(courier, ledger)
    assert await states(ledger) == {"a": "given up", "b": "sent"}
    assert len(mail.keys) == MAXIMUM_REFUSALS + 1
    assert courier.counts.given_up == 1
    assert "'a' is given up: 550 never" in caplog.text


async def test_nobody_is_tried_for_ever(ledger: Ledger) -> None:
    now_ms = [NOW_MS]
    mail = Double(lambda _: UnreachableError("no route"))
    await put(ledger, MAIL, "a")
    courier = Courier(ledger, {MAIL: mail}, hold, lambda: now_ms[0])
    await courier.start_due()
    await eventually_async(lambda: len(mail.keys) == 1)
    now_ms[0] += GIVEN_UP_AFTER_MS + 1
    await until_empty(courier, ledger)
    assert await states(ledger) == {"a": "given up"}


async def test_the_other_side_may_ask_for_a_pause(ledger: Ledger) -> None:
    mail = Double(lambda _: UnreachableError("busy", retry_after_s=3600.0))
    await put(ledger, MAIL, "a")
    courier = Courier(ledger, {MAIL: mail}, hold, lambda: NOW_MS)
    await courier.start_due()
    await eventually_async(lambda: courier.failing == (MAIL,))
    await asyncio.sleep(0.05)  # longer than LONGEST_PAUSE_S here
    await courier.start_due()
    await courier.end(5.0)
    assert len(mail.keys) == 1


async def test_a_defect_in_a_channel_ends_no_other(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    hook = Double()
    await put(ledger, MAIL, "a")
    await put(ledger, HOOK, "b")
    courier = Courier(ledger, {MAIL: Double(lambda _: ZeroDivisionError()), HOOK: hook}, hold, lambda: NOW_MS)
    await courier.start_due()
    await eventually_async(lambda: hook.subjects == ["b"])
    await eventually_async(lambda: courier.failing == (MAIL,))
    assert "email to ana" in caplog.text


async def test_nothing_is_sent_when_the_lease_is_lost(ledger: Ledger) -> None:
    async def lost() -> None:
        raise LeaseLostError("another has it")

    mail = Double()
    await put(ledger, MAIL, "a")
    courier = Courier(ledger, {MAIL: mail}, lost, lambda: NOW_MS)

    async def ended() -> bool:
        try:
            await courier.start_due()
        except LeaseLostError:
            return True
        return False

    await eventually_async(ended)
    await courier.cancel()
    assert mail.keys == []
    assert await states(ledger) == {"a": "waiting"}


async def test_ending_lets_what_is_being_sent_arrive(ledger: Ledger) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()

    class Slow(Double):
        async def send(self, message: Message) -> None:
            started.set()
            await may_end.wait()
            await super().send(message)

    mail = Slow()
    await put(ledger, MAIL, "a", "b")
    courier = Courier(ledger, {MAIL: mail}, hold, lambda: NOW_MS)
    await courier.start_due()
    await started.wait()
    ending = asyncio.create_task(courier.end(10.0))
    await asyncio.sleep(0)
    may_end.set()
    await ending
    assert await states(ledger) == {"a": "sent", "b": "waiting"}
