"""Baselines, savings and bills in words for people and as JSON for machines."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from baselines.linear_model import LinearModel
from baselines.reference_factors import FUEL_SOURCE, FUELS, REFRIGERANT_SOURCE, REFRIGERANTS
from baselines.tariff import BY_DAYS, Bill, BillLine
from baselines.validity import Finding
from baselines.weather_model import BALANCE
from leanmeter.baselines.baseline_fitting import FittedBaseline
from leanmeter.baselines.interval_file import Gap

Value = TypeVar("Value")


def fit_as_json(fitted: FittedBaseline) -> dict[str, Any]:
    """A fit for machines; fractions are fractions, what has no meaning is null."""
    model, validity = fitted.model, fitted.validity
    told: dict[str, Any] = {
        "verdict": validity.verdict,
        "valid": validity.valid,
        "provisional": validity.provisional,
        "n": model.n,
        "coefficients": _own(model, model.coefficients),
        "standard_errors": _own(model, model.standard_errors),
        "t": _own(model, model.t),
        "p": _own(model, model.p),
        "r2": model.r2,
        "r2_adjusted": model.r2_adjusted,
        "f": model.f,
        "f_p": model.f_p,
        "cv_rmse": model.cv_rmse,
        "nmbe": model.nmbe,
        "autocorrelation": model.autocorrelation,
        "durbin_watson": model.durbin_watson,
        "durbin_watson_p": model.durbin_watson_p,
        "error_autocorrelation": model.error_autocorrelation,
        "deviation": model.deviation,
        "mean_energy": model.mean_energy,
        "ranges": {
            name: {"minimum": seen.minimum, "maximum": seen.maximum, "mean": seen.mean, "deviation": seen.deviation}
            for name, seen in _own(model, model.ranges).items()
        },
        "findings": findings_as_json([*fitted.findings, *validity.findings]),
    }
    if fitted.weather is not None:
        told["balance_points"] = {
            kind: {
                "base_c": base,
                "standard_error": _uncertain(model, kind),
                "searched": kind in fitted.weather.searched,
            }
            for kind, base in fitted.weather.bases.items()
        }
    if fitted.specific is not None:
        told["specific_use"] = {
            "ratio": fitted.specific.ratio,
            "base_share": fitted.specific.base_share,
            "ratio_at_80_percent": fitted.specific.ratio_at_less,
        }
    if fitted.tried:
        told["tried"] = [
            {"variables": list(each.variables), "left_out_cv": finite(each.left_out_cv), "problem": each.problem}
            for each in fitted.tried
        ]
    return told


def fit_report(fitted: FittedBaseline, energy: str) -> list[str]:
    """A fit for people: the verdict, the formula, how good it is, what was noticed."""
    model = fitted.model
    coefficients = _own(model, model.coefficients)
    terms = [short(coefficients["intercept"])]
    terms += [f"{_signed(value)} × {name}" for name, value in coefficients.items() if name != "intercept"]
    width = max(map(len, coefficients))
    lines = [fitted.validity.verdict, "", f"  {energy} = {' '.join(terms)}", *_weather_lines(fitted), ""]
    lines += [f"  {'':<{width}}  {'value':>12}  {'± one s.e.':>12}  {'t':>8}  {'p':>8}"]
    for name, value in coefficients.items():
        t, p = (("–" if number is None else f"{number:.3g}") for number in (model.t[name], model.p[name]))
        lines.append(f"  {name:<{width}}  {short(value):>12}  {short(model.standard_errors[name]):>12}  {t:>8}  {p:>8}")
    lines += [
        "",
        f"  R² {model.r2:.4f}   adjusted R² {model.r2_adjusted:.4f}   "
        + (f"F {model.f:.4g} (p {model.f_p:.2g})" if model.f is not None and model.f_p is not None else "F –"),
        f"  CV(RMSE) {100.0 * model.cv_rmse:.2f} %   points {model.n}   "
        + ("autocorrelation –" if model.autocorrelation is None else f"autocorrelation {model.autocorrelation:.2f}"),
    ]
    if fitted.specific is not None:
        lines.append(f"  {short(fitted.specific.ratio)} a unit of {fitted.specific.variable} over all rows")
    return [*lines, *finding_lines([*fitted.findings, *fitted.validity.findings]), *_tried_lines(fitted)]


def bills_as_json(bills: Mapping[str, Bill], gaps: Sequence[Gap] = ()) -> dict[str, Any]:
    """Bills by period; money and quantities are decimal numbers in text, as they were rounded."""
    return {
        month: {
            "total": str(bill.total),
            "currency": bill.currency,
            "demand": None if bill.demand is None else plain(bill.demand),
            "lines": lines_as_json(bill.lines),
            "findings": [*bill.findings, *(gap.text for gap in gaps if _is_of(month, gap.day))],
        }
        for month, bill in bills.items()
    }


def _is_of(period: str, day: date) -> bool:
    """Whether a bill's period (2026-11 or 2026-10-16/2026-11-15) has that day."""
    first, _, last = period.partition("/")
    return first <= day.isoformat() <= last if last else day.isoformat().startswith(first)


def lines_as_json(lines: Sequence[BillLine]) -> list[dict[str, Any]]:
    """The lines of a bill."""
    return [
        {
            "name": line.name,
            "quantity": plain(line.quantity),
            "unit": line.unit,
            "price": None if line.price is None else str(line.price),
            "amount": str(line.amount),
            **({"version": line.version, "days": list(line.days)} if line.days is not None else {}),
        }
        for line in lines
    ]


def bills_report(bills: Mapping[str, Bill]) -> list[str]:
    """Bills as a supplier prints them, with the total of all months first where there are several."""
    lines: list[str] = []
    currency = next(iter(bills.values())).currency
    if len(bills) > 1:
        lines = [f"{len(bills)} months cost {sum(bill.total for bill in bills.values())} {currency}.", ""]
    for month, bill in bills.items():
        lines.append(f"{month}: {bill.total} {bill.currency}.")
        width = max((len(line.name) for line in bill.lines), default=0)
        version = ""
        for line in bill.lines:
            if line.version != version and line.days is not None:
                version = line.version
                lines.append(f"  by {version}, {line.days[0]} of {line.days[1]} days:")
            part = f" × {line.days[0]}/{line.days[1]}" if line.days and line.name in BY_DAYS else ""
            price = "" if line.price is None else f"{plain(line.quantity)} {line.unit} × {line.price}{part}"
            lines.append(f"  {line.name:<{width}}  {line.amount:>12}  {price}".rstrip())
        lines += [f"  note: {text}" for text in bill.findings]
        lines.append("")
    return lines[:-1]


def factors_as_json() -> dict[str, Any]:
    """Reference values by fuel and refrigerant."""
    return {
        "sources": [FUEL_SOURCE, REFRIGERANT_SOURCE],
        "fuels": {
            name: {"kwh_a_kg": fuel.kwh_a_kg, "kg_co2e_a_kg": fuel.co2e_kg_a_kg, "kg_a_litre": fuel.kg_a_litre}
            for name, fuel in FUELS.items()
        },
        "refrigerants": {name: {"kg_co2e_a_kg": value} for name, value in REFRIGERANTS.items()},
    }


def factors_report() -> list[str]:
    """The same as two tables."""
    lines = ["Use what your supplier's bill or your authority says; until then these.", ""]
    lines += [f"  {'':<16}{'kWh net a kg':>14}{'a litre':>10}{'kg CO2e a kg':>16}{'a litre':>10}"]
    for name, fuel in FUELS.items():
        litre = fuel.kg_a_litre
        kwh, kg = ("–" if litre is None else f"{litre * a_kg:.2f}" for a_kg in (fuel.kwh_a_kg, fuel.co2e_kg_a_kg))
        lines.append(f"  {name:<16}{fuel.kwh_a_kg:>14.2f}{kwh:>10}{fuel.co2e_kg_a_kg:>16.3f}{kg:>10}")
    lines += ["", *(f"  {name:<16}{'':>24}{value:>16.0f}" for name, value in REFRIGERANTS.items())]
    return [*lines, "", f"Sources: {FUEL_SOURCE}; {REFRIGERANT_SOURCE}."]


def short(value: float) -> str:
    """A number of five digits, thousands apart as in sentences."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.5g}"


def finite(value: float | None) -> float | None:
    """None for what JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None


def write_lines(lines: Sequence[str]) -> None:
    """To standard output."""
    sys.stdout.write("\n".join(lines) + "\n")


def write_json(value: object) -> None:
    """To standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _own(model: LinearModel, values: Mapping[str, Value]) -> dict[str, Value]:
    """Without what stands for a search."""
    return {name: value for name, value in values.items() if name not in model.searched}


def _uncertain(model: LinearModel, kind: str) -> float | None:
    return model.standard_errors.get(f"{kind}{BALANCE}")


def _weather_lines(fitted: FittedBaseline) -> list[str]:
    if fitted.weather is None:
        return []
    lines = []
    for kind, base in fitted.weather.bases.items():
        error = _uncertain(fitted.model, kind)
        how = "given" if error is None else f"searched, ± {error:.1f} one s.e."
        lines.append(f"  {kind}: degrees {'below' if kind == 'heating' else 'above'} {base:.1f} °C ({how})")
    return lines


def _tried_lines(fitted: FittedBaseline) -> list[str]:
    if not fitted.tried:
        return []
    lines = ["", "  tried, with the error on rows left out:"]
    for each in fitted.tried:
        error = each.problem or f"{100.0 * each.left_out_cv:.2f} %"
        lines.append(f"    {' + '.join(each.variables) or 'the mean alone'}: {error}")
    return lines


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """What was noticed, after an empty line; nothing where there is nothing."""
    if not findings:
        return []
    return ["", *(f"  {'fails' if finding.fails else 'note'}: {finding.text}" for finding in findings)]


def findings_as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """What was noticed."""
    return [{"code": finding.code, "text": finding.text, "fails": finding.fails} for finding in findings]


def plain(number: Decimal) -> str:
    """A decimal number without an exponent or zeros at its end."""
    return f"{number.normalize():f}"


def _signed(value: float) -> str:
    return f"{'−' if value < 0.0 else '+'} {short(abs(value))}"
