"""The page in a real Chromium against a SQLite store: what stands there is what the store holds."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from store.edge_ledger import EdgeLedger, Reconciliation, ToldDay
from tests.servers.chromium import ON_THE_BROWSERS_LOOP
from tests.servers.waiting import eventually_async
from tests.visit.bakery import SITE, Bakery, column
from tests.visit.serving import Serve
from visit.wording import ENGLISH
from wire_format.batch import DeviceRows

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
SCREENS = pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])


pytestmark = ON_THE_BROWSERS_LOOP


async def opened(browser: Browser, url: str, screen: Any = PHONE) -> Page:
    """The page with its curve; nothing may have been asked of another host, and nothing may have failed."""
    page = await browser.new_page(viewport=screen)
    mistakes: list[str] = []
    page.on("console", lambda message: mistakes.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("request", lambda request: mistakes.append(request.url) if not request.url.startswith(url) else None)
    await page.goto(url)
    await page.wait_for_selector(".lm-chart canvas", state="attached")
    assert [text for text in mistakes if not text.startswith(("data:", "blob:", "ws:"))] == []
    return page


async def text_of(page: Page, selector: str) -> str:
    return " ".join((await page.locator(f"#app {selector}").inner_text()).split())


async def test_the_numbers_are_those_of_the_store(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=3, every_s=30)
    await bakery.evaluate()
    served = serve()
    page = await opened(browser, served.url)
    await bakery.go_on()
    await page.locator("#app .lm-state.live").wait_for(state="visible", timeout=10_000)

    latest = await bakery.readings.latest(SITE, 0)
    power_kw = sum(latest[device, "active_power_total"].value for device in ("main-meter", "pv-inverter")) / 1000
    days = {
        row.point: row.amount for row in await bakery.readings.days(SITE, bakery.now_ms - 86_400_000, bakery.now_ms)
    }
    oven_kw = latest["oven-meter", "active_power_total"].value / 1000
    assert await text_of(page, ".lm-now") == ENGLISH.power_text(power_kw)
    oven = await text_of(page, '[data-point="oven"]')
    assert f"Oven 1 {ENGLISH.power_text(oven_kw)}" in oven
    assert f"{ENGLISH.today(days['oven'], 'kWh')} today" in oven
    assert f"{ENGLISH.today(days['water'], 'm3')} today" in await text_of(page, '[data-point="water"]')
    assert f"{ENGLISH.today(days['product'], 'kg')} today" in await text_of(page, '[data-point="product"]')
    assert ENGLISH.today(days["main"] + days["pv"], "kWh") in await text_of(page, ".lm-facts")
    assert await text_of(page, ".lm-state.live") == "Live"
    view = served.live()
    assert view["site_power_kw"] == pytest.approx(power_kw)
    assert {line["id"]: line["today"] for line in view["points"]}["oven"] == pytest.approx(days["oven"])


async def test_new_readings_arrive_by_themselves(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.5)
    served = serve()
    page = await opened(browser, served.url)
    before = await text_of(page, ".lm-now")

    power = column("active_power_total", [25_000.0])
    await bakery.write([DeviceRows("main-meter", (bakery.now_ms + 5_000,), (power,))])

    async def changed() -> bool:
        return await text_of(page, ".lm-now") != before

    await eventually_async(changed, timeout_s=10, what="another number")


async def test_the_number_stands_in_the_first_html(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.5)
    served = serve()

    html = served.get()
    power = served.live()["site_power_kw"]
    number, _ = ENGLISH.power(power)
    assert re.search(rf'<span class="lm-now-number">{re.escape(number)}</span>', html)
    assert "<title>Panadería El Sol" in html

    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(served.url)
    assert await page.locator("#lm-first .lm-now-number").inner_text() == number
    await context.close()


@SCREENS
async def test_nothing_scrolls_sideways_and_the_first_paint_makes_room(
    bakery: Bakery, serve: Serve, browser: Browser, screen: dict[str, int]
) -> None:
    await bakery.fill(hours=3)
    await bakery.evaluate()
    page = await opened(browser, serve(example=True).url, screen)

    assert await page.evaluate("document.documentElement.scrollWidth") == screen["width"]
    assert not await page.locator("#lm-first").is_visible()
    assert await page.locator("h1:visible").count() == 1
    box = await page.get_by_test_id("site-power").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < screen["height"] / 2
    assert box["height"] > 70


async def test_without_a_baseline_the_page_says_what_it_needs(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.5)
    page = await opened(browser, serve().url)

    text = await text_of(page, ".lm-last")
    assert text.startswith("Savings: no baseline yet Savings need a baseline")
    assert "example" not in (await text_of(page, ".lm-page")).lower()


async def test_an_example_baseline_is_called_one(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.5)
    page = await opened(browser, serve(example=True).url)

    assert "The dashed line is an example" in await text_of(page, ".lm-last")
    assert "Example baseline, not measured" in await text_of(page, ".lm-legend")


async def test_a_lost_connection_is_told_and_recovers(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.5)
    served = serve()
    page = await opened(browser, served.url)
    lost = page.locator(".lm-lost")
    assert not await lost.is_visible()

    served.process.kill()
    await lost.wait_for(state="visible", timeout=10_000)
    assert not await page.locator(".lm-state.live:visible").count()
    served.process.start()
    served.wait()
    await bakery.go_on()

    await page.locator("#app .lm-state.live").wait_for(state="visible", timeout=20_000)
    assert not await lost.is_visible()


async def test_readings_that_did_not_arrive_are_told(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    await bakery.fill(hours=0.5)
    ledger = EdgeLedger(bakery.folder / "e.sqlite")
    day_ms = bakery.now_ms // 86_400_000 * 86_400_000 - 86_400_000
    await ledger.note_told([ToldDay(SITE, "edge-1", day_ms, "oven-meter", 86_400)])
    page = await opened(browser, serve().url)
    assert not await page.locator(".lm-warning").is_visible()
    await page.close()

    await ledger.note_compared([Reconciliation(SITE, "edge-1", day_ms, "oven-meter", 86_400, 85_000)])
    await ledger.close()
    page = await opened(browser, serve().url)
    assert (await text_of(page, ".lm-warning")).startswith("1,400 values of the last days have not arrived")


async def test_before_the_first_reading(serve: Serve, browser: Browser) -> None:
    page = await opened(browser, serve().url)

    assert await text_of(page, ".lm-state.none") == "Waiting for the first reading"
    assert "No reading yet from oven-meter" in await text_of(page, '[data-point="oven"]')
    assert "The curve begins with the first reading." in await text_of(page, ".lm-page")
    assert not await page.locator(".lm-chart").is_visible()


async def test_a_site_without_generation_has_no_word_of_it(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    def without(declared: dict[str, Any]) -> None:
        declared["points"] = [point for point in declared["points"] if point["id"] != "pv"]

    await bakery.declare(without)
    await bakery.fill(hours=0.5, skip=("pv-inverter",))
    page = await opened(browser, serve().url)
    assert "Used today" in await text_of(page, ".lm-facts")
    assert "Own generation" not in await text_of(page, ".lm-facts")


async def test_names_are_text_and_never_markup(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    def rename(declared: dict[str, object]) -> None:
        declared["name"] = "<img src=x onerror=document.title='broken'>"

    await bakery.declare(rename)
    await bakery.fill(hours=0.5)
    page = await opened(browser, serve().url)

    assert await page.locator("h1:visible").inner_text() == "<img src=x onerror=document.title='broken'>"
    assert await page.locator("img").count() == 0


# Text colour against the nearest background that is not transparent, by the WCAG 2 formula; large text needs less.
_CONTRASTS = """
() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const channel = (value) => { const c = value / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("main *, header *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.offsetParent) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(parse(style.color)), luminance(background(element))].sort((x, y) => y - x);
    const needed = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    if ((a + 0.05) / (b + 0.05) < needed) found.push(element.className + ": " + element.textContent);
  }
  return found;
}
"""


async def test_contrast_is_enough_for_tired_eyes(bakery: Bakery, serve: Serve, browser: Browser) -> None:
    bakery.now_ms -= 100_000
    await bakery.fill(hours=3)
    page = await opened(browser, serve(example=True).url)

    assert await page.locator(".lm-row-note:visible").count() > 3
    assert await page.evaluate(_CONTRASTS) == []
