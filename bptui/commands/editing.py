"""The words that change a value."""

from __future__ import annotations

import re

import numpy as np

from bptui.commands import wording
from bptui.commands.answer import Answer, Context, Verb, nothing, number
from bptui.commands.registry import CommandError
from bptui.debugger import expressions, fills
from bptui.debugger.expressions import ExpressionError
from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.engine.timeline import Edit
from bptui.files import matrices
from bptui.files.matrices import MatrixError

_NUDGED = re.compile(r"([^\s\[]*(?:\s*\[[^\]]*\])?)\s*(.*)", re.DOTALL)


def set_(session: Context, rest: str) -> Answer:
    target, equals, value = rest.partition("=")
    if not equals or not target.strip() or not value.strip():
        raise CommandError("write set TARGET = VALUE, such as set w5 = 0.2 or set w5 = 0.2 at 0:0")
    value, at, place = _placed(value)
    try:
        edit = session.debugger.set(target.strip(), value, place if at else None)
    except ExpressionError:
        pasted = _pasted(session, target.strip(), value)
        if not pasted:
            raise
        edit = session.debugger.set(target.strip(), pasted, place if at else None)
    answer = _edited(session, "set", target.strip(), edit)
    fill = fills.read(session.debugger.program, value)
    seed = "" if fill is None or fill.seed is None else f", drawn with seed {fill.seed}"
    return Answer((f"{answer.lines[0]}{seed}",))


def _pasted(session: Context, name: str, value: str) -> str:
    """A matrix of another language, for a whole array, as lists; "" where it is none. Raises MatrixError."""
    try:
        target, array = expressions.parse_target(session.debugger.program, name), matrices.read(value)
    except ValueError:
        return ""
    if not target.whole:
        return ""
    shape = session.debugger.program.slots[target.slot].shape
    return wording.value_text(matrices.shaped(array, shape, target.slot))


def whole(session: Context, name: str, text: str, at: str | None) -> Edit:
    """Set an array, or a part of one, to what a person wrote: a fill, a matrix of any language, expressions.

    Raises ValueError that names row and column where that helps; then nothing was changed.
    """
    debugger = session.debugger
    target = expressions.parse_target(debugger.program, name)
    shape = debugger.program.slots[target.slot].shape if target.whole else target.form
    if not text.strip():
        raise MatrixError(f"no numbers; {name} is {'×'.join(map(str, shape)) or 'one number'}")
    if fills.read(debugger.program, text):
        return debugger.set(name, text, at)
    try:
        array = matrices.read(text)
    except MatrixError as wrong:
        try:
            return debugger.set(name, text, at)
        except ExpressionError:
            raise wrong from None
    if array.size == 1 and len(target.cells) > 1:
        return debugger.set(name, wording.number_text(array.reshape(())), at)
    array = matrices.shaped(array, shape, name)
    _refuse_infinite(debugger.program, array)
    return debugger.set(name, wording.value_text(array), at)


def _refuse_infinite(program: Program, array: Array) -> None:
    with np.errstate(over="ignore"):
        wrong = np.argwhere(~np.isfinite(array.astype(program.network.dtype)))
    if wrong.size:
        *above, column = (0, *wrong[0]) if array.ndim < 2 else wrong[0]
        row = int(np.ravel_multi_index(above, array.shape[:-1])) if array.ndim > 1 else 0
        value = array[tuple(wrong[0])]
        raise MatrixError(f"{value:.7g} is no finite number: row {row + 1}, column {column + 1}")


def nudge(session: Context, rest: str) -> Answer:
    name, amount = _NUDGED.fullmatch(rest).groups("")  # type: ignore[union-attr]  # it fits any line
    target = expressions.parse_target(session.debugger.program, name)
    by = number(session, amount) if amount else None
    edit = session.debugger.nudge(target, 1, by)
    return _edited(session, "nudge", name, edit)


def undo(session: Context, rest: str) -> Answer:
    nothing(rest)
    return Answer((f"undone: {wording.described(session.debugger.undo())}",))


def redo(session: Context, rest: str) -> Answer:
    nothing(rest)
    return Answer((f"done again: {wording.described(session.debugger.redo())}",))


def _placed(value: str) -> tuple[str, str, str]:
    """`0.2 at 0:0` as the value, "at" and the position; both are empty where no position is named."""
    words = value.split()
    if len(words) > 2 and words[-2] == "at":
        return " ".join(words[:-2]), "at", words[-1]
    return " ".join(words), "", ""


def _edited(session: Context, verb: str, name: str, edit: Edit) -> Answer:
    target = expressions.parse_target(session.debugger.program, name)
    if target.slot != edit.slot:
        # lr, which a schedule computes, is set by what it is computed from.
        name = edit.slot
        target = expressions.parse_target(session.debugger.program, name)
    before = session.debugger.value_before(edit)
    after = session.debugger.look(edit.position)
    old, new = (wording.short_value(expressions.value_of(state, target), session.digits) for state in (before, after))
    return Answer((f"{verb} {name}: {old} -> {new} at {edit.position}",))


VERBS: dict[str, Verb] = {
    "set": set_,
    "nudge": nudge,
    "undo": undo,
    "redo": redo,
}
