"""What can be wrong with bytes that arrived, or that are to leave."""


class WireFormatError(ValueError):
    """The bytes are no batch or acknowledgement of a version that is understood; the message says where and why.

    When encoding: the data cannot be told in the format, for example an integer beyond 64 bits.
    """


class BatchTooLargeError(WireFormatError):
    """What is to be encoded exceeds a bound of the format; `wire_format.batch.split` makes two of it."""
