"""What slots and cells are called when they are said: `prediction`, `d E by d w5`."""

from __future__ import annotations

from bptui.engine.program import Program
from bptui.explain.cells import unravelled
from bptui.explain.notation import Names
from bptui.explain.spoken import source
from bptui.explain.spoken.signs import words


def slot(program: Program, name: str) -> str:
    """A slot: a gradient is said as the quotient that it is."""
    return words(Names(program).slot(name))


def cell(program: Program, name: str, flat: int) -> str:
    """One cell of a slot."""
    return words(Names(program).cell(name, unravelled(flat, program.slots[name].shape)))


def line(program: Program, text: str) -> str:
    """A line of the program, with the names that a reader knows."""
    return source.source(text, lambda found: slot(program, found) if found in program.slots else None)
