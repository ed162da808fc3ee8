"""Where panels stand: from left to right in shelves of 24 columns, of one height each and filled to the end."""

from collections.abc import Sequence

from grafana_foundation_sdk.models.dashboard import GridPos, Panel, RowPanel

COLUMNS = 24
_ROW_HEIGHT = 1

_Placed = Panel | RowPanel


def place(panels: Sequence[_Placed]) -> None:
    """Give every panel its number and its place, in this order; spans are stretched so that no shelf has a hole.

    Grafana stacks panels on a phone by their place, so the order is that of importance there too.
    """
    y = 0
    shelf: list[Panel] = []
    for number, panel in enumerate(panels, start=1):
        panel.id_val = number
        if isinstance(panel, RowPanel):
            y += _set_down(shelf, y)
            shelf = []
            panel.grid_pos = GridPos(x=0, y=y, w=COLUMNS, h=_ROW_HEIGHT)
            y += _ROW_HEIGHT
            continue
        # A number beside a chart would be drawn as tall as the chart.
        full = sum(map(_span, shelf)) + _span(panel) > COLUMNS
        if full or (shelf and _height(shelf[-1]) != _height(panel)):
            y += _set_down(shelf, y)
            shelf = []
        shelf.append(panel)
    _set_down(shelf, y)


def _set_down(shelf: Sequence[Panel], y: int) -> int:
    """Place the panels of one shelf; returns its height."""
    if not shelf:
        return 0
    asked = sum(map(_span, shelf))
    height = _height(shelf[0])
    passed = x = 0
    for panel in shelf:
        passed += _span(panel)
        end = passed * COLUMNS // asked
        panel.grid_pos = GridPos(x=x, y=y, w=end - x, h=height)
        x = end
    return height


def _height(panel: Panel) -> int:
    return 0 if panel.grid_pos is None else panel.grid_pos.h


def _span(panel: Panel) -> int:
    return COLUMNS if panel.grid_pos is None else panel.grid_pos.w
