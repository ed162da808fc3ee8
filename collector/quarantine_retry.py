"""Another try to store what the quarantine holds, after its cause was mended."""

from dataclasses import dataclass

from collector.ingest import Ingest
from collector.quarantine import Quarantine, QuarantineEntry, row_from_json
from wire_format.batch import Batch, BatchId
from wire_format.codec import decode_batch
from wire_format.topics import edge_of


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of an entry. `reason`: why it, or a part of it, is still not stored."""

    stored: bool
    reason: str = ""


async def retry(number: int, quarantine: Quarantine, ingest: Ingest) -> Retried | None:
    """Store an entry as if it had just come, then remove it; None when there is no such entry.

    It may be ended at any moment and done again: rows are written idempotently. Rows of a batch that the store still
    refuses become entries of their own; a row that it still refuses stays. Raises StoreUnavailableError or
    StoreConfigurationError when nothing is decided.
    """
    entry = await quarantine.entry(number)
    payload = await quarantine.payload(number)
    if entry is None or payload is None:
        return None
    try:
        edge = edge_of(entry.topic)
        batch = _batch(entry, payload)
    except ValueError as problem:
        return Retried(stored=False, reason=str(problem))
    refused = await ingest.write(edge, entry.topic, batch)
    if refused and entry.device is not None:
        return Retried(stored=False, reason=refused[0].reason)
    await quarantine.remove(number)
    if refused:
        return Retried(
            stored=True, reason=f"but {len(refused)} rows, the first: {refused[0].device} {refused[0].reason}"
        )
    return Retried(stored=True)


def _batch(entry: QuarantineEntry, payload: bytes) -> Batch:
    if entry.device is None:
        return decode_batch(payload)
    run_id, _, sequence = entry.batch_id.partition(":")
    return Batch(BatchId(run_id, int(sequence)), (row_from_json(payload),))
