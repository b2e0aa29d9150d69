"""A slow, obvious model of branches: each one's edits in a list, and what undo and redo go back and forth over."""

from __future__ import annotations

from dataclasses import dataclass, field

from slow import Written

from bptui.engine.timeline import START, Position


@dataclass
class Line:
    """A branch: its edits in the order in which they were given, and where it left which other one."""

    edits: list[Written] = field(default_factory=list)
    parent: str = ""
    at: Position = START

    def copy(self) -> Line:
        return Line(list(self.edits), self.parent, self.at)


@dataclass
class Step:
    """An edit: a branch before it (None: it was not there) and after it; on which branch one was and is then."""

    edit: Written
    branch: str
    before: Line | None
    after: Line
    left: str

    def is_about(self, name: str) -> bool:
        return name in (self.branch, self.left)


@dataclass
class Lines:
    """All branches, and which one is looked at."""

    all: dict[str, Line] = field(default_factory=lambda: {"main": Line()})
    reached: dict[str, Position] = field(default_factory=lambda: {"main": START})
    name: str = "main"
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    @property
    def edits(self) -> list[Written]:
        return self.all[self.name].edits

    def visit(self, here: Position) -> None:
        self.reached[self.name] = max(self.reached.get(self.name, START), here)

    def edit(self, edit: Written, here: Position) -> None:
        """The old timeline stays where what comes after the edit had been visited on it; a nudge never branches."""
        line, name = self.all[self.name], self.name
        before: Line | None = line.copy()
        if edit.nudge and self.goes_on(edit):
            last = self.done.pop()
            before = last.before
            line.edits.pop()
        elif not edit.nudge and self.reached[name] > edit.position:
            name = next(f"edit-{k}" for k in range(1, 1000) if f"edit-{k}" not in self.all)
            line, before = Line(list(line.edits), self.name, edit.position), None
        line.edits.append(edit)
        self.done.append(Step(edit, name, before, line.copy(), self.name))
        self.undone.clear()
        self.all[name] = line
        self.name = name
        if edit.nudge:
            self.reached[name] = here
        self.visit(here)

    def goes_on(self, edit: Written) -> bool:
        """Whether the last thing done was a nudge of the same cell, here."""
        if not self.done or self.done[-1].branch != self.name:
            return False
        last = self.done[-1].edit
        same = (last.position, last.slot, last.cells) == (edit.position, edit.slot, edit.cells)
        return last.nudge and same and bool(self.edits) and self.edits[-1] is last

    def undo(self, here: Position) -> bool:
        if not self.done:
            return False
        step = self.done.pop()
        self.undone.append(step)
        if step.before is None:
            self.remove(step.branch)
        else:
            self.all[step.branch].edits = list(step.before.edits)
        self.name = step.left
        self.visit(here)
        return True

    def redo(self, here: Position) -> bool:
        if not self.undone:
            return False
        step = self.undone.pop()
        self.done.append(step)
        if step.before is None:
            self.all[step.branch] = step.after.copy()
        else:
            self.all[step.branch].edits = list(step.after.edits)
        self.name = step.branch
        self.visit(here)
        return True

    def enter(self, name: str, here: Position) -> None:
        """Another branch, or a new one; a new one takes the name of what was undone, which is then gone for good."""
        if name not in self.all:
            if any(step.is_about(name) for step in self.undone):
                self.undone.clear()
            self.all[name] = Line(list(self.edits), self.name, here)
        self.name = name
        self.visit(here)

    def drop(self, name: str) -> None:
        self.remove(name)
        self.done = [step for step in self.done if not step.is_about(name)]
        if any(step.is_about(name) for step in self.undone):
            # What follows on what is gone can't be given again.
            self.undone.clear()

    def remove(self, name: str) -> None:
        """What left it leaves what it left instead."""
        gone = self.all.pop(name)
        self.reached.pop(name, None)
        for line in self.all.values():
            if line.parent == name:
                line.parent = gone.parent
