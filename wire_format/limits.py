"""Bounds of the wire format: a sender keeps them, a receiver refuses what exceeds them."""

MAX_MESSAGE_BYTES = 128 * 1024
"""A whole payload as it is published."""
MAX_UNPACKED_BYTES = 8 * 1024 * 1024
"""The MessagePack of one payload."""
MAX_DEVICES = 1_000
"""Entries in the device list of a batch; a device may have several."""
MAX_COLUMNS = 1_000
"""Columns of one entry."""
MAX_ROWS = 10_000
"""Rows of one entry."""
MAX_CELLS = 1_000_000
"""Rows times columns, summed over a batch."""
MAX_EVENTS = 1_000
"""Events of a batch."""
MAX_EVENT_TEXT_CHARACTERS = 500
MAX_EVENT_NUMBERS = 16
MAX_REFUSED_ROWS = 10_000
"""Refused rows that an acknowledgement names; the collector's quarantine has all of them."""
MAX_REASON_CHARACTERS = 200
MAX_EXPONENT = 18
"""Largest power of ten, up or down."""
MAX_TIME_MS = 9_223_372_036_854
"""The last millisecond that stores counting 64-bit nanoseconds can hold (year 2262)."""
MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1
