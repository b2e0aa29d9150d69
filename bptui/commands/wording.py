"""Values and positions as the lines of the command language: floats by `repr`, arrays as nested lists."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from bptui.commands.telling import Told
from bptui.debugger.view import View
from bptui.debugger.watches import Watched
from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.program import Program
from bptui.engine.timeline import Edit

if TYPE_CHECKING:
    from bptui.engine.gradcheck import GradientCheck

UNSET = "·"
MOST_NUMBERS = 32
_SHOWN = 6


def number_text(value: Any, digits: int | None = None) -> str:
    """A number by `repr`, or to so many significant digits; True and False as they are."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    return repr(float(value)) if digits is None else f"{float(value):.{digits}g}"


def value_text(value: Any, digits: int | None = None) -> str:
    """A number, or an array as nested lists."""
    array = np.asarray(value)
    if array.ndim == 0:
        return number_text(array[()], digits)
    return "[" + ", ".join(value_text(part, digits) for part in array) + "]"


def slot_text(state: State, slot: str, digits: int | None = None) -> str:
    """A slot as nested lists, a dot for each cell that is not computed yet."""
    array, there = state.arrays[slot], state.computed[slot]
    if there == array.size:
        return value_text(array, digits)
    return _nested(array, lambda flat, value: number_text(value, digits) if flat < there else UNSET)


def short_text(state: State, slot: str, digits: int | None = None) -> str:
    """A slot as in a verb's line: above 32 numbers only the first are shown, and how many there are."""
    array, there = state.arrays[slot], state.computed[slot]
    return slot_text(state, slot, digits) if array.size <= MOST_NUMBERS else _shortened(array, there, digits)


def short_value(value: Any, digits: int | None = None) -> str:
    """A value as in a verb's line."""
    array = np.asarray(value)
    return value_text(value, digits) if array.size <= MOST_NUMBERS else _shortened(array, array.size, digits)


def _shortened(array: Array, there: int, digits: int | None) -> str:
    first = [number_text(v, digits) if k < there else UNSET for k, v in enumerate(array.reshape(-1)[:_SHOWN])]
    shape = "×".join(map(str, array.shape))
    return f"{'[' * array.ndim}{', '.join(first)}, … {array.size} numbers, {shape}{']' * array.ndim}"


def _nested(array: Array, text: Callable[[int, Any], str]) -> str:
    cells = [text(flat, value) for flat, value in enumerate(array.reshape(-1))]

    def build(start: int, shape: tuple[int, ...]) -> str:
        if not shape:
            return cells[start]
        step = int(np.prod(shape[1:], dtype=np.int64))
        return "[" + ", ".join(build(start + k * step, shape[1:]) for k in range(shape[0])) + "]"

    return build(0, array.shape)


def where_line(view: View, digits: int | None = None) -> str:
    """`0:2 forward  z2 = z1 @ W2  [[0.191]]`: the position, the phase, the source and the value written."""
    return Told(_where(view, digits), lambda: _speaking().where(view, digits))


def _speaking() -> ModuleType:
    """What says it in sentences, loaded where somebody listens."""
    from bptui.commands import speaking

    return speaking


def _where(view: View, digits: int | None) -> str:
    if view.done is None:
        return f"{view.position} start"
    instruction = view.program.instructions[view.done]
    value = short_text(view.state, instruction.writes, digits)
    return f"{view.position} {instruction.phase}  {instruction.source}  {value}"


def watch_line(one: Watched, digits: int | None = None) -> str:
    """A watch: its value here, and how much it differs from the stop before."""
    value = "not computed" if one.value is None else short_value(one.value, digits)
    change = f"  ({_signed(one.change, digits)})" if one.change is not None and np.any(one.change) else ""
    return Told(f"watch {one.number}: {one.text} = {value}{change}", lambda: _speaking().watch(one, digits))


def _signed(change: Any, digits: int | None) -> str:
    if np.ndim(change):
        return f"largest change {number_text(np.abs(change).max(), digits)}"
    return f"{'+' * bool(change > 0)}{number_text(change, digits)}"


def gradcheck_lines(program: Program, result: GradientCheck, digits: int | None = None) -> list[str]:
    """How a gradient check ended: a line for each parameter, then a sentence."""
    from bptui.engine.gradcheck import sentence

    wide = max((len(tensor.name) for tensor in result.tensors), default=0)
    lines = [
        f"  {tensor.name:<{wide}}  slope {number_text(tensor.given, digits or 6)}, "
        f"measured {number_text(tensor.measured, digits or 6)}, relative error {tensor.error:.1e}"
        for tensor in result.tensors
    ]
    verdict = "gradients are right" if result.passed else "a gradient is wrong" if result.tensors else "not checked"
    return [*lines, f"{verdict}: {sentence(program, result)}"]


def described(edit: Edit) -> str:
    """An edit, and where it was made."""
    return f"{edit.text} at {edit.position}"
