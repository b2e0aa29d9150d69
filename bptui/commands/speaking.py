"""Answers as sentences in speaking order: what happened, the value, where one is; the important first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from bptui.commands.registry import Command
from bptui.debugger.comparing import Row as Difference
from bptui.debugger.provenance.uses import Use
from bptui.debugger.view import View
from bptui.debugger.watches import Watched
from bptui.engine.program import Program
from bptui.engine.timeline import Position
from bptui.explain.parts import Part, path
from bptui.explain.spoken import arrays, names
from bptui.explain.spoken.signs import optional, spelled, words


class Hit(Protocol):
    """What was found: a value, since when it is there, and what wrote it."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def since(self) -> Position:
        """Since when."""

    @property
    def source(self) -> str:
        """What wrote it."""


def where(view: View, digits: int | None) -> Iterator[str]:
    """What the operation at hand has computed."""
    here, program = view.position, view.program
    if view.done is None:
        yield "Start"
        yield f"{len(program)} operations an iteration, none of them done"
        yield "Iteration 0"
        return
    instruction = program.instructions[view.done]
    slot, which = instruction.writes, f"peration {view.done + 1} of {len(program)}, {instruction.phase}"
    line = names.line(program, instruction.source)
    array = view.state.arrays[slot]
    if here.element:
        name = names.cell(program, slot, here.element - 1)
        yield f"Element {here.element} of {array.size} of o{which}: {line}"
        yield f"{name} is {arrays.number(array.reshape(-1)[here.element - 1], digits)}"
    else:
        yield f"O{which}: {line}"
        yield from value("It", array, digits, view.state.computed[slot])
    half = f", {here.op} operations and {here.element} elements done" if here.element else ""
    yield f"Iteration {here.iteration}{half}"


def value(name: str, of: Any, digits: int | None, there: int | None = None) -> Iterator[str]:
    """A value: one sentence, or one for each row of a small array that has several."""
    array = np.asarray(of)
    said = arrays.inline(array, digits, there)
    if not said.startswith(("row ", "part ")):
        yield f"{name} is {said}"
        return
    yield f"{name} is {arrays.shape(array)}"
    yield from (part[0].upper() + part[1:] for part in said.split("; "))


def watch(one: Watched, digits: int | None) -> Iterator[str]:
    """A watch, and how it has moved."""
    said = arrays.UNSET if one.value is None else arrays.inline(one.value, digits)
    moved = ""
    if one.change is not None and np.any(one.change):
        size = arrays.number(np.abs(one.change).max(), digits)
        up = "up" if np.all(np.asarray(one.change) > 0) else "down"
        moved = f", largest change {size}" if np.ndim(one.change) else f", {up} by {size}"
    yield f"Watch {one.number}: {words(one.text)} is {said}{moved}"


def operation(view: View, k: int, digits: int | None, *, there: bool, stale: str) -> Iterator[str]:
    """A row of the listing."""
    instruction = view.program.instructions[k]
    array, known = view.state.arrays[instruction.writes], view.state.computed[instruction.writes]
    said = arrays.inline(array, digits, known) if there else arrays.UNSET
    mark = ", done last" if k == view.done else ", next" if k == view.upcoming else ""
    line = names.line(view.program, instruction.source)
    yield f"Operation {k + 1}, {instruction.phase}{mark}: {line}; {said}{f'; {stale}' * bool(stale.strip())}"


def sought(view: View, k: int) -> Iterator[str]:
    """An operation that was looked for."""
    instruction = view.program.instructions[k]
    yield f"Operation {k + 1}, {instruction.phase}: {names.line(view.program, instruction.source)}"


def folded(view: View, part: Part) -> Iterator[str]:
    """A part of the listing, in place of its operations."""
    here = ", done last is in it" if view.done in part.ops else ""
    last = f" to {part.ops.stop}" * (len(part.ops) > 1)
    yield f"{words(path(view.program, part))}, folded: operation {part.ops.start + 1}{last}{here}"


def upcoming(program: Program, here: Position, k: int) -> Iterator[str]:
    """Where one is, and what the next step works on."""
    instruction = program.instructions[k]
    yield f"At {words(str(here))}; next is operation {k + 1}, {instruction.phase}"
    yield names.line(program, instruction.source)


def row(head: Sequence[str], cells: Sequence[str]) -> str:
    """A row of a table: each number after the name of its column."""
    return words(", ".join(f"{name} {cell}" for name, cell in zip(head, cells, strict=True) if cell))


def command(row: Command) -> Iterator[str]:
    """A word, what follows it, its key, and what it does."""
    capital = "capital " * row.letter.isupper()
    key = f", key {capital}{_KEYS.get(row.letter, row.letter)}" if row.letter else ""
    yield f"{spelled(optional(row.words))}{key}: {spelled(row.help)}"


_KEYS = {"+": "plus", "/": "slash", "=": "equals", "?": "question mark"}


def use(program: Program, one: Use, *, done: bool, more: bool) -> Iterator[str]:
    """A row of what reads a number."""
    instruction = program.instructions[one.index]
    read = ", ".join(names.cell(program, instruction.writes, cell) for cell in one.cells[:3])
    said = (
        f"{words(str(one.position))}, {instruction.phase}{', done' * done}: {names.line(program, instruction.source)}"
    )
    yield f"{said}; for {read}{f' and others, {len(one.cells)} cells' * more}"


def until(program: Program, position: Position, index: int) -> Iterator[str]:
    """How long a number is there."""
    yield f"until {words(str(position))}, where {names.line(program, program.instructions[index].source)}"


def found(program: Program, name: str, hit: Hit, *, still: bool) -> Iterator[str]:
    """A cell that holds a number that was looked for."""
    since = f"{words(name)} is {arrays.number(hit.value)}, since {words(str(hit.since))}"
    yield f"{since}{'; no longer' * (not still)}: {names.line(program, hit.source)}"


def difference(program: Program, row: Difference, digits: int | None) -> Iterator[str]:
    """A slot that differs between two timelines."""
    left, right = (arrays.inline(value, digits) for value in (row.left, row.right))
    cells = f", in {row.differing} of {row.left.size} cells" * (row.left.size > 1)
    largest = arrays.number(row.largest, digits or 4)
    yield f"{names.slot(program, row.slot)}: {left}, beside {right}; largest difference {largest}{cells}"
