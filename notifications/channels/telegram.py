"""Telegram, by its bot API (https://core.telegram.org/bots/api)."""

import json
from http import HTTPStatus
from typing import Any

import aiohttp

from notifications.channels.errors import RefusedError, UnreachableError
from notifications.channels.http import post
from notifications.content import Message
from site_config.notification_settings import TelegramSettings
from site_config.secret_file import read_secret

MAXIMUM_TEXT = 4096
MAXIMUM_CAPTION = 1024
# "Unauthorized", "Not Found" (no such bot) and "Forbidden" (blocked by the user): somebody can change it.
_LATER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS})


class TelegramChannel:
    """Sends to one chat. The API knows no key: a message that was sent but not marked goes out a second time.

    Args:
        settings: the bot. Raises ConfigurationError when its token cannot be read.
        chat: the chat's number, or @name of a channel.
    """

    def __init__(self, settings: TelegramSettings, chat: str) -> None:
        token = read_secret(settings.token_file, "notifications.telegram.token_file")
        base = settings.base_url.rstrip("/")
        self._url = f"{base}/bot{token}"
        self._shown = f"{base}/bot***"
        self._timeout_s = settings.timeout_s
        self._chat = chat

    async def send(self, message: Message) -> None:
        """Return when Telegram has taken it; raises UnreachableError or RefusedError."""
        content = message.content
        if content.picture is None:
            text = _shortened(f"{content.text}", MAXIMUM_TEXT)
            await self._call("sendMessage", {"chat_id": self._chat, "text": text})
            return
        form = aiohttp.FormData()
        form.add_field("chat_id", self._chat)
        form.add_field("caption", _shortened(content.text, MAXIMUM_CAPTION))
        form.add_field("photo", content.picture, filename="week.png", content_type="image/png")
        await self._call("sendPhoto", form)

    async def _call(self, method: str, data: Any) -> None:
        headers = {}
        if isinstance(data, dict):
            data = json.dumps(data).encode()
            headers["Content-Type"] = "application/json"
        status, answer, pause_s = await post(
            f"{self._url}/{method}", data=data, headers=headers, timeout_s=self._timeout_s, shown=self._shown
        )
        try:
            told = json.loads(answer)
            described = str(told.get("description", "")) if isinstance(told, dict) else ""
        except ValueError:
            told, described = {}, ""
        if status == HTTPStatus.OK and isinstance(told, dict) and told.get("ok") is True:
            return
        reason = f"{self._shown}: {method} answers {status} {' '.join(described.split())[:200]}".rstrip()
        if status < HTTPStatus.BAD_REQUEST or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            raise UnreachableError(reason, _retry_after_s(told) or pause_s)
        raise RefusedError(reason)


def _retry_after_s(told: Any) -> float | None:
    parameters = told.get("parameters") if isinstance(told, dict) else None
    pause = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(pause) if isinstance(pause, int) and pause > 0 else None


def _shortened(text: str, limit: int) -> str:
    # Telegram counts UTF-16 units.
    encoded = text.strip().encode("utf-16-le")
    if len(encoded) <= 2 * limit:
        return text.strip()
    return encoded[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore") + "…"
