"""Requests whose answers never came, and may still come when nobody expects them.

A frame on a serial line does not say which request it answers: only its unit id, function code and length do. So after
a timeout the unit is asked for nothing of the same length until a whole timeout more has passed, in which a reply that
is a little late comes and goes; and then something of another length is asked first. Devices answer in order: its
answer proves that nothing older is on its way.
"""

from edge_agent.modbus_frames import Request

LATE_LIMIT_S = 10.0
"""A reply that comes later than this after its request is held for impossible. The slowest gateways found give up on
a device after 5 s."""

Shape = tuple[int, int]
"""Function code and length of data: all that tells two replies of a unit apart."""


class Unanswered:
    """The unanswered requests of one line, by unit; `window_s` is how long nothing of the same length is asked."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._given_up_s: dict[int, dict[Shape, float]] = {}
        self._left_alone_until_s: dict[int, float] = {}

    def add(self, request: Request, now_s: float, *, damaged: bool = False) -> None:
        """Take note of a request given up now; of one that was answered with a damaged frame no more is awaited."""
        given_up_s = now_s - self._window_s if damaged else now_s
        self._given_up_s.setdefault(request.unit_id, {})[_shape(request)] = given_up_s

    def answered(self, unit_id: int, now_s: float) -> None:
        """A reply came that only the last request can have had: the earlier ones are over, but for very recent ones."""
        recent = {
            shape: given_up_s
            for shape, given_up_s in self._given_up_s.pop(unit_id, {}).items()
            if now_s - given_up_s < self._window_s
        }
        if recent:
            self._given_up_s[unit_id] = recent

    def leave_alone(self, unit_id: int, now_s: float) -> None:
        """Nothing tells what the unit has answered: only time does."""
        self._given_up_s.pop(unit_id, None)
        self._left_alone_until_s[unit_id] = now_s + LATE_LIMIT_S

    def must_wait(self, request: Request, now_s: float) -> bool:
        """Whether the request must not be sent now."""
        if now_s < self._left_alone_until_s.get(request.unit_id, 0.0):
            return True
        given_up_s = self._given_up_s.get(request.unit_id, {}).get(_shape(request))
        return given_up_s is not None and now_s - given_up_s < self._window_s

    def any_of(self, unit_id: int, now_s: float) -> bool:
        """Whether a late reply of the unit may still come."""
        shapes = self._given_up_s.get(unit_id)
        if not shapes:
            return False
        for shape in [shape for shape, given_up_s in shapes.items() if now_s - given_up_s > LATE_LIMIT_S]:
            del shapes[shape]
        return bool(shapes)

    def may_be_mistaken(self, request: Request, now_s: float) -> bool:
        """Whether a late reply would look like the answer to this request."""
        return self.any_of(request.unit_id, now_s) and _shape(request) in self._given_up_s[request.unit_id]

    def distinct(self, request: Request, now_s: float) -> Request | None:
        """A read at the same address whose answer looks like no late one, None when there is none at hand.

        Two registers fewer first: values of two registers stay whole then.
        """
        wanted = request.count
        for count in (wanted - 2, wanted - 1, wanted - 4, wanted + 1, wanted - 8):
            other = Request(request.unit_id, request.function_code, request.address, count)
            if 1 <= count <= 125 and not self.may_be_mistaken(other, now_s):
                return other
        return None


def _shape(request: Request) -> Shape:
    return request.function_code, request.reply_bytes
