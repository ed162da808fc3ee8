"""A real Chromium, driven through Playwright's Python package."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
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


ON_THE_BROWSERS_LOOP = pytest.mark.asyncio(loop_scope="session")
"""What a file of tests with the fixture `browser` needs as its `pytestmark`, for the browser belongs to one loop."""


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """For one test: ``page = await browser.new_page(viewport={"width": 390, "height": 844})``; pages end with it."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """The browser of a whole run, whose start takes longer than most tests; pages of different tests share nothing."""
    program = next((found for name in NAMES if (found := find_program(name))), None)
    if program is None:
        skip_without(request.config, "chromium", "apt install chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS])
        try:
            yield started
        finally:
            await started.close()
