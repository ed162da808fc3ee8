"""The week as a picture: a bar a day, what was expected with its band, the goal. Pure: numbers in, PNG out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import fontpkg_noto_sans
from PIL import Image, ImageDraw, ImageFont

from languages import formats
from languages.texts import Texts
from notifications.week import DayUse, Week

SIZE_PX = (1080, 1080)
_MARGIN, _TOP, _BOTTOM = 64, 330, 860
_SCALE = 2  # drawn larger and reduced, which smooths edges
_PAPER, _INK, _SOFT, _RULE = "#ffffff", "#16211c", "#51605a", "#dfe5de"
_GREEN, _AMBER, _GREY, _BAND, _GOAL = "#0b6b4d", "#c2610c", "#7f8f87", "#cfe3d8", "#1d4ed8"
_FONT = fontpkg_noto_sans.ROOT / "files" / "NotoSans[wdth,wght].ttf"
_REGULAR, _BOLD = 400, 700
_DASHES = 7  # of which every second one is drawn


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a day is drawn: centre and half the width of its bar, in px."""

    centre: float
    half: float


def draw_week(week: Week, site_name: str, texts: Texts) -> bytes:
    """A square picture that can be read on a phone."""
    image = Image.new("RGB", (SIZE_PX[0] * _SCALE, SIZE_PX[1] * _SCALE), _PAPER)
    draw = _Drawing(ImageDraw.Draw(image))
    _head(draw, week, site_name, texts)
    top = _highest(week.days)
    width = (SIZE_PX[0] - 2 * _MARGIN) / len(week.days)
    for number, day in enumerate(week.days):
        _day(draw, day, _Place(_MARGIN + width * (number + 0.5), width * 0.36), top, texts)
    draw.line((_MARGIN, _BOTTOM), (SIZE_PX[0] - _MARGIN, _BOTTOM), _INK, 3)
    _legend(draw, week, texts)
    buffer = BytesIO()
    image.resize(SIZE_PX, Image.Resampling.LANCZOS).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


class _Drawing:
    """Draws in px of the finished picture."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, at: tuple[float, float], text: str, size: float, colour: str, *, bold: bool, anchor: str) -> None:
        self._draw.text(_scaled(at), text, font=_font(round(size * _SCALE), bold=bold), fill=colour, anchor=anchor)

    def width(self, text: str, size: float, *, bold: bool) -> float:
        return _font(round(size * _SCALE), bold=bold).getlength(text) / _SCALE

    def box(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        self._draw.rectangle([_scaled(start), _scaled(end)], fill=colour)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> None:
        self._draw.line([_scaled(start), _scaled(end)], fill=colour, width=round(width * _SCALE))

    def fitting(self, text: str, size: float, limit: float, *, bold: bool) -> float:
        """The size at which a text is no wider than the limit."""
        return min(size, size * limit / max(self.width(text, size, bold=bold), 1.0))


def _head(draw: _Drawing, week: Week, site_name: str, texts: Texts) -> None:
    _, locale = texts.gettext, texts.locale
    limit = SIZE_PX[0] - 2 * _MARGIN
    draw.text((_MARGIN, 92), site_name, draw.fitting(site_name, 48, limit, bold=True), _INK, bold=True, anchor="ls")
    draw.text((_MARGIN, 142), formats.week(week.first, week.last, locale), 34, _SOFT, bold=False, anchor="ls")
    amount = week.amount
    if amount is None:
        draw.text((_MARGIN, 240), _("no readings"), 68, _GREY, bold=True, anchor="ls")
        return
    total = f"{formats.amount(amount, locale)} kWh"
    draw.text((_MARGIN, 240), total, 76, _INK, bold=True, anchor="ls")
    found = week.comparison
    if found is not None:
        text, colour = _verdict(found.excess, found.amount < found.lower, found.amount > found.upper, texts)
        left = _MARGIN + draw.width(total, 76, bold=True) + 32
        draw.text((left, 240), text, draw.fitting(text, 40, SIZE_PX[0] - _MARGIN - left, bold=True), colour, bold=True,
                  anchor="ls")  # fmt: skip


def _verdict(excess: float, below: bool, above: bool, texts: Texts) -> tuple[str, str]:
    _ = texts.gettext
    percent = formats.percent(abs(excess), texts.locale)
    text = _("{percent} less than expected") if excess < 0 else _("{percent} more than expected")
    return text.format(percent=percent), _GREEN if below else _AMBER if above else _SOFT


def _highest(days: Sequence[DayUse]) -> float:
    values = [value for day in days for value in (day.amount, day.expected, day.upper, day.goal) if value is not None]
    return max([*values, 1e-9])


def _day(draw: _Drawing, day: DayUse, place: _Place, top: float, texts: Texts) -> None:
    locale = texts.locale

    def height(value: float) -> float:
        return _BOTTOM - max(value, 0.0) / top * (_BOTTOM - _TOP)

    left, right = place.centre - place.half, place.centre + place.half
    if day.lower is not None and day.upper is not None:
        draw.box((left - 8, height(day.upper)), (right + 8, height(day.lower)), _BAND)
    if day.amount is not None:
        draw.box((left + 10, height(day.amount)), (right - 10, _BOTTOM), _colour(day))
        label = formats.amount(day.amount, locale)
        size = draw.fitting(label, 34, 2 * place.half + 20, bold=True)
        highest = max(value for value in (day.amount, day.upper, day.expected) if value is not None)
        draw.text((place.centre, height(highest) - 12), label, size, _INK, bold=True, anchor="ms")
    else:
        draw.text((place.centre, _BOTTOM - 14), "–", 34, _GREY, bold=True, anchor="ms")
    if day.expected is not None:
        draw.line((left - 8, height(day.expected)), (right + 8, height(day.expected)), _INK, 5)
    if day.goal is not None:
        _dashed(draw, left - 8, right + 8, height(day.goal), _DASHES)
    draw.text((place.centre, _BOTTOM + 46), formats.short_weekday(day.day, locale), 34, _INK, bold=True, anchor="ms")
    draw.text((place.centre, _BOTTOM + 86), str(day.day.day), 30, _SOFT, bold=False, anchor="ms")


def _dashed(draw: _Drawing, left: float, right: float, height: float, parts: int) -> None:
    dash = (right - left) / parts
    for part in range(0, parts, 2):
        start = left + part * dash
        draw.line((start, height), (start + dash, height), _GOAL, 5)


def _colour(day: DayUse) -> str:
    if not day.judged:
        return _GREY
    return _AMBER if (day.amount or 0.0) > (day.upper or 0.0) else _GREEN


def _legend(draw: _Drawing, week: Week, texts: Texts) -> None:
    _ = texts.gettext
    entries = [("box", _GREEN if week.comparison else _GREY, _("used, kWh"))]
    if any(day.judged and _colour(day) == _AMBER for day in week.days):
        entries.append(("box", _AMBER, _("above the band")))
    if any(day.expected is not None for day in week.days):
        entries.append(("line", _INK, _("expected")))
    if any(day.upper is not None for day in week.days):
        entries.append(("box", _BAND, _("band")))
    if any(day.goal is not None for day in week.days):
        entries.append(("dashes", _GOAL, _("goal")))
    if week.comparison is None:
        entries.append(("", _SOFT, _("no baseline yet")))
    size, gap, swatch = 30.0, 36.0, 34.0
    fixed = sum(swatch + 12 if kind else 0 for kind, __, __ in entries) + gap * (len(entries) - 1)
    words = sum(draw.width(text, size, bold=False) for __, __, text in entries)
    size = min(size, size * (SIZE_PX[0] - 2 * _MARGIN - fixed) / max(words, 1.0))
    left, middle = float(_MARGIN), 1018.0
    for kind, colour, text in entries:
        if kind == "box":
            draw.box((left, middle - 14), (left + swatch, middle + 14), colour)
        elif kind == "line":
            draw.line((left, middle), (left + swatch, middle), colour, 5)
        elif kind == "dashes":
            _dashed(draw, left, left + swatch, middle, 3)
        left += swatch + 12 if kind else 0
        draw.text((left, middle), text, size, _SOFT, bold=False, anchor="lm")
        left += draw.width(text, size, bold=False) + gap


@lru_cache(maxsize=64)
def _font(size_px: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(_FONT), size_px)
    # Weight and width, in the order of the file.
    font.set_variation_by_axes([_BOLD if bold else _REGULAR, 100])
    return font


def _scaled(at: tuple[float, float]) -> tuple[float, float]:
    return at[0] * _SCALE, at[1] * _SCALE
