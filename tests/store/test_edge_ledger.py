from dataclasses import replace
from pathlib import Path

from store.edge_ledger import EdgeLedger, LastBatch, Reconciliation, ToldDay
from wire_format.topics import EdgeAddress

DAY_MS = 86_400_000
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


async def test_a_day_is_compared_until_it_agrees(tmp_path: Path) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    told = ToldDay("bakery", "edge-1", DAY_MS, "oven", 10, {"active_energy_import_total": 1.25})
    await ledger.note_told([told])
    assert await ledger.to_compare(0) == (told,)
    assert await ledger.to_compare(DAY_MS + 1) == ()
    assert await ledger.reconciliations(0) == ()
    wrong = Reconciliation("bakery", "edge-1", DAY_MS, "oven", 10, 9, ("active_energy_import_total",))
    assert (wrong.agrees, wrong.missing) == (False, 1)
    await ledger.note_compared([wrong])
    assert await ledger.reconciliations(0) == (wrong,)
    assert await ledger.to_compare(0) == (told,)
    # The edge has told more meanwhile: what was compared with less is not kept.
    more = replace(told, values=12)
    await ledger.note_told([more])
    await ledger.note_compared([replace(wrong, stored=10, wrong_totals=())])
    assert await ledger.reconciliations(0) == ()
    right = Reconciliation("bakery", "edge-1", DAY_MS, "oven", 12, 13)
    assert (right.agrees, right.missing) == (True, 0)
    await ledger.note_compared([right])
    assert await ledger.reconciliations(0, "bakery") == (right,)
    assert await ledger.reconciliations(0, "laundry") == ()
    assert await ledger.to_compare(0) == ()
    await ledger.forget_days_before(DAY_MS + 1)
    assert await ledger.reconciliations(0) == ()
    await ledger.close()


async def test_a_thinned_day_is_not_compared_again(tmp_path: Path) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    await ledger.note_told([ToldDay("bakery", "edge-1", DAY_MS, "oven", 10)])
    thinned = Reconciliation("bakery", "edge-1", DAY_MS, "oven", 10, 2, ("a",), thinned=True)
    assert (thinned.agrees, thinned.missing) == (True, 0)
    await ledger.note_compared([thinned])
    assert await ledger.to_compare(0) == ()
    assert await ledger.reconciliations(0) == (thinned,)
    await ledger.close()
