"""Formulas know their parts: the text is as it was, whole, and every name and number in it says whose it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest
import test_formulas as formulas
from driving import goto_text

from bptui.debugger.debugger import Debugger
from bptui.engine.player import Moment
from bptui.explain.cells import unravelled
from bptui.explain.formulas import Formula, formula
from bptui.explain.notation import Names, number
from bptui.explain.pieces import Piece
from bptui.files import specs

GOLDEN = Path(__file__).parent / "golden" / "formulas.txt"
EXAMPLES = ("article", "mazur", "moons", "lenet", "lstm", "transformer")
# Words that are no names of cells.
WORDS = frozenset(
    ("e", "max", "min", "tanh", "ln", "softmax", "erf", "sign", "cos", "argmax", "more", "rows", "and", "½", "²")
)
Shown = tuple[Moment, int, Formula]


@dataclass(frozen=True)
class Begun:
    """A network's debugger at the end of the second iteration, and a formula of every kind of operation there."""

    name: str
    debugger: Debugger
    shown: list[Shown]


def each(debugger: Debugger) -> Iterator[Shown]:
    """A formula of every kind of operation: of its last cell."""
    seen, moments = set(), debugger.moments(1)
    for k, instruction in enumerate(debugger.program.instructions):
        if instruction.op not in seen:
            seen.add(instruction.op)
            moment, cell = moments(k), debugger.program.size(k) - 1
            yield moment, cell, formula(debugger.program, moment, cell, 4)


# As many as the examples: what was read and written by each operation is large.
@lru_cache(maxsize=8)
def begin(name: str) -> Begun:
    debugger = Debugger(specs.load(name)) if name in EXAMPLES else formulas.begun(name)
    goto_text(debugger, f"1:{len(debugger.program)}")
    return Begun(name, debugger, list(each(debugger)))


def pieces(found: Formula) -> list[Piece]:
    return [found.left, *found.rows, *(text for _, text in found.more)]


def parts(piece: Piece) -> Iterator[Piece]:
    yield piece
    for part in piece.parts:
        yield from parts(part)


def test_the_text_is_as_it_was():
    made = [
        " | ".join([name, found.line, *(f"{title}: {text}" for title, text in found.more)])
        for name in EXAMPLES
        for _, _, found in begin(name).shown
    ]
    if os.environ.get("BPTUI_UPDATE_SNAPSHOTS"):
        GOLDEN.write_text("\n".join(made) + "\n", encoding="utf-8")
    assert made == GOLDEN.read_text(encoding="utf-8").splitlines()


NETWORKS = [*EXAMPLES, *formulas.NETWORKS]


@pytest.fixture(scope="module", params=NETWORKS)
def begun(request) -> Begun:
    """The tests of one network follow each other."""
    return begin(request.param)


def test_a_text_is_made_of_its_parts(begun):
    for _, _, found in begun.shown:
        assert all("".join(whole.flat()) == whole for whole in pieces(found))
        for piece in [part for whole in pieces(found) for part in parts(whole) if part.parts]:
            made = "".join(piece.parts)
            if piece.kind in ("row", "sum", "brackets"):
                assert piece == made
            else:
                signs = r"[()\s/^√∂]|if|else"
                assert re.sub(signs, "", piece) == re.sub(signs, "", made)


def test_every_name_and_number_says_whose_it_is(begun):
    name, debugger = begun.name, begun.debugger
    names, slots = Names(debugger.program), set(debugger.program.slots)
    for moment, cell, found in begun.shown:
        own = debugger.program.instructions[moment.index].writes
        for leaf in [leaf for whole in pieces(found) for leaf in whole.leaves()]:
            if leaf.kind == "text":
                assert name == "own" or set(re.findall(r"[^\W\d]\w*", leaf)) <= WORDS | slots, leaf
            elif leaf.kind == "number":
                assert leaf.value is not None
                assert leaf == number(leaf.value, 4) or leaf.cell is None
            if leaf.cell is None:
                continue
            slot, index = leaf.cell
            if leaf.kind == "symbol" or (leaf.kind == "derivative" and leaf.value is None):
                assert leaf == names.cell(slot, index)
            if leaf.value is not None:
                arrays = [moment.before.arrays[slot][index], moment.after.arrays[slot][index]]
                assert leaf.value in arrays
        assert found.left.cell == (own, unravelled(cell, debugger.program.slots[own].shape))
