"""The history of a lasting cell as nodes: its start, and every update and edit since."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from bptui.engine.lifeline import Change, Origin
from bptui.engine.timeline import START
from bptui.explain.notation import number
from bptui.explain.tree.nodes import CellNode, Node, shared
from bptui.explain.tree.reading import Source


class HistoryNode(Node):
    """What a lasting cell's value is the sum of: its start and every change since."""

    def __init__(self, of: CellNode) -> None:
        super().__init__(of.source, of.value)
        self._of = of

    @property
    def text(self) -> str:
        return f"{self._of.name} = {self.shown_value}, as its start and every update since"

    @property
    def heading(self) -> tuple[str, ...]:
        changes = self._changes
        updates = sum(change.origin.index is not None for change in changes)
        edits = len(changes) - updates
        words = [f"{updates} update{'s' * (updates != 1)}"] if updates else []
        words += [f"{edits} edit{'s' * (edits != 1)}"] if edits else []
        start = changes[0].before if changes else self.value
        rest = math.fsum(change.by for change in changes)
        shown = [number(part, self.source.digits) for part in (start, rest, self.value)]
        return (f"{self._of.name} = start + {' + '.join(words)} = {shown[0]} + ({shown[1]}) = {shown[2]}",)

    @cached_property
    def _changes(self) -> Sequence[Change]:
        return self.source.history(self._of.slot, self._of.cell, self._of.position)

    @cached_property
    def children(self) -> tuple[Node, ...]:
        changes = self._changes
        cell, start = (self._of.slot, self._of.cell), changes[0].before if changes else self.value
        several = len({change.origin.index for change in changes if change.origin.index is not None}) > 1
        found = [ChangeNode(self.source, cell, change, named=several) for change in changes]
        return (CellNode(self.source, cell, START, start, Origin(START)), *shared(found))


class ChangeNode(Node):
    """An update or an edit of a lasting cell, and how much it added."""

    def __init__(self, source: Source, cell: tuple[str, int], change: Change, *, named: bool) -> None:
        super().__init__(source, change.by)
        self._change = change
        self._named = named
        self._after = CellNode(source, cell, change.origin.position, change.after, change.origin)

    @property
    def text(self) -> str:
        origin, by = self._change.origin, f"{'+' * (self.value >= 0)}{self.shown_value}"
        if origin.edit is not None:
            return f"{origin.edit.text} at {origin.position}: {by}"
        assert origin.index is not None
        what = f", {self.source.program.instructions[origin.index].source}" if self._named else ""
        return f"iteration {origin.position.iteration}{what}: {by}"

    @property
    def heading(self) -> tuple[str, ...]:
        return self._after.heading

    @property
    def openable(self) -> bool:
        return self._change.origin.index is not None

    @cached_property
    def children(self) -> tuple[Node, ...]:
        return self._after.terms if self.openable else ()
