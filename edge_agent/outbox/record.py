"""A record: rows that the outbox keeps together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """`payload` is what `wire_format.codec.encode_rows` made of its rows; times are those of its samples.

    It holds what the appends of `count` numbers from `number` on left to be sent: one append each while it is young,
    those of some seconds together later, those of hours when the outbox was full and thinned them.
    """

    number: int
    first_ms: int
    last_ms: int
    row_count: int
    value_count: int
    payload: bytes
    count: int = 1

    @property
    def numbers(self) -> range:
        """The numbers that it answers for: when they are acknowledged it need not be kept any longer."""
        return range(self.number, self.number + self.count)
