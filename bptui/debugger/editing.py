"""What an edit is made of: the numbers that a person means, and where a nudge is placed."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bptui.debugger import expressions, fills
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.rows import NotComputedError
from bptui.debugger.view import last_edit_of
from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.program import Program, Target
from bptui.engine.timeline import Position, Timeline, normal

_SHOWN = 100
# How many commas a list of numbers may have for each that is needed: some expressions have commas of their own.
_COMMAS = 8


class DebuggerError(ValueError):
    """A command that can't be carried out; nothing was changed, and the message says why in one line."""


def find(program: Program, text: str, *, here: bool) -> Target:
    """The cells that a word names; `here` without a place, where `lr` is set by what a schedule computes it from.

    Raises ExpressionError.
    """
    rate = here and text.strip() == "lr" and "lr0" in program.slots
    return expressions.parse_target(program, "lr0" if rate else text)


def refuse_unset(program: Program, target: Target, state: State) -> None:
    """Raises DebuggerError where cells can't be set, or are not there yet."""
    slot = program.slots[target.slot]
    if not slot.editable:
        raise DebuggerError(f"{slot.name} follows from the iteration and can't be set")
    if not target.cells:
        raise DebuggerError("no cell is named: the index picks nothing")
    if max(target.cells) >= state.computed[slot.name]:
        where = f"{spell(program, target)} is not computed at {state.position}"
        raise DebuggerError(f"{where}: {writing(program, slot.name)}")


def writing(program: Program, slot: str) -> str:
    """The instruction that will write a slot, in words."""
    index = program.writers.get(slot, 0)
    return f"operation {index + 1}, {program.instructions[index].source}, will write it"


def spell(program: Program, target: Target) -> str:
    """How a reader calls cells: by their label, else by slot and index."""
    if target.whole:
        return target.slot
    grad = target.slot.endswith(".grad") and target.slot not in program.cell_names
    base = target.slot.removesuffix(".grad") if grad else target.slot
    for label, known in program.targets.items():
        if known.slot == base and known.cells == target.cells:
            return label + ".grad" * grad
    if len(target.cells) != 1 or program.slots[target.slot].shape == ():
        return target.slot
    index = np.unravel_index(target.cells[0], program.slots[target.slot].shape)
    return f"{target.slot}[{', '.join(str(int(i)) for i in index)}]"


def values(program: Program, state: State, target: Target, text: str) -> Array:
    """The numbers that `text` means for the cells: one for all, a list in their shape, or a fill."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    fill = fills.read(program, text)
    if fill is not None:
        return _finite(program, fills.values(program, target, fill), shown)
    if text.count(",") > _COMMAS * (1 + len(target.cells)):
        raise ExpressionError(f"{shown} holds far more numbers than the {len(target.cells)} that are needed")
    try:
        value = _literal(text, lambda part: expressions.parse(program, part)(state))
        array = np.array(value, dtype=np.float64)
    except NotComputedError as error:
        raise DebuggerError(f"{error.slot} is not computed at {state.position}") from None
    except (ValueError, TypeError) as error:
        if isinstance(error, ExpressionError) and text.strip().isidentifier():
            raise ExpressionError(f"{error}; a number or an expression is wanted") from None
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"{shown}: rows of different lengths, or no numbers") from None
    _finite(program, array, shown)
    shape = program.slots[target.slot].shape if target.whole else target.form
    if array.ndim and array.shape != shape and not (array.size == 1 and len(target.cells) == 1):
        have, want = ("×".join(map(str, s)) or "one number" for s in (array.shape, shape))
        raise DebuggerError(f"{shown} has shape {have}, {want} is needed")
    return np.broadcast_to(array.reshape(-1) if array.ndim else array, (len(target.cells),)).copy()


def _finite(program: Program, array: Array, shown: str) -> Array:
    if not finite(program, array):
        raise DebuggerError(f"{shown} is not a finite number{' in float32' * (program.network.dtype == 'float32')}")
    return array


def spelled(program: Program, text: str) -> str:
    """What is set as it is remembered: of a fill the seed too."""
    fill = fills.read(program, text)
    if fill is not None:
        return fill.text
    text = " ".join(text.split())
    return f"{text[: _SHOWN - 1]}…" if text.startswith("[") and len(text) > _SHOWN else text


def _literal(text: str, evaluate: Callable[[str], Any]) -> Any:
    """An expression, or nested lists of them."""
    text = " ".join(text.split())
    if not text.startswith("["):
        return _number(text, evaluate)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text[:60]!r} is no list of numbers") from None
    if not isinstance(tree, ast.List):
        return evaluate(text)
    return _listed(tree, evaluate)


def _listed(tree: ast.expr, evaluate: Callable[[str], Any]) -> Any:
    """A part of a list: more lists, a plain number, or an expression."""
    if isinstance(tree, ast.List):
        return [_listed(part, evaluate) for part in tree.elts]
    if isinstance(tree, ast.Constant) and type(tree.value) is float:
        return tree.value
    return _number(ast.unparse(tree), evaluate)


def _number(text: str, evaluate: Callable[[str], Any]) -> Any:
    value = evaluate(text)
    if np.asarray(value).dtype == bool:
        raise ExpressionError(f"{text} is true or false: a number is needed")
    return value


def finite(program: Program, values: Array) -> bool:
    """Whether numbers are finite in the precision of the program."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(values.astype(program.network.dtype)).all())


def rounded(before: float, after: float) -> float:
    """A number a person typed stays one as it is nudged: 0.14 + 0.01 is 0.15, not 0.15000000000000002."""
    return float(f"{after:.12g}") if float(f"{before:.12g}") == before else after


def step_size(array: Array) -> float:
    """A step that shows: a tenth of the slot's largest power of ten."""
    largest = float(np.abs(array).max(initial=0.0))
    if not math.isfinite(largest) or largest < 1e-12:
        return 0.01
    return float(10.0 ** (math.floor(math.log10(largest)) - 1))


def place_of_nudge(timeline: Timeline, target: Target, here: Position) -> Position:
    """The latest edit of the cell in this iteration; else its start, or just after what writes the value."""
    program = timeline.program
    begun = normal(program, here.iteration, 0, 0)
    later = last_edit_of(timeline, target, begun, here)
    if later is not None:
        return later.position
    if program.slots[target.slot].persistent:
        return begun
    return min(here, normal(program, here.iteration, program.writers[target.slot] + 1, 0))
