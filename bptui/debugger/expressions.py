"""The expression language: slots, labels, numbers, arithmetic, comparisons, indexing and a few functions.

Text is parsed with `ast` and turned into closures over a whitelist of nodes; nothing a person types is ever compiled
as Python. The closures work on rows: the same slots at several moments, one or thousands, so that a condition is looked
at for a whole stretch of iterations at once, and gives the same bits as looked at for each alone. What is deliberately
absent: names that are no slot or label, attributes other than `.grad`, `.T` and the listed methods, calls of anything
else, strings, lambdas, comprehensions.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.debugger import metrics
from bptui.debugger.metrics import Metrics
from bptui.debugger.rows import WIDE, NotComputedError, Rows, UnstackableError
from bptui.engine.network import Array, nearest
from bptui.engine.player import State
from bptui.engine.program import Program, Target

MOST_TEXT = 2000
MOST_DEPTH = 60
MOST_REPEATED = 100
MOST_CELLS = 1_000_000

# Rows → an array whose first axis is the moments (or 1 long, where they are all alike).
Evaluate = Callable[[Rows], Array]


class ExpressionError(ValueError):
    """An expression that can't be read, or has no value; the message is one line for the person who typed it."""


def _flat(value: Array) -> Array:
    """A line of numbers for each moment, side by side in memory: sums are then in one order however many there are."""
    return np.ascontiguousarray(value.reshape(len(value), -1))


def _reduced(function: Callable[..., Any]) -> Callable[[Array], Array]:
    return lambda value: np.asarray(function(_flat(value), axis=1))


def _of_some(function: Callable[..., Any]) -> Callable[[Array], Array]:
    """A mean of nothing is refused; NumPy would give nan and a warning."""

    def checked(value: Array) -> Array:
        if value[0].size == 0:
            raise ExpressionError("there is no number to take that of: the index picks nothing")
        return np.asarray(function(_flat(value), axis=1))

    return checked


def _sum(value: Array) -> Array:
    flat = _flat(value)
    if flat.dtype == bool and flat.shape[1] >= WIDE:
        return np.array([np.count_nonzero(row) for row in flat])
    return np.asarray(flat.sum(axis=1))


def _norm(value: Array) -> Array:
    return np.asarray(np.sqrt(np.square(_flat(value)).sum(axis=1)))


def largest(value: Array) -> Array:
    """The largest magnitude: `abs(x).max()` without an array of magnitudes."""
    flat = _flat(value)
    if flat.dtype == bool:
        return np.asarray(flat.max(axis=1))
    return np.asarray(np.abs(np.maximum(flat.max(axis=1), -flat.min(axis=1))))


FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh, "sign": np.sign,
    "isnan": np.isnan, "isfinite": np.isfinite,
    "max": _reduced(np.max), "min": _reduced(np.min), "sum": _sum, "mean": _of_some(np.mean),
    "std": _of_some(np.std), "norm": _norm, "any": _reduced(np.any), "all": _reduced(np.all),
    "argmax": _reduced(np.argmax), "argmin": _reduced(np.argmin),
    "size": lambda value: np.array([np.float64(value[0].size)]),
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
    """A parsed expression.

    reads   slot → the first of the flat cells it reads, and the one after the last
    target  set where it is a mere name with an index
    sums    slots of which the sum of the squares will mostly do
    metric  it asks how well the network does, which is looked at between iterations alone
    """

    text: str
    reads: Mapping[str, tuple[int, int]]
    target: Target | None
    _evaluate: Evaluate
    metric: bool = False
    sums: frozenset[str] = frozenset()

    @property
    def slots(self) -> frozenset[str]:
        """The slots it reads."""
        return frozenset(self.reads)

    def __call__(self, state: State) -> Any:
        """Its value: a number or an array. Raises NotComputedError or ExpressionError."""
        return self.over(Rows.of(state))[0]

    def over(self, rows: Rows) -> Array:
        """Its value at each moment, (n, …). Raises NotComputedError, ExpressionError or UnstackableError."""
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(self._evaluate(rows))
        except (ValueError, IndexError, TypeError, OverflowError, np.exceptions.AxisError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"{_short(self.text)}: {_first_line(error)}") from None
        return value if len(value) == rows.n else np.broadcast_to(value, (rows.n, *value.shape[1:]))

    def true_over(self, rows: Rows) -> Array:
        """Its truth as a condition at each moment, (n,); what is not computed is not true."""
        try:
            return _truth(self.over(rows))
        except NotComputedError:
            return np.zeros(rows.n, bool)

    def holds(self, state: State) -> bool:
        """Its truth, as a condition; what is not computed is not true."""
        return bool(self.true_over(Rows.of(state))[0])


def parse(program: Program, text: str) -> Expression:
    """The expression that `text` is. Raises ExpressionError with one line for the person who typed it."""
    text = " ".join(text.split())
    if not text:
        raise ExpressionError("an expression is missing, such as w5 or W1.grad")
    tree = _tree(text)
    reader = _Reader(program)
    evaluate = reader.read(tree)
    target = None if reader.metric else _as_target(program, tree)
    return Expression(text, reader.reads, target, evaluate, reader.metric, reader.sums)


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
    if "#" in text:
        # A comment could hold anything, and would be kept with an edit.
        raise ExpressionError(f"{_short(text)!r} is no expression")
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
        self.reads: dict[str, tuple[int, int]] = {}
        self.metric = False
        # How often the cells of a slot are needed, and of which slots the sum of the squares.
        self._cells: Counter[str] = Counter()
        self._sums: set[str] = set()

    @property
    def sums(self) -> frozenset[str]:
        """Slots of which the sum of the squares will mostly do."""
        return frozenset(slot for slot in self._sums if not self._cells[slot])

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
            number = np.array([np.float64(tree.value)])
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
        for slot in self.program.parameters:
            self._reads(slot, 0, self.program.slots[slot].size)
        self.metric = True
        measure = Metrics(self.program)
        return lambda rows: np.array([measure(name, rows.whole())])

    def _reads(self, slot: str, start: int, stop: int) -> None:
        before = self.reads.get(slot, (start, stop))
        self.reads[slot] = min(before[0], start), max(before[1], stop)

    def _target(self, target: Target) -> Evaluate:
        slot = target.slot
        self._cells[slot] += 1
        start, stop = (min(target.cells), max(target.cells) + 1) if target.cells else (0, 0)
        self._reads(slot, start, stop)
        if target.whole:
            shape = self.program.slots[slot].shape
            return lambda rows: rows.cells(slot, start, stop).reshape(rows.n, *shape)
        if target.scalar:
            return lambda rows: rows.cells(slot, start, stop)[:, 0]
        cells = [cell - start for cell in target.cells]
        return lambda rows: rows.cells(slot, start, stop).take(cells, axis=1).reshape(rows.n, *target.form)

    def _attribute(self, tree: ast.Attribute) -> Evaluate:
        if (target := _named(self.program, tree)) is not None:
            return self._target(target)
        if tree.attr != "T":
            raise ExpressionError(f".{_short(tree.attr)} is not part of the expression language (.grad and .T are)")
        value = self.read(tree.value)
        return lambda rows: np.ascontiguousarray(np.transpose(_alone(value(rows))))[None]

    def _subscript(self, tree: ast.Subscript) -> Evaluate:
        if (target := _as_target(self.program, tree)) is not None:
            return self._target(target)
        value, index, text = self.read(tree.value), _index(tree.slice), ast.unparse(tree)
        parts = index if isinstance(index, tuple) else (index,)
        return lambda rows: np.ascontiguousarray(_pick(value(rows), (slice(None), *parts), text))

    def _binop(self, tree: ast.BinOp) -> Evaluate:
        return self._apply(tree.op, tree, tree.left, tree.right)

    def _unaryop(self, tree: ast.UnaryOp) -> Evaluate:
        if isinstance(tree.op, ast.Not):
            value = self.read(tree.operand)
            return lambda rows: ~_truth(value(rows))
        return self._apply(tree.op, tree, tree.operand)

    def _apply(self, op: ast.AST, tree: ast.expr, *parts: ast.expr) -> Evaluate:
        function, values = self._function(op, tree), [self.read(part) for part in parts]
        return lambda rows: function(*(value(rows) for value in values))

    def _compare(self, tree: ast.Compare) -> Evaluate:
        if len(tree.ops) == 1:
            compared = self._apply(tree.ops[0], tree, tree.left, tree.comparators[0])
            return self._bounded(tree, compared)
        return self._chain(tree)

    def _bounded(self, tree: ast.Compare, compared: Evaluate) -> Evaluate:
        """`abs(W1).max() > 10` of a wide slot: where the sum of its squares is all there is, that mostly decides it.

        No magnitude is larger than the root of that sum. The half leaves room for what the sum is rounded by.
        """
        parts = self._magnitudes(tree.left) if isinstance(tree.left, ast.Call) else None
        slot, bound = self._wide(parts[0]) if parts else None, _number(tree.comparators[0])
        if slot is None or not isinstance(tree.ops[0], ast.Gt | ast.GtE) or bound <= 0:
            return compared
        self._only_sums(slot)
        size, least = self.program.slots[slot].size, bound * bound / 2

        def holds(rows: Rows) -> Array:
            known = rows.sums(slot, size)
            if known is None:
                return compared(rows)
            if not (known < least).all():
                raise UnstackableError
            return np.zeros(rows.n, bool)

        return holds

    def _wide(self, tree: ast.expr) -> str | None:
        """The wide slot that is named."""
        target = _named(self.program, tree)
        known = target is not None and target.whole and self.program.slots[target.slot].size >= WIDE
        return target.slot if target is not None and known else None

    def _only_sums(self, slot: str) -> None:
        """What has just been read needs no cells."""
        self._cells[slot] -= 1
        self._sums.add(slot)

    def _chain(self, tree: ast.Compare) -> Evaluate:
        """`a < b < c`. Each part is read and computed once: read for both its sides, nested ones would double."""
        values = [self.read(part) for part in (tree.left, *tree.comparators)]
        functions = [self._function(op, tree) for op in tree.ops]

        def holds(rows: Rows) -> Array:
            parts = [value(rows) for value in values]
            pairs = zip(functions, parts, parts[1:], strict=False)
            links = [_truth(function(left, right)) for function, left, right in pairs]
            return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*links)))

        return holds

    def _function(self, op: ast.AST, tree: ast.expr) -> Callable[..., Array]:
        """What an operator does to operands over the same moments."""
        function = _OPERATORS.get(type(op))
        if function is None:
            raise ExpressionError(f"{ast.unparse(tree)[:40]!r} is not part of the expression language")
        if isinstance(op, ast.MatMult):
            return lambda a, b: _product(_alone(a), _alone(b))
        return lambda *operands: np.asarray(function(*_sized(list(operands))))

    def _boolop(self, tree: ast.BoolOp) -> Evaluate:
        values = [self.read(part) for part in tree.values]
        every = isinstance(tree.op, ast.And)
        return lambda rows: _decided(rows, values, every=every)

    def _call(self, tree: ast.Call) -> Evaluate:
        function, parts = self._callee(tree)
        if len(parts) != 1 or tree.keywords or isinstance(parts[0], ast.Starred):
            raise ExpressionError(f"{ast.unparse(tree)[:40]}: a function takes one value")
        if (within := self._magnitudes(tree)) is not None:
            function, parts = largest, within
        value = self.read(parts[0])
        if function is _norm and (slot := self._wide(parts[0])) is not None:
            self._only_sums(slot)
            size = self.program.slots[slot].size
            return lambda rows: np.asarray(np.sqrt(rows.squares(slot, size)))
        return lambda rows: function(value(rows))

    def _magnitudes(self, tree: ast.Call) -> list[ast.expr] | None:
        """What `abs(…).max()` is of."""
        function, parts = self._callee(tree)
        if function is not FUNCTIONS["max"] or len(parts) != 1 or not isinstance(parts[0], ast.Call):
            return None
        inner, within = self._callee(parts[0])
        return within if inner is FUNCTIONS["abs"] and len(within) == 1 and not parts[0].keywords else None

    def _callee(self, tree: ast.Call) -> tuple[Callable[[Any], Any], list[ast.expr]]:
        if isinstance(tree.func, ast.Name) and tree.func.id in FUNCTIONS:
            return FUNCTIONS[tree.func.id], tree.args
        if isinstance(tree.func, ast.Attribute) and tree.func.attr in METHODS:
            return FUNCTIONS[tree.func.attr], [tree.func.value, *tree.args]
        called = ast.unparse(tree.func)[:40]
        raise ExpressionError(
            f"{called} is no function{nearest(called, FUNCTIONS) or ' (' + ', '.join(FUNCTIONS) + ')'}"
        )


def _number(tree: ast.expr) -> float:
    """A number that is written out, else 0."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float):
        return float(tree.value)
    return 0.0


def value_of(state: State, target: Target) -> Any:
    """The number or array that a target has. Raises NotComputedError if any of its cells is not there yet."""
    if target.cells and max(target.cells) >= state.computed[target.slot]:
        raise NotComputedError(target.slot)
    array = state.arrays[target.slot]
    if target.whole:
        return array if array.ndim else array[()]
    cells = array.reshape(-1)[list(target.cells)]
    return cells[0] if target.scalar else cells.reshape(target.form)


def _alone(value: Array) -> Array:
    """The value where there is one moment alone. Raises UnstackableError."""
    if len(value) > 1:
        raise UnstackableError
    return value[0]  # type: ignore[no-any-return]


def _product(a: Array, b: Array) -> Array:
    """A @ b, unless the result would be far too large. Raises ExpressionError."""
    if a.ndim and b.ndim:
        stacks = math.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        _refuse_large(stacks * math.prod(a.shape[-2:-1]) * math.prod(b.shape[-1:] if b.ndim > 1 else ()), a, b)
    return np.asarray(a @ b)[None]


def _sized(values: list[Array]) -> list[Array]:
    """The operands lined up behind the axis of moments. Raises ExpressionError, UnstackableError."""
    if all(value.ndim == 1 for value in values):
        return values
    most = max(value.ndim for value in values)
    lined = [value.reshape(len(value), *(1,) * (most - value.ndim), *value.shape[1:]) for value in values]
    shape = np.broadcast_shapes(*(value.shape for value in lined))
    _refuse_large(math.prod(shape[1:]), *(value[0] for value in values))
    if shape[0] > 1 and math.prod(shape) > MOST_CELLS:
        raise UnstackableError
    return lined


def _refuse_large(cells: int, *operands: Array) -> None:
    """Refuse a result far larger than anything on the screen. Raises ExpressionError."""
    if cells > max(MOST_CELLS, *(operand.size for operand in operands)):
        raise ExpressionError(f"the result would have {cells} numbers: too many")


def _truth(value: Array) -> Array:
    """(n,) flags. Raises ExpressionError where a moment has not one value."""
    if value[0].size != 1:
        raise ExpressionError("a condition needs one value: say .any() or .all() of an array")
    flags = value.reshape(len(value))
    return flags if flags.dtype == bool else np.asarray(flags != 0)


def _decided(rows: Rows, values: list[Evaluate], *, every: bool) -> Array:
    """`and` (every) or `or`: what is decided by what stands before is not looked at."""
    result = _truth(values[0](rows))
    for value in values[1:]:
        if (result != every).all() and not rows.thorough:
            break
        try:
            more = _truth(value(rows))
        except (NotComputedError, ExpressionError):
            if rows.n > 1:
                raise UnstackableError from None
            raise
        result = result & more if every else result | more
    return result


def _short(text: str) -> str:
    """What was typed, as a message repeats it."""
    return text if len(text) <= MOST_REPEATED else text[: MOST_REPEATED - 1] + "…"


def _first_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))[:120] or type(error).__name__
