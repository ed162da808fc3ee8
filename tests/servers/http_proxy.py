"""An HTTP proxy that a test puts before a server, to have one that is overloaded, slow or rude."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from tests.servers.ports import LOOPBACK, free_port


class HttpProxy:
    """Passes requests on to one address, unless told otherwise.

    Attributes:
        url: where it listens.
        refuse: answer this status instead of passing a request on; None: pass it on.
        poison: answer 500 to every request with these bytes in it.
        delay_s: hold an answer back for so long; the request was passed on.
        hang_up: end the connection instead of giving the answer; the request was passed on.
        only_json: ask for JSON whatever was asked for, as a server does that has nothing else.
        disturbed: how many requests but queries met the first, third or fourth of these.
        answered: how often each status was answered.
        asked: how often each path was asked for.
    """

    def __init__(self, target: str) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.refuse: int | None = None
        self.poison: bytes | None = None
        self.delay_s = 0.0
        self.hang_up = False
        self.only_json = False
        self.disturbed = 0
        self.answered: Counter[int] = Counter()
        self.asked: Counter[str] = Counter()
        self._target = target.rstrip("/")

    async def _pass_on(self, session: aiohttp.ClientSession, request: web.Request) -> web.Response:
        self.asked[request.path] += 1
        body = await request.read()
        if request.path != "/query":
            self.disturbed += bool(self.refuse is not None or self.delay_s or self.hang_up)
        if self.refuse is not None:
            self.answered[self.refuse] += 1
            return web.json_response({"message": "try again later"}, status=self.refuse, headers={"Retry-After": "1"})
        if self.poison is not None and self.poison in body:
            self.answered[500] += 1
            return web.json_response({"message": "panic: index out of range"}, status=500)
        dropped = {"Host", "Content-Length", *(["Accept"] if self.only_json else [])}
        headers = {name: value for name, value in request.headers.items() if name not in dropped}
        try:
            async with session.request(
                request.method, self._target + request.path_qs, data=body, headers=headers
            ) as reply:
                status, answer, kind = reply.status, await reply.read(), reply.content_type
        except aiohttp.ClientError:
            status, answer, kind = 502, b"{}", "application/json"
        await asyncio.sleep(self.delay_s)
        if self.hang_up and request.transport is not None:
            request.transport.abort()
        self.answered[status] += 1
        return web.Response(status=status, body=answer, content_type=kind)


@contextlib.asynccontextmanager
async def http_proxy_to(target: str) -> AsyncIterator[HttpProxy]:
    """A proxy to a URL for the length of a block."""
    proxy = HttpProxy(target)
    async with aiohttp.ClientSession() as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            return await proxy._pass_on(session, request)

        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, proxy.port).start()
        try:
            yield proxy
        finally:
            await runner.cleanup()
