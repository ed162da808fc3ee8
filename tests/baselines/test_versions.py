import json
from dataclasses import replace
from datetime import date

import pytest

from baselines.errors import BaselineError
from baselines.linear_model import fit
from baselines.observations import Observations
from baselines.versions import BaselineVersion, as_document, freeze, from_document, hash_of
from tests.baselines.plants import observed

ROWS = observed([101.3, 118.9, 131.2, 155.5, 162.8, 149.1], pieces=[10, 20, 30, 40, 50, 44])


def frozen(rows: Observations = ROWS) -> BaselineVersion:
    return freeze(
        fit(ROWS, ["pieces"]),
        rows,
        number=3,
        energy="site.energy",
        unit="kWh",
        author="A. Mensah",
        frozen_on=date(2026, 3, 1),
        bases={"heating": 15.5},
        static_factors={"shifts a week": "10"},
    )


def test_a_frozen_baseline_comes_back_from_json_and_gives_the_same_band() -> None:
    version = frozen()
    again = from_document(json.loads(json.dumps(as_document(version))))
    assert as_document(again) == as_document(version)
    assert again.model.band_of_sum([[33.0], [21.0]], 0.9) == version.model.band_of_sum([[33.0], [21.0]], 0.9)
    assert (again.first_label, again.last_label, again.frozen_on) == ("0", "5", date(2026, 3, 1))


def test_a_version_frozen_before_autocorrelation_was_told_keeps_its_bands() -> None:
    document = as_document(frozen())
    for name in ("durbin_watson", "durbin_watson_p", "error_autocorrelation"):
        del document["model"][name]
    again = from_document(document).model
    assert again.band_of_sum([[33.0]], 0.9) == again.independent().band_of_sum([[33.0]], 0.9)


def test_the_hash_is_of_every_digit_and_not_of_how_a_number_was_written() -> None:
    told = frozen().data_hash
    assert told == hash_of(ROWS) == hash_of(replace(ROWS, weights=(1.0,) * 6))
    assert told == hash_of(replace(ROWS, variables={"pieces": (10, 20, 30, 40, 50, 44)}))
    assert told != hash_of(replace(ROWS, energy=(*ROWS.energy[:-1], 149.1000000000001)))
    assert told != hash_of(replace(ROWS, weights=(0.5, *(1.0,) * 5)))
    # What it was on the day this was written: another machine, or a later version, must agree.
    assert hash_of(ROWS) == "770ccf6c6a2b30fa048bebe37af5f9d6acc8e1e6c5a59716ec9172aa1045b22c"


def test_nobody_cannot_freeze_and_other_rows_are_refused() -> None:
    with pytest.raises(BaselineError, match="give an author"):
        freeze(fit(ROWS, []), ROWS, number=1, energy="e", unit="kWh", author=" ", frozen_on=date(2026, 1, 1))
    with pytest.raises(BaselineError, match="fitted on 6 rows, not on these 5"):
        frozen(ROWS.select(range(5)))


@pytest.mark.parametrize(
    ("change", "told"), [({"format": 2}, "format 2 is not known"), ({"model": {}}, "damaged"), ({"more": 1}, "damaged")]
)
def test_a_damaged_document_is_said(change: dict[str, object], told: str) -> None:
    with pytest.raises(BaselineError, match=told):
        from_document(as_document(frozen()) | change)
