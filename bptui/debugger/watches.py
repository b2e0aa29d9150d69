"""Watches: expressions whose value is shown wherever one stops, with its change since the stop before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.debugger import expressions
from bptui.debugger.editing import DebuggerError
from bptui.debugger.expressions import Expression, ExpressionError
from bptui.debugger.rows import NotComputedError
from bptui.debugger.series import Series
from bptui.engine.player import State
from bptui.engine.program import Program
from bptui.engine.timeline import Position


@dataclass(frozen=True, eq=False)
class Watched:
    """A watch at a position.

    value   its value, or None where it is not computed
    change  how much it differs from where one stopped before, or None where that is no number
    """

    number: int
    text: str
    value: Any | None
    change: Any | None


class Watches:
    """The watches of a session by number, and for each its values over the iterations.

    following  the number of the next: none is ever given twice
    """

    def __init__(self) -> None:
        self.all: dict[int, Expression] = {}
        self.series: dict[int, Series] = {}
        self.following = 1
        self._shown: dict[int, tuple[Position, Any, Any]] = {}

    def add(self, program: Program, text: str) -> int:
        """A new one; its number. Raises ExpressionError."""
        number = self.following
        self.put(number, expressions.parse(program, text))
        return number

    def put(self, number: int, expression: Expression) -> None:
        """Keep one under its number."""
        self.all[number] = expression
        self.series[number] = Series(expression)
        self.following = max(self.following, number + 1)

    def delete(self, number: int) -> Expression:
        """Forget one. Raises DebuggerError."""
        if number not in self.all:
            known = ", ".join(map(str, self.all)) or "there are none"
            raise DebuggerError(f"there is no watch {number} ({known})")
        self._shown.pop(number, None)
        del self.series[number]
        return self.all.pop(number)

    def at(self, state: State, *, passing: bool = False) -> list[Watched]:
        """Every watch at a moment; asked again there it says the same. In passing nothing is remembered."""
        look = self._passing if passing else self._one
        return [look(number, expression, state) for number, expression in self.all.items()]

    def _passing(self, number: int, expression: Expression, state: State) -> Watched:
        value = _value(expression, state)
        return Watched(number, expression.text, value, _difference(value, self._shown.get(number, (None, None))[1]))

    def _one(self, number: int, expression: Expression, state: State) -> Watched:
        value = _value(expression, state)
        position, before, earlier = self._shown.get(number, (state.position, None, None))
        if position != state.position or not _same(value, before):
            earlier = before
        self._shown[number] = state.position, value, earlier
        return Watched(number, expression.text, value, _difference(value, earlier))


def _value(expression: Expression, state: State) -> Any | None:
    try:
        return expression(state)
    except (NotComputedError, ExpressionError):
        return None


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.array_equal(one, other, equal_nan=True))


def _difference(value: Any, before: Any) -> Any | None:
    if value is None or before is None or np.shape(value) != np.shape(before):
        return None
    if np.asarray(value).dtype == bool:
        return None
    with np.errstate(all="ignore"):
        return np.subtract(value, before)
