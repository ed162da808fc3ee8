import numpy as np
import pytest

from baselines.errors import BaselineError
from baselines.linear_model import fit
from baselines.row_quality import RowQuality, weighed
from tests.baselines.plants import observed


def test_each_row_weighs_what_it_is_worth() -> None:
    assert RowQuality("measured").weight == 1.0
    assert RowQuality("thinned", 0.1).weight == 1.0
    assert RowQuality("interpolated", 0.8).weight == pytest.approx(0.5)  # wrong by 0.5 × 0.2, as much as the scatter
    assert RowQuality("manual", days=30.0).weight == pytest.approx(0.9985, abs=1e-4)
    assert RowQuality("manual", days=1.0).weight == pytest.approx(0.4186, abs=1e-4)
    assert RowQuality("outage").weight is None


def test_rows_without_mains_are_left_out_and_light_ones_are_named() -> None:
    rows = observed([10.0, 20.0, 30.0, 40.0])
    qualities = [RowQuality(each, 0.5) for each in ("measured", "interpolated", "outage", "partial")]
    found = weighed(rows, qualities)
    assert (found.observations.labels, found.kept, found.coverage) == (("0", "1"), (0, 1), 0.5)
    assert list(found.observations.weights or ()) == pytest.approx([1.0, 0.1379], abs=1e-4)
    assert [finding.code for finding in found.findings] == ["left_out", "weighed"]
    assert "2, 3" in found.findings[0].text


def test_only_measured_rows_have_no_weights() -> None:
    assert weighed(observed([1.0, 2.0]), [RowQuality("measured")] * 2).observations.weights is None


def test_a_quality_that_is_not_known_is_named_with_its_row() -> None:
    with pytest.raises(BaselineError, match="1: quality 'guessed' is not known; there are corrected, interpolated"):
        weighed(observed([1.0, 2.0]), [RowQuality("measured"), RowQuality("guessed")])


def test_weighing_finds_the_truth_better_than_taking_all_rows_alike() -> None:
    chance = np.random.default_rng(3)
    plain, light = [], []
    for _ in range(200):
        pieces = chance.uniform(100, 500, 40)
        gaps = chance.random(40) < 0.3
        energy = (100.0 + 2.0 * pieces) * (1.0 + 0.05 * chance.normal(size=40) + gaps * 0.25 * chance.normal(size=40))
        rows = observed(energy.tolist(), pieces=pieces.tolist())
        qualities = [RowQuality("interpolated", 0.5) if gap else RowQuality("measured") for gap in gaps]
        plain.append(fit(rows, ["pieces"]).coefficients["pieces"] - 2.0)
        light.append(fit(weighed(rows, qualities).observations, ["pieces"]).coefficients["pieces"] - 2.0)
    assert np.std(light) < 0.6 * np.std(plain)
