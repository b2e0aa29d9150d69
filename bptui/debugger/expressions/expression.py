"""A parsed expression, and what it is at one moment or at thousands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.debugger.expressions.errors import ExpressionError, short
from bptui.debugger.expressions.names import as_target, tree_of
from bptui.debugger.expressions.reading import Evaluate, Reader
from bptui.debugger.expressions.values import truth
from bptui.debugger.rows import NotComputedError, Rows
from bptui.engine.network import Array
from bptui.engine.player import State
from bptui.engine.program import Program, Target


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
            raise ExpressionError(f"{short(self.text)}: {_first_line(error)}") from None
        return value if len(value) == rows.n else np.broadcast_to(value, (rows.n, *value.shape[1:]))

    def true_over(self, rows: Rows) -> Array:
        """Its truth as a condition at each moment, (n,); what is not computed is not true."""
        try:
            return truth(self.over(rows))
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
    tree = tree_of(text)
    reader = Reader(program)
    evaluate = reader.read(tree)
    target = None if reader.metric else as_target(program, tree)
    return Expression(text, reader.reads, target, evaluate, reader.metric, reader.sums)


def _first_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error))[:120] or type(error).__name__
