"""What an agent remembers of itself over restarts, and what it tells of the time in which it did not live."""

import msgspec

from wire_format.events import Event, EventKind

SHORTEST_OUTAGE_MS = 20_000
"""A computer that is back sooner was restarted; the state is up to 10 s old besides."""


class Life(msgspec.Struct, array_like=True):
    """Kept with the totals. Later versions add fields at the end.

    Attributes:
        alive_ms: when it was last known to live, 0 before the first time.
        boot_id: of the computer then.
        stopped: whether it ended because somebody wanted it to.
        steps_back: how often the clock was set back by more than `SteadyClock` smooths.
        outages: devices whose voltages are gone, with the time at which they went.
    """

    alive_ms: int = 0
    boot_id: str = ""
    stopped: bool = False
    steps_back: int = 0
    outages: dict[str, int] = {}


def events_of_start(life: Life, agent: str, started_ms: int, boot_id: str) -> list[Event]:
    """What a start tells: how long nobody has read the meters, and whether the computer had no power meanwhile."""
    if not life.alive_ms:
        return [Event(agent, EventKind.AGENT_STARTED, started_ms, text="the agent runs for the first time")]
    gap_ms = started_ms - life.alive_ms
    how = "after it was stopped" if life.stopped else "after it had ended suddenly"
    numbers = {"last_alive_ms": float(life.alive_ms), "gap_s": gap_ms / 1000}
    started = Event(agent, EventKind.AGENT_STARTED, started_ms, text=f"the agent runs again, {how}", numbers=numbers)
    if life.stopped or life.boot_id == boot_id or gap_ms < SHORTEST_OUTAGE_MS:
        return [started]
    text = "the agent's computer had no power"
    outage = Event(agent, EventKind.OUTAGE, life.alive_ms, "agent", text, {"until_ms": float(started_ms)})
    return [outage, started]
