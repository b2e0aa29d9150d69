"""Turns the nodes of an expression's tree, those that are allowed, into closures over rows."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from bptui.debugger import metrics
from bptui.debugger.expressions.errors import ExpressionError, short
from bptui.debugger.expressions.names import as_target, index_of, named, pick
from bptui.debugger.expressions.values import FUNCTIONS, METHODS, OPERATORS, alone, largest, norm, product, sized, truth
from bptui.debugger.metrics import Metrics
from bptui.debugger.rows import WIDE, NotComputedError, Rows, UnstackableError
from bptui.engine.network import Array, nearest
from bptui.engine.program import Program, Target

# Rows → an array whose first axis is the moments (or 1 long, where they are all alike).
Evaluate = Callable[[Rows], Array]


class Reader:
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
        """The closure of a node. Raises ExpressionError where it is not part of the language."""
        method = getattr(self, "_" + type(tree).__name__.lower(), None)
        if method is None:
            raise ExpressionError(f"{ast.unparse(tree)[:40]!r} is not part of the expression language")
        evaluate: Evaluate = method(tree)
        return evaluate

    def _constant(self, tree: ast.Constant) -> Evaluate:
        if not isinstance(tree.value, int | float) or isinstance(tree.value, bool):
            raise ExpressionError(f"{short(repr(tree.value))} is no number")
        try:
            number = np.array([np.float64(tree.value)])
        except OverflowError:
            raise ExpressionError("that number is too large") from None
        return lambda _: number

    def _name(self, tree: ast.expr) -> Evaluate:
        if isinstance(tree, ast.Name) and self._is_metric(tree.id):
            return self._metric(tree.id)
        target = as_target(self.program, tree)
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
        if (target := named(self.program, tree)) is not None:
            return self._target(target)
        if tree.attr != "T":
            raise ExpressionError(f".{short(tree.attr)} is not part of the expression language (.grad and .T are)")
        value = self.read(tree.value)
        return lambda rows: np.ascontiguousarray(np.transpose(alone(value(rows))))[None]

    def _subscript(self, tree: ast.Subscript) -> Evaluate:
        if (target := as_target(self.program, tree)) is not None:
            return self._target(target)
        value, index, text = self.read(tree.value), index_of(tree.slice), ast.unparse(tree)
        parts = index if isinstance(index, tuple) else (index,)
        return lambda rows: np.ascontiguousarray(pick(value(rows), (slice(None), *parts), text))

    def _binop(self, tree: ast.BinOp) -> Evaluate:
        return self._apply(tree.op, tree, tree.left, tree.right)

    def _unaryop(self, tree: ast.UnaryOp) -> Evaluate:
        if isinstance(tree.op, ast.Not):
            value = self.read(tree.operand)
            return lambda rows: ~truth(value(rows))
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
        target = named(self.program, tree)
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
            links = [truth(function(left, right)) for function, left, right in pairs]
            return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*links)))

        return holds

    def _function(self, op: ast.AST, tree: ast.expr) -> Callable[..., Array]:
        """What an operator does to operands over the same moments."""
        function = OPERATORS.get(type(op))
        if function is None:
            raise ExpressionError(f"{ast.unparse(tree)[:40]!r} is not part of the expression language")
        if isinstance(op, ast.MatMult):
            return lambda a, b: product(alone(a), alone(b))
        return lambda *operands: np.asarray(function(*sized(list(operands))))

    def _boolop(self, tree: ast.BoolOp) -> Evaluate:
        values = [self.read(part) for part in tree.values]
        every = isinstance(tree.op, ast.And)
        return lambda rows: _decided(rows, values, every=every)

    def _call(self, tree: ast.Call) -> Evaluate:
        function, parts = self._callee(tree)
        if isinstance(tree.func, ast.Attribute) and (len(parts) > 1 or tree.keywords):
            raise ExpressionError(f"{ast.unparse(tree)[:40]}: {self._no_axis(parts[0])}")
        if len(parts) != 1 or tree.keywords or isinstance(parts[0], ast.Starred):
            raise ExpressionError(f"{ast.unparse(tree)[:40]}: a function takes one value")
        if (within := self._magnitudes(tree)) is not None:
            function, parts = largest, within
        value = self.read(parts[0])
        if function is norm and (slot := self._wide(parts[0])) is not None:
            self._only_sums(slot)
            size = self.program.slots[slot].size
            return lambda rows: np.asarray(np.sqrt(rows.squares(slot, size)))
        return lambda rows: function(value(rows))

    def _no_axis(self, tree: ast.expr) -> str:
        """What is said where `a1.mean(0)` was wanted: what tells units apart."""
        target = named(self.program, tree)
        told = target is not None and target.whole and self.program.slots[target.slot].kind == "value"
        return "no axis here" + f"; describe {ast.unparse(tree)[:40]} names the most active unit" * told

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


def _decided(rows: Rows, values: list[Evaluate], *, every: bool) -> Array:
    """`and` (every) or `or`: what is decided by what stands before is not looked at."""
    result = truth(values[0](rows))
    for value in values[1:]:
        if (result != every).all() and not rows.thorough:
            break
        try:
            more = truth(value(rows))
        except (NotComputedError, ExpressionError):
            if rows.n > 1:
                raise UnstackableError from None
            raise
        result = result & more if every else result | more
    return result
