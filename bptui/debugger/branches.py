"""Branches: timelines that share a beginning, and the edits that made them, to be taken back and given again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bptui.engine.timeline import START, Edit, Position, Timeline

FIRST = "main"


@dataclass(frozen=True, eq=False)
class Branch:
    """A timeline with a name.

    parent  the branch that it left, "" for the first
    at      where it left it
    """

    name: str
    timeline: Timeline
    parent: str = ""
    at: Position = START


@dataclass(frozen=True, eq=False)
class Change:
    """What an edit did: branches as they were and as they became (None: not there), and which one was looked at."""

    edit: Edit
    before: Mapping[str, Branch | None]
    after: Mapping[str, Branch | None]
    left: str
    entered: str


class Branches:
    """All timelines of a session, and which one is looked at.

    reached  name → the furthest position that was visited on it
    """

    def __init__(self, timeline: Timeline) -> None:
        self.all: dict[str, Branch] = {FIRST: Branch(FIRST, timeline)}
        self.reached: dict[str, Position] = {FIRST: START}
        self.name = FIRST
        self.undoable: list[Change] = []
        self.redoable: list[Change] = []

    @property
    def current(self) -> Branch:
        """The branch that is looked at."""
        return self.all[self.name]

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Everything as it was, should what is done meanwhile raise."""
        kept = dict(self.all), dict(self.reached), self.name, list(self.undoable), list(self.redoable)
        try:
            yield
        except BaseException:
            self.all, self.reached, self.name, self.undoable, self.redoable = kept
            raise

    def visit(self, position: Position) -> None:
        """A position of the current branch has been seen."""
        self.reached[self.name] = max(self.reached[self.name], position)

    def edit(self, edit: Edit, here: Position) -> None:
        """Make an edit; where what comes after it had been visited, the old timeline stays as a branch."""
        if edit.nudge:
            self._nudge(edit, here)
            return
        branch = self.current
        timeline = branch.timeline.with_edit(edit)
        if self.reached[branch.name] > edit.position:
            name = self._new_name()
            self._do(edit, {name: None}, {name: Branch(name, timeline, branch.name, edit.position)}, name, here)
        else:
            after = replace(branch, timeline=timeline)
            self._do(edit, {branch.name: branch}, {branch.name: after}, branch.name, here)

    def _nudge(self, edit: Edit, here: Position) -> None:
        """A run of nudges of one cell is one edit and one undo, and never branches."""
        branch, last = self.current, self.undoable[-1] if self.undoable else None
        timeline = branch.timeline
        before: Branch | None = branch
        if last is not None and self._is_latest(last) and same_nudge(last.edit, edit):
            timeline = timeline.without_last()
            before = last.before[branch.name]
            edit = replace(edit, nudge=last.edit.nudge + 1)
            self.undoable.pop()
        after = replace(branch, timeline=timeline.with_edit(edit))
        self._do(edit, {branch.name: before}, {branch.name: after}, branch.name, here)
        self.reached[branch.name] = here

    def _is_latest(self, change: Change) -> bool:
        """Whether a change was made to this branch, and nothing has been since."""
        edits = self.current.timeline.edits
        return change.entered == self.name and bool(edits) and edits[-1] is change.edit

    def undo(self, here: Position) -> Edit | None:
        """Take back the edit given last, wherever it lies; None where there is none."""
        if not self.undoable:
            return None
        change = self.undoable.pop()
        self.redoable.append(change)
        self._put(change.before, change.left, here)
        return change.edit

    def redo(self, here: Position) -> Edit | None:
        """Give the edit taken back last once more; None where there is none."""
        if not self.redoable:
            return None
        change = self.redoable.pop()
        self.undoable.append(change)
        self._put(change.after, change.entered, here)
        return change.edit

    def fork(self, name: str, here: Position) -> None:
        """A new branch from here, which is looked at from now on. What was undone under its name is gone for good."""
        if any(_about(change, name) for change in self.redoable):
            self.redoable.clear()
        self.all[name] = Branch(name, self.current.timeline, self.name, here)
        self.enter(name, here)

    def enter(self, name: str, here: Position) -> None:
        """Look at another branch."""
        self.name = name
        self.reached.setdefault(name, here)
        self.visit(here)

    def drop(self, name: str) -> None:
        """Forget a branch; those that left it leave its parent instead. What made it can't be taken back any more."""
        self._remove(name)
        self.undoable = [change for change in self.undoable if not _about(change, name)]
        if any(_about(change, name) for change in self.redoable):
            # What follows on what is gone can't be given again.
            self.redoable.clear()

    def own(self, branch: Branch) -> list[Edit]:
        """The edits that a branch does not share with the one that it left."""
        parent = self.all.get(branch.parent)
        shared = parent.timeline.edits if parent else ()
        return [edit for edit in branch.timeline.edits if edit not in shared]

    def tree(self) -> Iterator[tuple[int, Branch]]:
        """(depth, branch), children after their parent, in the order of where they left it."""
        yield from self._under("", 0)

    def _under(self, parent: str, depth: int) -> Iterator[tuple[int, Branch]]:
        for branch in sorted((b for b in self.all.values() if b.parent == parent), key=lambda b: b.at):
            yield depth, branch
            yield from self._under(branch.name, depth + 1)

    def _do(
        self,
        edit: Edit,
        before: Mapping[str, Branch | None],
        after: Mapping[str, Branch | None],
        entered: str,
        here: Position,
    ) -> None:
        self.undoable.append(Change(edit, before, after, self.name, entered))
        self.redoable.clear()
        self._put(after, entered, here)

    def _put(self, branches: Mapping[str, Branch | None], name: str, here: Position) -> None:
        for known, branch in branches.items():
            if branch is None:
                self._remove(known)
            elif known in self.all:
                # What it left may have gone since: it leaves what it leaves now.
                self.all[known] = replace(self.all[known], timeline=branch.timeline)
            elif branch.parent in self.all:
                self.all[known] = branch
            else:
                self.all[known] = replace(branch, parent="" if known == FIRST else FIRST)
        self.enter(name if name in self.all else FIRST, here)

    def _remove(self, name: str) -> None:
        """Those that left a branch leave its parent instead."""
        if name in self.all:
            parent = self.all.pop(name).parent
            self.reached.pop(name, None)
            for other in list(self.all.values()):
                if other.parent == name:
                    self.all[other.name] = replace(other, parent=parent)

    def _new_name(self) -> str:
        """One that is no name in expressions, so that it is not read as a weight."""
        k = 1
        while f"edit-{k}" in self.all:
            k += 1
        return f"edit-{k}"


def same_nudge(last: Edit, edit: Edit) -> bool:
    """Whether a nudge goes on with the last one."""
    return bool(last.nudge and edit.nudge) and (last.slot, last.cells, last.position) == (
        edit.slot,
        edit.cells,
        edit.position,
    )


def _about(change: Change, name: str) -> bool:
    return name in change.before or name in change.after or name in (change.left, change.entered)
