"""Preparing an InfluxDB 2 server for the demo: which organisation, and a bucket of its own."""

from typing import Any

import aiohttp

from leanmeter.demo.demo_files import InfluxTarget
from store.protocol import StoreConfigurationError

_TIMEOUT = aiohttp.ClientTimeout(total=10)


async def prepare_bucket(url: str, token: str, org: str | None, bucket: str) -> InfluxTarget:
    """Find the organisation (the only one when none is named) and make the bucket if it is missing.

    Raises StoreConfigurationError with one line when the server, the token or the organisation is wrong.
    """
    try:
        async with aiohttp.ClientSession(
            url.rstrip("/") + "/", headers={"Authorization": f"Token {token}"}, timeout=_TIMEOUT
        ) as session:
            orgs = (await _request(session, "GET", "api/v2/orgs"))["orgs"]
            chosen = [entry for entry in orgs if org in {None, entry["name"]}]
            if len(chosen) != 1:
                names = ", ".join(entry["name"] for entry in orgs) or "none"
                raise StoreConfigurationError(f"--org: name one of the organisations on {url}: {names}")
            buckets = (await _request(session, "GET", f"api/v2/buckets?name={bucket}"))["buckets"]
            if not any(entry["name"] == bucket for entry in buckets):
                await _request(session, "POST", "api/v2/buckets", {"orgID": chosen[0]["id"], "name": bucket})
            return InfluxTarget(url, token, chosen[0]["name"], bucket)
    except (aiohttp.ClientConnectionError, aiohttp.InvalidURL, TimeoutError) as problem:
        raise StoreConfigurationError(
            f"--influx {url}: no InfluxDB answers there ({str(problem) or 'time out'}); is it running?"
        ) from problem


async def _request(session: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    async with session.request(method, path, json=body) as reply:
        if reply.status == 401:
            raise StoreConfigurationError("--token: InfluxDB does not know this token")
        answer = await reply.json(content_type=None)
        if path.startswith("api/v2/buckets?") and reply.status == 404:
            return {"buckets": []}
        if reply.status >= 300:
            raise StoreConfigurationError(f"--influx: {method} {path} was answered {reply.status}: {answer}")
        return answer
