"""What the page says of savings: one entry a baseline. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from baselines.validity import FEWEST_POINTS
from evaluation.standing import Standing
from store.schema import ENERGY
from visit import wording
from visit.language import _


@dataclass(frozen=True, slots=True)
class SavingView:
    """One baseline on the page.

    `figure` is the saving in large letters, empty while there is none to show; `state` is proven, unproven or waiting.
    `progress` is the part of the goal that is reached, 0 to 1, None without a goal; `asked` what it asks for by today.
    `live` has a line on yesterday and one on the running week.
    """

    id: str
    name: str
    state: str
    figure: str
    text: str
    progress: float | None
    asked: float | None
    progress_text: str
    notes: tuple[str, ...]
    live: tuple[str, ...] = ()


def saving_views(standings: Sequence[Standing]) -> tuple[SavingView, ...]:
    """The entries, in the order of the plan."""
    return tuple(_view(standing) for standing in standings)


def no_baseline_text(whole_days: int, today: date) -> str:
    """What is missing while nobody has imported a plan, and from when there can be a baseline."""
    if whole_days >= FEWEST_POINTS:
        text = _("{days} whole days are measured: enough for a provisional baseline, which a plan describes.")
        return text.format(days=whole_days)
    ready = today + timedelta(days=FEWEST_POINTS - whole_days)
    text = _("{days} of the {needed} whole days that a provisional one needs are measured; it can be made on {date}.")
    return text.format(days=whole_days, needed=FEWEST_POINTS, date=ready.isoformat())


def _view(standing: Standing) -> SavingView:
    name = _name(standing.resource)
    live = tuple(verdict.text for verdict in standing.live)
    found = standing.savings
    if found is None:
        title = name if standing.state != "waiting" else _("{name}: no baseline yet").format(name=name)
        return SavingView(standing.baseline, title, "waiting", "", standing.text, None, None, "", (), live)
    progress = asked = None
    progress_text = ""
    if standing.goal_share:
        reached = found.savings_fraction if found.proven else 0.0
        progress = min(max(reached / standing.goal_share, 0.0), 1.0)
        asked = min((standing.asked_share or 0.0) / standing.goal_share, 1.0)
        progress_text = _("{reached} of {goal} points of the goal").format(
            reached=wording.number(100.0 * reached, 0), goal=wording.number(100.0 * standing.goal_share, 0)
        )
        if standing.asked_share:
            progress_text += _(" (the mark: {asked} by today)").format(
                asked=wording.number(100.0 * standing.asked_share, 0)
            )
        if standing.goal_is_average:
            progress_text += _("; SCORE firms report {goal} points on average").format(
                goal=wording.number(100.0 * standing.goal_share, 0)
            )
    kind = _("less") if found.savings >= 0.0 else _("more")
    figure = f"{wording.number(abs(100.0 * found.savings_fraction), 1)}\N{NARROW NO-BREAK SPACE}% {kind}"
    state = "proven" if found.proven else "unproven"
    return SavingView(
        standing.baseline, name, state, figure, standing.text, progress, asked, progress_text, _notes(standing), live
    )


def _notes(standing: Standing) -> tuple[str, ...]:
    notes = [
        _("{first} to {last}, {judged} of {days} days judged.").format(
            first=standing.first_day, last=standing.last_day, judged=standing.judged, days=standing.days
        )
    ]
    if not standing.valid or standing.provisional:
        notes.append(standing.verdict)
    if standing.resource == ENERGY and standing.worth_a_year is not None:
        notes.append(_("Worth at the mean price of a kWh of all energy."))
    notes += [finding.text for finding in standing.findings]
    return tuple(notes)


def _name(resource: str) -> str:
    return {
        "energy": _("All energy"),
        "electricity": _("Electricity"),
        "fuel": _("Fuel"),
        "heat": _("Heat"),
        "water": _("Water"),
        "compressed_air": _("Compressed air"),
        "material": _("Material"),
        "waste": _("Waste"),
        "product": _("Products"),
    }.get(resource, resource)
