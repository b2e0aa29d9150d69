"""Pages of timelines: the tree of branches, and two of them side by side."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from bptui.debugger.branches import Branches
from bptui.debugger.comparing import Comparison
from bptui.engine.program import Program
from bptui.tui.drawing import comparison
from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.branches import branches
from bptui.tui.drawing.keys import hints
from bptui.tui.drawing.lines import Line
from bptui.tui.screens.over import Over
from bptui.tui.widgets.drawn import Drawn
from bptui.tui.widgets.sheet import Sheet, foot

_KEYS = (("enter", "go there"), ("d", "side by side with it"), ("delete", "forget it"), ("esc", "close"))


class BranchesPage(Over[str]):
    """The branches, one of which is chosen. It gives a line of the command language, or ""."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,ctrl+c", "dismiss('')", "close", id="branches.close"),
        Binding("down,j", "move(1)", "down", show=False, id="branches.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="branches.up"),
        Binding("home,pageup", "move(-1000000)", "to the top", show=False, id="branches.top"),
        Binding("end,pagedown", "move(1000000)", "to the end", show=False, id="branches.end"),
        Binding("enter,space", "choose('branch')", "go there", show=False, id="branches.enter"),
        Binding("d,=,equals_sign", "choose('diff')", "side by side", show=False, id="branches.diff"),
        Binding("delete,backspace", "choose('delete')", "forget", show=False, id="branches.delete"),
    ]

    def __init__(self, known: Branches) -> None:
        super().__init__()
        self._known = known
        self._names = [branch.name for _, branch in known.tree()]
        self._chosen = self._names.index(known.name)

    def compose(self) -> ComposeResult:
        with Sheet("Branches", "branches-page"):
            yield Drawn(self._drawn, "branches-view")
            yield foot(_KEYS, "branches-keys")

    def _drawn(self, columns: int, rows: int) -> list[Line]:
        return branches(self._known, self._chosen, columns, rows)

    def action_move(self, by: int) -> None:
        """Up or down."""
        self._chosen = max(0, min(len(self._names) - 1, self._chosen + by))
        self.query_one(Drawn).redraw()

    def action_choose(self, verb: str) -> None:
        """Leave for what is wanted of the branch."""
        self.dismiss(f"{verb} {self._names[self._chosen]}")


class DiffPage(Over[None]):
    """Two timelines at one moment: the head stays, the table below it scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,d,enter,space,question_mark,ctrl+c", "dismiss", "close", id="diff.close"),
        Binding("down,j", "scroll(1)", "down", show=False, id="diff.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="diff.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="diff.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="diff.page_up"),
        Binding("home", "scroll(-1000000)", "to the top", show=False, id="diff.top"),
        Binding("end", "scroll(1000000)", "to the end", show=False, id="diff.end"),
        Binding("o", "order", "another order", show=False, id="diff.order"),
    ]

    def __init__(self, found: Comparison, program: Program) -> None:
        super().__init__()
        self._found = found
        self._program = program
        self._largest_first = True
        self._top = 0

    def compose(self) -> ComposeResult:
        with Sheet("Side by side", "diff-page"):
            yield Drawn(self._drawn, "diff-view")
            yield Drawn(self._keys, "diff-keys")

    def _drawn(self, columns: int, rows: int) -> list[Line]:
        shown = comparison.head(self._found, self._program, columns, rows)
        lines = comparison.table(self._found, self._program, columns - 1, largest_first=self._largest_first)
        self._top = max(0, min(self._top, len(lines) - (rows - len(shown))))
        seen = lines[self._top : self._top + max(0, rows - len(shown))]
        return [*shown, *barred(seen, self._top, len(lines) - self._top - len(seen), columns)]

    def _keys(self, columns: int, rows: int) -> list[Line]:
        del rows
        order = "in the order of the program" if self._largest_first else "the largest difference first"
        return [hints((("↑ ↓", "scroll"), ("o", order), ("esc", "close")), columns)]

    def action_scroll(self, by: int) -> None:
        """Up or down in the table."""
        self._top = max(0, self._top + by)
        self._redraw()

    def action_order(self) -> None:
        """The largest difference first, or as the program goes."""
        self._largest_first = not self._largest_first
        self._top = 0
        self._redraw()

    def _redraw(self) -> None:
        for drawn in self.query(Drawn):
            drawn.redraw()
