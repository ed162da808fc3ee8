"""JSON by HTTP POST, signed as Standard Webhooks specifies (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
import time
from http import HTTPStatus

from notifications.channels.errors import RefusedError, UnreachableError
from notifications.channels.http import post
from notifications.content import Message
from notifications.times import rfc3339
from site_config.errors import ConfigurationError
from site_config.notification_settings import WebhookSettings
from site_config.secret_file import read_secret

# Answers that say "not now" or "not you" rather than "never this".
_LATER = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


class WebhookChannel:
    """Posts to one address.

    Args:
        settings: the address. Raises ConfigurationError when its secret cannot be read.
        recipient: for errors.
    """

    def __init__(self, settings: WebhookSettings, recipient: str) -> None:
        key = f"notifications.recipients.{recipient}.webhook.secret_file"
        self._settings = settings
        self._secret = None if settings.secret_file is None else _secret(read_secret(settings.secret_file, key), key)

    async def send(self, message: Message) -> None:
        """Return when the other side answers with 2xx; raises UnreachableError or RefusedError.

        `Idempotency-Key` and `webhook-id` are the message's key: whoever ignores a key that he has seen gets each
        message exactly once.
        """
        body = to_json(message)
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key, "webhook-id": message.key}
        stamp = str(int(time.time()))
        headers["webhook-timestamp"] = stamp
        if self._secret is not None:
            headers["webhook-signature"] = signature(self._secret, message.key, stamp, body)
        url = self._settings.url
        shown = url.partition("?")[0]
        status, answer, pause_s = await post(
            url, data=body, headers=headers, timeout_s=self._settings.timeout_s, shown=shown
        )
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        told = f"{shown}: answers {status} {' '.join(answer[:200].decode(errors='replace').split())}".rstrip()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            raise UnreachableError(told, pause_s)
        raise RefusedError(told)


def to_json(message: Message) -> bytes:
    """The documented body: see docs/notifications.md."""
    content = message.content
    body = {
        "id": message.key,
        "site": message.site,
        "created": rfc3339(message.created_ms),
        "subject": content.subject,
        "text": content.text,
        **content.data,
    }
    if content.picture is not None:
        body["picture_png_base64"] = base64.b64encode(content.picture).decode()
    return json.dumps(body, ensure_ascii=False).encode()


def signature(secret: bytes, key: str, stamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over "key.timestamp.body"."""
    signed = hmac.new(secret, f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _secret(text: str, key: str) -> bytes:
    """As Standard Webhooks writes it (`whsec_` and base64), or any other text as it stands."""
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ConfigurationError(f"{key}: what follows whsec_ is no base64") from None
