"""Messages that wait, by edge: each edge is served in turn, and one that floods takes nobody else's place."""

from collections import Counter, OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """A bounded queue for each edge, served in turn.

    Args:
        most: items that wait, of all edges together.
        most_of_an_edge: items of one edge that wait.
        most_bytes: their sizes together.
        at_once: items of one edge that are under way.
    """

    def __init__(self, most: int, most_of_an_edge: int, most_bytes: int, at_once: int) -> None:
        self._most = most
        self._most_of_an_edge = most_of_an_edge
        self._most_bytes = most_bytes
        self._at_once = at_once
        self._waiting: OrderedDict[str, deque[tuple[Item, int]]] = OrderedDict()
        self._under_way: Counter[str] = Counter()
        self._count = 0
        self._bytes = 0

    def __len__(self) -> int:
        return self._count

    def put(self, edge: str, item: Item, size: int) -> list[Item]:
        """Have an item of `size` bytes wait; returns what found no place: this one, or later ones of a longer queue."""
        mine = self._waiting.get(edge, ())
        if len(mine) >= self._most_of_an_edge:
            return [item]
        dropped: list[Item] = []
        while self._count >= self._most or self._bytes + size > self._most_bytes:
            longest = max(self._waiting, key=lambda name: len(self._waiting[name]), default=edge)
            if longest == edge or len(self._waiting[longest]) <= len(mine) + 1:
                return [*dropped, item]
            dropped.append(self._pop(longest, newest=True))
        self._waiting.setdefault(edge, deque()).append((item, size))
        self._count += 1
        self._bytes += size
        return dropped

    def take(self) -> tuple[str, Item] | None:
        """The next item with its edge, to be told to `done`; None when nothing waits that may start."""
        for edge in self._waiting:
            if self._under_way[edge] < self._at_once:
                self._waiting.move_to_end(edge)
                self._under_way[edge] += 1
                return edge, self._pop(edge, newest=False)
        return None

    def done(self, edge: str) -> None:
        """An item that was taken is no longer under way."""
        self._under_way[edge] -= 1
        if not self._under_way[edge]:
            del self._under_way[edge]

    def _pop(self, edge: str, *, newest: bool) -> Item:
        waiting = self._waiting[edge]
        item, size = waiting.pop() if newest else waiting.popleft()
        if not waiting:
            del self._waiting[edge]
        self._count -= 1
        self._bytes -= size
        return item
