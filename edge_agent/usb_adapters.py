"""Serial adapters keep their identity when they come back under another name.

Linux names USB adapters in the order in which they appear, so ttyUSB0 may be ttyUSB1 after a loose plug, and another
adapter may have become ttyUSB0. udev keeps links by maker, model and serial number beside them.
"""

import errno
import logging
from pathlib import Path

BY_ID = Path("/dev/serial/by-id")

log = logging.getLogger(__name__)

_known: dict[str, Path] = {}
"""Of each port of the site file the link of the adapter that it was when it was first opened."""


def port_to_open(port: str) -> str:
    """The name under which the adapter of a port is found now; raises OSError when it is not plugged in."""
    link = _known.get(port)
    if link is None:
        return port
    if not link.exists():
        raise FileNotFoundError(errno.ENOENT, f"the adapter {link.name} is not plugged in", port)
    name = link.resolve()
    if name != Path(port).resolve():
        log.warning("%s is %s now: found by its id %s", port, name, link.name)
    return str(link)


def opened(port: str) -> None:
    """Remember which adapter a port of the site file is."""
    if port in _known:
        return
    try:
        device = Path(port).resolve()
        for link in sorted(BY_ID.iterdir()):
            if link.resolve() == device:
                _known[port] = link
                return
    except OSError:
        return  # no USB adapters, or no udev
