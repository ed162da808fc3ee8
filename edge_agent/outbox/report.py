"""What an outbox found damaged or had to let go."""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class LostRecords:
    """Records that will never be published. Times are those of the samples, None where they cannot be told."""

    numbers: range
    reason: str
    first_ms: int | None = None
    last_ms: int | None = None


@dataclass(slots=True)
class OutboxReport:
    """Grows while the outbox is open; of each kind the latest 1,000 are remembered.

    `torn_bytes` of what was being written were cut off at start. `thinned_rows` are those that thinning has let go,
    between `thinned_first_ms` and `thinned_last_ms`.
    """

    torn_bytes: int = 0
    damaged_files: deque[Path] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    lost: deque[LostRecords] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    thinned_rows: int = 0
    thinned_first_ms: int | None = None
    thinned_last_ms: int | None = None
