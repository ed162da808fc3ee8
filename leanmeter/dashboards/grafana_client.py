"""The few calls of Grafana's HTTP API that pushing dashboards and alerts needs (documented for 9.4 to 11.6)."""

import json
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from site_config.errors import ConfigurationError

Board = dict[str, Any]
"""A dashboard as its JSON."""

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_LONGEST_ANSWER = 300


class GrafanaError(ConfigurationError):
    """Grafana cannot be reached, or refuses; the message says what to do."""


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """A dashboard that Grafana holds. `message` is that of its last save; empty where none was given."""

    board: Board
    version: int
    message: str
    provisioned: bool


class GrafanaClient:
    """A Grafana, for one `async with`.

    Args:
        url: as the browser shows it, with its path if it has one.
        token: of a service account that may write dashboards and folders, and alert rules if they are pushed.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def board(self, uid: str) -> StoredBoard | None:
        """The dashboard with this uid; None when there is none."""
        found = await self.call("GET", f"/api/dashboards/uid/{uid}", missing=True)
        if found is None:
            return None
        meta = found["meta"]
        version = int(found["dashboard"]["version"])
        return StoredBoard(found["dashboard"], version, await self._message(uid), bool(meta.get("provisioned")))

    async def save(self, board: Board, folder_uid: str, message: str, version: int | None) -> None:
        """Save a dashboard; `version` is the one that it replaces, None that there must be none of this uid yet.

        Raises GrafanaError when somebody has saved another version meanwhile.
        """
        content = {key: value for key, value in board.items() if key not in {"id", "version"}}
        if version is not None:
            content["version"] = version
        body = {"dashboard": content, "folderUid": folder_uid, "message": message, "overwrite": False}
        await self.call("POST", "/api/dashboards/db", body)

    async def make_folder(self, uid: str, title: str) -> None:
        """Make a folder where there is none with this uid."""
        if await self.call("GET", f"/api/folders/{uid}", missing=True) is None:
            await self.call("POST", "/api/folders", {"uid": uid, "title": title})

    async def _message(self, uid: str) -> str:
        found = await self.call("GET", f"/api/dashboards/uid/{uid}/versions?limit=1")
        # A list before Grafana 11, then an object with one.
        versions = found if isinstance(found, list) else found.get("versions", [])
        return str(versions[0].get("message") or "") if versions else ""

    async def call(
        self, method: str, path: str, body: object = None, *, missing: bool = False, provenance: str = ""
    ) -> Any:
        """One request; returns the answer, None for an empty one and for what is `missing`. Raises GrafanaError.

        What belongs to alerting stays changeable in the browser, unless it has another `provenance` already, which
        Grafana does not let go of.
        """
        headers = {} if provenance else {"X-Disable-Provenance": "true"}
        try:
            async with self._session.request(method, self._url + path, json=body, headers=headers) as reply:
                if missing and reply.status == 404:
                    return None
                if reply.status >= 300:
                    raise GrafanaError(_explained(self._url, method, path, reply.status, await reply.text()))
                text = await reply.text()
                return json.loads(text) if text.strip() else None
        except (aiohttp.ClientConnectionError, aiohttp.InvalidURL, TimeoutError) as problem:
            raise GrafanaError(
                f"--grafana {self._url}: no Grafana answers there ({str(problem) or 'time out'}); is it running?"
            ) from problem
        except (json.JSONDecodeError, UnicodeDecodeError) as problem:
            raise GrafanaError(
                f"--grafana {self._url}: {method} {path}: the answer is no JSON; is it Grafana?"
            ) from problem


def _explained(url: str, method: str, path: str, status: int, answer: str) -> str:
    if status == 401:
        return f"--grafana {url}: does not know the token; make one for a service account with the role Editor"
    if status == 403:
        role = "Editor" if re.match(r"/api/(dashboards|folders)", path) else "Admin"
        return f"--grafana {url}: the token may not {method} {path}; its service account needs the role {role}"
    if status == 412:
        return f"--grafana {url}: somebody has just saved another version of this dashboard; push again"
    return f"--grafana {url}: {method} {path} was answered {status}: {' '.join(answer.split())[:_LONGEST_ANSWER]}"
