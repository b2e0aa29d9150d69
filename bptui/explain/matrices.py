"""An instruction as matrices: the same equation for all its cells at once, drawn with brackets or on one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from bptui.engine.network import Array
from bptui.engine.player import Moment, State
from bptui.engine.program import Instruction, Program
from bptui.explain.notation import DOT, MINUS, Names, figure

MOST = 6


@dataclass(frozen=True)
class Matrix:
    """Texts in rows and columns; `caption` stands for one that is too large to draw."""

    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Equation:
    """Matrices and signs in reading order; drawn in as many lines as the tallest has rows."""

    parts: tuple[str | Matrix, ...]

    @property
    def line(self) -> str:
        """On one line, rows parted by `;`."""
        return " ".join(part if isinstance(part, str) else _flat(part) for part in self.parts)

    def draw(self) -> list[str]:
        """With tall brackets, the signs at half height."""
        height = max(
            (len(part.rows) for part in self.parts if isinstance(part, Matrix) and not part.caption), default=1
        )
        columns = [_column(part, height) for part in self.parts]
        return [" ".join(lines).rstrip() for lines in zip(*columns, strict=True)]


def _flat(matrix: Matrix) -> str:
    return matrix.caption or "[" + "; ".join("  ".join(row) for row in matrix.rows) + "]"


def _column(part: str | Matrix, height: int) -> list[str]:
    if isinstance(part, str) or part.caption:
        text = part if isinstance(part, str) else part.caption
        return [text if k == (height - 1) // 2 else " " * len(text) for k in range(height)]
    widths = [max(map(len, column)) for column in zip(*part.rows, strict=True)]
    lines = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in part.rows]
    boxed = [f"{left}{line}{right}" for line, (left, right) in zip(lines, _brackets(len(lines)), strict=True)]
    above = (height - len(boxed)) // 2
    blank = " " * len(boxed[0])
    return [blank] * above + boxed + [blank] * (height - len(boxed) - above)


def _brackets(n: int) -> list[tuple[str, str]]:
    if n == 1:
        return [("[", "]")]
    return [("⎡", "⎤"), *[("⎢", "⎥")] * (n - 2), ("⎣", "⎦")]


def equations(program: Program, moment: Moment, digits: int | None = None) -> list[Equation]:
    """The matrix form of an instruction: in symbols, and with the numbers; empty where it has none."""
    instruction = program.instructions[moment.index]
    shape = _SHAPES.get(instruction.op)
    ranks = {len(program.slots[slot].shape) for slot in (*instruction.reads, instruction.writes)}
    if shape is None or max(ranks) > 2:
        return []
    names = Names(program)

    def symbol(slot: str, state: State) -> Matrix:
        del state
        return _matrix(program, slot, lambda index: names.cell(slot, index))

    def value(slot: str, state: State) -> Matrix:
        array, there = state.arrays[slot], state.computed[slot]
        return _matrix(program, slot, lambda index: _cell(slot, array, there, index, digits))

    found = [Equation(tuple(shape(instruction, moment, show))) for show in (symbol, value)]
    # Too large to draw, both are the same names.
    return found if found[0].line != found[1].line else found[:1]


def symbols(program: Program, instruction: Instruction, state: State) -> Equation | None:
    """The matrix form in symbols alone."""
    moment = Moment(program.instructions.index(instruction), state, state)
    found = equations(program, moment)
    return found[0] if found else None


def _cell(slot: str, array: Array, there: int, index: tuple[int, ...], digits: int | None) -> str:
    flat = int(np.ravel_multi_index(index, array.shape)) if array.shape else 0
    return figure(float(array[index]), digits, (slot, index)) if flat < there else "·"


def _matrix(program: Program, slot: str, text: Callable[[tuple[int, ...]], str]) -> Matrix:
    shape = program.slots[slot].shape
    if shape == ():
        return Matrix(((text(()),),), caption=text(()))
    rows, columns = shape if len(shape) == 2 else (1, shape[0])
    if max(rows, columns) > MOST:
        return Matrix((), caption=f"{Names(program).slot(slot)} ({rows}×{columns})")
    one = len(shape) == 1
    return Matrix(tuple(tuple(text((j,) if one else (i, j)) for j in range(columns)) for i in range(rows)))


def _transposed(matrix: Matrix) -> Matrix:
    if matrix.caption:
        return Matrix((), caption=matrix.caption + "ᵀ")
    return Matrix(tuple(zip(*matrix.rows, strict=True)))


Show = Callable[[str, State], Matrix]


def _dense(instruction: Instruction, moment: Moment, show: Show) -> Iterable[str | Matrix]:
    roles, before = instruction.roles, moment.before
    yield from (show(instruction.writes, moment.after), "=", show(roles["x"], before), DOT, show(roles["W"], before))
    if "b" in roles:
        yield from ("+", show(roles["b"], before))


def _dense_x(instruction: Instruction, moment: Moment, show: Show) -> Iterable[str | Matrix]:
    roles, before = instruction.roles, moment.before
    yield from (show(instruction.writes, moment.after), "=", show(roles["g"], before), DOT)
    yield _transposed(show(roles["W"], before))


def _dense_w(instruction: Instruction, moment: Moment, show: Show) -> Iterable[str | Matrix]:
    roles, before = instruction.roles, moment.before
    yield from (show(instruction.writes, moment.after), "=", _transposed(show(roles["x"], before)), DOT)
    yield show(roles["g"], before)


def _sgd(instruction: Instruction, moment: Moment, show: Show) -> Iterable[str | Matrix]:
    roles, before = instruction.roles, moment.before
    yield from (show(instruction.writes, moment.after), "←", show(roles["w"], before), MINUS)
    yield from (show(roles["lr"], before), DOT, show(roles["g"], before))


_SHAPES: dict[str, Callable[[Instruction, Moment, Show], Iterable[str | Matrix]]] = {
    "dense": _dense,
    "dense+b": _dense,
    "dense.x": _dense_x,
    "dense.W": _dense_w,
    "sgd": _sgd,
}
