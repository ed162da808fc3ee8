from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from baselines.billing import bill_months
from baselines.errors import BaselineError
from baselines.tariff import IntervalUse
from evaluation.plan.tariff_file import load_tariff_file, tariffs_of
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
    file = load_tariff_file(write(tmp_path, TARIFF))
    november = evening(datetime(2026, 11, 23, 18, tzinfo=UTC))
    december = evening(datetime(2026, 12, 1, 18, tzinfo=UTC))
    bills = bill_months(tariffs_of(file), [*december, *november], file.earlier_demands)
    assert list(bills) == ["2026-11", "2026-12"]
    # 50 + 80 × 0.30 + 120 × 12.50 = 1574; + 80 × 0.0125 = 1; × 1.18 = 1858.50
    assert bills["2026-11"].total == Decimal("1858.50")
    assert bills["2026-12"].total == Decimal("1858.50")


def test_prices_are_what_was_written_and_not_a_binary_fraction(tmp_path: Path) -> None:
    tariffs = tariffs_of(load_tariff_file(write(tmp_path, TARIFF)))
    assert tariffs[0].energy[0].blocks[0].price == Decimal("0.3")


NUMBER = "must be a number with a point before decimals, such as 1200.5, and nothing else"
BASE_PRICE = "      - price: 0.15\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("valid_from: 2026-01-01", "valid_from: soon"), "tariffs[0].valid_from: is no date, such as 2026-11-30"),
        (("valid_from: 2026-01-01", "valid_from: 2026-13-01"), "line 6, column 17: 2026-13-01: month must be in 1..12"),
        (("    valid_from: 2026-01-01\n", ""), "tariffs[0].valid_from: is missing"),
        (("50.00", "50.00\n    valid_to: 2026-01-01"), "tariffs[0]: valid_to: must be later than valid_from"),
        (("currency: PEN", "currency: sol"), "currency: 'sol' must be three capital letters"),
        (("currency: PEN", "currency: PEN\nbilling_day: 31"), "billing_day: must be at most 28"),
        (("[150, 90]", "[150 kVA]"), f"earlier_demands[0]: {NUMBER} (given: '150 kVA')"),
        (("50.00", "1,050.00"), f"tariffs[0].standing_charge: {NUMBER} (given: '1,050.00')"),
        (("50.00", "yes"), "tariffs[0].standing_charge: must be a number"),
        (("50.00", ".inf"), "tariffs[0].standing_charge: must be a number"),
        (("price: 12.5", "price: -12.5"), "tariffs[0].demand.price: must be at least 0"),
        (("unit: kVA", "unit: kva"), "tariffs[0].demand.unit: must be 'kW' or 'kVA'"),
        (("window_min: 30", "window_min: 20"), "tariffs[0].demand.window_min: must be 15 or 30"),
        (("share: 0.8", "share: 80"), "tariffs[0].demand.ratchet.share: is a share of the whole; 16 % is 0.16"),
        (("months: 11", "months: 0"), "tariffs[0].demand.ratchet.months: must be at least 1"),
        (('to: "22:00"', 'to: "25:00"'), "tariffs[0].energy[0].band.to: '25:00' is no time of day"),
        (('to: "22:00"', "to: 22:00"), "tariffs[0].energy[0].band.to: put the time of day in quotes"),
        (('to: "22:00"', 'to: "18:00"'), "tariffs[0].energy[0].band: to: must be another time than from"),
        (("[mon, tue, wed, thu, fri]", "mon-fri"), "tariffs[0].energy[0].band.weekdays: must be a list"),
        (("[mon, tue, wed, thu, fri]", "[monday]"), "tariffs[0].energy[0].band.weekdays[0]: must be 'mon', 'tue'"),
        ((BASE_PRICE, "      - {}\n"), "tariffs[0].energy[1]: needs either price or blocks"),
        ((BASE_PRICE, ""), "tariffs[0]: energy: no price for Monday 00:00 in month 1; add one without a band"),
        ((BASE_PRICE, BASE_PRICE + BASE_PRICE), "tariffs[0]: energy: only one price may have no band"),
        (
            (BASE_PRICE, "      - blocks: [{up_to_kwh: 9, price: 1}]\n"),
            "tariffs[0].energy[1]: blocks: the last one must",
        ),
        (
            (BASE_PRICE, "      - blocks: [{up_to_kwh: 9, price: 1}, {up_to_kwh: 8, price: 1}, {price: 2}]\n"),
            "tariffs[0].energy[1]: blocks[1].up_to_kwh: must be more than that of the block before",
        ),
        (("name: VAT", "name: levy"), "tariffs[0]: the name 'levy' stands on the bill already"),
        (("name: levy", "name: demand"), "tariffs[0]: the name 'demand' stands on the bill already"),
        (("share: 0.18", "percent: 18"), "tariffs[0].surcharges[1].percent: unknown key"),
        (("share: 0.18", "share: 18"), "tariffs[0].surcharges[1].share: is a share of the whole; 16 % is 0.16"),
        ((", share: 0.18", ""), "tariffs[0].surcharges[1]: needs share (0.16 is 16 %) or price_a_kwh"),
        (("50.00", "50.00\n    holidays: [25 Dec]"), "tariffs[0].holidays[0]: is no date"),
        (
            (
                "tariffs:",
                "tariffs:\n  - {name: old, valid_from: 2025-01-01, valid_to: 2026-06-01, energy: [{price: 1}]}",
            ),
            "tariffs[1].valid_from: old holds on 2026-01-01 too; one tariff a day",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert change[0] in TARIFF
    with pytest.raises(ConfigurationError, match=r"tariff\.yaml: ") as caught:
        load_tariff_file(write(tmp_path, TARIFF.replace(*change)))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "; tariffs" not in str(caught.value), "what follows from the mistake is no second one"


def test_a_version_holds_until_the_next_one_begins(tmp_path: Path) -> None:
    more = "  - {name: next, valid_from: 2026-06-16, energy: [{price: 1}]}\n"
    first, following = tariffs_of(load_tariff_file(write(tmp_path, TARIFF + more)))
    assert (first.valid_to, following.valid_to) == (date(2026, 6, 16), None)


def test_a_month_that_cannot_be_billed_is_named(tmp_path: Path) -> None:
    file = load_tariff_file(write(tmp_path, TARIFF))
    with pytest.raises(BaselineError, match="2025-12: no tariff valid on 2025-12-02"):
        bill_months(tariffs_of(file), evening(datetime(2025, 12, 2, tzinfo=UTC)))
