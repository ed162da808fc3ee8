"""Stopping when somebody asks for it."""

import asyncio
import signal


def stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C and what a service manager sends set; to be called in a running event loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
