"""One instruction, one cell: the formula in symbols, then with the numbers, then the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bptui.engine.player import Moment, State
from bptui.engine.program import Instruction, Program
from bptui.explain.chain import Leaf, Reader, Tree, chain, is_chain
from bptui.explain.forward import BUILDERS, Call, Index
from bptui.explain.notation import MINUS, SPACED, is_sum, number, product

MOST_WRITTEN = 400


@dataclass(frozen=True)
class Formula:
    """A formula ready to be read.

    left      what is computed, `h1`
    relation  "=" or, for an update, "←"
    rows      the right side: in symbols, with numbers, the result; each equal to the one before
    more      (what it is, text): the same seen in other ways
    """

    left: str
    relation: str
    rows: tuple[str, ...]
    more: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """All of it on one line: `h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.85`."""
        return f"{self.left} {self.relation} {' = '.join(self.rows)}"


def formula(program: Program, moment: Moment, cell: int, digits: int | None = None) -> Formula:
    """The formula of one flat cell of what an instruction wrote, with the numbers of the moment it was carried out."""
    instruction = program.instructions[moment.index]
    index = tuple(int(k) for k in np.unravel_index(cell, program.slots[instruction.writes].shape))
    reader = Reader(program, moment.before, digits)
    result = _result(moment, instruction.writes, index, digits)
    if instruction.phase == "update":
        return _update(reader, instruction, index, result)
    if instruction.op == "add" and instruction.phase == "backward":
        return _plain(reader, instruction, index, result)
    if is_chain(instruction.op):
        return _chain(reader, instruction, index, result)
    return _plain(reader, instruction, index, result)


def _result(moment: Moment, slot: str, index: Index, digits: int | None) -> str:
    """The value written, or a dot where the element's turn is still to come."""
    shape = moment.after.arrays[slot].shape
    flat = int(np.ravel_multi_index(index, shape)) if shape else 0
    half_done = moment.after.position.op == moment.index
    if flat >= (moment.after.position.element if half_done else moment.after.computed[slot]):
        return "·"
    return number(float(moment.after.arrays[slot][index]), digits)


def _plain(reader: Reader, instruction: Instruction, index: Index, result: str) -> Formula:
    """A forward op, a loss, or the derivative of the loss."""
    build = BUILDERS[instruction.op]
    names = reader.names
    symbols = build(Call(reader.program, instruction, index, names.cell))
    with_numbers = build(Call(reader.program, instruction, index, reader.number))
    rows = [symbols, with_numbers, *_products(with_numbers), result]
    more = []
    if instruction.phase != "backward":
        more = written_out(reader, instruction, index, symbols)
    return Formula(names.cell(instruction.writes, index), "=", tuple(dict.fromkeys(rows)), tuple(more))


def _products(text: str) -> list[str]:
    """`2·0.11 + 3·0.21` → `0.22 + 0.63`, where it is nothing but a few products of numbers."""
    if not is_sum(text) or any(mark in text for mark in "…²^/[l") or "·" not in text:
        return []
    try:
        terms = [_multiplied(term) for term in text.split(" + ")]
    except ValueError:
        return []
    return [" + ".join(f"({term})" if k and term.startswith(MINUS) else term for k, term in enumerate(terms))]


def _multiplied(term: str) -> str:
    value = 1.0
    for part in term.split("·"):
        value *= float(part.strip("()").replace(MINUS, "-"))
    return number(value)


def written_out(reader: Reader, instruction: Instruction, index: Index, plain: str) -> list[tuple[str, str]]:
    """The same down to inputs and weights, in symbols and with the numbers.

    Nothing where that would be too long, or no more than the `plain` formula says.
    """
    symbols = _Opening(reader.program, reader.names.cell).text(instruction, index)
    if symbols == plain or len(symbols) > MOST_WRITTEN or "…" in symbols:
        return []
    return [("written out", symbols), ("in numbers", _Opening(reader.program, reader.number).text(instruction, index))]


class _Opening:
    """Replaces every value that an instruction computed by that instruction's formula, as long as there is room."""

    def __init__(self, program: Program, leaf: Callable[[str, Index], str]) -> None:
        self.program = program
        self.leaf = leaf
        self.left = MOST_WRITTEN

    def text(self, instruction: Instruction, index: Index) -> str:
        return BUILDERS[instruction.op](Call(self.program, instruction, index, self.render))

    def render(self, slot: str, cell: Index) -> str:
        self.left -= 1
        if self.left < 0:
            return "…"
        writer = self.program.writers.get(slot)
        if writer is None or self.program.slots[slot].persistent or self.program.instructions[writer].phase == "data":
            return self.leaf(slot, cell)
        return self.text(self.program.instructions[writer], cell)


def _chain(reader: Reader, instruction: Instruction, index: Index, result: str) -> Formula:
    """The chain rule from the error down."""
    tree = chain(reader, instruction.writes, index)
    symbols = write_symbols(tree)
    numbers = write_numbers(tree, reader.digits)
    rows = tuple(dict.fromkeys([symbols, numbers, result]))
    return Formula(reader.names.cell(instruction.writes, index), "=", rows, _meanings(tree))


def write_symbols(tree: Tree | Leaf) -> str:
    """`∂E/∂prediction · ∂prediction/∂h1 · ∂h1/∂w1`."""
    return tree.symbol if isinstance(tree, Leaf) else tree.write(lambda leaf: leaf.symbol)


def write_numbers(tree: Tree | Leaf, digits: int | None) -> str:
    """`−0.809 · 0.14 · 2`."""
    return _number(tree, digits) if isinstance(tree, Leaf) else tree.write(lambda leaf: _number(leaf, digits))


def _number(leaf: Leaf, digits: int | None) -> str:
    return number(leaf.value, digits)


def _meanings(tree: Tree | Leaf) -> tuple[tuple[str, str], ...]:
    """What the derivatives are: `(prediction − target) · w5 · i1`."""
    text = write_meanings(tree)
    return (("that is", text),) if text else ()


def write_meanings(tree: Tree | Leaf) -> str:
    """A chain with each derivative replaced by what it is; empty where it would say nothing new or be too long."""
    if isinstance(tree, Leaf):
        return ""
    text = tree.write(lambda leaf: leaf.meaning)
    return text if len(text) <= MOST_WRITTEN else ""


def _update(reader: Reader, instruction: Instruction, index: Index, result: str) -> Formula:
    """`w1 ← w1 − lr·∂E/∂w1 = 0.11 − 0.05·(−0.22652) = 0.121326`."""
    roles, names = instruction.roles, reader.names
    left = names.cell(instruction.writes, index)
    symbols = f"{left} {MINUS} {product([names.cell(roles['lr'], ()), names.cell(roles['g'], index)])}"
    slope = reader.number(roles["g"], index)
    numbers = f"{reader.number(roles['w'], index)} {MINUS} {product([reader.number(roles['lr'], ()), slope])}"
    return Formula(left, "←", (symbols, numbers, result), tuple(_update_more(reader, instruction, index)))


def _update_more(reader: Reader, instruction: Instruction, index: Index) -> list[tuple[str, str]]:
    tree = chain(reader, instruction.roles["g"], index)
    text = write_meanings(tree)
    left = reader.names.cell(instruction.writes, index)
    rate = reader.names.cell(instruction.roles["lr"], ())
    found = [("where", f"{reader.names.cell(instruction.roles['g'], index)} = {write_symbols(tree)}")]
    if text:
        found.append(("written out", f"{left} {MINUS} {product([rate, text], SPACED)}"))
    return found


def symbolic_update(program: Program, instruction: Instruction, index: Index, state: State) -> str:
    """An update's formula without numbers, its gradient written out: `w1 ← w1 − lr·(prediction − target)·w5·i1`."""
    reader = Reader(program, state)
    more = dict(_update_more(reader, instruction, index))
    left = reader.names.cell(instruction.writes, index)
    plain = f"{left} {MINUS} {product([reader.names.cell('lr', ()), reader.names.cell(instruction.roles['g'], index)])}"
    return f"{left} ← {more.get('written out', plain)}"
