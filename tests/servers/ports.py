"""Free ports on loopback."""

import contextlib
import random
import socket

LOOPBACK = "127.0.0.1"
_given: set[int] = set()


def free_port() -> int:
    """A TCP port on loopback that nobody listens on, each one given once.

    It lies below the range that the system takes for outgoing connections: a client that tries to reach
    a killed server on a port of that range can be connected to itself.
    """
    for _ in range(1000):
        port = random.randint(20_000, 31_999)
        if port in _given:
            continue
        with contextlib.suppress(OSError), socket.socket() as candidate:
            candidate.bind((LOOPBACK, port))
            _given.add(port)
            return port
    raise RuntimeError("no free port between 20000 and 31999")


def accepts_connections(host: str, port: int) -> bool:
    """Whether a TCP connection is accepted there now."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False
