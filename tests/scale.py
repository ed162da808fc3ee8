"""How much a test tries: little in every run, all of it when somebody asks."""

import os

FULL = 100


def scaled(quick: int, full: int) -> int:
    """Between `quick` (LEANMETER_TEST_SCALE=1, the default) and `full` (100)."""
    share = (min(max(int(os.environ.get("LEANMETER_TEST_SCALE", "1")), 1), FULL) - 1) / (FULL - 1)
    return round(quick + share * (full - quick))
