"""What an outbox found damaged or had to let go."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LostRecords:
    """Records that will never be published. Times are those of the samples, None where they cannot be told."""

    numbers: range
    reason: str
    first_ms: int | None = None
    last_ms: int | None = None


@dataclass(slots=True)
class OutboxReport:
    """Grows while the outbox is open; `torn_bytes` of a record that was being written were cut off at start."""

    torn_bytes: int = 0
    damaged_files: list[Path] = field(default_factory=list)
    lost: list[LostRecords] = field(default_factory=list)
