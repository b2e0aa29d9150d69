"""The expression language: slots, labels, numbers, arithmetic, comparisons, indexing and a few functions.

Text is parsed with `ast` and turned into closures over a whitelist of nodes; nothing a person types is ever compiled
as Python. What is deliberately absent: names that are no slot or label, attributes other than `.grad`, `.T` and the
listed methods, calls of anything else, strings, lambdas, comprehensions.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.debugger import metrics
from bptui.debugger.metrics import Metrics
from bptui.engine.network import Array, nearest
from bptui.engine.player import State
from bptui.engine.program import Program, Target

MOST_TEXT = 2000
MOST_DEPTH = 60
MOST_REPEATED = 100
MOST_CELLS = 1_000_000

Evaluate = Callable[[State], Any]


class ExpressionError(ValueError):
    """An expression that can't be read, or has no value; the message is one line for the person who typed it."""


class NotComputedError(Exception):
    """The value asked for is not there yet at this position; `slot` is what is missing."""

    def __init__(self, slot: str) -> None:
        self.slot = slot
        super().__init__(f"{slot} is not computed")


def _norm(value: Any) -> Any:
    return np.sqrt(np.square(value).sum())


def _of_some(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A mean of nothing is refused; NumPy would give nan and a warning."""

    def checked(value: Any) -> Any:
        if np.size(value) == 0:
            raise ExpressionError("there is no number to take that of: the index picks nothing")
        return function(value)

    return checked


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "sign": np.sign,
    "isnan": np.isnan, "isfinite": np.isfinite,
    "max": np.max, "min": np.min, "sum": np.sum, "mean": _of_some(np.mean), "std": _of_some(np.std), "norm": _norm,
    "any": np.any, "all": np.all, "argmax": np.argmax, "argmin": np.argmin,
    "size": lambda value: np.float64(np.size(value)),
}  # fmt: skip
METHODS = ("max", "min", "sum", "mean", "std", "norm", "any", "all", "argmax", "argmin", "abs", "size")
_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv, ast.MatMult: operator.matmul,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Expression:
    """A parsed expression. `slots` are those it reads; `target` is set where it is a mere name with an index.

    metric  it asks how well the network does, which is looked at between iterations alone
    """

    text: str
    slots: frozenset[str]
    target: Target | None
    _evaluate: Evaluate
    metric: bool = False

    def __call__(self, state: State) -> Any:
        """Its value: a number or an array. Raises NotComputedError or ExpressionError."""
        try:
            with np.errstate(all="ignore"):
                value = self._evaluate(state)
        except (ValueError, IndexError, TypeError, OverflowError, np.exceptions.AxisError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"{_short(self.text)}: {_first_line(error)}") from None
        return value

    def holds(self, state: State) -> bool:
        """Its truth, as a condition; what is not computed is not true."""
        try:
            return _truth(self(state))
        except NotComputedError:
            return False


def parse(program: Program, text: str) -> Expression:
    """The expression that `text` is. Raises ExpressionError with one line for the person who typed it."""
    text = " ".join(text.split())
    if not text:
        raise ExpressionError("an expression is missing, such as w5 or W1.grad")
    tree = _tree(text)
    reader = _Reader(program)
    evaluate = reader.read(tree)
    target = None if reader.metric else _as_target(program, tree)
    return Expression(text, frozenset(reader.slots), target, evaluate, reader.metric)


def parse_target(program: Program, text: str) -> Target:
    """The cells that `w5`, `W1`, `W1[0, 1]` or `h1.grad` names. Raises ExpressionError."""
    text = " ".join(text.split())
    target = _as_target(program, _tree(text)) if text else None
    if target is None:
        raise ExpressionError(
            f"{_short(text) or 'nothing'} names no cell: give a slot, a label or a cell, such as w5 or W1[0, 1]"
        )
    return target


def find_slot(program: Program, name: str) -> Target:
    """The target of a plain name: a slot, a label or a layer's name. Raises ExpressionError with the nearest."""
    if name in program.slots:
        slot = program.slots[name]
        return Target(name, tuple(range(slot.size)), whole=True, scalar=slot.shape == ())
    if name in program.targets:
        return program.targets[name]
    known = [*program.targets, *program.slots, *FUNCTIONS, *metrics.available(program.network)]
    raise ExpressionError(f"no slot or label is called {_short(name)}{nearest(name, known)}")


def _tree(text: str) -> ast.expr:
    if len(text) > MOST_TEXT:
        raise ExpressionError(f"an expression of {len(text)} characters is too long ({MOST_TEXT} at most)")
    try:
        # A person writes h2.grad and W_h1; no keyword can be part of that, so ast can read it as it stands.
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{_short(text)!r} is no expression") from None
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


def _named(program: Program, tree: ast.AST) -> Target | None:
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
    base = _named(program, tree.value)
    if base is None:
        return None
    if f"{base.slot}.{tree.attr}" not in program.slots:
        what = "gradient" if tree.attr == "grad" else tree.attr
        raise ExpressionError(f"{_short(dotted)}: {program.name(base.slot)} has no {what}")
    return Target(f"{base.slot}.{tree.attr}", base.cells, base.whole, base.scalar, base.shape)


def _as_target(program: Program, tree: ast.expr) -> Target | None:
    if not isinstance(tree, ast.Subscript):
        return _named(program, tree)
    base = _as_target(program, tree.value)
    if base is None:
        return None
    shape = program.slots[base.slot].shape if base.whole else base.form
    cells = np.array(base.cells).reshape(shape)
    picked = _pick(cells, _index(tree.slice), ast.unparse(tree))
    return Target(
        base.slot, tuple(int(k) for k in np.ravel(picked)), scalar=np.ndim(picked) == 0, shape=np.shape(picked)
    )


def _pick(array: Array, index: Any, text: str) -> Array:
    try:
        return array[index]  # type: ignore[no-any-return]
    except ValueError as error:
        raise ExpressionError(f"{_short(text)}: {error}") from None
    except IndexError:
        shape = "×".join(map(str, array.shape)) or "a single number"
        raise ExpressionError(f"{_short(text)}: no such cell, the shape is {shape}") from None


def _index(tree: ast.expr) -> Any:
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


class _Reader:
    """Turns whitelisted nodes into closures."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.slots: set[str] = set()
        self.metric = False

    def read(self, tree: ast.expr) -> Evaluate:
        method = getattr(self, "_" + type(tree).__name__.lower(), None)
        if method is None:
            raise ExpressionError(f"{ast.unparse(tree)[:40]!r} is not part of the expression language")
        evaluate: Evaluate = method(tree)
        return evaluate

    def _constant(self, tree: ast.Constant) -> Evaluate:
        if not isinstance(tree.value, int | float) or isinstance(tree.value, bool):
            raise ExpressionError(f"{_short(repr(tree.value))} is no number")
        try:
            number = np.float64(tree.value)
        except OverflowError:
            raise ExpressionError("that number is too large") from None
        return lambda _: number

    def _name(self, tree: ast.expr) -> Evaluate:
        if isinstance(tree, ast.Name) and self._is_metric(tree.id):
            return self._metric(tree.id)
        target = _as_target(self.program, tree)
        assert target is not None
        return self._target(target)

    def _is_metric(self, name: str) -> bool:
        taken = name in self.program.slots or name in self.program.targets
        return not taken and name in metrics.available(self.program.network)

    def _metric(self, name: str) -> Evaluate:
        """A metric of the weights of the moment: it changes where they do."""
        self.slots.update(self.program.parameters)
        self.metric = True
        measure = Metrics(self.program)
        return lambda state: np.float64(measure(name, state.arrays))

    def _target(self, target: Target) -> Evaluate:
        self.slots.add(target.slot)
        return lambda state: value_of(state, target)

    def _attribute(self, tree: ast.Attribute) -> Evaluate:
        if (target := _named(self.program, tree)) is not None:
            return self._target(target)
        if tree.attr != "T":
            raise ExpressionError(f".{_short(tree.attr)} is not part of the expression language (.grad and .T are)")
        value = self.read(tree.value)
        return lambda state: np.transpose(value(state))

    def _subscript(self, tree: ast.Subscript) -> Evaluate:
        if (target := _as_target(self.program, tree)) is not None:
            return self._target(target)
        value, index, text = self.read(tree.value), _index(tree.slice), ast.unparse(tree)
        return lambda state: _pick(np.asarray(value(state)), index, text)

    def _binop(self, tree: ast.BinOp) -> Evaluate:
        return self._apply(tree.op, tree, tree.left, tree.right)

    def _unaryop(self, tree: ast.UnaryOp) -> Evaluate:
        if isinstance(tree.op, ast.Not):
            value = self.read(tree.operand)
            return lambda state: np.bool_(not _truth(value(state)))
        return self._apply(tree.op, tree, tree.operand)

    def _apply(self, op: ast.AST, tree: ast.expr, *parts: ast.expr) -> Evaluate:
        function, values = self._function(op, tree), [self.read(part) for part in parts]
        return lambda state: function(*_sized(op, [value(state) for value in values]))

    def _compare(self, tree: ast.Compare) -> Evaluate:
        if len(tree.ops) == 1:
            return self._apply(tree.ops[0], tree, tree.left, tree.comparators[0])
        return self._chain(tree)

    def _chain(self, tree: ast.Compare) -> Evaluate:
        """`a < b < c`. Each part is read and computed once: read for both its sides, nested ones would double."""
        values = [self.read(part) for part in (tree.left, *tree.comparators)]
        functions = [self._function(op, tree) for op in tree.ops]

        def holds(state: State) -> Any:
            left = values[0](state)
            for op, function, value in zip(tree.ops, functions, values[1:], strict=True):
                right = value(state)
                if not _truth(function(*_sized(op, [left, right]))):
                    return np.False_
                left = right
            return np.True_

        return holds

    def _function(self, op: ast.AST, tree: ast.expr) -> Callable[..., Any]:
        function = _OPERATORS.get(type(op))
        if function is None:
            raise ExpressionError(f"{ast.unparse(tree)[:40]!r} is not part of the expression language")
        return function

    def _boolop(self, tree: ast.BoolOp) -> Evaluate:
        values = [self.read(part) for part in tree.values]
        if isinstance(tree.op, ast.And):
            return lambda state: np.bool_(all(_truth(value(state)) for value in values))
        return lambda state: np.bool_(any(_truth(value(state)) for value in values))

    def _call(self, tree: ast.Call) -> Evaluate:
        function, parts = self._callee(tree)
        if len(parts) != 1 or tree.keywords or isinstance(parts[0], ast.Starred):
            raise ExpressionError(f"{ast.unparse(tree)[:40]}: a function takes one value")
        value = self.read(parts[0])
        return lambda state: function(value(state))

    def _callee(self, tree: ast.Call) -> tuple[Callable[[Any], Any], list[ast.expr]]:
        if isinstance(tree.func, ast.Name) and tree.func.id in FUNCTIONS:
            return FUNCTIONS[tree.func.id], tree.args
        if isinstance(tree.func, ast.Attribute) and tree.func.attr in METHODS:
            return FUNCTIONS[tree.func.attr], [tree.func.value, *tree.args]
        called = ast.unparse(tree.func)[:40]
        raise ExpressionError(
            f"{called} is no function{nearest(called, FUNCTIONS) or ' (' + ', '.join(FUNCTIONS) + ')'}"
        )


def value_of(state: State, target: Target) -> Any:
    """The number or array that a target has. Raises NotComputedError if any of its cells is not there yet."""
    if target.cells and max(target.cells) >= state.computed[target.slot]:
        raise NotComputedError(target.slot)
    array = state.arrays[target.slot]
    if target.whole:
        return array if array.ndim else array[()]
    cells = array.reshape(-1)[list(target.cells)]
    return cells[0] if target.scalar else cells.reshape(target.form)


def _sized(op: ast.AST, values: list[Any]) -> list[Any]:
    """The operands, unless their result would be far larger than anything on the screen. Raises ExpressionError."""
    shapes = [np.shape(value) for value in values]
    if isinstance(op, ast.MatMult) and all(shapes):
        stacks = math.prod(np.broadcast_shapes(*(shape[:-2] for shape in shapes)))
        cells = stacks * math.prod(shapes[0][-2:-1]) * math.prod(shapes[1][-1:] if len(shapes[1]) > 1 else ())
    else:
        cells = math.prod(np.broadcast_shapes(*shapes))
    if cells > max(MOST_CELLS, *(math.prod(shape) for shape in shapes)):
        raise ExpressionError(f"the result would have {cells} numbers: too many")
    return values


def _truth(value: Any) -> bool:
    if np.size(value) != 1:
        raise ExpressionError("a condition needs one value: say .any() or .all() of an array")
    return bool(np.asarray(value).reshape(())[()])


def _short(text: str) -> str:
    """What was typed, as a message repeats it."""
    return text if len(text) <= MOST_REPEATED else text[: MOST_REPEATED - 1] + "…"


def _first_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))[:120] or type(error).__name__
