"""What can be wrong with bytes that arrived."""


class WireFormatError(ValueError):
    """The bytes are no batch or acknowledgement of a version that is understood; the message says where and why."""
