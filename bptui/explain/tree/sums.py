"""One cell of an instruction as a sum, whatever its line: what each term comes to, and the parts it is made of.

All terms' values are computed at once, as arrays, so that the largest can be told; a term's parts are made when it is
looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.engine.network import Array
from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View
from bptui.explain.cells import COPIES, Index, copied, narrowed, reduced_cell, reduced_count, viewed
from bptui.explain.linear import Factor
from bptui.explain.lines import Line, gathered, product_cells

Piece = tuple[Factor, ...]


@dataclass(frozen=True, eq=False)
class Run:
    """Terms of one kind: their values (count,), and the factors of each."""

    values: Array
    piece: Callable[[int], Piece]

    def times(self, line: Line, more: Factor) -> Run:
        """Every term with one more factor."""
        number = line.values.cell(more.part, more.index)
        with np.errstate(all="ignore"):
            values = self.values / number if more.divides else self.values * (-number if more.negative else number)
        return Run(values, lambda k: (*self.piece(k), more))


@dataclass(frozen=True, eq=False)
class Sum:
    """A cell as a sum of terms, run after run."""

    runs: tuple[Run, ...]

    @property
    def values(self) -> Array:
        """What each term comes to."""
        return np.concatenate([run.values for run in self.runs])

    def piece(self, k: int) -> Piece:
        """The factors of a term."""
        for run in self.runs:
            if k < len(run.values):
                return run.piece(k)
            k -= len(run.values)
        raise IndexError(k)


def as_sum(line: Line, index: Index) -> Sum:
    """A cell of an instruction's result as the terms it is the sum of; one term, where it is no sum."""
    return part_as_sum(line, line.term, index)


def part_as_sum(line: Line, part: Term, index: Index) -> Sum:
    """A cell of a part of a line likewise."""
    return Sum(tuple(_runs(line, part, index)))


def _runs(line: Line, term: Term, index: Index) -> list[Run]:
    match term:
        case Leaf(name) if name in line.named:
            return _runs(line, line.named[name], index)
        case Let(_, part):
            return _runs(line, part, index)
        case Map(function, parts):
            return _map(line, term, function, parts, index)
        case Product(a, b):
            return [_products(line, a, b, index)]
        case Reduce("add" | "mean", part, axes) if reduced_count(line.shape(part), axes):
            return _reduced(line, term, index)
        case View(kind, part, argument):
            return _runs(line, part, viewed(kind, argument, line.shape(part), line.shape(term), index))
        case Call(function, parts, constants) if function in COPIES:
            source = copied(function, [line.shape(part) for part in parts], constants, index)
            return _one(line, term, index) if source is None else _runs(line, parts[source[0]], source[1])
        case Call("fold" | "scatter", (part, *_)):
            cells = gathered(line, term, index)
            return [_of_cells(line, part, cells)] if cells else _one(line, term, index)
    return _one(line, term, index)


def _one(line: Line, term: Term, index: Index) -> list[Run]:
    return [Run(np.array([line.values.cell(term, index)]), lambda _: (Factor(term, index),))]


def _map(line: Line, term: Term, function: str, parts: tuple[Term, ...], index: Index) -> list[Run]:
    at = [narrowed(index, line.shape(part)) for part in parts]
    negative = Factor(Number(1), (), negative=True)
    match function:
        case "add":
            return [run for part, cell in zip(parts, at, strict=True) for run in _runs(line, part, cell)]
        case "subtract":
            less = [run.times(line, negative) for run in _runs(line, parts[1], at[1])]
            return [*_runs(line, parts[0], at[0]), *less]
        case "negative":
            return [run.times(line, negative) for run in _runs(line, parts[0], at[0])]
        case "multiply" if _splits(line, parts[1], parts[0]):
            return [run.times(line, Factor(parts[0], at[0])) for run in _runs(line, parts[1], at[1])]
        case "multiply" | "divide" if _splits(line, parts[0], parts[1]):
            by = Factor(parts[1], at[1], divides=function == "divide")
            return [run.times(line, by) for run in _runs(line, parts[0], at[0])]
    return _one(line, term, index)


def _splits(line: Line, part: Term, other: Term) -> bool:
    """Whether a product is to be told as the sum of a part's terms, each times the other part.

    A long sum always is, if the other is none; a short one (`1 − a`) only if it is multiplied by a constant.
    """
    return (_is_long(line, part) and not _is_long(line, other)) or (isinstance(other, Number) and _is_sum(line, part))


def _is_long(line: Line, term: Term) -> bool:
    """Whether a part is a sum over an axis, as far as signs, factors and ways of looking at it."""
    match term:
        case Leaf(name):
            return name in line.named and _is_long(line, line.named[name])
        case Product() | Call("fold" | "scatter"):
            return True
        case Reduce(function, part, axes):
            return function in ("add", "mean") and reduced_count(line.shape(part), axes) > 1
        case Let(_, part) | View(_, part) | Map("negative", (part,)) | Map("divide", (part, _)):
            return _is_long(line, part)
        case Map("add" | "subtract" | "multiply", parts):
            return any(_is_long(line, part) for part in parts)
    return False


def _is_sum(line: Line, term: Term) -> bool:
    match term:
        case Leaf(name):
            return name in line.named and _is_sum(line, line.named[name])
        case Map("add" | "subtract"):
            return True
        case Let(_, part) | View(_, part) | Map("negative", (part,)):
            return _is_sum(line, part)
    return _is_long(line, term)


def _products(line: Line, a: Term, b: Term, index: Index) -> Run:
    left, right = line.shape(a), line.shape(b)
    row, column = product_cells(left, right, index, 0)
    into: tuple[Any, ...] = (*column[:-2], slice(None), column[-1]) if len(right) > 1 else (slice(None),)
    with np.errstate(all="ignore"):
        values = np.asarray(line.values.array(a))[row[:-1]] * np.asarray(line.values.array(b))[into]

    def piece(k: int) -> Piece:
        cells = product_cells(left, right, index, k)
        return Factor(a, cells[0]), Factor(b, cells[1])

    return Run(np.asarray(values, float), piece)


def _reduced(line: Line, term: Reduce, index: Index) -> list[Run]:
    shape, count = line.shape(term.part), reduced_count(line.shape(term.part), term.axes)

    def cell(k: int) -> Index:
        return reduced_cell(shape, term.axes, index, k, keep=term.keep)

    if count == 1:
        return _runs(line, term.part, cell(0))
    gone = range(len(shape)) if term.axes is None else {axis % len(shape) for axis in term.axes}
    into = tuple(slice(None) if axis in gone else at for axis, at in enumerate(cell(0)))
    values = np.asarray(np.broadcast_to(line.values.array(term.part), shape)[into], float).reshape(-1)
    run = Run(values, lambda k: (Factor(term.part, cell(k)),))
    return [run.times(line, Factor(Number(count), (), divides=True)) if term.function == "mean" else run]


def _of_cells(line: Line, part: Term, cells: list[Index]) -> Run:
    places = tuple(np.array(cells).T)
    values = np.asarray(np.broadcast_to(line.values.array(part), line.shape(part))[places], float)
    return Run(values, lambda k: (Factor(part, cells[k]),))
