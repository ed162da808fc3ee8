"""Composition root of the page: opens the store, starts the one reader and serves the page and its JSON."""

import asyncio
import contextlib
import copy
import errno
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any, cast, get_args

import uvicorn
from fastapi import FastAPI, Request
from nicegui import Client, ui
from nicegui.language import Language

from evaluation.judging.standing import Standings
from evaluation.site_model import load_model
from languages.texts import SOURCE, LanguageError, accepted, texts
from site_config.errors import ConfigurationError
from store.edge_ledger import EdgeLedger
from store.entities import Entities
from store.factory import open_entities, open_readings
from store.server_file import ServerFile, VisitSection
from visit.page import LivePage
from visit.reader import LiveReader, NamedSite
from visit.wording import Wording

logger = logging.getLogger(__name__)

# The collector makes the files; started together, it may be a moment later.
FILE_DEADLINE_S = 3.0
_LOOK_AGAIN_S = 0.1
_SHUTDOWN_S = 2
_COMPARED_MS = 8 * 86_400_000
_MOST_NAMED = 10


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(settings: ServerFile, stop: asyncio.Event) -> None:
    """Serve the page until `stop` is set; once in a process.

    Raises ConfigurationError when the address cannot be taken, a file is missing or there is no such language,
    StoreConfigurationError when a store cannot be used.
    """
    _require_language(settings.visit.language)
    listening = _listen(settings.visit.host, settings.visit.port)
    try:
        await _require_files(settings)
        readings = open_readings(settings.store)
        try:
            entities, ledger = open_entities(settings.entities), EdgeLedger(settings.entities)
            try:
                site = settings.visit.site or await _only_site(entities)
                await _warn_of_strangers(entities, site)

                async def load_site() -> NamedSite | None:
                    return await _load_site(entities, ledger, site)

                standings = Standings(readings, entities.plans).of_site
                reader = LiveReader(readings, site, load_site, example=settings.visit.example, load_standings=standings)
                await _serve(settings.visit, reader, listening, stop)
            finally:
                await entities.close()
                await ledger.close()
        finally:
            await readings.close()
    finally:
        listening.close()


async def _serve(settings: VisitSection, reader: LiveReader, listening: socket.socket, stop: asyncio.Event) -> None:
    # The first client is served numbers already.
    await reader.refresh()
    reading = asyncio.create_task(reader.run(), name="live reader")
    server = _Server(
        uvicorn.Config(
            _application(reader, settings),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="page server")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    logger.info("the page is at http://%s:%d/", settings.host, settings.port)
    try:
        await asyncio.wait({reading, serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        await serving
        for task in (reading, stopping):
            task.cancel()
        for task in (reading, stopping):
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _application(reader: LiveReader, settings: VisitSection) -> FastAPI:
    application = FastAPI(title="Leanmeter", docs_url=None, redoc_url=None, openapi_url=None)

    @application.get("/api/live")
    async def live(request: Request) -> dict[str, Any]:
        return reader.view_in(_words(settings, request)).to_json()

    @ui.page("/")
    async def page(client: Client, request: Request) -> None:
        words = _words(settings, request)
        _speak(client, words, f"{reader.view.site_name} · Leanmeter")
        await LivePage(reader, words, example=settings.example).add_chart(client)

    ui.run_with(
        application, title="Leanmeter", dark=False, tailwind=False, show_welcome_message=False, language="en-US"
    )
    return application


def _words(settings: VisitSection, request: Request) -> Wording:
    """The page's own language, else the one that the browser asks for."""
    return Wording(texts(settings.language or accepted(request.headers.get("accept-language", ""))))


def _speak(client: Client, words: Wording, title: str) -> None:
    """Give one client's page its title, and the language that screen readers speak it in."""
    ui.page_title(title)
    name = words.texts.locale.language
    # NiceGUI has one language a page, which all clients share.
    client.page = copy.copy(client.page)
    client.page.language = cast("Language", name) if name in get_args(Language) else "en-US"


async def _load_site(entities: Entities, ledger: EdgeLedger, site: str) -> NamedSite | None:
    entry = await entities.site(site)
    if entry is None:
        return None
    model = await load_model(entities, entry)
    compared = await ledger.reconciliations(time.time_ns() // 1_000_000 - _COMPARED_MS, site)
    wrong_days = {one.day_ms for one in compared if not one.agrees}
    return NamedSite(entry.name or site, model, sum(one.missing for one in compared), len(wrong_days))


async def _only_site(entities: Entities) -> str:
    """The one site there is, for whose declaration a collector that was started together may need a moment."""
    deadline = asyncio.get_running_loop().time() + FILE_DEADLINE_S
    while not (found := await entities.sites()):
        if asyncio.get_running_loop().time() > deadline:
            raise ConfigurationError("visit.site: no site is known yet; name it, or start the collector first")
        await asyncio.sleep(_LOOK_AGAIN_S)
    if len(found) > 1:
        raise ConfigurationError(f"visit.site: name one of {', '.join(entry.site for entry in found)}")
    return found[0].site


def _require_language(name: str | None) -> None:
    try:
        texts(name or SOURCE)
    except LanguageError as problem:
        raise ConfigurationError(f"visit.language: {problem}") from None


async def _warn_of_strangers(entities: Entities, site: str) -> None:
    """A site may be declared later; where others are, it rather is a slip of the pen."""
    known = [entry.site for entry in await entities.sites()]
    if known and site not in known:
        logger.warning("visit.site: nobody has declared %s yet; there is %s", site, ", ".join(known[:_MOST_NAMED]))


def _listen(host: str, port: int) -> socket.socket:
    """Take the address before anything else, so that a mistake is told at once."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as problem:
        raise ConfigurationError(f"visit.host: {host!r} is no address of this machine: {problem.strerror}") from problem
    listening = socket.socket(family, kind)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as problem:
        listening.close()
        if problem.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"visit.port: {host}:{port} is taken by another program; end that or choose another port"
            ) from problem
        raise ConfigurationError(
            f"visit.host, visit.port: cannot listen on {host}:{port}: {problem.strerror}"
        ) from problem
    listening.setblocking(False)  # noqa: FBT003  # the standard library has no keyword here
    return listening


async def _require_files(settings: ServerFile) -> None:
    """The page only reads: a store that is not there is a mistake in its path, and must not be made."""
    named = {"entities": settings.entities, "store.sqlite": settings.store.sqlite}
    wanted = {key: path for key, path in named.items() if path is not None}
    deadline = asyncio.get_running_loop().time() + FILE_DEADLINE_S
    while missing := {key: path for key, path in wanted.items() if not path.exists()}:
        if asyncio.get_running_loop().time() > deadline:
            key, path = next(iter(missing.items()))
            raise ConfigurationError(f"{key}: {path} does not exist; correct the path or start the collector first")
        await asyncio.sleep(_LOOK_AGAIN_S)
