"""What a rule found, and what became of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from site_config.notification_settings import AlarmKind

Facts = Mapping[str, str | int | float | bool]
"""What the texts are made of; times in ms UTC. JSON can hold it."""

AlarmKey = tuple[AlarmKind, str]
"""Kind and subject: a device, a point, an edge, or nothing where it is the site itself."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is wrong with a subject now; `raised` is None when that cannot be told."""

    kind: AlarmKind
    subject: str
    raised: bool | None
    facts: Facts

    @property
    def key(self) -> AlarmKey:
        """What it is about."""
        return self.kind, self.subject


class Stage(StrEnum):
    """What is said of an alarm."""

    BEGAN = "began"
    REMINDER = "reminder"
    ENDED = "ended"
    PASSED = "passed"
    """Began and ended before anybody could be told."""
    WITHDRAWN = "withdrawn"
    """Nobody watches this any more: a device was retired, a site is gone."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong since `began_ms` and was last told of at `told_ms`.

    `clear_since_ms` is since when all has been well again, None while it is not; `facts` are the latest.
    """

    kind: AlarmKind
    subject: str
    began_ms: int
    told_ms: int
    reminders: int
    clear_since_ms: int | None
    facts: Facts

    @property
    def key(self) -> AlarmKey:
        """What it is about."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said of an alarm. `ended_ms` is None while it lasts."""

    kind: AlarmKind
    subject: str
    stage: Stage
    began_ms: int
    ended_ms: int | None
    facts: Facts
