"""What can go wrong with an outbox, told apart by what the caller can do about it."""


class OutboxError(Exception):
    """The outbox cannot be used (in use by another process, no folder, a newer format): somebody must act."""


class OutboxWriteError(Exception):
    """Nothing of what was to be written is in the outbox (disk full or read-only): live data can go on without it."""
