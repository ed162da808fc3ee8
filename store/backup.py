"""Backup and restore of everything a server keeps: readings, intervals, entities, marks, quarantine, ledger.

A backup is a folder: `entities.sqlite`, and `readings.sqlite` or `influx.lines.zst`, and `manifest.json` with the sizes
and SHA-256 of both. It is made while everything runs, and holds whatever was stored before it began.
"""

import asyncio
import contextlib
import hashlib
import secrets
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import zstandard

from store.dirty_marks import HOLD
from store.entities import Entities
from store.factory import open_entities, open_readings
from store.protocol import StoreConfigurationError
from store.schema import INTERVAL_MS
from store.settings import InfluxSettings, StoreSettings
from store.sqlite_thread import store_error

ENTITIES = "entities.sqlite"
READINGS = "readings.sqlite"
LINES = "influx.lines.zst"
MANIFEST = "manifest.json"
HOLD_TTL_S = 60.0
REMARKED_MS = 3_600_000
_END = b"\0"
"""After each group of lines that is written at once: a text may hold the ends of lines."""
_PIECE_BYTES = 1024 * 1024


class Kept(msgspec.Struct, frozen=True):
    """A file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    format: int
    made_ms: int
    files: dict[str, Kept]


async def back_up(store: StoreSettings, entities: Path, target: Path) -> Manifest:
    """Make a backup in a new folder, which appears when it is whole.

    Raises StoreConfigurationError for a folder that exists or files that cannot be read or written, and
    StoreUnavailableError when the store does not answer.
    """
    _check_is_there(store, entities)
    partial = target.with_name(target.name + ".partial")
    made_ms = time.time_ns() // 1_000_000
    try:
        _check_is_not_there(target, "a backup is a folder of its own")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        async with _marks_held(entities):
            if store.influx is not None:
                await _export(store.influx, partial / LINES)
            elif store.sqlite is not None and store.sqlite != entities:
                await asyncio.to_thread(_copy_sqlite, store.sqlite, partial / READINGS)
            # Marks last, and none is cleared meanwhile: every row in the backup is evaluated there, or marked.
            await asyncio.to_thread(_copy_sqlite, entities, partial / ENTITIES)
            await asyncio.to_thread(_forget_leases, partial / ENTITIES)
        files = {path.name: _kept(path) for path in sorted(partial.iterdir())}
        manifest = Manifest(1, made_ms, files)
        (partial / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        partial.rename(target)
    except OSError as problem:
        raise StoreConfigurationError(f"{partial}: cannot be written: {problem.strerror or problem}") from problem
    return manifest


async def restore(store: StoreSettings, entities: Path, source: Path) -> Manifest:
    """Put a backup where nothing is yet. Nothing is written when the backup is damaged or something is there.

    Raises StoreConfigurationError or StoreUnavailableError.
    """
    manifest = _read_manifest(source)
    readings = LINES if store.influx is not None else READINGS
    if readings not in manifest.files and store.sqlite != entities:
        others = ", ".join(sorted(manifest.files))
        raise StoreConfigurationError(f"{source}: holds {others}, but the configured store needs {readings}")
    for path in filter(None, (entities, store.sqlite)):
        for name in (path, path.with_name(path.name + "-wal")):
            _check_is_not_there(name, "nothing is overwritten, move it away first")
    try:
        if store.influx is not None:
            await _import(store.influx, source / LINES)
        elif store.sqlite is not None and store.sqlite != entities:
            await asyncio.to_thread(_place, source / READINGS, store.sqlite)
        await asyncio.to_thread(_place, source / ENTITIES, entities)
    except OSError as problem:
        raise StoreConfigurationError(f"{source}: cannot be restored: {problem.strerror or problem}") from problem
    await _mark_newest(store, entities)
    return manifest


def _check_is_there(store: StoreSettings, entities: Path) -> None:
    for path in filter(None, (entities, store.sqlite)):
        if not path.exists():
            raise StoreConfigurationError(f"{path}: does not exist, there is nothing to back up")


def _check_is_not_there(path: Path, what_to_do: str) -> None:
    if path.exists():
        raise StoreConfigurationError(f"{path}: exists already; {what_to_do}")


@asynccontextmanager
async def _marks_held(path: Path) -> AsyncIterator[None]:
    """No mark is cleared for the length of a block."""
    entities = Entities(path)
    owner = secrets.token_hex(8)

    async def hold() -> None:
        while True:
            await asyncio.sleep(HOLD_TTL_S / 3)
            await entities.acquire_lease(HOLD, owner, HOLD_TTL_S)

    try:
        if not await entities.acquire_lease(HOLD, owner, HOLD_TTL_S):
            raise StoreConfigurationError(f"{path}: another backup is being made")
        holding = asyncio.create_task(hold())
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            await entities.release_lease(HOLD, owner)
    finally:
        await entities.close()


async def _mark_newest(store: StoreSettings, entities: Path) -> None:
    """Rows that came in the moment between the two copies may not be marked: mark the last hour of each device."""
    readings, opened = open_readings(store), open_entities(entities)
    try:
        for site in await opened.sites():
            newest: dict[str, int] = {}
            for (device, _), latest in (await readings.latest(site.site, 0)).items():
                newest[device] = max(newest.get(device, 0), latest.time_ms)
            marks = [
                (device, start_ms)
                for device, last_ms in newest.items()
                for start_ms in range((last_ms - REMARKED_MS) // INTERVAL_MS * INTERVAL_MS, last_ms + 1, INTERVAL_MS)
            ]
            await opened.mark_dirty(site.site, marks)
    finally:
        await readings.close()
        await opened.close()


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online backup: the state of one moment, while others read and write."""
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)
            # One file, whatever mode the original is in.
            copy.execute("PRAGMA journal_mode = DELETE")
            (sound,) = copy.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as problem:
        raise store_error(problem, source) from problem
    if sound != "ok":
        raise StoreConfigurationError(f"{source}: is damaged, no backup was made: {sound}")


def _forget_leases(path: Path) -> None:
    """They are of processes that run now."""
    with contextlib.closing(sqlite3.connect(path)) as copy, copy:
        copy.execute("DELETE FROM lease")


async def _export(settings: InfluxSettings, target: Path) -> None:
    from store.influx_export import export_lines  # noqa: PLC0415  # not loaded where SQLite is used
    from store.influx_requests import InfluxRequests  # noqa: PLC0415

    requests = InfluxRequests(settings)
    try:
        with target.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as packed:
            async for lines in export_lines(requests):
                packed.write("\n".join(lines).encode() + _END)
    finally:
        await requests.close()


async def _import(settings: InfluxSettings, source: Path) -> None:
    from store.influx_export import measurements  # noqa: PLC0415  # not loaded where SQLite is used
    from store.influx_requests import InfluxRequests  # noqa: PLC0415

    requests = InfluxRequests(settings)
    try:
        found = await measurements(requests)
        if found:
            raise StoreConfigurationError(
                f"bucket {settings.bucket!r} holds {', '.join(found[:3])} already; nothing is overwritten, "
                "name an empty bucket"
            )
        for body in _bodies(source):
            await requests.write(body)
    finally:
        await requests.close()


def _bodies(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as unpacked:
        rest = b""
        while piece := unpacked.read(_PIECE_BYTES):
            *bodies, rest = (rest + piece).split(_END)
            yield from bodies


def _read_manifest(source: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
        if manifest.format != 1:
            raise StoreConfigurationError(f"{source}: is a backup of format {manifest.format}; this program knows 1")
        for name, kept in manifest.files.items():
            if _kept(source / name) != kept:
                raise StoreConfigurationError(f"{source / name}: is not what was backed up; use another backup")
    except OSError as problem:
        raise StoreConfigurationError(f"{source}: is no backup: {problem.strerror}: {problem.filename}") from problem
    except msgspec.MsgspecError as problem:
        raise StoreConfigurationError(f"{source / MANIFEST}: {problem}") from problem
    if ENTITIES not in manifest.files:
        raise StoreConfigurationError(f"{source}: holds no {ENTITIES}")
    return manifest


def _kept(path: Path) -> Kept:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return Kept(path.stat().st_size, digest.hexdigest())


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(source, partial)
    partial.rename(target)
