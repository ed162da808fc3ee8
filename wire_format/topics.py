"""MQTT topics: `leanmeter/v1/{site}/{edge}/{kind}`."""

import re
from dataclasses import dataclass
from typing import Literal

PREFIX = "leanmeter/v1"
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SHARED_BATCHES = f"$share/leanmeter/{PREFIX}/+/+/batch"
AGENT_PREFIX = "agent-"
"""Devices whose names begin so are edges themselves."""
STATUS_OF_ALL = f"{PREFIX}/+/+/status"

Kind = Literal["batch", "ack", "status", "event"]


class TopicError(ValueError):
    """A topic that is none of ours; the message names it."""


@dataclass(frozen=True, slots=True)
class EdgeAddress:
    """A site and one of its edges, both slugs."""

    site: str
    edge: str

    @property
    def device(self) -> str:
        """The reserved device whose readings and events are about the edge itself."""
        return f"{AGENT_PREFIX}{self.edge}"

    def topic(self, kind: Kind) -> str:
        """The topic on which this edge publishes, or is answered."""
        return f"{PREFIX}/{self.site}/{self.edge}/{kind}"

    def __str__(self) -> str:
        return f"{self.site}/{self.edge}"


def edge_of(topic: str) -> EdgeAddress:
    """Tell from a topic which edge it belongs to; raises TopicError when it is not one of ours."""
    parts = topic.split("/")
    if len(parts) == 5 and "/".join(parts[:2]) == PREFIX and SLUG.fullmatch(parts[2]) and SLUG.fullmatch(parts[3]):
        return EdgeAddress(parts[2], parts[3])
    raise TopicError(f"topic {topic!r} is not {PREFIX}/<site>/<edge>/<kind> with slugs for site and edge")
