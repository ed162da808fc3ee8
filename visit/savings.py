"""What the page says of savings: one entry a baseline. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from baselines.validity import FEWEST_POINTS
from evaluation.judging.standing import Standing
from evaluation.judging.steps import ROWS
from languages import formats
from store.schema import ENERGY, MATERIALS_WASTED
from visit.wording import Wording


@dataclass(frozen=True, slots=True)
class SavingView:
    """One baseline on the page.

    `figure` is the saving in large letters, empty while there is none to show; `state` is proven, unproven or waiting.
    `progress` is the part of the goal that is reached, 0 to 1, None without a goal; `asked` what it asks for by today.
    `warnings` say why nothing can be claimed, `live` has a line each on today and this week so far, on yesterday and on
    the week's whole days, `details` say how the saving is counted.
    """

    id: str
    name: str
    state: str
    figure: str
    text: str
    progress: float | None = None
    asked: float | None = None
    progress_text: str = ""
    warnings: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoBaseline:
    """How many whole days are measured of a site without a plan, and on which there can be enough of them."""

    whole_days: int
    ready: date


def without_baseline(days: int, today: date) -> NoBaseline:
    """Of a site with so many measured days before today; the first began before its first reading."""
    whole = days - 1
    return NoBaseline(max(whole, 0), today + timedelta(days=max(FEWEST_POINTS - whole, 0)))


def saving_views(standings: Sequence[Standing], words: Wording) -> tuple[SavingView, ...]:
    """The entries, in the order of the plan."""
    return tuple(_view(standing, words) for standing in standings)


def no_baseline_text(found: NoBaseline, words: Wording) -> str:
    """What is missing while nobody has imported a plan, and from when there can be a baseline."""
    _ = words.texts.gettext
    if found.whole_days >= FEWEST_POINTS:
        text = _("{days} whole days are measured: enough for a first baseline, which a plan describes.")
        return text.format(days=words.number(found.whole_days, 0))
    ready = formats.day(found.ready, words.texts.locale)
    text = _("A baseline needs at least {needed} whole days; {days} are measured, and it can be made from {date} on.")
    return text.format(days=found.whole_days, needed=FEWEST_POINTS, date=ready)


def _view(standing: Standing, words: Wording) -> SavingView:
    _ = words.texts.gettext
    name = _name(standing.resource, words)
    text = words.texts.tell(standing.text)
    live = tuple(words.texts.tell(line) for line in standing.lines)
    found = standing.savings
    if found is None:
        title = name if standing.state != "waiting" else _("{name}: no baseline yet").format(name=name)
        return SavingView(standing.baseline, title, "waiting", "", text, live=live)
    progress = asked = None
    if standing.goal_share:
        progress = min(max(_reached(standing) / standing.goal_share, 0.0), 1.0)
        asked = min((standing.asked_share or 0.0) / standing.goal_share, 1.0)
    share = words.percent(abs(found.savings_fraction), 1)
    return SavingView(
        standing.baseline,
        name,
        "proven" if found.proven else "unproven",
        (_("{percent} less") if found.savings >= 0.0 else _("{percent} more")).format(percent=share),
        text,
        progress,
        asked,
        _progress_text(standing, words),
        () if standing.valid and not standing.provisional else (words.texts.tell(standing.verdict),),
        live,
        _details(standing, words),
    )


def _reached(standing: Standing) -> float:
    found = standing.savings
    return found.savings_fraction if found is not None and found.proven else 0.0


def _progress_text(standing: Standing, words: Wording) -> str:
    """What the bar shows; the points of a proven saving are told above it already."""
    _ = words.texts.gettext
    if not standing.goal_share:
        return ""
    goal = words.number(100.0 * standing.goal_share, 0)
    told = []
    if not _reached(standing):
        told.append(_("0 of {goal} points of the goal so far.").format(goal=goal))
    if standing.asked_share:
        asked = round(100.0 * standing.asked_share)
        mark = words.texts.ngettext(
            "The mark on the bar is what the goal asks for by today: {asked} point.",
            "The mark on the bar is what the goal asks for by today: {asked} points.",
            asked,
        )
        told.append(mark.format(asked=words.number(asked, 0)))
    if standing.goal_is_average:
        told.append(_("SCORE firms report {goal} points on average.").format(goal=goal))
    return " ".join(told)


def _details(standing: Standing, words: Wording) -> tuple[str, ...]:
    _, locale = words.texts.gettext, words.texts.locale
    told = []
    if standing.first_day is not None and standing.last_day is not None:
        told.append(
            _("{first} to {last}: {judged} of {all_rows} {rows} judged.").format(
                first=formats.day(date.fromisoformat(standing.first_day), locale),
                last=formats.day(date.fromisoformat(standing.last_day), locale),
                judged=words.number(standing.judged, 0),
                all_rows=words.number(standing.days, 0),
                rows=words.texts.tell(ROWS[standing.step]),
            )
        )
    if standing.valid and not standing.provisional:
        told.append(words.texts.tell(standing.verdict))
    if standing.resource == ENERGY and standing.worth_a_year is not None:
        told.append(_("Worth at the mean price of a kWh of all energy."))
    return (*told, *(_sentence(words.texts.tell(finding.text)) for finding in standing.findings))


def _sentence(finding: str) -> str:
    """What stands alone here is the end of a line elsewhere."""
    return finding[:1].upper() + finding[1:] + ("" if finding.endswith(("?", ".", "!")) else ".")


def _name(resource: str, words: Wording) -> str:
    _ = words.texts.gettext
    return {
        "energy": _("All energy"),
        "electricity": _("Electricity"),
        "fuel": _("Fuel"),
        "heat": _("Heat"),
        "water": _("Water"),
        "compressed_air": _("Compressed air"),
        "material": _("Material"),
        "waste": _("Waste"),
        MATERIALS_WASTED: _("Materials wasted"),
        "product": _("Products"),
    }.get(resource, resource)
