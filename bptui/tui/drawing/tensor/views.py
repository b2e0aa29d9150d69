"""The views of one tensor: what is said of it above, the view below, and at the foot the cell where the reader is."""

from __future__ import annotations

from dataclasses import replace

from bptui.tui.drawing.lines import Line, cut, line
from bptui.tui.drawing.tensor.albums import album
from bptui.tui.drawing.tensor.grid import Grid
from bptui.tui.drawing.tensor.header import footer, header
from bptui.tui.drawing.tensor.heat import Map, heat, whole
from bptui.tui.drawing.tensor.pictures import Pictures
from bptui.tui.drawing.tensor.seen import Seen
from bptui.tui.drawing.tensor.sheet import Sheet, below, next_to, nowhere

# A pane lower than this and as wide as this has map and numbers side by side.
_LOW, _WIDE = 18, 66


def view_of(seen: Seen, view: str, columns: int, rows: int) -> Sheet:
    """A view in so much room, or as much of it as fits."""
    head = _head(seen, view, columns, rows)
    room = max(1, rows - len(head) - 1)
    drawn = below(Sheet(head, nowhere, seen.stepped), _drawn(seen, view, columns, room))
    lines = [*drawn.lines[: rows - 1], footer(seen, columns)]
    return Sheet(lines[:rows], drawn.at, drawn.moved, drawn.page)


def _head(seen: Seen, view: str, columns: int, rows: int) -> list[Line]:
    """What is said of it; less of that where a map has a mark for each cell then."""
    said = header(seen, columns, rows)[: max(1, rows - 3)]
    if view != "heat":
        return said
    lengths = (length for length in range(len(said), 0, -1) if whole(seen, columns, rows - length - 1))
    return said[: next(lengths, len(said))]


def _drawn(seen: Seen, view: str, columns: int, rows: int) -> Sheet:
    if view == "heat":
        return heat(seen, columns, rows)
    if view == "both":
        return _both(seen, columns, rows)
    if view == "picture":
        return _pictures(seen, columns, rows)
    return Grid(seen, columns, rows).sheet()


def _both(seen: Seen, columns: int, rows: int) -> Sheet:
    """The map above the numbers; in a low and wide pane beside them."""
    if rows < _LOW and columns >= _WIDE:
        left = columns * 2 // 5
        drawn = Map(seen, seen.at[0], left - 1, rows).sheet()
        numbers = Grid(seen, columns - left, rows).sheet()
        return replace(next_to(drawn, numbers, left), moved=numbers.moved, page=numbers.page)
    upper = max(5, rows // 2)
    return below(heat(seen, columns, upper), Grid(seen, columns, max(3, rows - upper)).sheet())


def _pictures(seen: Seen, columns: int, rows: int) -> Sheet:
    """A tensor that is no pictures is a heat map after all."""
    held = album(seen.scene.view.program, seen.at[0])
    if held is None:
        said = line((" no pictures: as a heat map", "dim"))
        return below(Sheet([cut(said, columns)], nowhere, seen.stepped), heat(seen, columns, max(1, rows - 1)))
    if not seen.summary(seen.at[0]).count:
        return Sheet([line((" · not computed yet", "dim"))], nowhere, seen.stepped)
    return Pictures(seen, held, columns, rows).sheet()
