"""A gradient's line as summands: cells of the gradient further up, each times local derivatives.

Most lines of gradients are linear in `g`: `g * b`, `g @ W.T`, `g.transpose(…)`, `fold(g, …)`. Read so, each is a link
of a chain, whatever the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bptui.engine import terms
from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View
from bptui.explain.cells import COPIES, Index, copied, narrowed, reduced_cell, reduced_count, viewed
from bptui.explain.lazy import Lazy
from bptui.explain.lines import Line, Writer, gathered, product_cells
from bptui.explain.notation import negative, quotient, times
from bptui.explain.pieces import Piece, piece


@dataclass(frozen=True, eq=False)
class Factor:
    """What a gradient is multiplied by, or divided by: a cell of a part of the line."""

    part: Term
    index: Index
    divides: bool = False
    negative: bool = False


@dataclass(frozen=True, eq=False)
class Summand:
    """A cell of the gradient further up, and its factors; none where it is handed on as it is."""

    above: Index
    factors: tuple[Factor, ...] = ()

    def times(self, *more: Factor) -> Summand:
        """The same with further factors."""
        return replace(self, factors=(*self.factors, *more))

    def meaning(self, writer: Writer) -> Piece:
        """Its factors as text: what the local derivative is."""
        return factors_text(self.factors, writer)

    def value(self, line: Line) -> float:
        """Their product."""
        result = 1.0
        for each in self.factors:
            number = line.values.cell(each.part, each.index)
            with np.errstate(all="ignore"):
                result *= np.divide(1.0, number) if each.divides else -number if each.negative else number
        return float(result)


def factors_text(factors: Sequence[Factor], writer: Writer) -> Piece:
    """Factors as text, multiplied and divided."""
    text = piece("")
    for each in factors:
        if each.negative:
            continue
        part = writer.text(each.part, each.index)
        joined = times(text, part) if text else part
        text = quotient(text or "1", part) if each.divides else joined
    text = text or piece("1")
    return negative(text) if sum(each.negative for each in factors) % 2 else text


Summands = Lazy[Summand]


def summands(line: Line, index: Index) -> Summands | None:
    """A gradient's cell as summands, or None where the line isn't a sum of multiples of g."""
    return _read(line, line.term, index)


def _one(summand: Summand) -> Summands:
    return Lazy(1, lambda _: summand)


def _each(found: Summands | None, *more: Factor) -> Summands | None:
    """Every summand with further factors."""
    return found and Lazy(len(found), lambda k: found[k].times(*more))


def _sum(line: Line, part: Term, count: int, cell: Callable[[int], Index]) -> Summands | None:
    """A sum over cells of a part each of which is one summand."""
    if not count:
        return None
    first = _read(line, part, cell(0))
    if first is None or len(first) != 1:
        return None

    def summand(k: int) -> Summand:
        found = _read(line, part, cell(k))
        assert found is not None
        return found[0]

    return Lazy(count, summand)


def _has_g(line: Line, term: Term) -> bool:
    inside = terms.leaves(term)
    return "g" in inside or any(_has_g(line, line.named[name]) for name in inside if name in line.named)


def _read(line: Line, term: Term, index: Index) -> Summands | None:
    match term:
        case Leaf("g"):
            return _one(Summand(index))
        case Let(_, part):
            return _read(line, part, index)
        case Map(function, parts):
            return _map(line, function, parts, index)
        case Product(a, b):
            return _product(line, a, b, index)
        case Reduce("add" | "mean" as function, part, axes, keep):
            shape = line.shape(part)
            count = reduced_count(shape, axes)
            found = _sum(line, part, count, lambda k: reduced_cell(shape, axes, index, k, keep=keep))
            return found if function == "add" else _each(found, Factor(Number(count), (), divides=True))
        case View(kind, part, argument):
            return _read(line, part, viewed(kind, argument, line.shape(part), line.shape(term), index))
        case Call(function, parts, constants) if function in COPIES and len(parts) == 1:
            source = copied(function, [line.shape(parts[0])], constants, index)
            return None if source is None else _read(line, parts[0], source[1])
        case Call("fold" | "scatter", (part, *_)):
            cells = gathered(line, term, index)
            return _sum(line, part, len(cells), cells.__getitem__)
    return None


def _map(line: Line, function: str, parts: tuple[Term, ...], index: Index) -> Summands | None:
    at = [narrowed(index, line.shape(part)) for part in parts]
    held = [_has_g(line, part) for part in parts]
    match function, held:
        case "negative", [True]:
            return _each(_read(line, parts[0], at[0]), Factor(Number(1), (), negative=True))
        case "multiply", [True, False]:
            return _each(_read(line, parts[0], at[0]), Factor(parts[1], at[1]))
        case "multiply", [False, True]:
            return _each(_read(line, parts[1], at[1]), Factor(parts[0], at[0]))
        case "divide", [True, False]:
            return _each(_read(line, parts[0], at[0]), Factor(parts[1], at[1], divides=True))
        case "where", [False, *_]:
            return _where(line, parts, index)
    return None


def _where(line: Line, parts: tuple[Term, ...], index: Index) -> Summands | None:
    """Of two cases the one that holds; where the other is 0, the condition is a factor of 1 or 0."""
    condition, a, b = parts
    at = narrowed(index, line.shape(condition))
    if b == Number(0) and terms.leaves(condition):
        return _each(_read(line, a, narrowed(index, line.shape(a))), Factor(condition, at))
    chosen = a if line.holds(condition, index) else b
    return _read(line, chosen, narrowed(index, line.shape(chosen)))


def _product(line: Line, a: Term, b: Term, index: Index) -> Summands | None:
    left, right = line.shape(a), line.shape(b)
    of_a, of_b = _has_g(line, a), _has_g(line, b)
    if of_a == of_b:
        return None
    part, other, side = (a, b, 0) if of_a else (b, a, 1)

    def cell(k: int) -> tuple[Index, Index]:
        return product_cells(left, right, index, k)

    found = _sum(line, part, left[-1], lambda k: cell(k)[side])
    return found and Lazy(len(found), lambda k: found[k].times(Factor(other, cell(k)[1 - side])))
