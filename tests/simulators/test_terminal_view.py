import asyncio
import io

from simulators.faults import Reply, Request
from simulators.terminal_view import TerminalView

REQUEST = Request(3, bytes((4, 0, 52, 0, 2)))


def test_requests_and_what_became_of_them() -> None:
    view = TerminalView("eastron/sdm630", faults=lambda: ["silence until 12 s"])
    view.show_values(lambda time_s: {"active_power_total": 1500.0 + time_s, "serial": "ab"}, lambda: 2.0)
    view.note(REQUEST, Reply(3, bytes((4, 4, 0x44, 0xBB, 0x80, 0))))
    view.note(REQUEST, Reply(3, bytes((0x84, 2))))
    view.note(REQUEST, Reply(3, b"\x04\x00", silent=True))
    view.note(REQUEST, Reply(3, b"\x04\x00", hang_up=True))
    screen = view.draw("127.0.0.1:5020", 100, 30)
    for words in (
        "eastron/sdm630",
        "127.0.0.1:5020",
        "4 requests",
        "silence until 12 s",
        "unit 3   function 4    2 from 52     44bb 8000",
        "exception 2",
        "no answer",
        "connection closed",
        "active_power_total",
        "1502",
    ):
        assert words in screen, words


def test_a_small_terminal_is_never_overflown() -> None:
    view = TerminalView("meter")
    view.show_values(lambda _: {f"quantity_{index}": float(index) for index in range(200)}, lambda: 0.0)
    for _ in range(50):
        view.note(REQUEST, Reply(3, bytes((4, 0))))
    screen = view.draw("here", 60, 24)
    assert screen.count("\n") <= 24


async def test_it_draws_until_it_is_stopped() -> None:
    screen, stop = io.StringIO(), asyncio.Event()
    drawing = asyncio.create_task(TerminalView("meter").run("here", stop, screen))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(drawing, 1)
    assert "nobody asks yet" in screen.getvalue()
