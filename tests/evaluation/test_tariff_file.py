from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from baselines.billing import bill_months
from baselines.errors import BaselineError
from baselines.tariff import IntervalUse
from evaluation.tariff_file import load_tariffs
from site_config.errors import ConfigurationError

TARIFF = """
currency: PEN
earlier_demands: [150, 90]
tariffs:
  - name: BT3
    valid_from: 2026-01-01
    standing_charge: 50.00
    energy:
      - band: {name: peak, from: "18:00", to: "22:00", weekdays: [mon, tue, wed, thu, fri]}
        price: 0.30
      - price: 0.15
    demand: {price: 12.5, unit: kVA, window_min: 30, ratchet: {share: 0.8, months: 11}}
    surcharges:
      - {name: levy, price_a_kwh: 0.0125}
      - {name: VAT, share: 0.18}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "tariff.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def evening(start: datetime) -> list[IntervalUse]:
    return [IntervalUse(start + timedelta(minutes=15 * index), 20.0, 15.0) for index in range(4)]


def test_a_file_bills_as_the_tariff_does_and_months_follow_each_other(tmp_path: Path) -> None:
    tariffs, earlier = load_tariffs(write(tmp_path, TARIFF))
    november = evening(datetime(2026, 11, 23, 18, tzinfo=UTC))
    december = evening(datetime(2026, 12, 1, 18, tzinfo=UTC))
    bills = bill_months(tariffs, [*december, *november], earlier)
    assert list(bills) == ["2026-11", "2026-12"]
    # 50 + 80 × 0.30 + 120 × 12.50 = 1574; + 80 × 0.0125 = 1; × 1.18 = 1858.50
    assert bills["2026-11"].total == Decimal("1858.50")
    assert bills["2026-12"].total == Decimal("1858.50")


def test_prices_are_what_was_written_and_not_a_binary_fraction(tmp_path: Path) -> None:
    tariffs, _ = load_tariffs(write(tmp_path, TARIFF))
    assert tariffs[0].energy[0].blocks[0].price == Decimal("0.3")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("valid_from: 2026-01-01", "valid_from: soon"), "tariffs[0].valid_from"),
        (("window_min: 30", "window_min: 20"), "tariffs[0].demand.window_min"),
        (('to: "22:00"', 'to: "25:00"'), "tariffs[0].energy[0].band.to"),
        (("- price: 0.15", "- {}"), "tariffs[0].energy[1]: needs either price or blocks"),
        (("share: 0.18", "percent: 18"), "tariffs[0].surcharges[1].percent: unknown key"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert change[0] in TARIFF
    with pytest.raises(ConfigurationError, match=r"tariff\.yaml") as caught:
        load_tariffs(write(tmp_path, TARIFF.replace(*change)))
    assert told in str(caught.value)


def test_a_month_that_cannot_be_billed_is_named(tmp_path: Path) -> None:
    tariffs, earlier = load_tariffs(write(tmp_path, TARIFF))
    with pytest.raises(BaselineError, match="2025-12: no tariff valid on 2025-12-01"):
        bill_months(tariffs, evening(datetime(2025, 12, 2, tzinfo=UTC)), earlier)
