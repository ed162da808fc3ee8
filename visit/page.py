"""The page itself: cards and rows of NiceGUI that follow the shared view, one set for each client."""

from html import escape
from importlib.resources import files

from nicegui import Client, ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from visit.chart import chart_options
from visit.elements import box, set_class, text_element
from visit.live import OLD_AFTER_S, LiveView, PointView
from visit.reader import VIEW_INTERVAL_S, LiveReader
from visit.savings_card import SavingsCard
from visit.wording import Wording

# Rows change places at this pace only, so that nothing jumps away under a finger.
SORT_EVERY = 10
_STYLE = files("visit").joinpath("style.css").read_text(encoding="utf-8")


def first_html(view: LiveView, words: Wording) -> str:
    """What is shown until the scripts have run: name, number and state, without any of them."""
    _ = words.texts.gettext
    value, unit = words.power(view.site_power_kw)
    return (
        f'<div id="lm-first"><div class="lm-top"><h1>{escape(view.site_name)}</h1>'
        f'<span class="lm-state {view.state}">{escape(view.state_text)}</span></div>'
        f'<div class="lm-page"><div class="lm-column"><div class="lm-card"><h2 class="lm-label">'
        f'{escape(_("Site power now"))}</h2><div class="lm-now"><span class="lm-now-number">{escape(value)}</span> '
        f'<span class="lm-now-unit">{escape(unit)}</span></div></div></div></div></div>'
    )


class LivePage:
    """One client's page. Building it asks the store nothing."""

    def __init__(self, reader: LiveReader, words: Wording, *, example: bool) -> None:
        _ = words.texts.gettext
        self._words = words
        self._reader = reader
        self._ticks = 0
        self._rows: dict[str, _Row] = {}
        self._groups: dict[str, tuple[Element, Element]] = {}
        ui.add_head_html(f"<style>{_STYLE}</style>")
        ui.add_body_html(first_html(reader.view_in(words), words))
        self._build_top()
        self._warning = text_element("div", "lm-warning").props('role="alert" data-testid="warning"')
        with box("lm-page"):
            with box("lm-column"):
                self._hero = _Hero(words)
                self._today = _Today(reader, words, example=example)
                self._savings = SavingsCard(words, example=example)
            with box("lm-column"):
                self._build_group("use", _("Where it goes"))
                self._build_group("supply", _("Where it comes from"))
                self._build_group("other", _("Water, materials and products"))
        self.update()

    async def add_chart(self, client: Client) -> None:
        """Draw the curve once the browser shows the rest, and follow the view from then on."""
        await client.connected()
        self._today.add_chart()
        ui.timer(VIEW_INTERVAL_S, self.update)

    def update(self) -> None:
        """Follow the shared view; only what changed goes to the browser."""
        view = self._reader.view_in(self._words)
        self._title.set_text(view.site_name)
        self._state.set_text(view.state_text)
        set_class(self._state, f"lm-state {view.state}")
        self._warning.set_text(view.warning)
        self._warning.set_visibility(bool(view.warning))
        self._hero.show(view)
        self._today.show(view)
        self._savings.show(view)
        self._show_points(view)
        self._ticks += 1

    def _build_top(self) -> None:
        _ = self._words.texts.gettext
        with box("lm-top", "header"):
            self._title = text_element("h1", "")
            self._state = text_element("span", "lm-state").props('role="status"')
            text_element("span", "lm-state lm-lost", _("Connection lost, trying again"))

    def _build_group(self, group: str, title: str) -> None:
        card = box("lm-card", "section")
        with card:
            text_element("h2", "", title)
            self._groups[group] = (card, box("lm-rows", "ul"))
        card.set_visibility(False)

    def _show_points(self, view: LiveView) -> None:
        shown = {line.id for line in view.points}
        for gone in [name for name in self._rows if name not in shown]:
            self._rows.pop(gone).element.delete()
        for order, line in enumerate(view.points):
            row = self._rows.get(line.id)
            if row is None:
                card, rows = self._groups[line.group]
                card.set_visibility(True)
                with rows:
                    row = self._rows[line.id] = _Row(line, self._words)
            row.show(line)
            if self._ticks % SORT_EVERY == 0:
                row.place(order)


class _Hero:
    """The one big number, and what stands behind it."""

    def __init__(self, words: Wording) -> None:
        _ = words.texts.gettext
        self._words = words
        self._card = box("lm-card", "section")
        with self._card:
            text_element("h2", "lm-label", _("Site power now"))
            with box("lm-now"):
                self._number = text_element("span", "lm-now-number").props('data-testid="site-power"')
                self._unit = text_element("span", "lm-now-unit")
            self._age = text_element("div", "lm-age")
            with box("lm-facts"):
                self._supply_name, self._supply = self._fact()[1:]
                self._own_fact, own_name, self._own = self._fact()
                today_name, self._today = self._fact()[1:]
        own_name.set_text(_("Own generation"))
        today_name.set_text(_("Used today"))

    def show(self, view: LiveView) -> None:
        words, _ = self._words, self._words.texts.gettext
        value, unit = words.power(view.site_power_kw)
        self._number.set_text(value)
        self._unit.set_text(unit)
        age_s = view.site_power_age_s
        self._age.set_text(view.site_power_note or words.age(age_s))
        stale = view.state != "live" or age_s is None or age_s > OLD_AFTER_S
        set_class(self._card, "lm-card lm-stale" if stale else "lm-card")
        supply_kw = _sum_of(view, "main")
        exports = supply_kw is not None and supply_kw < 0
        self._supply_name.set_text(_("To the grid") if exports else _("From the grid"))
        self._supply.set_text(words.power_text(None if supply_kw is None else abs(supply_kw)))
        self._own_fact.set_visibility(any(line.role == "generation" for line in view.points))
        self._own.set_text(words.power_text(_sum_of(view, "generation")))
        self._today.set_text(words.today(view.site_today_kwh, "kWh"))

    @staticmethod
    def _fact() -> tuple[Element, TextElement, TextElement]:
        with box("lm-fact") as fact:
            return fact, text_element("div", "lm-fact-name"), text_element("div", "lm-fact-value")


class _Today:
    """The day's curve. The chart comes after the first HTML, because its script is as large as all else."""

    def __init__(self, reader: LiveReader, words: Wording, *, example: bool) -> None:
        _ = words.texts.gettext
        self._words = words
        self._reader = reader
        self._chart: ui.echart | None = None
        self._curve_version = -1
        with box("lm-card", "section"):
            with box("lm-heading"):
                text_element("h2", "", _("Today"))
                self._note = text_element("span", "lm-heading-note")
            self._empty = text_element("p", "lm-text", _("The curve begins with the first reading."))
            self._legend = box("lm-legend", "ul")
            with self._legend:
                text_element("li", "", _("Site"))
                self._generation = text_element("li", "generation", _("Own generation"))
                self._expected = text_element("li", "expected", _("Expected, with its band"))
                if example:
                    text_element("li", "example", _("Example baseline, not measured"))
            self._place = box("lm-chart").props('role="img"')
            self._place.props["aria-label"] = _("Curve of today's power")

    def add_chart(self) -> None:
        """Load and draw it."""
        with self._place:
            self._chart = ui.echart(chart_options(self._reader.curve, self._reader.time_zone, self._words))
        self._curve_version = self._reader.curve_version

    def show(self, view: LiveView) -> None:
        """Follow view and curve."""
        _ = self._words.texts.gettext
        self._note.set_text(
            ""
            if view.measured_today_s is None
            else _("measured for {duration}").format(duration=self._words.duration(view.measured_today_s))
        )
        drawn = bool(self._reader.curve.times_ms)
        self._empty.set_visibility(not drawn)
        self._legend.set_visibility(drawn)
        self._place.set_visibility(drawn)
        self._expected.set_visibility(bool(self._reader.curve.expected))
        self._generation.set_visibility(any(line.role == "generation" for line in view.points))
        if self._chart is not None and self._curve_version != self._reader.curve_version:
            self._curve_version = self._reader.curve_version
            self._chart.options.clear()
            self._chart.options.update(chart_options(self._reader.curve, self._reader.time_zone, self._words))
            self._chart.update()


class _Row:
    """One point: name and rate, share, today's amount and what is to be known about it."""

    def __init__(self, line: PointView, words: Wording) -> None:
        self._words = words
        self._order = -1
        self._width = ""
        self.element = box(f"lm-row {line.role}", "li").props(f'data-point="{line.id}"')
        with self.element:
            with box("lm-row-line"):
                self._name = text_element("span", "lm-row-name")
                with box("lm-row-value", "span"):
                    self._value = text_element("span", "lm-row-number")
                    self._unit = text_element("span", "lm-row-unit")
            self._bar = box("lm-bar").props('aria-hidden="true"')
            with self._bar:
                self._fill = box("lm-bar-fill")
            with box("lm-row-line"):
                self._today = text_element("span", "lm-row-small lm-row-today")
                self._note = text_element("span", "lm-row-small lm-row-note")

    def show(self, line: PointView) -> None:
        words, _ = self._words, self._words.texts.gettext
        value, unit = words.rate(line.rate, line.rate_unit)
        has_rate = line.rate is not None or line.rate_unit != "kg"
        self._name.set_text(line.name)
        self._value.set_text(value if has_rate else "")
        self._unit.set_text(f"\N{NO-BREAK SPACE}{unit}" if has_rate else "")
        today = words.today(line.today, line.today_unit)
        self._today.set_text(_("{amount} today").format(amount=today))
        scale = _("on the scale") if line.rate_unit == "kg" and line.rate is not None else ""
        self._note.set_text(line.note or scale or words.percent(line.share))
        set_class(self._note, "lm-row-small lm-row-note" if line.note else "lm-row-small")
        self._bar.set_visibility(line.share is not None)
        width = f"width:{100 * (line.share or 0):.0f}%"
        if width != self._width:
            self._width = width
            self._fill.style(replace=width)

    def place(self, order: int) -> None:
        if order != self._order:
            self._order = order
            self.element.style(replace=f"order:{order}")


def _sum_of(view: LiveView, role: str) -> float | None:
    """The power of all points of a role in kW; None where one of them has none."""
    lines = [line for line in view.points if line.resource == "electricity" and line.role == role]
    known = [line.rate for line in lines if line.rate is not None]
    return sum(known) if lines and len(known) == len(lines) else None
