"""What functions and operators make of values over several moments, whose first axis is the moments."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bptui.debugger.expressions.errors import ExpressionError
from bptui.debugger.rows import WIDE, UnstackableError
from bptui.engine.network import Array

MOST_CELLS = 1_000_000


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


def norm(value: Array) -> Array:
    """The root of the sum of the squares."""
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
    "std": _of_some(np.std), "norm": norm, "any": _reduced(np.any), "all": _reduced(np.all),
    "argmax": _reduced(np.argmax), "argmin": _reduced(np.argmin),
    "size": lambda value: np.array([np.float64(value[0].size)]),
}  # fmt: skip
METHODS = ("max", "min", "sum", "mean", "std", "norm", "any", "all", "argmax", "argmin", "abs", "size")
OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.Mod: operator.mod, ast.FloorDiv: operator.floordiv, ast.MatMult: operator.matmul,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def alone(value: Array) -> Array:
    """The value where there is one moment alone. Raises UnstackableError."""
    if len(value) > 1:
        raise UnstackableError
    return value[0]  # type: ignore[no-any-return]


def product(a: Array, b: Array) -> Array:
    """A @ b, unless the result would be far too large. Raises ExpressionError."""
    if a.ndim and b.ndim:
        stacks = math.prod(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        _refuse_large(stacks * math.prod(a.shape[-2:-1]) * math.prod(b.shape[-1:] if b.ndim > 1 else ()), a, b)
    return np.asarray(a @ b)[None]


def sized(values: list[Array]) -> list[Array]:
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


def truth(value: Array) -> Array:
    """(n,) flags. Raises ExpressionError where a moment has not one value."""
    if value[0].size != 1:
        raise ExpressionError("a condition needs one value: say .any() or .all() of an array")
    flags = value.reshape(len(value))
    return flags if flags.dtype == bool else np.asarray(flags != 0)
