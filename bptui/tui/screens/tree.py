"""A page with the tree of where a number came from: opened and closed by the arrows, never more than a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from bptui.engine.timeline import Position
from bptui.explain.tree.nodes import CellNode
from bptui.explain.tree.outline import Tree
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.outline import outline
from bptui.tui.screens.over import Over
from bptui.tui.widgets.painted import Painted
from bptui.tui.widgets.sheet import Sheet, foot

_KEYS = (("→", "open"), ("←", "close"), ("↑ ↓", "move"), ("o", "go to where it was written"), ("esc", "leave"))


class TreeView(Painted):
    """Draws a tree; only the page changes it."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(id="tree-view")
        self.shown = tree

    def show(self, tree: Tree) -> None:
        """Another state of the tree."""
        self.shown = tree
        self.redraw()

    def drawn(self, columns: int, rows: int) -> Sequence[Line]:
        return outline(self.shown, columns, rows)


class TreePage(Over[Position | None]):
    """Where a number came from. It gives the position that the reader wants to go to, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,x,question_mark,ctrl+c", "leave", "close", id="tree.close"),
        Binding("down,j", "move(1)", "down", show=False, id="tree.down"),
        Binding("up,k", "move(-1)", "up", show=False, id="tree.up"),
        Binding("pagedown", "move(10)", "page down", show=False, id="tree.page_down"),
        Binding("pageup", "move(-10)", "page up", show=False, id="tree.page_up"),
        Binding("home", "move(-1000000)", "to the top", show=False, id="tree.top"),
        Binding("end", "move(1000000)", "to the end", show=False, id="tree.end"),
        Binding("right,l,enter,space", "deeper", "open", show=False, id="tree.open"),
        Binding("left,h", "back", "close a node", show=False, id="tree.shut"),
        Binding("o", "origin", "go to where it was written", show=False, id="tree.origin"),
    ]

    def __init__(self, title: str, tree: Tree) -> None:
        super().__init__()
        self._title = title
        self._tree = tree

    def compose(self) -> ComposeResult:
        with Sheet(self._title, "tree-page"):
            yield TreeView(self._tree)
            yield foot(_KEYS, "tree-keys")

    def action_move(self, by: int) -> None:
        """The cursor up or down."""
        self._show(self._tree.moved(by))

    def action_deeper(self) -> None:
        """Open what is under the cursor."""
        self._show(self._tree.deeper())

    def action_back(self) -> None:
        """Close it, or go up."""
        self._show(self._tree.back())

    def action_origin(self) -> None:
        """Leave for where the number under the cursor was written, if it was."""
        node = self._tree.node
        if isinstance(node, CellNode) and node.origin is not None:
            self.dismiss(node.origin.position)

    def action_leave(self) -> None:
        """Close the page."""
        self.dismiss(None)

    def _show(self, tree: Tree) -> None:
        self._tree = tree
        self.query_one(TreeView).show(tree)
