"""Where one is, and what was changed: a timeline is a program and edits, nothing else.

Keyframes, buffers and caches are the player's business; everything here is a frozen value.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from bptui.engine.network import Array
from bptui.engine.program import Program

_POSITION = re.compile(r"(\d+):(\d+)(?:\.(\d+))?")
_serial = itertools.count(1)


class Position(NamedTuple):
    """How much is done: `op` instructions of `iteration`, and `element` cells of the next one."""

    iteration: int = 0
    op: int = 0
    element: int = 0

    def __str__(self) -> str:
        return f"{self.iteration}:{self.op}" + (f".{self.element}" if self.element else "")


START = Position()


class PositionError(ValueError):
    """Text that is no position, or one that the program does not have."""


def parse(program: Program, text: str, digits: int = 7) -> Position:
    """The position that `3:12` or `3:12.2` means; `1:0` is the end of iteration 0. Raises PositionError.

    digits  how long a number may be: to go where a person types takes as long as it takes to get there
    """
    match = _POSITION.fullmatch(text.strip())
    if match is None:
        raise PositionError(f"{text.strip()[:40]!r} is no position: write ITERATION:OPERATION, such as 0:2 or 0:2.1")
    if max(map(len, match.groups(""))) > digits:
        raise PositionError(f"there is no position {text.strip()[:40]}: nobody will get that far")
    iteration, op, element = (int(part or 0) for part in match.groups())
    return normal(program, iteration, op, element)


def normal(program: Program, iteration: int, op: int, element: int) -> Position:
    """The one way to write a moment. Raises PositionError if the program has no such position."""
    count = len(program)
    if op > count or (element and op == count):
        raise PositionError(
            f"there is no position {Position(iteration, op, element)}: an iteration has {count} operations"
        )
    if element > (size := program.size(op) if op < count else 0):
        written = program.instructions[op].writes
        raise PositionError(f"there is no position {Position(iteration, op, element)}: {written} has {size} elements")
    if element and element == size:
        op, element = op + 1, 0
    if op == 0 and element == 0 and iteration:
        return Position(iteration - 1, count)
    return Position(iteration, op, element)


@dataclass(frozen=True, eq=False)
class Edit:
    """A write made just after the instruction at its position; it holds until an instruction writes the cell again.

    cells    flat indices into the slot
    values   what is written, one for each cell
    text     how it was asked for
    nudge    of how many nudges it is a run, which stays one edit; 0 of none
    """

    position: Position
    slot: str
    cells: tuple[int, ...]
    values: Array
    text: str = ""
    nudge: int = 0
    serial: int = field(default_factory=lambda: next(_serial))


def reserve(serial: int) -> None:
    """Edits made from now on are numbered above `serial`, as those made after an edit that was read from a file."""
    global _serial  # noqa: PLW0603 - the one counter of a process
    _serial = itertools.count(max(next(_serial), serial + 1))


@dataclass(frozen=True, eq=False)
class Timeline:
    """A program and the edits made to it, in the order in which they were given."""

    program: Program
    edits: tuple[Edit, ...] = ()

    @cached_property
    def ordered(self) -> tuple[Edit, ...]:
        """The edits in the order in which they take effect."""
        return tuple(sorted(self.edits, key=lambda edit: (edit.position, edit.serial)))

    def with_edit(self, edit: Edit) -> Timeline:
        """This timeline with one more edit; those placed later are kept."""
        return Timeline(self.program, (*self.edits, edit))

    def without_last(self) -> Timeline:
        """This timeline without the edit given last."""
        return Timeline(self.program, self.edits[:-1])

    def at(self, position: Position) -> Iterator[Edit]:
        """The edits that take effect at a position, in order."""
        return (edit for edit in self.ordered if edit.position == position)

    def edited_in(self, iteration: int) -> bool:
        """Whether an edit is made within an iteration, its end included."""
        return any(edit.position.iteration == iteration and edit.position != START for edit in self.edits)

    def after(self, position: Position) -> Iterator[Edit]:
        """The edits that take effect after a position, in order."""
        return (edit for edit in self.ordered if edit.position > position)

    def between(self, after: Position, until: Position) -> Iterator[Edit]:
        """The edits that take effect after `after` and no later than `until`."""
        return (edit for edit in self.ordered if after < edit.position <= until)


def first_difference(old: Timeline, new: Timeline) -> tuple[Position | None, bool]:
    """Where two timelines part, or None; and whether the new one only has more there, after the same beginning."""
    for k, (a, b) in enumerate(itertools.zip_longest(old.ordered, new.ordered)):
        if a is not b:
            position = min(edit.position for edit in (a, b) if edit is not None)
            return position, k == len(old.ordered)
    return None, True
