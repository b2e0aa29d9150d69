"""What a view of a tensor gives: lines, which cell lies where, and where an arrow leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bptui.tui.drawing.lines import Line, Run, line, width
from bptui.tui.drawing.tensor.plane import Cell

Where = Callable[[int, int], Cell | None]
Move = Callable[[int, int], Cell]


@dataclass(frozen=True)
class Sheet:
    """A drawing as high as it is, and what the mouse and the arrows find on it.

    at     (column, line) → the cell there
    moved  (across, down) → the cell that many places from the cursor, or the last on the way
    page   how many places a page key goes down
    """

    lines: Sequence[Line]
    at: Where
    moved: Move
    page: int = 1


def nowhere(x: int, y: int) -> Cell | None:
    """No cell anywhere."""
    del x, y
    return None


def below(upper: Sheet, lower: Sheet) -> Sheet:
    """One under the other; the arrows belong to the lower."""
    high = len(upper.lines)

    def at(x: int, y: int) -> Cell | None:
        return upper.at(x, y) if y < high else lower.at(x, y - high)

    return Sheet([*upper.lines, *lower.lines], at, lower.moved, lower.page)


def next_to(left: Sheet, right: Sheet, columns: int) -> Sheet:
    """One beside the other, which begins at a column."""
    count = max(len(left.lines), len(right.lines))
    lines = [_joined(_line(left, k), _line(right, k), columns) for k in range(count)]

    def at(x: int, y: int) -> Cell | None:
        return left.at(x, y) if x < columns else right.at(x - columns, y)

    return Sheet(lines, at, left.moved, left.page)


def _line(sheet: Sheet, k: int) -> Line:
    return sheet.lines[k] if k < len(sheet.lines) else ()


def _joined(left: Line, right: Line, columns: int) -> Line:
    gap: Run = (" " * max(0, columns - width(left)), "plain")
    return line(*left, gap, *right)
