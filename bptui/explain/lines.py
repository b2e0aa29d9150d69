"""One cell of any instruction, written from the tree of its line: with names, or with numbers.

Only what is shown is made: a sum of a thousand terms costs as much as one of six.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bptui.engine import terms
from bptui.engine.ops.row import Shape
from bptui.engine.player import State
from bptui.engine.program import Instruction, Program
from bptui.engine.terms import Call, Leaf, Let, Map, Number, Product, Reduce, Term, View
from bptui.explain.cells import COPIES, Index, copied, folded, narrowed, reduced_cell, reduced_count, viewed
from bptui.explain.notation import MINUS, Names, applied, averaged, bare, figure, number, shown, summed, times
from bptui.explain.pieces import Piece, bracketed, cases, piece, row
from bptui.explain.values import Values

Render = Callable[[str, Index], str]
# A part of a line that has a name is written out where it is used if it has no more parts than this.
_MOST_INLINE = 4


@dataclass(frozen=True, eq=False)
class Line:
    """An instruction's line, taken apart, on the arrays of a moment."""

    program: Program
    instruction: Instruction
    state: State

    @cached_property
    def term(self) -> Term:
        """The tree."""
        return terms.read(self.instruction.text)

    @cached_property
    def named(self) -> Mapping[str, Term]:
        """The parts that the line gives a name, in the order in which it does."""
        return {part.name: part.part for part in parts_of(self.term) if isinstance(part, Let)}

    @cached_property
    def _shapes(self) -> dict[str, Shape]:
        known = {role: self.program.slots[slot].shape for role, slot in self.instruction.roles.items()}
        for name, part in self.named.items():
            known[name] = terms.shape(part, known)
        return known

    @cached_property
    def _shape_of(self) -> dict[int, Shape]:
        return {}

    def shape(self, term: Term) -> Shape:
        """The shape of a part."""
        if id(term) not in self._shape_of:
            self._shape_of[id(term)] = terms.shape(term, self._shapes)
        return self._shape_of[id(term)]

    @cached_property
    def values(self) -> Values:
        """What parts come to."""
        arrays = {role: self.state.arrays[slot] for role, slot in self.instruction.roles.items()}
        return Values(arrays, self.named, self.instruction.row.functions)

    def holds(self, condition: Term, index: Index) -> bool:
        """Whether a condition holds for a cell of what has the shape of its result."""
        return bool(self.values.cell(condition, narrowed(index, self.shape(condition))))


def parts_of(term: Term) -> Iterator[Term]:
    """A tree's parts, innermost and leftmost first."""
    match term:
        case Map(_, parts) | Call(_, parts):
            for part in parts:
                yield from parts_of(part)
        case Product(a, b):
            yield from parts_of(a)
            yield from parts_of(b)
        case Let(_, part) | Reduce(_, part) | View(_, part):
            yield from parts_of(part)
    yield term


def _is_short(part: Term) -> bool:
    """Whether a named part is written out wherever it is used."""
    inside = list(parts_of(part))
    return len(inside) <= _MOST_INLINE and not any(isinstance(p, Reduce | Product | Call) for p in inside)


@dataclass(eq=False)
class Writer:
    """Writes cells of one line.

    leaf     how a cell of a slot is written
    numbers  whether what has a value is written as one: a part's name, which of two cases holds, a row's number
    inline   whether every named part is written out
    used     name → the cells of it that were written by name
    single   names of which only one cell is used, so that they need no index
    """

    line: Line
    leaf: Render
    numbers: bool = False
    digits: int | None = None
    inline: bool = False
    used: dict[str, list[Index]] = field(default_factory=dict)
    single: frozenset[str] = frozenset()

    def text(self, term: Term, index: Index) -> Piece:
        """One cell of a part."""
        match term:
            case Leaf(name) if name in self.line.named:
                return self._named(name, index)
            case Leaf(role):
                return piece(self.leaf(self.line.instruction.roles[role], index))
            case Number(value):
                return piece(number(value, self.digits if self.numbers else None))
            case Let(name):
                return self._named(name, index)
            case Map("where", (condition, a, b)):
                return self._either(condition, a, b, index)
            case Map("maximum", parts) if (inner := _sized(parts)) is not None:
                return applied("absolute", [self._under(inner, index)])
            case Map("multiply", (Number(1), part)):
                return self._under(part, index)
            case Map(function, parts):
                return applied(function, [self._under(part, index) for part in parts])
            case Product(a, b):
                return self._product(a, b, index)
            case Reduce():
                return self._reduced(term, index)
            case View(kind, part, argument):
                return self.text(part, viewed(kind, argument, self.line.shape(part), self.line.shape(term), index))
            case Call():
                return self._called(term, index)

    def _under(self, part: Term, index: Index) -> Piece:
        """The cell of a broadcast part that lies under a cell of the result."""
        return self.text(part, narrowed(index, self.line.shape(part)))

    def _named(self, name: str, index: Index) -> Piece:
        part = self.line.named[name]
        if self.inline or _is_short(part):
            return self.text(part, index)
        if self.numbers:
            return figure(self.line.values.cell(part, index), self.digits)
        cells = self.used.setdefault(name, [])
        if index not in cells:
            cells.append(index)
        return self.label(name, index)

    def label(self, name: str, index: Index) -> Piece:
        """A cell of a named part: `r`, or `e[0,1]` where several cells of it are needed."""
        needed = index and name not in self.single
        return Piece(f"{name}[{','.join(map(str, index))}]" if needed else name, "symbol")

    def _either(self, condition: Term, a: Term, b: Term, index: Index) -> Piece:
        """One of two cases: both of them with names, with numbers the one that holds."""
        if self.numbers or not terms.leaves(condition):
            return self._under(a if self.line.holds(condition, index) else b, index)
        texts = [self._under(part, index) for part in (a, condition, b)]
        if texts[0] == texts[2]:
            return texts[0]
        return cases(texts[0], bare(texts[1]), texts[2])

    def _product(self, a: Term, b: Term, index: Index) -> Piece:
        def term(k: int) -> Piece:
            left, right = product_cells(self.line.shape(a), self.line.shape(b), index, k)
            return times(self.text(a, left), self.text(b, right))

        return summed(self.line.shape(a)[-1], term)

    def _reduced(self, term: Reduce, index: Index) -> Piece:
        shape = self.line.shape(term.part)

        def cell(k: int) -> Piece:
            return self.text(term.part, reduced_cell(shape, term.axes, index, k, keep=term.keep))

        count = reduced_count(shape, term.axes)
        if term.function == "mean":
            return averaged(count, cell)
        if term.function == "add":
            return summed(count, cell)
        return applied(term.function, shown(count, cell))

    def _called(self, call: Call, index: Index) -> Piece:
        function, parts, constants = call.function, call.parts, call.constants
        if function in COPIES:
            found = copied(function, [self.line.shape(part) for part in parts], constants, index)
            filling = float(dict(call.options).get("constant_values", 0))
            return piece(number(filling)) if found is None else self.text(parts[found[0]], found[1])
        if function in ("take", "take_rows"):
            return self._taken(parts[0], parts[1], index)
        if function in ("fold", "scatter"):
            cells = gathered(self.line, call, index)
            return summed(len(cells), lambda k: self.text(parts[0], cells[k]))
        if self.numbers or not parts:
            return figure(self.line.values.cell(call, index), self.digits)
        if function == "argmax":
            return self._reduced(Reduce("argmax", parts[0], (constants[0],), keep=True), index)
        return self._own(call, index)

    def _taken(self, table: Term, rows: Term, index: Index) -> Piece:
        """A cell of a row that is looked up by its number."""
        n = len(self.line.shape(rows))
        at, rest = index[:n], index[n:]
        if not self.numbers and isinstance(table, Leaf):
            slot = self.line.instruction.roles[table.name]
            inside = row(self.text(rows, at), "".join(f",{k}" for k in rest))
            return row(Names(self.line.program).slot(slot), bracketed(inside, "[]"))
        most = self.line.shape(table)[0] - 1
        number_of_row = min(max(int(self.line.values.cell(rows, at)), 0), most)
        return self.text(table, (number_of_row, *rest))

    def _own(self, call: Call, index: Index) -> Piece:
        """A person's own function of whole arrays."""
        names = Names(self.line.program)
        whole = [whole_text(part, lambda role: names.slot(self.line.instruction.roles[role])) for part in call.parts]
        cell = f"[{','.join(map(str, index))}]" if index else ""
        return piece(f"{call.function}({', '.join([*whole, *map(str, call.constants)])}){cell}")


def _sized(parts: tuple[Term, ...]) -> Term | None:
    """What `maximum(x, -x)` is the size of: it is |x|."""
    a, b = parts
    bare_a = Leaf(a.name) if isinstance(a, Let) else a
    return a if b in (Map("negative", (bare_a,)), Map("negative", (a,))) else None


def product_cells(a: Shape, b: Shape, index: Index, k: int) -> tuple[Index, Index]:
    """The cells of a and b that make number k of the products summed in a cell of `a @ b`."""
    column = index[-1:] if len(b) > 1 else ()
    before = index[: len(index) - len(column)]
    row = before[-1:] if len(a) > 1 else ()
    lead = before[: len(before) - len(row)]
    left = (*narrowed(lead, a[:-2]), *row, k)
    return left, (*narrowed(lead, b[:-2]), k, *column)


def gathered(line: Line, call: Call, index: Index) -> list[Index]:
    """The cells of its first part that `fold` or `scatter` adds up in a cell of the result."""
    if call.function == "fold":
        return folded(line.shape(call.parts[0]), call.constants, index)
    rows = np.clip(np.asarray(line.values.array(call.parts[1])), 0, call.constants[0][0] - 1)
    return [(*(int(k) for k in at), *index[1:]) for at in np.argwhere(rows == index[0])]


# Whole arrays


def whole_text(term: Term, name: Callable[[str], str]) -> str:
    """A part as a line over whole arrays, for those who want to see the operation and not a cell: `x @ W + b`.

    How an array is seen (reshaped, broadcast) is left out, but for a transposed matrix.
    """
    match term:
        case Leaf(role):
            return name(role)
        case Number(value):
            return number(value, 4)
        case Let(_, part):
            return whole_text(part, name)
        case Map(function, parts):
            return _whole_map(function, parts, name)
        case Product(a, b):
            return " @ ".join(_as_operand(whole_text(part, name)) for part in (a, b))
        case Reduce(function, part):
            return _reduced_whole(function, whole_text(part, name))
        case View(kind, part, argument):
            return _viewed_whole(kind, whole_text(part, name), argument)
        case Call(function, parts):
            inside = ", ".join(whole_text(part, name) for part in parts)
            return inside if function == "astype" else f"{function}({inside})"


def _whole_map(function: str, parts: tuple[Term, ...], name: Callable[[str], str]) -> str:
    if function == "maximum" and (inner := _sized(parts)) is not None:
        return applied("absolute", [whole_text(inner, name)])
    texts = [whole_text(part, name) for part in parts]
    if function == "where":
        return f"({texts[1]} if {bare(texts[0])} else {texts[2]})"
    return applied(function, texts)


def _viewed_whole(kind: str, text: str, argument: object) -> str:
    if kind == "transpose" and argument is None:
        return f"{_as_operand(text)}ᵀ"
    if kind == "index" and argument != (Ellipsis, None):
        return f"{_as_operand(text)}[{index_text(argument)}]"
    return text


def _as_operand(text: str) -> str:
    return f"({text})" if " " in text or text.startswith(MINUS) else text


def _reduced_whole(function: str, text: str) -> str:
    if function == "add":
        return f"Σ {_as_operand(text)}"
    return applied(function, [text])


def index_text(argument: object) -> str:
    """An index as it is written between brackets."""
    parts = argument if isinstance(argument, tuple) else (argument,)
    return ", ".join(_slice_text(part) for part in parts)


def _slice_text(part: object) -> str:
    if part is Ellipsis:
        return "…"
    if not isinstance(part, slice):
        return str(part)
    start, stop = ("" if end is None else str(end) for end in (part.start, part.stop))
    return f"{start}:{stop}" if part.step in (None, 1) else f"{start}:{stop}:{part.step}"
