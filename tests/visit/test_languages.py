"""The page in another language: no English is left of what the catalogue translates, and nothing is beside it."""

import ast
import inspect
import random
import re
from dataclasses import asdict, replace
from datetime import date
from gettext import NullTranslations
from types import ModuleType
from typing import Any

import pytest
from playwright.async_api import Browser

from languages.texts import Texts, texts
from tests.languages.english import english_in
from tests.servers.chromium import ON_THE_BROWSERS_LOOP
from tests.servers.waiting import eventually_async
from tests.visit.bakery import Bakery
from tests.visit.serving import Serve
from tests.visit.test_live import NOW_MS, POWER, SITUATION, watts
from tests.visit.test_savings import COUNTED, WAITING
from visit import page, savings_card
from visit.live import build
from visit.savings import NoBaseline
from visit.wording import Wording
from wire_format.quality import Quality

PHONE = {"width": 390, "height": 844}


def in_spanish(declared: dict[str, Any]) -> None:
    for number, point in enumerate(declared["points"]):
        point["name"] = f"Punto {number}"


@ON_THE_BROWSERS_LOOP
@pytest.mark.parametrize("hours", [0.0, 3.0])
async def test_no_english_is_left_on_a_spanish_page(
    bakery: Bakery, serve: Serve, browser: Browser, hours: float
) -> None:
    await bakery.declare(in_spanish)
    if hours:
        await bakery.fill(hours)
        await bakery.evaluate()
    url = serve(example=True).url
    context = await browser.new_context(viewport=PHONE, locale="es-PE")  # type: ignore[arg-type]
    shown = await context.new_page()
    await shown.goto(url)
    await shown.wait_for_selector("#app .lm-state")
    text = await shown.locator("body").inner_text()
    labels = await shown.locator("[aria-label]").evaluate_all("found => found.map(one => one.ariaLabel).join(' ')")

    assert "Potencia de la planta ahora" in text
    assert await shown.locator("html").get_attribute("lang") == "es"
    assert english_in(f"{text} {labels}", "es") == set()


@ON_THE_BROWSERS_LOOP
async def test_the_curve_is_read_in_the_readers_numbers(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=3)
    shown = await browser.new_page(locale="es")
    await shown.goto(serve().url)
    await shown.locator(".lm-chart canvas").wait_for()
    box = await shown.locator(".lm-chart").bounding_box()
    assert box is not None

    async def told() -> bool:
        # Before the chart is drawn it hears of no pointer.
        await shown.mouse.move(box["x"] + box["width"] * 0.5 + random.random(), box["y"] + box["height"] / 2)
        return bool(re.search(r"Planta\s+\d+,\d\d\skW", await shown.locator(".lm-chart").inner_text()))

    await eventually_async(told, timeout_s=10, what="a value with a comma")


@ON_THE_BROWSERS_LOOP
async def test_a_language_in_the_settings_is_that_of_all(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.2)
    url = serve(language="es").url
    shown = await browser.new_page(locale="en-US")
    await shown.goto(url)
    assert await shown.locator("#app h2").first.inner_text() == "Potencia de la planta ahora"


class Hidden(NullTranslations):
    """Every letter of a message that is asked for becomes a point, so that what nobody asked for stands out."""

    def gettext(self, message: str) -> str:
        parts = re.split(r"({[^}]*})", message)
        return "".join(part if part.startswith("{") else re.sub(r"\w", "·", part) for part in parts)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


HIDDEN = Wording(Texts("hidden", texts("en").locale, Hidden()))
WORD = re.compile(r"[^\W\d_]{3,}")
NAMED = replace(
    SITUATION,
    site_name="1",
    points=tuple(replace(point, name=f"{number}") for number, point in enumerate(SITUATION.points)),
)
KEYS = {"id", "site", "group", "resource", "role", "state", "rate_unit", "today_unit"}
"""What a view has besides texts."""
FACTS = {"main", "oven", "mixer", "meter", "kWh", "Jul", "Nov", "Dec"}


def words_of(value: object) -> set[str]:
    """Whole words in the texts of a view."""
    if isinstance(value, dict):
        return set().union(*(words_of(each) for key, each in value.items() if key not in KEYS))
    if isinstance(value, (list, tuple)):
        return set().union(*(words_of(each) for each in value))
    return set(WORD.findall(value)) if isinstance(value, str) else set()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"points": ()},
        {"points": NAMED.points[1:]},
        {"latest": {}},
        {"latest": watts(main=3000.0, oven=5000.0, mixer=2000.0, pv=0.0)},
        {"assignments": ()},
        {"problem": "broken"},
        {"missing_values": 3},
        {"wrong_days": 2},
        {"qualities": {("oven-meter", POWER): Quality.DEVICE_ERROR, ("mixer-meter", POWER): Quality.LINK_ERROR}},
        {"standings": (WAITING, COUNTED, replace(COUNTED, valid=False))},
        {"no_baseline": NoBaseline(3, date(2026, 11, 26))},
        {"no_baseline": NoBaseline(30, date(2026, 11, 26))},
    ],
)
@pytest.mark.parametrize("late_s", [0, 60, 3_600, 400_000])
def test_every_word_of_a_view_is_asked_of_the_catalogue(change: dict[str, Any], late_s: int) -> None:
    view = build(replace(NAMED, **change), NOW_MS + late_s * 1000, HIDDEN)

    assert words_of(asdict(view)) <= FACTS


@pytest.mark.parametrize("module", [page, savings_card])
def test_no_text_of_the_page_is_beside_the_catalogue(module: ModuleType) -> None:
    """What is handed to an element as its text is no literal."""
    for call in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        texts_handed = call.args[2:] if name == "text_element" else call.args if name == "set_text" else ()
        literals = [found.value for found in texts_handed if isinstance(found, ast.Constant)]
        assert not [text for text in literals if WORD.search(str(text))]
