"""The time of a shared line: what fits into a cycle, and what may cost the other devices a poll."""

from edge_agent.clock import Clock, next_grid_time_ms

SPARE_S = 0.03
"""Work is meant to be over that long before the next poll: one that it overruns is skipped."""

OVERRUN_SHARE = 0.05
"""The part of the others' polls that work which never fits into a cycle may cost."""


class LineTime:
    """Cycles of `interval_ms` on the wall clock's grid.

    Of what fits into no cycle, the work that has waited longest beyond its patience goes first: nothing starves.
    """

    def __init__(self, clock: Clock, interval_ms: int) -> None:
        self.interval_s = interval_ms / 1000
        self._interval_ms = interval_ms
        self._clock = clock
        self._ends_s = 0.0
        self._may_overrun_at_s = 0.0
        self._waiting_s: list[float] = []
        self._first_s = 0.0

    def begin_cycle(self, wall_ms: float) -> None:
        """A cycle begins; it ends shortly before the next time of the grid."""
        left_ms = next_grid_time_ms(wall_ms, self._interval_ms) - wall_ms
        self._ends_s = self._clock.monotonic_s() + left_ms / 1000 - SPARE_S
        self._first_s = min(self._waiting_s, default=0.0)
        self._waiting_s.clear()

    @property
    def left_s(self) -> float:
        """What is left of the cycle."""
        return self._ends_s - self._clock.monotonic_s()

    def may_take(self, duration_s: float, patient_until_s: float) -> bool:
        """Whether work fits into what is left of the cycle, or has waited so long that the others have to.

        What may not is to ask again in the next cycle.
        """
        if duration_s <= self.left_s:
            return True
        self._waiting_s.append(patient_until_s)
        is_first = patient_until_s <= self._first_s
        return is_first and self._clock.monotonic_s() >= max(patient_until_s, self._may_overrun_at_s)

    def note_overrun(self) -> None:
        """After work: if the cycle is over, it has cost the others at least a poll, and nothing may for a time."""
        overrun_s = -self.left_s
        if overrun_s > 0:
            cost_s = max(overrun_s, self.interval_s)
            self._may_overrun_at_s = self._clock.monotonic_s() + cost_s / OVERRUN_SHARE
