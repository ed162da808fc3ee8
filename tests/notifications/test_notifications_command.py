import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, ViewportSize

from leanmeter.command_line import main
from store.edge_ledger import EdgeLedger, LastBatch
from store.protocol import IntervalRow
from tests.notifications.doubles import HttpServer, MailServer, telegram_answer
from tests.notifications.factory import SITE, ZONE, Factory
from tests.servers.chromium import ON_THE_BROWSERS_LOOP
from tests.servers.ports import LOOPBACK
from tests.servers.processes import Processes
from wire_format.topics import EdgeAddress

PHONE = ViewportSize(width=390, height=844)


def recipient(hook: HttpServer, **keys: Any) -> dict[str, Any]:
    ways = {"email": "ana@example.org", "telegram": "123", "webhook": {"url": hook.url}}
    return {"id": "ana", "language": "es", **ways, **keys}


def section(folder: Path, mail: MailServer, telegram: HttpServer, *recipients: dict[str, Any]) -> dict[str, Any]:
    (folder / "token").write_text("1:token")
    return {
        "smtp": {"host": LOOPBACK, "port": mail.port, "security": "none", "sender": "leanmeter@example.org"},
        "telegram": {"token_file": str(folder / "token"), "base_url": telegram.url},
        "recipients": list(recipients),
    }


async def fill_last_week(factory: Factory) -> None:
    zone = ZoneInfo(ZONE)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday() + 7)
    rows = []
    for number, (amount, expected) in enumerate(
        [(612.0, 640.0), (618.0, 655.0), (766.0, 660.0), (585.0, 650.0), (640.0, 700.0), (407.0, 420.0), (151.0, 180.0)]
    ):
        start_ms = round((monday + timedelta(days=number)).timestamp() * 1000)
        peak_ms = start_ms + 37_800_000
        rows += [
            IntervalRow(
                SITE, series, start_ms, amount, 42.1 - number, 0.99, "measured", resource, peak_ms=peak_ms, minimum=3.2,
                expected=expected, lower=0.94 * expected, upper=1.06 * expected, goal=0.86 * expected,
            )
            for series, resource in (("site.energy", "energy"), ("site.electricity", "electricity"))
        ]  # fmt: skip
    await factory.readings.write_days(rows)


async def test_a_test_message_goes_by_every_channel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    factory = Factory(tmp_path, ["main-meter"])
    mail, hook, telegram = MailServer(), HttpServer(), HttpServer(answer=telegram_answer)
    settings = factory.server_file(section(tmp_path, mail, telegram, recipient(hook), recipient(hook, id="ben")))
    with mail.running(), hook.running(), telegram.running():
        words = ["notifications", "test", "--config", str(settings), "--recipient", "ana"]
        assert await asyncio.to_thread(main, words) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == ["ana by email: sent", "ana by telegram: sent", "ana by webhook: sent"]
    assert mail.mails[0]["Subject"] == "Leanmeter: mensaje de prueba"
    assert hook.requests[0].json["type"] == "test"
    assert "todas las plantas" in telegram.requests[0].json["text"]
    await factory.close()


async def test_a_test_names_a_site_that_nobody_declared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    factory = Factory(tmp_path, ["main-meter"])
    await factory.declare()
    hook = HttpServer()
    ana = {"id": "ana", "webhook": {"url": hook.url}, "sites": ["bakry"]}
    settings = factory.server_file({"recipients": [ana]})
    with hook.running():
        assert await asyncio.to_thread(main, ["notifications", "test", "--config", str(settings)]) == 0
    note, _ = capsys.readouterr().out.splitlines()
    assert note == "note: notifications.recipients: ana: sites: no site 'bakry' is known; there are bakery"
    await factory.close()


async def test_what_does_not_go_is_told_by_channel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    factory = Factory(tmp_path, ["main-meter"])
    mail, hook, telegram = MailServer(), HttpServer(answer=lambda _: (403, b"who are you?")), HttpServer()
    settings = factory.server_file(section(tmp_path, mail, telegram, recipient(hook)))
    with mail.running(), hook.running():
        assert await asyncio.to_thread(main, ["notifications", "test", "--config", str(settings)]) == 1
    sent, unreached, refused = capsys.readouterr().out.splitlines()
    assert sent == "ana by email: sent"
    assert unreached.startswith(f"ana by telegram: not sent: {telegram.url}/bot***: ")
    assert refused == f"ana by webhook: not sent: {hook.url}: answers 403 who are you?"
    await factory.close()


@pytest.mark.parametrize(
    ("notifications", "why"),
    [
        (None, "notifications: is missing; say there who is to be told"),
        ({"recipients": [{"id": "ana", "email": "a@b", "language": "cy"}]}, "smtp: is missing"),
        ({"recipients": [{"id": "ana", "webhook": {"url": "http://x/"}, "language": "cy"}]}, "there are en, es"),
        ({"recipients": [{"id": "ana", "webhook": {"url": "http://x/", "secret_file": "none"}}]}, "cannot be read"),
        ({"recipients": []}, "name somebody who is to be told"),
    ],
)
async def test_mistakes_get_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], notifications: dict[str, Any] | None, why: str
) -> None:
    factory = Factory(tmp_path, ["main-meter"])
    await factory.close()
    settings = factory.server_file(notifications or {})
    if notifications is None:
        settings.write_text(settings.read_text().replace("notifications: {}", ""))
    assert await asyncio.to_thread(main, ["notifications", "test", "--config", str(settings)]) == 2
    told = capsys.readouterr().err
    assert why in told
    assert told.count("\n") == 1


@ON_THE_BROWSERS_LOOP
@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_week_can_be_looked_at_before_it_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], browser: Browser, language: str
) -> None:
    factory = Factory(tmp_path, ["main-meter"])
    await factory.declare()
    await fill_last_week(factory)
    settings = factory.server_file({"recipients": []})
    folder = tmp_path / "preview"
    words = ["notifications", "preview", "--config", str(settings), "--language", language, "--output", str(folder)]
    assert await asyncio.to_thread(main, words) == 0
    assert capsys.readouterr().out.split() == [str(folder / name) for name in ("week.png", "week.txt", "week.html")]
    sentences = (folder / "week.txt").read_text().strip().split("\n\n")
    assert len(sentences) == 4
    page = await browser.new_page(viewport=PHONE, device_scale_factor=2)
    await page.goto((folder / "week.html").as_uri())
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    picture = page.locator("img")
    assert await picture.evaluate("image => image.complete && image.naturalWidth") == 1080
    assert await picture.get_attribute("alt") == " ".join(sentences[1:])
    for sentence in sentences[1:]:
        assert await page.get_by_text(sentence, exact=True).is_visible()
    sizes = await page.evaluate(
        "[...document.querySelectorAll('td, div')].map(found => parseFloat(getComputedStyle(found).fontSize))"
    )
    assert min(sizes) >= 13
    await page.screenshot(path=tmp_path / f"week-{language}.png", full_page=True)
    await factory.close()


async def test_the_collector_tells_too_and_only_one_of_them_does(tmp_path: Path, processes: Processes) -> None:
    factory = Factory(tmp_path, ["main-meter"])
    await factory.declare()
    mail, hook, telegram = MailServer(), HttpServer(), HttpServer()
    notifications = section(tmp_path, mail, telegram, {"id": "ana", "webhook": {"url": hook.url}})
    settings = factory.server_file({**notifications, "check_interval_s": 0.1})
    edges = EdgeLedger(tmp_path / "entities.sqlite")
    await edges.note_batches({EdgeAddress(SITE, "edge-1"): LastBatch(1_700_000_000_000, 1_700_000_000_000, "ntp")})
    await edges.close()
    with hook.running():
        # No broker is there: the collector waits for it, and tells all the same.
        collector = processes.start_leanmeter("collector", "run", "--config", settings)
        await asyncio.to_thread(collector.wait_for, lambda: hook.requests, 30.0, "a message")
        beside = processes.start(sys.executable, "-m", "leanmeter", "notifications", "run", "--config", settings)
        await asyncio.to_thread(beside.wait_for_log, "another process sends notifications", 30.0)
        assert await asyncio.to_thread(collector.stop) == 0
        assert await asyncio.to_thread(beside.stop) == 0
    (request,) = hook.requests
    assert [alarm["kind"] for alarm in request.json["alarms"]] == ["no_data"]
    listed = await asyncio.to_thread(processes.run_leanmeter, "notifications", "list", "--config", settings)
    assert "ana by webhook  sent  Panadería El Sol: Look: No data from edge-1" in listed.stdout
    await factory.close()
