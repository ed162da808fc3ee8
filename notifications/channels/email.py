"""E-mail by SMTP."""

import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from notifications.channels.errors import RefusedError, UnreachableError
from notifications.content import Message
from site_config.errors import ConfigurationError
from site_config.notification_settings import SmtpSettings
from site_config.secret_file import read_secret

_PASSWORD_KEY = "notifications.smtp.password_file"  # noqa: S105  # the key's name
_PERMANENT = range(500, 600)


class EmailChannel:
    """Sends to one address.

    Args:
        settings: the server.
        address: the recipient's.

    Raises ConfigurationError when a file that the settings name cannot be read.
    """

    def __init__(self, settings: SmtpSettings, address: str) -> None:
        self._settings = settings
        self._address = address
        self._password = None if settings.password_file is None else read_secret(settings.password_file, _PASSWORD_KEY)
        self._tls = None if settings.security == "none" else _tls(settings)

    async def send(self, message: Message) -> None:
        """Return when the server has taken it; raises UnreachableError or RefusedError.

        The Message-ID is made of the message's key: a mailbox that gets it twice can tell, and many do.
        """
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_s,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls,
            username=settings.username,
            password=self._password,
        )
        try:
            async with client:
                await client.send_message(to_mime(message, settings.sender, self._address))
        except aiosmtplib.SMTPRecipientsRefused as problem:
            reasons = "; ".join(f"{refused.code} {refused.message}" for refused in problem.recipients)
            if all(refused.code in _PERMANENT for refused in problem.recipients):
                raise RefusedError(f"{settings.host} refuses {self._address}: {_line(reasons)}") from None
            raise UnreachableError(f"{settings.host} does not take mail now: {_line(reasons)}") from None
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as problem:
            told = f"{settings.host}: {problem.code} {_line(problem.message)}"
            if problem.code in _PERMANENT:
                raise RefusedError(f"{told}: the message was refused") from None
            raise UnreachableError(f"{told}: try later") from None
        except aiosmtplib.SMTPAuthenticationError as problem:
            raise UnreachableError(
                f"{settings.host} does not accept the login of {settings.username}: {problem.code} "
                f"{_line(problem.message)}; check notifications.smtp.username and password_file"
            ) from None
        except (aiosmtplib.SMTPException, OSError) as problem:
            raise UnreachableError(
                f"{settings.host}:{settings.port}: {_line(str(problem)) or type(problem).__name__}"
            ) from None


def to_mime(message: Message, sender: str, address: str) -> EmailMessage:
    """The message as mail programs take it: plain text, and HTML with its picture inside."""
    content = message.content
    mail = EmailMessage()
    mail["From"] = f"Leanmeter <{sender}>"
    mail["To"] = address
    mail["Subject"] = " ".join(content.subject.split())
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.created_ms / 1000, UTC))
    mail["Message-ID"] = f"<{message.key}@{sender.rpartition('@')[2]}>"
    # Vacation answers to a machine help nobody (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text)
    mail.add_alternative(content.html, subtype="html")
    if content.picture is not None:
        (_, html) = mail.iter_parts()
        assert isinstance(html, EmailMessage)  # noqa: S101  # what add_alternative has made
        html.add_related(content.picture, "image", "png", cid="<picture>", filename="week.png", disposition="inline")
    return mail


def _tls(settings: SmtpSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigurationError(f"notifications.smtp.ca_file: {settings.ca_file}: {problem}") from None


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
