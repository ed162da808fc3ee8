"""A record: what one `append` put into the outbox."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """`payload` is what `wire_format.codec.encode_rows` made of its rows; times are those of its samples."""

    number: int
    first_ms: int
    last_ms: int
    row_count: int
    value_count: int
    payload: bytes
