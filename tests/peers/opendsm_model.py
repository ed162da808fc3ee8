"""Run by opendsm's own Python: a sample of eemeter, and what opendsm expects of its reporting year, as JSON.

Its output for three samples is kept in opendsm_samples/, for machines without opendsm (scripts/build-opendsm). The
samples are simulated and come with opendsm (Apache-2.0).
"""

import json
import math
import sys
import warnings

warnings.simplefilter("ignore")

# Not of our environment: this file is run by another Python.
from opendsm.eemeter import (  # type: ignore[import-not-found]  # noqa: E402
    DailyBaselineData,
    DailyModel,
    DailyReportingData,
    load_sample,
)


def main(name: str) -> None:
    """Print days of both periods, and the sum and band (90 %) that opendsm expects for the reporting one."""
    meter, temperature, facts = load_sample(name)
    start, end = facts["blackout_start_date"], facts["blackout_end_date"]
    is_electricity = facts["interpretation"] == "electricity"
    before = meter[meter.index < start].iloc[-365:]
    after = meter[meter.index > end].iloc[:365]
    baseline = DailyBaselineData.from_series(before["value"], temperature[:start], is_electricity_data=is_electricity)
    reporting = DailyReportingData.from_series(after["value"], temperature[end:], is_electricity_data=is_electricity)
    model = DailyModel().fit(baseline, ignore_disqualification=True)
    predicted = model.predict(reporting, ignore_disqualification=True).dropna(subset=["observed", "predicted"])
    sys.stdout.write(
        json.dumps(
            {
                "sample": name,
                "unit": facts["unit"],
                "baseline": days(baseline.df),
                "reporting": days(predicted),
                "expected": round(float(predicted["predicted"].sum()), 4),
                "half_width": round(math.sqrt(float((predicted["predicted_unc"] ** 2).sum())), 4),
            }
        )
        + "\n"
    )


def days(frame: object) -> dict[str, list[object]]:
    """Date, mean temperature in °F and use of each day."""
    known = frame.dropna(subset=["observed", "temperature"])  # type: ignore[attr-defined]
    return {
        "date": [f"{day:%Y-%m-%d}" for day in known.index],
        "temperature_f": [round(float(value), 3) for value in known["temperature"]],
        "energy": [round(float(value), 4) for value in known["observed"]],
    }


main(sys.argv[1])
