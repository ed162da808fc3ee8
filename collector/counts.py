"""What a collector has done since it started, and how it stands now."""

from dataclasses import dataclass, field

from store.edge_ledger import LastBatch
from wire_format.topics import EdgeAddress


@dataclass(slots=True)
class Counts:
    """Plain numbers that the collector's parts write and its metrics read.

    `left`: batches that were not answered because too many waited, their edge exceeded its rate, or the store took
    nothing. `writes`: what the store took, the collector's own readings too. `last` has the last batch of each edge
    that the ledger does not know yet.
    """

    connected: bool = False
    store_available: bool = True
    waiting: int = 0
    received: int = 0
    answered: int = 0
    left: int = 0
    writes: int = 0
    stored_batches: int = 0
    stored_values: int = 0
    rejected_messages: int = 0
    refused_rows: int = 0
    last: dict[EdgeAddress, LastBatch] = field(default_factory=dict)
