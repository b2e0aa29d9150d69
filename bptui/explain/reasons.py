"""Why a cell is not finite: the first step on the way to it that had finite numbers and gave one that is not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View
from bptui.explain.cells import COPIES, Index, copied, narrowed, reduced_cell, reduced_count, viewed
from bptui.explain.linear import factors_text
from bptui.explain.lines import Line, Writer, gathered, product_cells
from bptui.explain.notation import number
from bptui.explain.tree.sums import part_as_sum

_REAL = {"log": "logarithm", "log1p": "logarithm", "sqrt": "square root", "power": "such a power"}
_MOST_CHARACTERS = 120


def reason(line: Line, index: Index, digits: int | None = None) -> str:
    """The step that made a cell of a line's result inf or nan, in words: `e^1000.2 is too large for float64`."""
    term, at = _step(line, line.term, index)
    value = line.values.cell(term, at)

    def shown(slot: str, cell: Index) -> str:
        return number(float(line.state.arrays[slot][cell]), digits)

    writer = Writer(line, shown, numbers=True, digits=digits)
    if isinstance(term, Leaf):
        return f"an operand is {number(value)} already"
    if isinstance(term, Product | Reduce):
        return _of_many(line, writer, term, at)
    text = writer.text(term, at)
    shortened = text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
    return f"{shortened} {_verdict(line, term, at, value)}"


def _of_many(line: Line, writer: Writer, term: Term, index: Index) -> str:
    """A sum that is too large, or one of its terms."""
    found, kind = part_as_sum(line, term, index), line.program.network.dtype
    sizes = np.where(np.isnan(found.values), np.inf, np.abs(found.values))
    largest = factors_text(found.piece(int(sizes.argmax())), writer)
    if not np.isfinite(sizes.max()):
        return f"{largest} is too large for {kind}"
    return f"a sum of {len(sizes)} is too large for {kind}, its largest term {largest}"


def _step(line: Line, term: Term, index: Index) -> tuple[Term, Index]:
    """The innermost part, and its cell, that is not finite: whatever it was made of is."""
    for part, cell in _made_of(line, term, index):
        if not np.isfinite(line.values.cell(part, cell)):
            return _step(line, part, cell)
    return term, index


def _made_of(line: Line, term: Term, index: Index) -> Iterator[tuple[Term, Index]]:
    """The parts, and their cells, that a cell of a part is made of."""
    match term:
        case Leaf(name) if name in line.named:
            yield line.named[name], index
        case Let(_, part):
            yield part, index
        case Map(_, parts):
            yield from ((part, narrowed(index, line.shape(part))) for part in parts)
        case Product(a, b):
            for k in range(line.shape(a)[-1]):
                left, right = product_cells(line.shape(a), line.shape(b), index, k)
                yield a, left
                yield b, right
        case Reduce(_, part, axes, keep):
            shape = line.shape(part)
            for k in range(reduced_count(shape, axes)):
                yield part, reduced_cell(shape, axes, index, k, keep=keep)
        case View(kind, part, argument):
            yield part, viewed(kind, argument, line.shape(part), line.shape(term), index)
        case Call(function, parts, constants) if function in COPIES:
            source = copied(function, [line.shape(part) for part in parts], constants, index)
            if source is not None:
                yield parts[source[0]], source[1]
        case Call("take" | "take_rows", (table, rows)):
            n = len(line.shape(rows))
            row = int(np.clip(line.values.cell(rows, index[:n]), 0, line.shape(table)[0] - 1))
            yield table, (row, *index[n:])
        case Call("fold" | "scatter", (part, *_)):
            yield from ((part, cell) for cell in gathered(line, term, index))


def _verdict(line: Line, term: Term, index: Index, value: float) -> str:
    kind = line.program.network.dtype
    if isinstance(term, Map) and term.function == "divide":
        over, under = (line.values.cell(part, narrowed(index, line.shape(part))) for part in term.parts)
        if under == 0:
            return "has no value" if over == 0 else "divides by 0"
    if isinstance(term, Map) and term.function in ("log", "log1p") and np.isinf(value):
        return "is −∞: the logarithm of 0"
    if isinstance(term, Map) and term.function in _REAL and np.isnan(value):
        return f"has no value: there is no {_REAL[term.function]} of a number below 0"
    if isinstance(term, Call):
        return f"gives {number(value)}"
    if np.isnan(value):
        return f"has no value: a part of it is too large for {kind}"
    return f"is too large for {kind}" if not isinstance(term, Number) else "is given so"
