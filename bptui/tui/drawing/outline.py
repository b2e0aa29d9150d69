"""The tree of where a number came from, drawn: its rows, and the formula of the one under the cursor."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from bptui.explain.tree.outline import Row, Tree, percent
from bptui.files.text import safe
from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.lines import Line, cut, line, rule, spread, width, wrapped

# Rows that the formula under the list may take.
_FORMULA = 6


def outline(tree: Tree, columns: int, rows: int) -> list[Line]:
    """As many rows of the tree as there is room for above the formula of the node under the cursor."""
    formula = _formula(tree, columns, rows)
    shown, at, (above, below) = tree.window(max(1, rows - len(formula)))
    rowed = [_row(row, columns - 1, here=k == at) for k, row in enumerate(shown)]
    lines = barred(rowed, above, below, columns)
    lines += [line("")] * (rows - len(formula) - len(lines))
    return [*lines, *formula]


def _row(row: Row, columns: int, *, here: bool) -> Line:
    mark = "▾" if row.opened else "▹" if row.openable else " "
    before = line((f" {'  ' * row.depth}{mark} ", "dim"))
    share = line((f"{'' if row.share is None else percent(row.share):>9} ", "dim"))
    text = _fitting(safe(row.text), columns - width(before) - width(share) - 1)
    made = spread(line(*before, (text, "plain" if row.openable else "dim")), share, columns)
    if not here:
        return made
    padded = (*made, (" " * max(0, columns - width(made)), "plain"))
    return tuple((part, f"{name}+cursor") for part, name in cut(padded, columns))


def _fitting(text: str, room: int) -> str:
    """A text cut so that the value at its end stays."""
    head, equals, value = text.rpartition(" = ")
    left = room - cell_len(equals + value) - 1
    if cell_len(text) <= room or left < 1:
        return text
    return f"{set_cell_size(head, left)}…{equals}{value}"


def _formula(tree: Tree, columns: int, rows: int) -> list[Line]:
    """What the node under the cursor is, in full; nothing where the window is too low for both."""
    if rows < _FORMULA + 4:
        return []
    made: list[Line] = []
    for k, text in enumerate(tree.node.heading or (tree.node.text,)):
        made += wrapped(safe(text), columns - 4, "dim" if k else "plain", "  ")
    return [rule("formula", columns), *(line(" ", *each) for each in made[: _FORMULA - 1])]
