"""What a text names: its tree as Python sees it, and the cells that `w5`, `W1[0, 1]` or `h1.grad` stand for."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from bptui.debugger import metrics
from bptui.debugger.expressions.errors import ExpressionError, short
from bptui.debugger.expressions.values import FUNCTIONS, METHODS
from bptui.debugger.rows import NotComputedError
from bptui.engine.network import Array, nearest
from bptui.engine.player import State
from bptui.engine.program import Program, Target

MOST_TEXT = 2000
MOST_DEPTH = 60


def parse_target(program: Program, text: str) -> Target:
    """The cells that `w5`, `W1`, `W1[0, 1]` or `h1.grad` names. Raises ExpressionError."""
    text = " ".join(text.split())
    target = as_target(program, tree_of(text)) if text else None
    if target is None:
        said = f"{short(text)} names no cell" if text else "which number?"
        raise ExpressionError(f"{said}{':' * bool(text)} give a slot, a label or a cell, such as w5 or W1[0, 1]")
    return target


def find_slot(program: Program, name: str) -> Target:
    """The target of a plain name: a slot, a label or a layer's name. Raises ExpressionError with the nearest."""
    if name in program.slots:
        slot = program.slots[name]
        return Target(name, tuple(range(slot.size)), whole=True, scalar=slot.shape == ())
    if name in program.targets:
        return program.targets[name]
    known = [*program.targets, *program.slots, *FUNCTIONS, *metrics.available(program.network)]
    raise ExpressionError(f"no slot or label is called {short(name)}{nearest(name, known)}")


def tree_of(text: str) -> ast.expr:
    """The tree of a text. Raises ExpressionError."""
    if len(text) > MOST_TEXT:
        raise ExpressionError(f"an expression of {len(text)} characters is too long ({MOST_TEXT} at most)")
    if "#" in text:
        # A comment could hold anything, and would be kept with an edit.
        raise ExpressionError(f"{short(text)!r} is no expression")
    try:
        # A person writes h2.grad and W_h1; no keyword can be part of that, so ast can read it as it stands.
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{short(text)!r} is no expression") from None
    if _depth(tree) > MOST_DEPTH:
        raise ExpressionError("the expression is nested too deeply")
    return tree


def _depth(tree: ast.AST) -> int:
    level, depth = [tree], 0
    while level and depth <= MOST_DEPTH:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def _dotted(tree: ast.AST) -> str | None:
    """`W1.grad` as text, if that is all the node is."""
    if isinstance(tree, ast.Name):
        return tree.id
    if isinstance(tree, ast.Attribute) and (before := _dotted(tree.value)):
        return f"{before}.{tree.attr}"
    return None


def named(program: Program, tree: ast.AST) -> Target | None:
    """The target of a name or of `name.grad`; None where the node is something else."""
    dotted = _dotted(tree)
    if dotted is None:
        return None
    if dotted in program.slots or isinstance(tree, ast.Name):
        return find_slot(program, dotted)
    assert isinstance(tree, ast.Attribute)
    endings = {name.rpartition(".")[2] for name in program.slots if "." in name}
    if tree.attr != "grad" and tree.attr not in endings - set(METHODS):
        return None
    base = named(program, tree.value)
    if base is None:
        return None
    if f"{base.slot}.{tree.attr}" not in program.slots:
        what = "gradient" if tree.attr == "grad" else tree.attr
        raise ExpressionError(f"{short(dotted)}: {program.name(base.slot)} has no {what}")
    return Target(f"{base.slot}.{tree.attr}", base.cells, base.whole, base.scalar, base.shape)


def as_target(program: Program, tree: ast.expr) -> Target | None:
    """The cells that a name with an index stands for; None where the node is something else. Raises ExpressionError."""
    if not isinstance(tree, ast.Subscript):
        return named(program, tree)
    base = as_target(program, tree.value)
    if base is None:
        return None
    shape = program.slots[base.slot].shape if base.whole else base.form
    cells = np.array(base.cells).reshape(shape)
    picked = pick(cells, index_of(tree.slice), ast.unparse(tree))
    return Target(
        base.slot, tuple(int(k) for k in np.ravel(picked)), scalar=np.ndim(picked) == 0, shape=np.shape(picked)
    )


def pick(array: Array, index: Any, text: str) -> Array:
    """An array at an index. Raises ExpressionError, with the text, where there is nothing."""
    try:
        return array[index]  # type: ignore[no-any-return]
    except ValueError as error:
        raise ExpressionError(f"{short(text)}: {error}") from None
    except IndexError:
        shape = "×".join(map(str, array.shape)) or "a single number"
        raise ExpressionError(f"{short(text)}: no such cell, the shape is {shape}") from None


def index_of(tree: ast.expr) -> Any:
    """Whole numbers, slices and a tuple of them; a tuple within would pick the same row a thousand times."""
    if isinstance(tree, ast.Tuple):
        return tuple(_side(part) for part in tree.elts)
    return _side(tree)


def _side(tree: ast.expr) -> Any:
    if isinstance(tree, ast.Slice):
        return slice(*(part if part is None else _whole(part) for part in (tree.lower, tree.upper, tree.step)))
    return _whole(tree)


def _whole(tree: ast.expr) -> int:
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return -_whole(tree.operand)
    if isinstance(tree, ast.Constant) and type(tree.value) is int and abs(tree.value) < 2**62:
        return tree.value
    raise ExpressionError(f"an index is a whole number, not {ast.unparse(tree)[:40]}")


def value_of(state: State, target: Target) -> Any:
    """The number or array that a target has. Raises NotComputedError if any of its cells is not there yet."""
    if target.cells and max(target.cells) >= state.computed[target.slot]:
        raise NotComputedError(target.slot)
    array = state.arrays[target.slot]
    if target.whole:
        return array if array.ndim else array[()]
    cells = array.reshape(-1)[list(target.cells)]
    return cells[0] if target.scalar else cells.reshape(target.form)
