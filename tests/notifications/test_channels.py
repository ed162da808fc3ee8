import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from notifications.channels.email import EmailChannel
from notifications.channels.errors import ChannelError, RefusedError, UnreachableError
from notifications.channels.telegram import TelegramChannel
from notifications.channels.webhook import WebhookChannel
from notifications.content import Content, Message
from site_config.errors import ConfigurationError
from site_config.notification_settings import SmtpSettings, TelegramSettings, WebhookSettings
from tests.notifications.doubles import PASSWORD, HttpServer, MailServer, Request, certificate, telegram_answer
from tests.servers.ports import LOOPBACK, free_port

PNG = b"\x89PNG\r\n\x1a\npicture"
KEY = "0b7e9a52-6b3f-4f5e-9a53-1b0c6a1f2d3e"
TOKEN = "123456:secret-token"  # noqa: S105  # a test's own


def message(*, picture: bytes | None = None, text: str = "El horno no responde.\n") -> Message:
    html = '<p>El horno no responde.</p><img src="cid:picture">'
    content = Content("Panadería El Sol: atención", text, html, picture, {"type": "alarms", "alarms": []})
    return Message(KEY, "ana", "email", "bakery", 1_795_000_000_000, content)


def smtp(server: MailServer, **keys: object) -> SmtpSettings:
    named = {"host": LOOPBACK, "port": server.port, "security": "none", "sender": "leanmeter@example.org"}
    return SmtpSettings.model_validate({**named, **keys})


async def test_a_mail_says_the_same_in_text_and_html_with_its_picture_inside() -> None:
    with MailServer().running() as server:
        await EmailChannel(smtp(server), "ana@example.org").send(message(picture=PNG))
    (mail,) = server.mails
    assert mail["Subject"] == "Panadería El Sol: atención"
    assert mail["To"] == "ana@example.org"
    assert mail["Message-ID"] == f"<{KEY}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert parts["text/plain"].get_content().strip() == "El horno no responde."
    assert "cid:picture" in parts["text/html"].get_content()
    assert parts["image/png"]["Content-ID"] == "<picture>"
    assert parts["image/png"].get_content() == PNG


async def test_the_same_message_has_the_same_message_id() -> None:
    with MailServer().running() as server:
        channel = EmailChannel(smtp(server), "ana@example.org")
        await channel.send(message())
        await channel.send(message())
    assert server.mails[0]["Message-ID"] == server.mails[1]["Message-ID"]


async def test_encryption_is_required_before_the_login(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    keys = {"security": "starttls", "username": "leanmeter", "password_file": password, "ca_file": trusted}
    with MailServer(context).running() as server:
        await EmailChannel(smtp(server, **keys), "ana@example.org").send(message())
        assert server.encrypted == [True]
        password.write_text("wrong")
        with pytest.raises(UnreachableError, match="does not accept the login of leanmeter: 535") as refused:
            await EmailChannel(smtp(server, **keys), "ana@example.org").send(message())
        assert "wrong" not in str(refused.value)
        with pytest.raises(UnreachableError, match="certificate"):
            await EmailChannel(smtp(server, security="starttls"), "ana@example.org").send(message())


async def test_encryption_from_the_first_byte(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    with MailServer(context, implicit=True).running() as server:
        await EmailChannel(smtp(server, security="tls", ca_file=trusted), "ana@example.org").send(message())
        with pytest.raises(UnreachableError, match="certificate"):
            await EmailChannel(smtp(server, security="tls"), "ana@example.org").send(message())
    assert len(server.mails) == 1


async def test_a_server_without_encryption_gets_nothing() -> None:
    with MailServer().running() as server, pytest.raises(UnreachableError, match="STARTTLS"):
        await EmailChannel(smtp(server, security="starttls"), "ana@example.org").send(message())
    assert server.mails == []


@pytest.mark.parametrize(
    ("at_recipient", "at_data", "error"),
    [
        ("550 no such user", "250 OK", RefusedError),
        ("450 mailbox busy", "250 OK", UnreachableError),
        ("250 OK", "554 looks like spam", RefusedError),
        ("250 OK", "452 disk full", UnreachableError),
    ],
)
async def test_what_a_mail_server_answers(at_recipient: str, at_data: str, error: type[ChannelError]) -> None:
    server = MailServer()
    server.recipient_answer = at_recipient
    server.answer = lambda _: at_data
    said = (at_recipient if at_recipient[0] != "2" else at_data)[4:]
    with server.running(), pytest.raises(error, match=said):
        await EmailChannel(smtp(server), "ana@example.org").send(message())


async def test_nobody_there() -> None:
    unreachable = MailServer()
    with pytest.raises(UnreachableError, match=str(unreachable.port)):
        await EmailChannel(smtp(unreachable), "ana@example.org").send(message())
    with pytest.raises(UnreachableError):
        await WebhookChannel(webhook(f"http://{LOOPBACK}:{free_port()}/"), "ana").send(message())


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    with pytest.raises(ConfigurationError, match=r"smtp.password_file"):
        EmailChannel(smtp(MailServer(), username="a", password_file=missing), "ana@example.org")
    with pytest.raises(ConfigurationError, match=r"telegram.token_file"):
        TelegramChannel(TelegramSettings(token_file=missing), "1")
    with pytest.raises(ConfigurationError, match=r"recipients.ana.webhook.secret_file"):
        WebhookChannel(webhook("http://x/", secret_file=missing), "ana")
    missing.write_text("whsec_no base64")
    with pytest.raises(ConfigurationError, match="base64"):
        WebhookChannel(webhook("http://x/", secret_file=missing), "ana")
    with pytest.raises(ConfigurationError, match=r"smtp.ca_file"):
        EmailChannel(smtp(MailServer(), security="tls", ca_file=tmp_path / "no-ca"), "ana@example.org")


def webhook(url: str, **keys: object) -> WebhookSettings:
    return WebhookSettings.model_validate({"url": url, **keys})


async def test_a_webhook_gets_a_signed_body_and_a_key(tmp_path: Path) -> None:
    secret = base64.b64encode(b"0123456789abcdef0123").decode()
    (tmp_path / "secret").write_text(f"whsec_{secret}\n")
    with HttpServer().running() as server:
        settings = webhook(f"{server.url}/hooks/1?token=t", secret_file=tmp_path / "secret")
        await WebhookChannel(settings, "ana").send(message(picture=PNG))
    (request,) = server.requests
    assert request.path == "/hooks/1"
    assert request.headers["Idempotency-Key"] == request.headers["webhook-id"] == KEY
    body = request.json
    assert body["id"] == KEY
    assert (body["site"], body["type"], body["subject"]) == ("bakery", "alarms", "Panadería El Sol: atención")
    assert body["created"] == "2026-11-18T11:06:40Z"
    assert base64.b64decode(body["picture_png_base64"]) == PNG
    # As https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md has it.
    stamp = request.headers["webhook-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    signed = hmac.new(b"0123456789abcdef0123", f"{KEY}.{stamp}.".encode() + request.body, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RefusedError), (410, RefusedError), (302, RefusedError), (401, UnreachableError), (404, UnreachableError),
     (429, UnreachableError), (503, UnreachableError)],
)  # fmt: skip
async def test_what_a_webhook_answers(status: int, error: type[ChannelError]) -> None:
    server = HttpServer(answer=lambda _: (status, b"not\nnow"), headers={"Retry-After": "40"})
    with server.running(), pytest.raises(error, match=f"answers {status} not now") as told:
        await WebhookChannel(webhook(f"{server.url}/x?token=very-secret"), "ana").send(message())
    assert "very-secret" not in str(told.value)
    if error is UnreachableError:
        assert told.value.retry_after_s == 40.0


def telegram(server: HttpServer, folder: Path) -> TelegramChannel:
    (folder / "token").write_text(TOKEN + "\n")
    return TelegramChannel(TelegramSettings(token_file=folder / "token", base_url=server.url), "-100123")


async def test_telegram_gets_text_or_a_picture_with_its_caption(tmp_path: Path) -> None:
    with HttpServer(answer=telegram_answer).running() as server:
        await telegram(server, tmp_path).send(message())
        await telegram(server, tmp_path).send(message(picture=PNG))
    text, photo = server.requests
    assert text.path == f"/bot{TOKEN}/sendMessage"
    assert text.json == {"chat_id": "-100123", "text": "El horno no responde."}
    assert photo.path == f"/bot{TOKEN}/sendPhoto"
    assert b'name="chat_id"\r\n\r\n-100123' in photo.body
    assert b'name="caption"' in photo.body
    assert PNG in photo.body


@pytest.mark.parametrize(("picture", "limit"), [(None, 4096), (PNG, 1024)])
async def test_telegram_is_given_no_more_than_it_takes(tmp_path: Path, picture: bytes | None, limit: int) -> None:
    with HttpServer(answer=telegram_answer).running() as server:
        await telegram(server, tmp_path).send(message(picture=picture, text="🥖" * 5000))
    body = server.requests[0].body
    told = server.requests[0].json["text"] if picture is None else _caption(body)
    assert len(told.encode("utf-16-le")) // 2 <= limit
    assert told.endswith("…")


def _caption(body: bytes) -> str:
    return body.partition(b'name="caption"')[2].partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0].decode()


def _error(code: int, **more: object) -> Callable[[Request], tuple[int, bytes]]:
    return lambda _: (code, json.dumps({"ok": False, "error_code": code, "description": "no way", **more}).encode())


@pytest.mark.parametrize(
    ("code", "error"),
    [(400, RefusedError), (401, UnreachableError), (403, UnreachableError), (404, UnreachableError),
     (429, UnreachableError), (502, UnreachableError)],
)  # fmt: skip
async def test_what_telegram_answers(tmp_path: Path, code: int, error: type[ChannelError]) -> None:
    more = {"parameters": {"retry_after": 35}} if code == 429 else {}
    server = HttpServer(answer=_error(code, **more))
    with server.running(), pytest.raises(error, match=f"sendMessage answers {code} no way") as told:
        await telegram(server, tmp_path).send(message())
    assert "secret" not in str(told.value)
    assert told.value.retry_after_s == (35.0 if code == 429 else None)


async def test_the_token_is_in_no_error(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as told:
        await telegram(HttpServer(), tmp_path).send(message())
    assert "secret" not in str(told.value)
