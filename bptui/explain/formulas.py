"""One instruction, one cell: the formula in symbols, then with the numbers, then the result."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from bptui.engine.ops import OPS
from bptui.engine.player import Moment, State
from bptui.engine.program import Instruction, Program
from bptui.explain.cells import Index, ravelled, unravelled
from bptui.explain.chain import Leaf, Reader, Terms, Tree, chain, one_link, terms
from bptui.explain.forward import BUILDERS, written_cell
from bptui.explain.lines import Line, Writer
from bptui.explain.notation import MINUS, SPACED, factor, figure, is_sum, product, summed
from bptui.explain.pieces import Piece, piece, row

MOST_WRITTEN = 400


@dataclass(frozen=True)
class Formula:
    """A formula ready to be read.

    left      what is computed, `h1`
    relation  "=" or, for an update, "←"
    rows      the right side: in symbols, with numbers, the result; each equal to the one before
    ways      makes `more`
    """

    left: Piece
    relation: str
    rows: tuple[Piece, ...]
    ways: Callable[[], Iterable[tuple[str, Piece]]] = field(default=tuple, compare=False)

    @cached_property
    def more(self) -> tuple[tuple[str, Piece], ...]:
        """(what it is, text): the same seen in other ways, made where they are asked for."""
        return tuple(self.ways())

    @property
    def line(self) -> str:
        """All of it on one line: `h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.85`."""
        return f"{self.left} {self.relation} {' = '.join(self.rows)}"

    def short(self, most: int) -> str:
        """The same on a line of no more characters, as far as that can be: without the numbers, then cut."""
        if len(self.line) <= most:
            return self.line
        start, end = f"{self.left} {self.relation} {self.rows[0]}", f" = {self.rows[-1]}"
        return start[: max(0, most - len(end) - 1)] + "…" * (len(start) + len(end) > most) + end


def has_formula(op: str) -> bool:
    """Whether an op can be written as a formula: with a builder of its own, else from its line, as every row can."""
    return op in BUILDERS or op in OPS


def formula(program: Program, moment: Moment, cell: int, digits: int | None = None) -> Formula:
    """The formula of one flat cell of what an instruction wrote, with the numbers of the moment it was carried out."""
    instruction = program.instructions[moment.index]
    index = unravelled(cell, program.slots[instruction.writes].shape)
    reader = Reader(program, moment.before, digits)
    result = _result(moment, instruction.writes, index, digits)
    if instruction.op == "sgd":
        return _update(reader, instruction, index, result)
    found = terms(reader, instruction, index)
    return _chain(reader, instruction, index, result, found) if found else _plain(reader, instruction, index, result)


def _result(moment: Moment, slot: str, index: Index, digits: int | None) -> Piece:
    """The value written, or a dot where the element's turn is still to come."""
    flat = ravelled(index, moment.after.arrays[slot].shape)
    half_done = moment.after.position.op == moment.index
    if flat >= (moment.after.position.element if half_done else moment.after.computed[slot]):
        return piece("·")
    return figure(float(moment.after.arrays[slot][index]), digits, (slot, index))


def _plain(reader: Reader, instruction: Instruction, index: Index, result: Piece) -> Formula:
    """The line itself: a forward op, a loss, the derivative of a loss, what an optimizer does."""
    line, names = reader.line(instruction), reader.names
    where: list[tuple[str, Piece]] = []
    if instruction.row.formula:
        symbols, with_numbers = (_own(reader, instruction, index, leaf) for leaf in (names.cell, reader.number))
    elif instruction.op in BUILDERS:
        symbols, with_numbers = (written_cell(line, index, leaf) for leaf in (names.cell, reader.number))
    else:
        symbols, where = _symbols(line, index, names.cell)
        writer = Writer(line, reader.number, numbers=True, digits=reader.digits)
        with_numbers = writer.text(line.term, index)
    rows = [symbols, with_numbers, *_products(with_numbers, reader.digits), result]

    def ways() -> Iterator[tuple[str, Piece]]:
        yield from where
        if instruction.phase in ("data", "forward", "loss"):
            yield from written_out(reader, instruction, index, symbols)

    relation = "←" if instruction.writes in instruction.reads else "="
    return Formula(names.cell(instruction.writes, index), relation, _distinct(rows), ways)


def _own(reader: Reader, instruction: Instruction, index: Index, leaf: Callable[[str, Index], Piece]) -> Piece:
    """A person's own formula, each of its roles written as the cell in the same place."""
    cells = {}
    for role, slot in instruction.roles.items():
        shape = reader.program.slots[slot].shape
        place = index[len(index) - len(shape) :]
        cells[role] = factor(leaf(slot, tuple(0 if n == 1 else k for n, k in zip(shape, place, strict=True))))
    # Only ASCII letters make a role's name: the ³ of x³ is no part of it.
    words = re.split(r"([A-Za-z_]\w*)", instruction.row.formula, flags=re.ASCII)
    return row(*(cells.get(word, word) for word in words))


def _distinct(rows: list[Piece]) -> tuple[Piece, ...]:
    return tuple(dict.fromkeys(rows))


def _symbols(line: Line, index: Index, leaf: Callable[[str, Index], str]) -> tuple[Piece, list[tuple[str, Piece]]]:
    """A line with names; and what stands for the parts that it names itself."""
    first = Writer(line, leaf)
    first.text(line.term, index)
    _named(first)
    single = frozenset(name for name, cells in first.used.items() if len(cells) == 1)
    writer = Writer(line, leaf, single=single)
    text = writer.text(line.term, index)
    return text, [("where", part) for part in _named(writer)]


def _named(writer: Writer) -> list[Piece]:
    """`e[0,1] = e^(z[0,1] − m)` for each named part, one cell of it, the parts of those parts too."""
    found: dict[str, Piece] = {}
    while missing := [name for name in writer.used if name not in found]:
        name = missing[0]
        cell = writer.used[name][0]
        found[name] = row(writer.label(name, cell), " = ", writer.text(writer.line.named[name], cell))
    return list(found.values())


def _products(text: str, digits: int | None) -> list[Piece]:
    """`2·0.11 + 3·0.21` → `0.22 + 0.63`, where it is nothing but a few products of numbers."""
    if not is_sum(text) or any(mark in text for mark in "…²^/[l") or "·" not in text:
        return []
    try:
        made = [_multiplied(term, digits) for term in text.split(" + ")]
    except ValueError:
        return []
    return [summed(len(made), made.__getitem__)]


def _multiplied(term: str, digits: int | None) -> Piece:
    value = 1.0
    for part in term.split("·"):
        value *= float(part.strip("()").replace(MINUS, "-"))
    return figure(value, digits)


def written_out(reader: Reader, instruction: Instruction, index: Index, plain: str) -> list[tuple[str, Piece]]:
    """The same down to inputs and weights, in symbols and with the numbers.

    Nothing where that would be too long, or no more than the `plain` formula says.
    """
    try:
        symbols = _Opening(reader, numbers=False).text(instruction, index)
        if symbols == plain or len(symbols) > MOST_WRITTEN or "…" in symbols:
            return []
        numbers = _Opening(reader, numbers=True).text(instruction, index)
    except _TooLong:
        return []
    return [("written out", symbols), ("in numbers", numbers)]


class _TooLong(Exception):  # noqa: N818  # it is no error: it ends an attempt
    """More cells than there is room for."""


class _Opening:
    """Replaces every value that an instruction computed by that instruction's formula, as long as there is room."""

    def __init__(self, reader: Reader, *, numbers: bool) -> None:
        self.reader = reader
        self.numbers = numbers
        self.leaf = reader.number if numbers else reader.names.cell
        self.left = MOST_WRITTEN // 3

    def text(self, instruction: Instruction, index: Index) -> Piece:
        return written_cell(self.reader.line(instruction), index, self.render, numbers=self.numbers)

    def render(self, slot: str, cell: Index) -> Piece:
        self.left -= 1
        if self.left < 0:
            raise _TooLong
        program = self.reader.program
        writer = program.writers.get(slot)
        if writer is None or program.slots[slot].persistent or program.instructions[writer].phase == "data":
            return self.leaf(slot, cell)
        return self.text(program.instructions[writer], cell)


def _chain(reader: Reader, instruction: Instruction, index: Index, result: Piece, found: Terms) -> Formula:
    """The chain rule from the error down; one link of it where there are too many paths."""
    left = reader.names.cell(instruction.writes, index)
    tree = chain(reader, instruction.writes, index)
    if isinstance(tree, Leaf):
        symbols = one_link(reader, found, lambda leaf: leaf.symbol)
        numbers = one_link(reader, found, lambda leaf: leaf.number(reader.digits))
    else:
        symbols, numbers = write_symbols(tree), write_numbers(tree, reader.digits)

    def ways() -> Iterator[tuple[str, Piece]]:
        one = isinstance(tree, Leaf)
        meaning = one_link(reader, found, lambda leaf: leaf.meaning) if one else write_meanings(tree)
        if meaning and meaning != symbols and len(meaning) <= MOST_WRITTEN:
            yield "that is", meaning

    return Formula(left, "=", _distinct([symbols, numbers, result]), ways)


def write_symbols(tree: Tree | Leaf) -> Piece:
    """`∂E/∂prediction · ∂prediction/∂h1 · ∂h1/∂w1`."""
    return tree.symbol if isinstance(tree, Leaf) else tree.write(lambda leaf: leaf.symbol)


def write_numbers(tree: Tree | Leaf, digits: int | None) -> Piece:
    """`−0.809 · 0.14 · 2`."""
    return tree.number(digits) if isinstance(tree, Leaf) else tree.write(lambda leaf: leaf.number(digits))


def write_meanings(tree: Tree | Leaf) -> Piece:
    """`(prediction − target) · w5 · i1`: a chain with each derivative replaced by what it is; empty where too long."""
    if isinstance(tree, Leaf):
        return piece("")
    text = tree.write(lambda leaf: leaf.meaning)
    return text if len(text) <= MOST_WRITTEN else piece("")


def _update(reader: Reader, instruction: Instruction, index: Index, result: Piece) -> Formula:
    """`w1 ← w1 − lr·∂E/∂w1 = 0.11 − 0.05·(−0.22652) = 0.121326`."""
    roles, names = instruction.roles, reader.names
    left = names.cell(instruction.writes, index)
    symbols = row(
        names.cell(roles["w"], index),
        f" {MINUS} ",
        product([names.cell(roles["lr"], ()), names.cell(roles["g"], index)]),
    )
    slope = reader.number(roles["g"], index)
    numbers = row(reader.number(roles["w"], index), f" {MINUS} ", product([reader.number(roles["lr"], ()), slope]))
    return Formula(left, "←", (symbols, numbers, result), lambda: _update_more(reader, instruction, index))


def _update_more(reader: Reader, instruction: Instruction, index: Index) -> list[tuple[str, Piece]]:
    slope = instruction.roles["g"]
    if reader.program.slots[slope].kind != "gradient":
        return []
    tree = chain(reader, slope, index)
    text = write_meanings(tree)
    left = reader.names.cell(instruction.writes, index)
    rate = reader.names.cell(instruction.roles["lr"], ())
    found = [("where", row(reader.names.cell(slope, index), " = ", write_symbols(tree)))]
    if isinstance(tree, Leaf) and tree.symbol == reader.names.cell(slope, index):
        found = []
    if text:
        found.append(("written out", row(left, f" {MINUS} ", product([rate, text], SPACED))))
    return found


def symbolic_update(program: Program, instruction: Instruction, index: Index, state: State) -> str:
    """An update's formula without numbers, its gradient written out: `w1 ← w1 − lr·(prediction − target)·w5·i1`."""
    reader = Reader(program, state)
    left = reader.names.cell(instruction.writes, index)
    if instruction.op != "sgd":
        relation = "←" if instruction.writes in instruction.reads else "="
        return f"{left} {relation} {_symbols(reader.line(instruction), index, reader.names.cell)[0]}"
    roles, more = instruction.roles, dict(_update_more(reader, instruction, index))
    plain = f"{left} {MINUS} {product([reader.names.cell(roles['lr'], ()), reader.names.cell(roles['g'], index)])}"
    return f"{left} ← {more.get('written out', plain)}"
