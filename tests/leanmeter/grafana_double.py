"""A stand-in for Grafana's HTTP API on dashboards, folders and alerting, as documented for 11.6.

`old_versions` answers as 9.4 does.
"""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_of-the-test"  # noqa: S105 - opens nothing


@dataclass
class GrafanaDouble:
    """What it holds: every version of each dashboard, newest last, with its message and folder."""

    url: str = ""
    old_versions: bool = False
    boards: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    provisioned: set[str] = field(default_factory=set)
    data_sources: dict[str, str] = field(default_factory=lambda: {"leanmeter-influxdb": "influxdb", "logs": "loki"})
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    contact_points: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, Any] = field(default_factory=lambda: {"receiver": "theirs", "routes": [{"receiver": "theirs"}]})
    saves: int = 0

    def newest(self, uid: str) -> dict[str, Any]:
        board: dict[str, Any] = self.boards[uid][-1]["dashboard"]
        return board

    def change_by_hand(self, uid: str, **changed: Any) -> None:
        """A user's save in the browser."""
        versions = self.boards[uid]
        board = {**versions[-1]["dashboard"], **changed, "version": len(versions) + 1}
        versions.append({**versions[-1], "dashboard": board, "message": ""})

    def change_rule_by_hand(self, uid: str, **changed: Any) -> None:
        """A user's save of an alert rule in the browser."""
        self.rules[uid] = {**self.rules[uid], **changed, "updated": "2026-11-26T00:00:00Z"}

    def answer(self, method: str, path: str, body: dict[str, Any], *, editable: bool = True) -> tuple[int, Any]:
        place, _, _ = path.partition("?")
        if place == "/api/datasources":
            return 200, [{"uid": uid, "name": uid, "type": kind} for uid, kind in self.data_sources.items()]
        if found := re.fullmatch(r"/api/v1/provisioning/([a-z-]+)(?:/([^/]+))?", place):
            return self._alerting(method, found[1], found[2], {**body, "provenance": "" if editable else "api"})
        if found := re.fullmatch(r"/api/dashboards/uid/([^/]+)(/versions)?", place):
            return self._board(found[1], versions=found[2] is not None)
        if found := re.fullmatch(r"/api/folders/([^/]+)", place):
            title = self.folders.get(found[1])
            return (404, {"message": "folder not found"}) if title is None else (200, {"uid": found[1], "title": title})
        if (method, place) == ("POST", "/api/folders"):
            self.folders[body["uid"]] = body["title"]
            return 200, {"uid": body["uid"], "title": body["title"]}
        if (method, place) == ("POST", "/api/dashboards/db"):
            return self._save(body)
        return 404, {"message": "Not found"}

    def _alerting(self, method: str, kind: str, uid: str | None, body: dict[str, Any]) -> tuple[int, Any]:
        if kind == "policies":
            return self._policies(method, body)
        held = {"alert-rules": self.rules, "contact-points": self.contact_points}[kind]
        if method == "GET" and uid is None:
            return 200, list(held.values())
        if method == "GET":
            return (404, {"message": "not found"}) if uid not in held else (200, held[str(uid)])
        if (method == "POST") == ((uid or body["uid"]) in held):
            return (409 if method == "POST" else 404), {"message": "there already, or not there"}
        if method == "PUT" and (held[str(uid)].get("provenance") or "") != body["provenance"]:
            return 409, {"message": "cannot change provenance"}
        if kind == "alert-rules" and body["folderUID"] not in self.folders:
            return 400, {"message": "invalid alert rule: folder does not exist"}
        held[body["uid"]] = self._as_stored(body) if kind == "alert-rules" else body
        return (201 if kind == "alert-rules" and method == "POST" else 200 if kind == "alert-rules" else 202), body

    @staticmethod
    def _as_stored(rule: dict[str, Any]) -> dict[str, Any]:
        """With what Grafana adds: its own keys, a query's limits, and durations in its own words."""
        data = [
            {**entry, "queryType": "", "model": {"intervalMs": 1000, "maxDataPoints": 43200} | entry["model"]}
            for entry in rule["data"]
        ]
        longer = {"5m": "5m0s", "0s": "0s"}.get(rule["for"], rule["for"])
        return {**rule, "id": 7, "updated": "2026-11-25T00:00:00Z", "for": longer, "data": data}

    def _policies(self, method: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.policies
        if self.policies.get("provenance", "") != body["provenance"]:
            return 409, {"message": "cannot change provenance"}
        known = {"theirs", *(point["name"] for point in self.contact_points.values())}
        asked = {body["receiver"], *(route["receiver"] for route in body["routes"])}
        if asked - known:
            return 400, {"message": f"receiver {asked - known} does not exist"}
        self.policies = body
        return 202, {"message": "policies updated"}

    def _board(self, uid: str, *, versions: bool) -> tuple[int, Any]:
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        if versions:
            listed = [
                {"version": entry["dashboard"]["version"], "message": entry["message"]}
                for entry in reversed(self.boards[uid])
            ]
            return 200, listed if self.old_versions else {"continueToken": "", "versions": listed}
        newest = self.boards[uid][-1]
        meta = {"folderUid": newest["folder"], "provisioned": uid in self.provisioned}
        return 200, {"dashboard": newest["dashboard"], "meta": meta}

    def _save(self, body: dict[str, Any]) -> tuple[int, Any]:
        board, uid = body["dashboard"], body["dashboard"]["uid"]
        if len(uid) > 40:
            return 400, {"message": "uid too long, max 40 characters"}
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        versions = self.boards.get(uid, [])
        if not body["overwrite"] and versions and board.get("version") != versions[-1]["dashboard"]["version"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        stored = {**board, "id": 7, "version": len(versions) + 1}
        entry = {"dashboard": stored, "message": body["message"], "folder": body["folderUid"]}
        self.boards.setdefault(uid, []).append(entry)
        self.saves += 1
        return 200, {"uid": uid, "status": "success", "version": stored["version"]}


@contextlib.contextmanager
def grafana_double() -> Iterator[GrafanaDouble]:
    """One that listens on loopback."""
    double = GrafanaDouble()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("GET", {})

        def do_PUT(self) -> None:
            self._reply("PUT", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_POST(self) -> None:
            self._reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, method: str, body: dict[str, Any]) -> None:
            status, answer = 401, {"message": "Invalid API key"}
            if self.headers["Authorization"] == f"Bearer {TOKEN}":
                editable = self.headers.get("X-Disable-Provenance") == "true"
                status, answer = double.answer(method, self.path, body, editable=editable)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *words: Any) -> None:
            del words

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
