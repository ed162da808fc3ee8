"""The process that watches and sends is killed at random moments: no alarm twice, none lost."""

import asyncio
import random
import re
import sys
import threading
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.notifications.doubles import HttpServer, MailServer, Request
from tests.notifications.factory import Factory
from tests.scale import scaled
from tests.servers.ports import LOOPBACK
from tests.servers.processes import ManagedProcess, Processes
from tests.servers.waiting import eventually_async

DEVICES = ["meter-1", "meter-2", "meter-3", "meter-4", "meter-5"]
EPISODES = scaled(1, 40)
ALL = EPISODES * len(DEVICES)
# The lease of a killed process would keep the next one waiting for ten seconds.
PROGRAM = """
import sys
import store.held_lease
import notifications.courier
store.held_lease.TTL_S, store.held_lease.RENEW_AFTER_S = 0.5, 0.1
notifications.courier.FIRST_PAUSE_S = 0.1
from leanmeter.command_line import main
sys.exit(main(["notifications", "run", "--config", sys.argv[1]]))
"""


class Killer:
    """Kills the process and starts it again: now and then, and while a message is between sending and marking."""

    def __init__(self, process: ManagedProcess, chance: random.Random) -> None:
        self._process = process
        self._chance = chance
        self._lock = threading.Lock()
        self.kills = 0
        self.active = True

    def perhaps(self, probability: float) -> None:
        with self._lock:
            if self.active and self._process.running and self._chance.random() < probability:
                self._process.kill()
                self.kills += 1
                self._process.start()


@pytest.fixture
def seed() -> int:
    chosen = random.randrange(2**32)
    print(f"seed {chosen}")  # noqa: T201  # to repeat a failure
    return chosen


async def test_every_alarm_is_told_once_whatever_is_killed(tmp_path: Path, processes: Processes, seed: int) -> None:
    chance = random.Random(seed)
    factory = Factory(tmp_path, DEVICES)
    await factory.declare()
    hook, mail = HttpServer(), MailServer()
    settings = factory.server_file(
        {
            "check_interval_s": 0.1,
            "alarms": {"silent_after_s": 1, "no_data_after_s": 600, "settle_s": 0},
            "smtp": {"host": LOOPBACK, "port": mail.port, "security": "none", "sender": "leanmeter@example.org"},
            "recipients": [
                {"id": "ana", "email": "ana@example.org", "webhook": {"url": hook.url}, "alarms": ["device_silent"]}
            ],
        }
    )
    alive = set(DEVICES)
    with hook.running(), mail.running():
        process = processes.start(sys.executable, "-c", PROGRAM, settings)
        killer = Killer(process, chance)

        def on_request(_: Request) -> tuple[int, bytes]:
            # Before the answer: the message has arrived, and its sender will never know.
            killer.perhaps(0.3)
            return 200, b""

        def on_mail(_: EmailMessage) -> str:
            killer.perhaps(0.3)
            return "250 OK"

        hook.answer, mail.answer = on_request, on_mail
        keep_reading = asyncio.create_task(_read(factory, alive))
        now_and_then = asyncio.create_task(_kill_now_and_then(killer, chance))
        try:
            await asyncio.gather(*(_episodes(hook, alive, device, chance) for device in DEVICES))
        finally:
            killer.active = False
            now_and_then.cancel()
        await eventually_async(lambda: _mailed(mail)["Over"] + _mailed(mail)["Was"] >= ALL, 30.0, "all mails")
        keep_reading.cancel()
        process.stop()
    await factory.close()
    print(f"{killer.kills} kills, {len(hook.requests)} requests, {len(mail.mails)} mails")  # noqa: T201
    assert killer.kills >= 1
    told = Counter(
        (alarm["subject"], alarm["stage"], alarm["began"])
        for request in _by_key(hook).values()
        for alarm in request.json["alarms"]
    )
    # Each alarm began once and ended once; what came twice came with the same key and the same words.
    assert Counter(stage for _, stage, _ in told.elements()) == {"began": ALL, "ended": ALL}
    for request in hook.requests:
        assert request.body == _by_key(hook)[request.headers["Idempotency-Key"]].body
    mailed = _mailed(mail)
    assert mailed["Look"] + mailed["Was"] == mailed["Over"] + mailed["Was"] == ALL


async def _episodes(hook: HttpServer, alive: set[str], device: str, chance: random.Random) -> None:
    """A device falls silent until that is told, and comes back until that is told."""
    for number in range(1, EPISODES + 1):
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        alive.discard(device)
        await _until_told(hook, device, "began", number)
        alive.add(device)
        await _until_told(hook, device, "ended", number)


async def _until_told(hook: HttpServer, device: str, stage: str, count: int) -> None:
    await eventually_async(lambda: _told(hook, device, stage) >= count, 60.0, f"{device} {stage} {count} times")


def _by_key(hook: HttpServer) -> dict[str, Request]:
    return {request.headers["Idempotency-Key"]: request for request in hook.requests}


def _mailed(mail: MailServer) -> Counter[str]:
    """How many alarms the distinct mails say to look at, to be over, or to have been."""
    mails = list(mail.mails)  # more may come meanwhile
    by_id = {str(found["Message-ID"]): found for found in mails}
    for found in mails:
        assert _text(found) == _text(by_id[str(found["Message-ID"])])
    return Counter(
        word for found in by_id.values() for word in re.findall(r"^(\w+): meter-", _text(found), re.MULTILINE)
    )


def _text(found: EmailMessage) -> str:
    part = found.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def _told(hook: HttpServer, device: str, stage: str) -> int:
    return sum(
        alarm["subject"] == device and alarm["stage"] == stage
        for request in _by_key(hook).values()
        for alarm in request.json["alarms"]
    )


async def _read(factory: Factory, alive: set[str]) -> None:
    while True:
        await factory.read(sorted(alive), time.time_ns() // 1_000_000)
        await asyncio.sleep(0.1)


async def _kill_now_and_then(killer: Killer, chance: random.Random) -> None:
    while True:
        await asyncio.sleep(chance.uniform(1.0, 6.0))
        await asyncio.to_thread(killer.perhaps, 1.0)
