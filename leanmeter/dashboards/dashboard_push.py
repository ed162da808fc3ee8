"""Brings a Grafana's dashboards to what is built, and keeps aside what a user has changed in them."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from leanmeter.dashboards.grafana_client import Board, GrafanaClient, GrafanaError, StoredBoard

FOLDER = ("leanmeter", "Leanmeter")
KEPT = ("leanmeter-kept", "Leanmeter, kept aside")
MESSAGE = "leanmeter dashboards push"
"""What Grafana's history says of our saves; a later save without it is somebody else's."""
_OF_THE_SERVER = ("id", "version", "iteration")


class Change(StrEnum):
    """What a push does with one dashboard, alert rule, contact point or policy."""

    NEW = "new"
    SAME = "same"
    UPDATED = "updated"
    KEPT_ASIDE = "updated, the changed one is kept aside"
    LEFT = "changed in Grafana, left as it is"


@dataclass(frozen=True, slots=True)
class Step:
    """One dashboard of a push: what is built, and what Grafana holds of it."""

    name: str
    board: Board
    stored: StoredBoard | None
    change: Change

    @property
    def kept_uid(self) -> str:
        """The uid under which a changed dashboard is kept: one for each version, so that none replaces another."""
        version = 0 if self.stored is None else self.stored.version
        return f"{self.board['uid']}-kept-{version}"[:40]

    def differences(self) -> Iterator[str]:
        """A line for each part that differs, for people."""
        if self.stored is None or self.change is Change.SAME:
            return
        yield from _differences(_content(self.stored.board), _content(self.board))

    def unified(self) -> Iterator[str]:
        """The difference as a patch of the JSON."""
        before = {} if self.stored is None else _content(self.stored.board)
        yield from difflib.unified_diff(
            _lines(before), _lines(_content(self.board)), f"grafana/{self.name}", f"built/{self.name}", lineterm="", n=2
        )


async def plan(client: GrafanaClient, boards: Mapping[str, Board]) -> list[Step]:
    """What a push of these dashboards (by name) would do; changes nothing.

    Raises GrafanaError when Grafana cannot be asked, or one of them is provisioned from a file and so cannot be pushed.
    """
    steps = []
    for name, board in boards.items():
        stored = await client.board(board["uid"])
        if stored is not None and stored.provisioned:
            raise GrafanaError(
                f"{name}: this Grafana takes it from a file (provisioning); replace the file, or remove it there first"
            )
        steps.append(Step(name, board, stored, _change(board, stored)))
    return steps


async def push(client: GrafanaClient, steps: list[Step]) -> None:
    """Do it: first what is to be kept is kept, then the dashboard is replaced. Raises GrafanaError."""
    await client.make_folder(*FOLDER)
    if any(step.change is Change.KEPT_ASIDE for step in steps):
        await client.make_folder(*KEPT)
    for step in steps:
        if step.change is Change.SAME:
            continue
        version = None
        if step.stored is not None:
            version = step.stored.version
            if step.change is Change.KEPT_ASIDE:
                await _keep(client, step, step.stored)
        await client.save(step.board, FOLDER[0], MESSAGE, version)


async def _keep(client: GrafanaClient, step: Step, stored: StoredBoard) -> None:
    if await client.board(step.kept_uid) is not None:
        # An earlier push was interrupted between keeping and replacing.
        return
    title = f"{stored.board.get('title', step.name)} (as changed, version {stored.version})"
    # Without our tag it stays out of the dashboards' links to each other.
    kept = {**stored.board, "uid": step.kept_uid, "title": title, "tags": ["leanmeter-kept"]}
    await client.save(kept, KEPT[0], f"{MESSAGE}: kept aside", None)


def _change(board: Board, stored: StoredBoard | None) -> Change:
    if stored is None:
        return Change.NEW
    if _content(stored.board) == _content(board):
        return Change.SAME
    return Change.UPDATED if stored.message == MESSAGE else Change.KEPT_ASIDE


def _content(board: Board) -> Board:
    return {key: value for key, value in board.items() if key not in _OF_THE_SERVER}


def _lines(board: Board) -> list[str]:
    return json.dumps(board, indent=1, sort_keys=True, ensure_ascii=False).splitlines()


def _differences(before: Board, after: Board) -> Iterator[str]:
    old, new = _panels(before), _panels(after)
    for title in [*new, *(title for title in old if title not in new)]:
        if title not in old:
            yield f"+ panel {title!r}"
        elif title not in new:
            yield f"- panel {title!r}"
        else:
            keys = sorted(key for key in {*old[title], *new[title]} if old[title].get(key) != new[title].get(key))
            # A panel that only moves because another one came says nothing.
            if keys and set(keys) - {"gridPos", "id"}:
                yield f"~ panel {title!r}: {', '.join(keys)}"
            elif keys:
                yield f"~ panel {title!r} moves"
    for key in sorted({*before, *after} - {"panels"}):
        if before.get(key) != after.get(key):
            yield f"~ {key}"


def _panels(board: Board) -> dict[str, Board]:
    found: dict[str, Board] = {}
    for panel in board.get("panels") or []:
        title = str(panel.get("title") or panel.get("type"))
        while title in found:
            title += "'"
        found[title] = panel
    return found
