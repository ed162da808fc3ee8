"""The page's view of a site, made of the newest readings and of today's rows. Pure: no store, no clock, no page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.judging.standing import Standing
from evaluation.metering.silent_generation import LONGEST_SLEEP_MS, is_dusk
from evaluation.metering.site_series import site_series
from site_config.points import Assignment, Point, Resource, Role, counted_rate, site_use, unmetered
from store.protocol import IntervalRow, Latest
from visit.savings import NoBaseline, SavingView, no_baseline_text, saving_views
from visit.wording import ENGLISH, Wording
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES
from wire_format.topics import AGENT_PREFIX

OLD_AFTER_S = 15.0
"""From here on a value is shown with its age: it no longer is "now"."""
GONE_AFTER_S = 600.0
"""From here on a value is not shown: it says nothing about now."""

UNMETERED = "unmetered"
_PULSES = "pulses"
# What a scale shows now, best first, where the assignment names no rate.
_WEIGHTS = ("weight_net", "weight_gross")
_SUPPLY = frozenset({Role.MAIN, Role.GENERATION, Role.STORAGE})

DeviceValues = Mapping[tuple[str, str], Latest]


@dataclass(frozen=True, slots=True)
class PointView:
    """One line of the page.

    `group` is supply, use or other. `rate` is in `rate_unit` (kW, m3/h, kg on the scale), None where there is none, and
    then `note` says why. `share` is the part of the site's power, 0 to 1. `today` is in `today_unit`.
    """

    id: str
    name: str
    group: str
    resource: str
    role: str
    rate: float | None
    rate_unit: str
    share: float | None
    today: float | None
    today_unit: str
    age_s: float | None
    note: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """Everything that the page shows but the curve. `state` is live, old, none or store; `state_text` says it.

    `warning` says what of the last days has not arrived; empty when all has.
    """

    site: str
    site_name: str
    time_ms: int
    state: str
    state_text: str
    site_power_kw: float | None
    site_power_age_s: float | None
    site_power_note: str
    site_today_kwh: float | None
    measured_today_s: float | None
    points: tuple[PointView, ...]
    warning: str = ""
    savings: tuple[SavingView, ...] = ()
    no_baseline: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same as plain dictionaries and lists."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a view is made of.

    `days` has today's row of each point, `qualities` the quality of the newest values that are not good; `problem` is
    why the store does not answer, empty when it does. `missing_values` and `wrong_days` are those of `NamedSite`.
    """

    site: str
    site_name: str
    points: Sequence[Point]
    assignments: Sequence[Assignment]
    latest: DeviceValues
    days: Mapping[str, IntervalRow]
    day_length_s: float
    qualities: Mapping[tuple[str, str], Quality] = field(default_factory=dict)
    problem: str = ""
    missing_values: int = 0
    wrong_days: int = 0
    standings: Sequence[Standing] = ()
    no_baseline: NoBaseline | None = None


@dataclass(frozen=True, slots=True)
class _Now:
    value: float | None
    unit: str
    age_s: float | None
    note: str


def build(situation: Situation, now_ms: int, words: Wording = ENGLISH) -> LiveView:
    """Make the view of a site at a time, in a language."""
    now = {point.id: _present(situation, point, now_ms, words) for point in situation.points}
    electricity = [point for point in situation.points if point.resource is Resource.ELECTRICITY]
    rates = {point.id: value for point in electricity if (value := now[point.id].value) is not None}
    site_power_kw = site_use(electricity, Resource.ELECTRICITY, rates)
    counted = [now[point.id] for point in electricity if point.role in _SUPPLY]
    ages = [entry.age_s for entry in counted if entry.age_s is not None]
    # What edges tell of themselves goes on when every meter is silent.
    metered = [value for (device, _), value in situation.latest.items() if not device.startswith(AGENT_PREFIX)]
    newest_age_s = min((_age_s(value, now_ms) for value in metered), default=None)
    state, state_text = _state(situation, newest_age_s, words)
    amounts = {name: row.amount for name, row in situation.days.items()}
    main_days = [row for point in electricity if point.role is Role.MAIN and (row := situation.days.get(point.id))]
    lines = [_line(situation, point, now[point.id], site_power_kw) for point in situation.points]
    lines += _unmetered_lines(electricity, rates, amounts, site_power_kw, words)
    return LiveView(
        site=situation.site,
        site_name=situation.site_name,
        time_ms=now_ms,
        state=state,
        state_text=state_text,
        site_power_kw=site_power_kw,
        site_power_age_s=max(ages) if site_power_kw is not None and ages else None,
        site_power_note="" if site_power_kw is not None else _why_no_site_power(electricity, now, words),
        site_today_kwh=_used_today(electricity, amounts),
        measured_today_s=min(row.coverage for row in main_days) * situation.day_length_s if main_days else None,
        points=tuple(sorted(lines, key=_by_power)),
        savings=saving_views(situation.standings, words),
        no_baseline="" if situation.no_baseline is None else no_baseline_text(situation.no_baseline, words),
        warning=_warning(situation, words),
    )


def _warning(situation: Situation, words: Wording) -> str:
    _ = words.texts.gettext
    if situation.missing_values:
        return _("{count} values of the last days have not arrived; they may still wait at the meters' box").format(
            count=words.number(situation.missing_values, 0)
        )
    if situation.wrong_days:
        return _("On {count} of the last days a meter's total rose otherwise than is stored").format(
            count=situation.wrong_days
        )
    return ""


def _present(situation: Situation, point: Point, now_ms: int, words: Wording) -> _Now:
    """The point's present rate by the device that measures it now."""
    _ = words.texts.gettext
    assigned = [entry for entry in situation.assignments if entry.point == point.id and entry.covers(now_ms)]
    if not assigned:
        return _Now(None, _rate_unit(point, None), None, _("No meter is assigned"))
    total, oldest_s, note = 0.0, 0.0, ""
    unit = _rate_unit(point, assigned[0])
    for entry in assigned:
        quantity = _rate_quantity(entry, situation.latest) or entry.amount_quantity
        found = situation.latest.get((entry.device, quantity))
        note = note or _quality_note(situation, entry.device, quantity, words)
        if found is None:
            return _Now(None, unit, None, note or _("No reading yet from {device}").format(device=entry.device))
        oldest_s = max(oldest_s, _age_s(found, now_ms))
        total += counted_rate(point.role, found.value * entry.factor)
    if oldest_s > GONE_AFTER_S and _is_asleep(situation, point, total, oldest_s):
        return _Now(0.0, unit, None, _("silent since it stopped generating, counted as 0"))
    if oldest_s > GONE_AFTER_S:
        return _Now(None, unit, oldest_s, note or _no_data(oldest_s, words))
    if oldest_s > OLD_AFTER_S:
        note = f"{note}, {words.age(oldest_s)}" if note else words.age(oldest_s)
    if any(_rate_quantity(entry, situation.latest) is None for entry in assigned):
        # A device with a total only is not silent as long as its total arrives.
        return _Now(None, unit, oldest_s, note)
    return _Now(total / 1000 if unit == "kW" else total, unit, oldest_s, note)


def _is_asleep(situation: Situation, point: Point, last_w: float, silent_s: float) -> bool:
    """Whether an inverter's silence is its night; see `evaluation.metering.silent_generation`."""
    if point.role is not Role.GENERATION or silent_s * 1000 > LONGEST_SLEEP_MS:
        return False
    day = situation.days.get(point.id)
    return is_dusk(last_w / 1000, (day.demand or 0.0) if day else 0.0)


def _quality_note(situation: Situation, device: str, quantity: str, words: Wording) -> str:
    _ = words.texts.gettext
    quality = situation.qualities.get((device, quantity))
    if quality is None:
        return ""
    texts = {
        Quality.ESTIMATED: _("estimated"),
        Quality.OUT_OF_RANGE: _("implausible value"),
        Quality.DEVICE_ERROR: _("{device} reports an error"),
        Quality.LINK_ERROR: _("No answer from {device}"),
        Quality.OVERFLOW: _("{device} is overloaded"),
    }
    return texts.get(quality, "").format(device=device)


def _no_data(age_s: float, words: Wording) -> str:
    _ = words.texts.gettext
    return _("No data for {duration}").format(duration=words.duration(age_s))


def _rate_quantity(entry: Assignment, latest: DeviceValues) -> str | None:
    if entry.rate_quantity is not None:
        return entry.rate_quantity
    return next((name for name in _WEIGHTS if (entry.device, name) in latest), None)


def _rate_unit(point: Point, entry: Assignment | None) -> str:
    if entry is not None and entry.rate_quantity is not None and entry.rate_quantity in QUANTITIES:
        unit = QUANTITIES[entry.rate_quantity].unit
        return "kW" if unit == "W" else unit
    return {Resource.ELECTRICITY: "kW", Resource.WATER: "m3/h"}.get(point.resource, "kg")


def _today_unit(situation: Situation, point: Point) -> str:
    units = {Resource.ELECTRICITY: "kWh", Resource.WATER: "m3"}
    for entry in situation.assignments:
        if entry.point == point.id and entry.amount_quantity in QUANTITIES:
            unit = QUANTITIES[entry.amount_quantity].unit
            # The assignment's factor has made something else of pulses; of what, only electricity and water tell.
            return units.get(point.resource, "") if unit == _PULSES else unit
    return units.get(point.resource, "kg")


def _line(situation: Situation, point: Point, now: _Now, site_power_kw: float | None) -> PointView:
    day = situation.days.get(point.id)
    return PointView(
        id=point.id,
        name=point.name,
        group=_group(point),
        resource=point.resource.value,
        role=point.role.value,
        rate=now.value,
        rate_unit=now.unit,
        share=_share(now.value, site_power_kw) if point.resource is Resource.ELECTRICITY else None,
        today=None if day is None else day.amount,
        today_unit=_today_unit(situation, point),
        age_s=now.age_s,
        note=now.note,
    )


def _used_today(electricity: Sequence[Point], amounts: Mapping[str, float]) -> float | None:
    used = site_use(electricity, Resource.ELECTRICITY, amounts)
    # An inverter that sleeps has no row yet in the first hours of a day.
    return amounts.get(site_series(Resource.ELECTRICITY.value)) if used is None else used


def _unmetered_lines(
    electricity: Sequence[Point],
    rates: Mapping[str, float],
    amounts: Mapping[str, float],
    site_power_kw: float | None,
    words: Wording,
) -> list[PointView]:
    """What the main supplies beyond its parts, where there is one main only."""
    _ = words.texts.gettext
    mains = [point for point in electricity if point.role is Role.MAIN]
    if len(mains) != 1 or site_power_kw is None:
        return []
    beyond = unmetered(electricity, mains[0].id, site_power_kw, rates)
    if beyond is None:
        return []
    used_today = _used_today(electricity, amounts)
    # Meters are read one after the other, so that a small negative rest is none.
    note = _("The parts measure more than the supply") if beyond < -0.05 * abs(site_power_kw) else ""
    rest = beyond if note else max(beyond, 0.0)
    return [
        PointView(
            id=UNMETERED,
            name=_("Not metered"),
            group="use",
            resource=Resource.ELECTRICITY.value,
            role=UNMETERED,
            rate=rest,
            rate_unit="kW",
            share=_share(rest, site_power_kw),
            today=None if used_today is None else unmetered(electricity, mains[0].id, used_today, amounts),
            today_unit="kWh",
            age_s=None,
            note=note,
        )
    ]


def _group(point: Point) -> str:
    if point.resource is not Resource.ELECTRICITY:
        return "other"
    return "supply" if point.role in _SUPPLY else "use"


def _share(power_kw: float | None, site_power_kw: float | None) -> float | None:
    if power_kw is None or site_power_kw is None or site_power_kw <= 0:
        return None
    return min(max(power_kw / site_power_kw, 0.0), 1.0)


def _state(situation: Situation, newest_age_s: float | None, words: Wording) -> tuple[str, str]:
    _ = words.texts.gettext
    if situation.problem:
        return "store", _("The store does not answer")
    if not situation.points:
        return "none", _("No measuring points are set up")
    if newest_age_s is None:
        return "none", _("Waiting for the first reading")
    if newest_age_s > OLD_AFTER_S:
        return "old", _no_data(newest_age_s, words)
    return "live", _("Live")


def _why_no_site_power(electricity: Sequence[Point], now: Mapping[str, _Now], words: Wording) -> str:
    _ = words.texts.gettext
    counted = [point for point in electricity if point.role in _SUPPLY]
    if not any(point.role in {Role.MAIN, Role.GENERATION} for point in counted):
        return _("No main supply is set up")
    missing = next((point for point in counted if now[point.id].value is None), None)
    return "" if missing is None else f"{missing.name}: {now[missing.id].note}"


def _age_s(found: Latest, now_ms: int) -> float:
    # An edge whose clock is ahead has readings of the future; they are no younger than now.
    return max(now_ms - found.time_ms, 0) / 1000


def _by_power(line: PointView) -> tuple[bool, float, str]:
    return line.rate is None, -(line.rate or 0.0), line.id
