"""The card of savings: one entry a baseline, or what is missing for one."""

from nicegui.element import Element

from visit.elements import box, set_class, text_element
from visit.live import LiveView
from visit.savings import SavingView
from visit.wording import Wording


class SavingsCard:
    """What has been saved against each baseline; from the first day on it says what is missing for one."""

    def __init__(self, words: Wording, *, example: bool) -> None:
        self._words = words
        self._shown: object = None
        self._example = example
        self._card = box("lm-card lm-last", "section").props('data-testid="savings"')

    def show(self, view: LiveView) -> None:
        """Follow the view; what is the same is left alone, so that details that somebody opened stay open."""
        shown = (view.savings, view.no_baseline)
        if shown == self._shown:
            return
        self._shown = shown
        _ = self._words.texts.gettext
        # On a phone what is missing stands last, what has been saved below today's curve.
        set_class(self._card, "lm-card" if view.savings else "lm-card lm-last")
        self._card.clear()
        with self._card:
            if view.savings:
                text_element("h2", "", _("Savings"))
                for number, saving in enumerate(view.savings):
                    self._build_saving(saving, in_full=number == 0)
            else:
                self._build_none(view.no_baseline)

    def _build_none(self, missing: str) -> None:
        _ = self._words.texts.gettext
        with box("lm-heading"):
            text_element("h2", "", _("Savings: no baseline yet"))
            if self._example:
                text_element("span", "lm-badge", _("example"))
        needs = _("Savings need a baseline: some weeks of measured use before a change, or twelve monthly bills.")
        text_element("p", "lm-text", needs)
        if missing:
            text_element("p", "lm-text", missing)
        if self._example:
            text_element(
                "p",
                "lm-text",
                _("The dashed line is an example. It shows what a baseline will look like, and proves nothing."),
            )

    def _build_saving(self, saving: SavingView, *, in_full: bool) -> None:
        """The first of the plan tells of its days and weeks at once, the others when they are asked."""
        _ = self._words.texts.gettext
        told, asked = (saving.live, saving.details) if in_full else ((), (*saving.live, *saving.details))
        summary = _("How it is counted") if in_full else _("Today, this week, and how it is counted")
        with box(f"lm-saving {saving.state}"):
            with box("lm-heading"):
                text_element("h3", "", saving.name)
                if saving.state == "unproven":
                    text_element("span", "lm-badge", _("not yet proven"))
            if saving.figure:
                text_element("div", "lm-figure", saving.figure)
            text_element("p", "lm-text lm-sentence", saving.text)
            if saving.progress is not None:
                self._build_progress(saving, saving.progress)
            for line in saving.warnings:
                text_element("p", "lm-row-small", line)
            for line in told:
                text_element("p", "lm-text", line)
            if asked:
                with box("lm-details", "details"):
                    text_element("summary", "", summary)
                    for line in asked:
                        text_element("p", "lm-row-small", line)

    def _build_progress(self, saving: SavingView, progress: float) -> None:
        _ = self._words.texts.gettext
        with box("lm-bar lm-goal") as bar:
            _describe(bar, _("Part of the goal that is reached"), round(100 * progress))
            box("lm-bar-fill").style(f"width:{100 * progress:.0f}%")
            if saving.asked:
                box("lm-asked").style(f"left:{100 * saving.asked:.0f}%")
        if saving.progress_text:
            text_element("div", "lm-row-small", saving.progress_text)


def _describe(bar: Element, what: str, percent: int) -> None:
    """For who hears the page."""
    bar.props["role"] = "progressbar"
    bar.props["aria-label"] = what
    bar.props["aria-valuemin"], bar.props["aria-valuemax"], bar.props["aria-valuenow"] = 0, 100, percent
