"""A bar at the right edge of lines that are more than there is room for: where one is, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.tui.drawing.lines import Line, cut, line, width

_THUMB = "▐"


def barred(lines: Sequence[Line], above: int, below: int, columns: int) -> list[Line]:
    """Lines, beside them the bar where more lie above or below; it is at an end only where one can go no further."""
    rows = len(lines)
    if not above + below or rows < 1:
        return list(lines)
    size = max(1, rows * rows // (above + rows + below))
    free = rows - size
    top = min(max(above * free // (above + below), above > 0), free - (below > 0 and free > 0))
    return [_beside(made, columns) if top <= y < top + size else made for y, made in enumerate(lines)]


def _beside(made: Line, columns: int) -> Line:
    fitting = cut(made, columns - 1)
    return line(*fitting, (" " * (columns - 1 - width(fitting)), "plain"), (_THUMB, "dim"))
