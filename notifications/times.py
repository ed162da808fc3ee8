"""Times as programs read them."""

from datetime import UTC, datetime


def rfc3339(time_ms: int) -> str:
    """A time in ms since 1970 UTC, to the second."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
