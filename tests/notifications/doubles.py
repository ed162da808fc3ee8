"""Those who take messages: a real SMTP server, a webhook and Telegram's bot API, each on loopback in a thread."""

import asyncio
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.ports import LOOPBACK, free_port

PASSWORD = "correct horse"  # noqa: S105  # a test's own


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.body)
        return loaded


@dataclass
class HttpServer:
    """Answers POST with what `answer` says: a status and a body."""

    port: int = field(default_factory=free_port)
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], tuple[int, bytes]] = lambda _: (200, b"")
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["HttpServer"]:
        loop = asyncio.new_event_loop()
        started = threading.Event()

        async def handle(request: web.Request) -> web.Response:
            found = Request(request.path, dict(request.headers), await request.read())
            self.requests.append(found)
            status, body = await asyncio.to_thread(self.answer, found)
            return web.Response(status=status, body=body, headers=self.headers)

        async def start() -> web.AppRunner:
            application = web.Application(client_max_size=16 * 1024 * 1024)
            application.router.add_post("/{path:.*}", handle)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, LOOPBACK, self.port).start()
            return runner

        def serve() -> None:
            asyncio.set_event_loop(loop)
            runner = loop.run_until_complete(start())
            started.set()
            loop.run_forever()
            loop.run_until_complete(runner.cleanup())
            loop.close()

        thread = threading.Thread(target=serve, name="http double", daemon=True)
        thread.start()
        assert started.wait(10.0)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10.0)


class MailServer:
    """A mail server that keeps what it gets; `answer` says what it replies to a mail's data.

    Args:
        tls: its certificate: STARTTLS is required then, and a login with PASSWORD.
        implicit: TLS from the first byte instead, without a login.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> None:
        self._implicit = implicit
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.encrypted: list[bool] = []
        self.answer: Callable[[EmailMessage], str] = lambda _: "250 OK"
        self.recipient_answer = "250 OK"
        self._tls = tls

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if self.recipient_answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        del server
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.encrypted.append(session.ssl is not None)
        return await asyncio.to_thread(self.answer, mail)

    @contextlib.contextmanager
    def running(self) -> Iterator["MailServer"]:
        options: dict[str, Any] = {}
        if self._implicit:
            options = {"ssl_context": self._tls}
        elif self._tls is not None:
            options = {
                "tls_context": self._tls,
                "require_starttls": True,
                "auth_required": True,
                "authenticator": _authenticate,
            }
        controller = Controller(self, hostname=LOOPBACK, port=self.port, **options)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    del server, session, envelope, mechanism
    right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for loopback, and the file that its clients need to trust it."""
    key, path = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", key, "-out", path, "-days", "2", "-subj", "/CN=localhost",
            "-addext", f"subjectAltName=DNS:localhost,IP:{LOOPBACK}",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, key)
    return context, path


def telegram_answer(request: Request) -> tuple[int, bytes]:
    """As https://core.telegram.org/bots/api#making-requests describes it."""
    del request
    return 200, json.dumps({"ok": True, "result": {"message_id": 7, "date": 1, "chat": {"id": 1}}}).encode()
