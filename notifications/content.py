"""What a message says, ready to be sent by any channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Content:
    """A message in the recipient's language.

    `text` is without markup, a paragraph a line; `html` is a whole page in which the picture (PNG) is `cid:picture`.
    `data` is what programs read, as JSON can hold it.
    """

    subject: str
    text: str
    html: str
    picture: bytes | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A content under way to one recipient by one channel. `key` never changes, however often it is sent."""

    key: str
    recipient: str
    channel: str
    site: str
    created_ms: int
    content: Content
    number: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """A recipient by one of the ways to reach him: email, telegram or webhook."""

    recipient: str
    channel: str
