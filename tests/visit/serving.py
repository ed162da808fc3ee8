"""A running page, as tests ask for it."""

import urllib.request
from collections.abc import Callable
from typing import Any

import msgspec

from tests.servers.processes import ManagedProcess


class Served:
    """A running page."""

    def __init__(self, process: ManagedProcess, url: str) -> None:
        self.process = process
        self.url = url

    def get(self, path: str = "/") -> str:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310  # always http
            text: str = answer.read().decode()
            return text

    def live(self) -> dict[str, Any]:
        view: dict[str, Any] = msgspec.json.decode(self.get("/api/live"))
        return view

    def wait(self) -> None:
        def answers() -> bool:
            try:
                return bool(self.get("/api/live"))
            except OSError:
                return False

        self.process.wait_for(answers, what="an answer")


Serve = Callable[..., Served]
