"""Batches of a plant's history, made in a process of their own while the collector takes those before."""

import asyncio
import multiprocessing
import os
import queue
import signal
from collections.abc import AsyncGenerator
from typing import Any

from simulators.errors import SimulatorError
from simulators.factory.history import payloads
from simulators.factory.plant import Plant

_WAITING = 40
_LOOK_S = 1.0
_WORTH_A_PROCESS_DAYS = 5
_DAY_S = 86_400.0

Payload = tuple[bytes, int]


def made_payloads(plant: Plant, start_s: float, end_s: float, interval_s: float) -> AsyncGenerator[Payload, None]:
    """What `payloads` gives, with the work on another core where there is enough of it."""
    make = _made_here if end_s - start_s < _WORTH_A_PROCESS_DAYS * _DAY_S else made_elsewhere
    return make(plant, start_s, end_s, interval_s)


async def _made_here(plant: Plant, start_s: float, end_s: float, interval_s: float) -> AsyncGenerator[Payload, None]:
    for entry in payloads(plant, start_s, end_s, interval_s):
        yield entry


async def made_elsewhere(
    plant: Plant, start_s: float, end_s: float, interval_s: float
) -> AsyncGenerator[Payload, None]:
    """The same, always in a process of its own. Raises SimulatorError as `payloads` does, or when it was ended."""
    context = multiprocessing.get_context("spawn")
    made: Any = context.Queue(_WAITING)
    process = context.Process(target=_make, args=(made, plant, start_s, end_s, interval_s), daemon=True)
    process.start()
    try:
        while True:
            entry = await asyncio.to_thread(_next, made, process)
            if entry is None:
                return
            if isinstance(entry, str):
                raise SimulatorError(entry)
            yield entry
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        made.cancel_join_thread()
        made.close()


def _next(made: Any, process: Any) -> Payload | str | None:
    while True:
        try:
            entry: Payload | str | None = made.get(timeout=_LOOK_S)
        except queue.Empty:
            if not process.is_alive():
                return f"the process that makes the batches was ended ({process.exitcode})"
        else:
            return entry


def _make(made: Any, plant: Plant, start_s: float, end_s: float, interval_s: float) -> None:
    # Ctrl-C reaches this process too, but it is the other one that ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def hand_over(entry: Payload | str | None) -> None:
        while True:
            try:
                made.put(entry, timeout=_LOOK_S)
            except queue.Full:
                if os.getppid() != parent:
                    os._exit(1)
            else:
                return

    try:
        for entry in payloads(plant, start_s, end_s, interval_s):
            hand_over(entry)
    except SimulatorError as problem:
        hand_over(str(problem))
    hand_over(None)
