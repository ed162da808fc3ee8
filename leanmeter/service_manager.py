"""Tells systemd that a program is ready and lives: sd_notify(3) in the few lines that it takes."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator

_SHORTEST_INTERVAL_S = 0.1


def notify(*assignments: str) -> None:
    """Send assignments such as `READY=1`; does nothing where no service manager listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # A name that begins with @ is one without a file.
    target = "\0" + address[1:] if address.startswith("@") else address
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto("\n".join(assignments).encode(), target)


def reloading() -> None:
    """A reload begins; `notify("READY=1")` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


@contextlib.asynccontextmanager
async def service() -> AsyncIterator[None]:
    """Ready from the beginning of the block on, stopping at its end.

    In between the watchdog is fed from the event loop: a program whose loop hangs is ended and started again.
    """
    notify("READY=1")
    feeding = asyncio.create_task(_feed_watchdog(), name="watchdog")
    try:
        yield
    finally:
        notify("STOPPING=1")
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding


async def _feed_watchdog() -> None:
    watchdog_us = os.environ.get("WATCHDOG_USEC", "")
    if not watchdog_us.isdecimal() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return
    interval_s = max(int(watchdog_us) / 1e6 / 3, _SHORTEST_INTERVAL_S)
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval_s)
