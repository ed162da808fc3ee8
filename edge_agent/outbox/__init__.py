"""The outbox: every reading on disk until the collector has confirmed that it is stored."""

from edge_agent.outbox.errors import OutboxError, OutboxWriteError
from edge_agent.outbox.outbox import Outbox
from edge_agent.outbox.record import Record
from edge_agent.outbox.report import LostRecords, OutboxReport

__all__ = ["LostRecords", "Outbox", "OutboxError", "OutboxReport", "OutboxWriteError", "Record"]
