"""Two timelines side by side: where they part, both losses on one plot, and what differs, slot by slot."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from bptui.debugger.comparing import Comparison, Row, importance
from bptui.engine.program import Program
from bptui.engine.timeline import START, Position
from bptui.explain.cells import unravelled
from bptui.explain.notation import Names
from bptui.explain.words import sentence
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, Run, cut, line, rule, spread, width
from bptui.tui.drawing.numbers import colour, decimals, signed
from bptui.tui.drawing.plot import Axes, Curve, Mark, plot
from bptui.tui.scene import reading_order

# Slots of more cells are shown as their range.
MOST_LISTED = 12
_NAME, _VALUE = 20, 18
_LOWEST_PLOT, _HIGHEST_PLOT = 5, 14
_MOST_EDITS = 2
# Losses that differ by such a factor are drawn by their logarithms.
_FACTOR = 100.0


def head(found: Comparison, program: Program, columns: int, rows: int) -> list[Line]:
    """What stays in sight: which two, where they part, and their losses."""
    left, right = map(safe, found.names)
    there = "" if found.position == found.other else f", {right} at {found.other}"
    title = line((f" {left}", "bold"), " beside ", (right, "bold"), f" at {found.position}{there}")
    loss = program.name("loss") + ", logarithmic" * _log(found)
    lines = [spread(title, line((f"{loss} ", "dim")), columns)]
    lines += _parted(found, program, columns)
    lines += [cut(line((f" {text}", "dim")), columns) for text in _ended(found)]
    lines += _losses(found, columns, max(_LOWEST_PLOT, min(_HIGHEST_PLOT, rows // 3)))
    titles = f"{'':<{_NAME}}{left[: _VALUE - 2]:>{_VALUE}}{right[: _VALUE - 2]:>{_VALUE}}{'difference':>{_VALUE}}"
    return [*lines, rule("", columns), line((titles, "dim+bold"))]


def table(found: Comparison, program: Program, columns: int, *, largest_first: bool) -> list[Line]:
    """What differs: each cell of a small slot, the range of a large one; then how many slots are the same."""
    rows = [row for row in found.rows if row.differing]
    rows = sorted(rows, key=importance) if largest_first else _in_order(rows, program)
    lines = [made for row in rows for made in _slot(row, program, found.position, columns)]
    alike = len(found.rows) - len(rows)
    if alike:
        lines.append(line((f" {alike} slot{'s are' if alike > 1 else ' is'} the same on both sides", "dim")))
    return lines


def _in_order(rows: Sequence[Row], program: Program) -> list[Row]:
    """What instructions write, as they write it; before that what only edits change."""
    return sorted(rows, key=lambda row: program.writers.get(row.slot, -1))


def _parted(found: Comparison, program: Program, columns: int) -> Iterator[Line]:
    parting = found.parting
    if parting is None:
        yield line((" nothing differs up to here", "dim"))
        return
    for name, edit in parting.edits[:_MOST_EDITS]:
        yield cut(line((f" only {safe(name)}: ", "dim"), f"{safe(edit.text)} at {edit.position}"), columns)
    if len(parting.edits) > _MOST_EDITS:
        yield line((f" and {len(parting.edits) - _MOST_EDITS} more edits", "dim"))
    if parting.index < 0:
        where = "at the very start" if parting.position == START else f"by hand at {parting.position}"
        yield cut(line((f" they part {where}, in ", "dim"), Names(program).slot(parting.slot)), columns)
        return
    what = sentence(program, program.instructions[parting.index])
    yield cut(line((" they part at ", "dim"), (f"{parting.position}", "now+bold"), f"  {what}"), columns)


def _losses(found: Comparison, columns: int, rows: int) -> list[Line]:
    """The left one drawn through, the right one in dashes."""
    (left, right), (every, other_every) = found.losses, found.every
    marks = [] if found.parting is None else [Mark(found.parting.position.iteration, "┬", "now", 1, "they part")]
    one, other = found.names
    curves = [
        Curve.of(left, every, "plain+bold", name=one),
        Curve.of(right, other_every, "dim", broken=True, name=other),
    ]
    return plot(curves, columns - 1, rows, marks=marks, axes=Axes(log=_log(found)))


def _ended(found: Comparison) -> Iterator[str]:
    """Which of both has no loss to be drawn from some iteration on."""
    for name, losses, every in zip(found.names, found.losses, found.every, strict=True):
        odd = np.flatnonzero(~np.isfinite(losses))
        if odd.size and odd.size == len(losses) - odd[0]:
            yield f"{safe(name)} ends at {odd[0] * every}, not finite"


def _log(found: Comparison) -> bool:
    """Whether the losses are so far apart that a plain scale would show nothing but the largest."""
    both = np.concatenate(found.losses)
    known = both[np.isfinite(both)]
    return bool(known.size and known.min() > 0 and known.max() > _FACTOR * known.min())


def _slot(row: Row, program: Program, here: Position, columns: int) -> Iterator[Line]:
    """A slot's lines; of one that is half done only what is there."""
    names = Names(program)
    gradient = "+italic" if ".grad" in row.slot else ""
    if row.left.size > MOST_LISTED:
        yield _range(row, names.slot(row.slot), gradient, columns)
        return
    if row.left.size > 1:
        shape = "×".join(map(str, row.left.shape))
        yield line((f" {names.slot(row.slot)} {shape}", "dim+bold"))
    places = decimals(np.concatenate([row.left.reshape(-1), row.right.reshape(-1)]), 2 * row.left.size)
    half = here.element and program.writers.get(row.slot) == here.op
    for cell in reading_order(program, row.slot):
        if half and cell >= here.element:
            continue
        one, other = float(row.left.reshape(-1)[cell]), float(row.right.reshape(-1)[cell])
        label = names.cell(row.slot, unravelled(cell, row.left.shape)) if row.left.shape else names.slot(row.slot)
        indent = "   " if row.left.size > 1 else " "
        runs: list[Run] = [(f"{indent}{label}"[: _NAME - 1].ljust(_NAME), "plain")]
        runs += [_number(one, places, gradient), _number(other, places, gradient)]
        yield line(*runs, _difference(one, other))


def _number(value: float, places: int, gradient: str) -> Run:
    return signed(value, places).rjust(_VALUE), colour(value) + gradient


def _difference(one: float, other: float) -> Run:
    """Right minus left, to its own four digits."""
    if one == other or (math.isnan(one) and math.isnan(other)):
        return "same".rjust(_VALUE), "faint"
    with np.errstate(all="ignore"):
        change = float(np.subtract(other, one))
    return signed(change, decimals(np.array([change]), 1)).rjust(_VALUE), f"{colour(change)}+bold"


def _range(row: Row, name: str, gradient: str, columns: int) -> Line:
    """`W1   −0.4 … +0.5   −0.4 … +0.6   0.01 in 2040 of 2048`: the largest; where it fits, of how many cells."""
    runs: list[Run] = [(f" {name}"[: _NAME - 1].ljust(_NAME), "plain")]
    for array in (row.left, row.right):
        known = array[np.isfinite(array)]
        places = decimals(known, known.size, 3)
        text = f"{signed(float(known.min()), places)} … {signed(float(known.max()), places)}" if known.size else "nan"
        runs.append((text.rjust(_VALUE), "plain" + gradient))
    largest = signed(row.largest, decimals(np.array([row.largest]), 1), plus=False)
    runs.append((f"{largest:>{_VALUE}}", "bold"))
    whole = line(*runs, (f"  in {row.differing} of {row.left.size}", "dim"))
    return whole if width(whole) <= columns else line(*runs)
