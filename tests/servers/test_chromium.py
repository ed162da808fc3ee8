from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.async_api import Browser

from tests.servers.chromium import ON_THE_BROWSERS_LOOP
from tests.servers.ports import LOOPBACK, free_port


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.wfile.write(b"<h1>before</h1><script>document.querySelector('h1').textContent = 'after'</script>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@ON_THE_BROWSERS_LOOP
async def test_a_page_runs_its_script_at_a_phones_size(browser: Browser) -> None:
    server = ThreadingHTTPServer((LOOPBACK, free_port()), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        await page.goto(f"http://{LOOPBACK}:{server.server_port}/")
        assert await page.text_content("h1") == "after"
        assert await page.evaluate("innerWidth") == 390
    finally:
        server.shutdown()
        server.server_close()
