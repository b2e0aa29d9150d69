"""Which cells of an argument a cell of a result depends on, by the `reach` of an op's row.

Used in both directions: `operands` goes from a cell to what it was made of, `spread` from marked cells of the
arguments to the cells of the result that they had a part in.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptui.engine.network import Array
from bptui.engine.ops import Op, Shape

Index = tuple[int | slice, ...]
_ALL = slice(None)


def operands(op: Op, role: str, shape: Shape, cell: tuple[int, ...]) -> Index:
    """The index into the argument of that role and shape which gives what result cell `cell` depends on."""
    if op.reach == "each":
        return cell[len(cell) - len(shape) :]
    if op.reach == "columns":
        return (_ALL, cell[0])
    if op.reach == "row":
        return (cell[0], _ALL)
    if op.reach.startswith("matmul"):
        return _matmul_operands(op.reach, shape, cell, first=role == op.args[0])
    return (_ALL,) * len(shape)


def _matmul_operands(reach: str, shape: Shape, cell: tuple[int, ...], *, first: bool) -> Index:
    if len(shape) == 1:
        return (cell[1],)
    if first:
        return (_ALL, cell[0]) if reach == "matmul_tn" else (cell[0], _ALL)
    return (cell[1], _ALL) if reach == "matmul_nt" else (_ALL, cell[1])


def spread(op: Op, shape: Shape, masks: Mapping[str, Array]) -> Array:
    """The cells of a result of `shape` that depend on a marked cell; `masks` is role → boolean array."""
    result = np.zeros(shape, bool)
    for role, mask in masks.items():
        if mask.any():
            result |= _spread_one(op, shape, mask, first=role == op.args[0])
    return result


def _spread_one(op: Op, shape: Shape, mask: Array, *, first: bool) -> Array:
    if op.reach == "each":
        return np.broadcast_to(mask, shape)
    if op.reach == "columns":
        return np.asarray(mask.any(0))
    if op.reach == "row":
        return np.broadcast_to(mask.any(1, keepdims=True), shape)
    if op.reach.startswith("matmul") and mask.ndim == 2:
        axis = 0 if (first and op.reach == "matmul_tn") or (not first and op.reach != "matmul_nt") else 1
        lines = np.asarray(mask.any(axis))
        return np.broadcast_to(lines[:, None] if first else lines, shape)
    if op.reach.startswith("matmul"):
        return np.broadcast_to(mask, shape)
    return np.full(shape, mask.any())
