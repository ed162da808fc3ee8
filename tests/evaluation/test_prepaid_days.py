"""What is left of prepaid tokens, day by day."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evaluation.accounting.bill_days import BillDays
from tests.evaluation.planned_site import FIRST, SITE, PlannedSite, midnight_ms, planned_site

TOKENS = [
    {"date": "2026-06-02", "paid": 150, "energy_kwh": 100},
    {"date": "2026-06-04", "paid": 300, "energy_kwh": 200},
]


async def series(opened: PlannedSite, name: str) -> dict[int, float]:
    """Amounts of those rows that say something, by the day's number."""
    rows = await opened.readings.days(SITE, midnight_ms(-30), midnight_ms(30), name)
    return {(row.start_ms - midnight_ms(0)) // 86_400_000: round(row.amount, 6) for row in rows if row.coverage}


async def test_tokens_less_what_was_used_since_the_first(tmp_path: Path) -> None:
    tokens: list[dict[str, Any]] = TOKENS
    async with planned_site(tmp_path) as opened:
        await opened.plan(prepaid_tokens=tokens)
        for number, used in enumerate((500.0, 60.0, 30.0, 80.0, 50.0)):
            await opened.write_day(number, used, 400.0)
        await opened.rederive(0, 4)
        # Nothing counts before the first token's day; on the third day 90 kWh of 100 are used, the fourth brings 200.
        assert await series(opened, "prepaid.left") == {1: 40.0, 2: 10.0, 3: 130.0, 4: 80.0}
        # By the days before: 60 kWh; 45 on average; 56.666…
        assert await series(opened, "prepaid.days_left") == {
            2: pytest.approx(10 / 60, abs=1e-6),
            3: pytest.approx(130 / 45, abs=1e-6),
            4: pytest.approx(80 / (170 / 3), abs=1e-6),
        }
        assert await opened.rederive(0, 4) == 0

        # A late day: 35 kWh more on 3 June, by which evening more was used than bought.
        await opened.write_day(2, 65.0, 400.0)
        await opened.rederive(2, 2)
        assert await series(opened, "prepaid.left") == {1: 40.0, 3: 95.0, 4: 45.0}
        (row,) = await opened.readings.days(SITE, midnight_ms(2), midnight_ms(2) + 1, "prepaid.left")
        assert (row.amount, row.quality) == (0.0, "partial")

        # The token that was missing.
        missing = {"date": (FIRST + timedelta(days=2)).isoformat(), "paid": 45, "energy_kwh": 30}
        await opened.plan(prepaid_tokens=[*tokens, missing])
        await opened.rederive(2, 4)
        assert await series(opened, "prepaid.left") == {1: 40.0, 2: 5.0, 3: 125.0, 4: 75.0}

        await opened.plan()
        model = await opened.model()
        await BillDays(opened.readings, model).write()
        assert await series(opened, "prepaid.left") == {}
