from pathlib import Path

from store.edge_ledger import EdgeLedger, LastBatch, Reconciliation
from wire_format.topics import EdgeAddress

ONE, TWO = EdgeAddress("bakery", "edge-1"), EdgeAddress("laundry", "edge-1")


async def test_series_and_last_batches_outlive_the_process(tmp_path: Path) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    await ledger.add_series(ONE, [("oven", "a"), ("oven", "b")])
    await ledger.add_series(ONE, [("oven", "b"), ("mixer", "a")])
    await ledger.note_batches({ONE: LastBatch(20, 19, "ntp"), TWO: LastBatch(5, 4, "none")})
    await ledger.note_batches({})
    # An older one, of another collector, changes nothing.
    await ledger.note_batches({ONE: LastBatch(10, 9, "hardware")})
    await ledger.close()
    again = EdgeLedger(tmp_path / "entities.sqlite")
    assert await again.series() == {ONE: {"oven": {"a", "b"}, "mixer": {"a"}}}
    assert await again.last_batches() == {ONE: LastBatch(20, 19, "ntp"), TWO: LastBatch(5, 4, "none")}
    await again.close()


async def test_a_comparison_replaces_the_one_before(tmp_path: Path) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    wrong = Reconciliation("bakery", "edge-1", 86_400_000, "oven", 10, 9, ("active_energy_import_total",))
    right = Reconciliation("bakery", "edge-1", 86_400_000, "oven", 10, 10)
    assert (wrong.agrees, right.agrees) == (False, True)
    await ledger.note_reconciliations([wrong], 1)
    assert await ledger.reconciliations(0) == (wrong,)
    await ledger.note_reconciliations([right], 2)
    assert await ledger.reconciliations(0, "bakery") == (right,)
    assert await ledger.reconciliations(86_400_001) == await ledger.reconciliations(0, "laundry") == ()
    await ledger.close()
