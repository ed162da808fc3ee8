"""Why a message could not be sent, by what can be done about it."""


class ChannelError(Exception):
    """Not sent; the message is one line for the operator, without any secret.

    Args:
        reason: one line.
        retry_after_s: when the other side wants to be asked again, None where it did not say.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class UnreachableError(ChannelError):
    """Nobody took it now: try again later."""


class RefusedError(ChannelError):
    """The other side does not want this message and will not want it later either."""
