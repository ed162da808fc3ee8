"""A real Chromium, driven through Playwright's Python package."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.servers.missing import find_program, skip_without

# Nothing may leave for the network, and a container has neither a sandbox nor a graphics card.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """A browser for one test: ``page = await browser.new_page(viewport={"width": 390, "height": 844})``."""
    program = next((found for name in NAMES if (found := find_program(name))), None)
    if program is None:
        skip_without(request.config, "chromium", "apt install chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        try:
            yield started
        finally:
            await started.close()
