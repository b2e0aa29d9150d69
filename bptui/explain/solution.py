"""Whole pages: a value opened down to inputs and weights, and every update formula of a network."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from bptui.engine.player import Moment, State
from bptui.engine.program import Program
from bptui.explain.cells import ravelled, unravelled
from bptui.explain.formulas import Formula, formula, symbolic_update
from bptui.explain.matrices import Equation, equations, symbols
from bptui.explain.notation import Names
from bptui.explain.reaching import sources

MOST_LINES = 40
MOST_CHARACTERS = 240
# What the two equations of an instruction are called.
_MATRICES = ("as matrices", "in numbers")

Moments = Callable[[int], Moment]
ByHand = Callable[[str, int, int], str]


def opened(
    program: Program, index: int, cell: int, moments: Moments, by_hand: ByHand, digits: int | None = None
) -> Iterator[tuple[int, Formula | str]]:
    """(depth, formula) of a cell and of everything it was made of, each once, down to inputs and weights.

    moments  instruction → how it was carried out: an update has moved the weights that a forward one read
    by_hand  (slot, cell, the instruction that reads it) → the edit it is from, in words that replace the formula, or ""
    """
    seen: set[tuple[str, int]] = set()

    def walk(k: int, flat: int, depth: int, edit: str = "") -> Iterator[tuple[int, Formula | str]]:
        written = program.instructions[k].writes
        if (written, flat) in seen or len(seen) >= MOST_LINES:
            return
        seen.add((written, flat))
        if edit:
            yield depth, edit
            return
        yield depth, formula(program, moments(k), flat, digits)
        for slot, part in sources(program, k, flat):
            writer = program.writers.get(slot)
            if writer is not None and writer < k and not program.slots[slot].persistent:
                yield from walk(writer, part, depth + 1, by_hand(slot, part, k))

    yield from walk(index, cell, 0)


def explanation(
    program: Program, index: int, cell: int, moments: Moments, by_hand: ByHand, digits: int | None = None
) -> list[str]:
    """`explain X` as lines: the formula, the same seen in other ways, and what it was made of."""
    lines = []
    for depth, part in opened(program, index, cell, moments, by_hand, digits):
        room = MOST_CHARACTERS - 2 * depth
        lines.append("  " * depth + (part if isinstance(part, str) else part.short(room)))
        if depth == 0 and not isinstance(part, str):
            drawn = [equation.line for equation in equations(program, moments(index), digits)]
            lines += [f"    {title}: {text}" for title, text in part.more]
            named = zip(_MATRICES, drawn, strict=False)
            lines += [f"    {title}: {text}" for title, text in named if len(text) <= MOST_CHARACTERS]
    return [*lines[:MOST_LINES], "…"] if len(lines) > MOST_LINES else lines


def update_formulas(program: Program, state: State) -> list[str]:
    """Every update formula in symbols, element by element, the gradients written out."""
    lines: list[str] = []
    for instruction in program.instructions:
        if instruction.phase == "update":
            indices = _by_neuron(program.slots[instruction.writes].shape)
            # Other optimizers take several operations for each weight: one cell of each tells them all.
            shown = indices if instruction.op == "sgd" else itertools.islice(indices, 1)
            lines += [symbolic_update(program, instruction, index, state) for index in shown]
    return lines


def _by_neuron(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Indices in the order in which people number weights: neuron by neuron, at most as many as can be read."""
    yield from (index[::-1] for index in itertools.islice(np.ndindex(shape[::-1]), MOST_LINES))


def update_numbers(program: Program, moment: Moment, digits: int | None = None) -> list[str]:
    """One parameter's updates with their numbers, element by element."""
    instruction = program.instructions[moment.index]
    shape = program.slots[instruction.writes].shape
    cells = [ravelled(index, shape) for index in _by_neuron(shape)]
    shown = cells if instruction.op == "sgd" else cells[:1]
    return [formula(program, moment, cell, digits).line for cell in shown]


def update_matrices(program: Program, state: State) -> list[Equation]:
    """Every update as matrices, in symbols."""
    found = [
        symbols(program, instruction, state) for instruction in program.instructions if instruction.phase == "update"
    ]
    return [equation for equation in found if equation is not None]


def origin(program: Program, slot: str, cell: int) -> str:
    """What a number is that no instruction wrote."""
    index = unravelled(cell, program.slots[slot].shape)
    kind = program.slots[slot].kind
    what = {
        "parameter": "the weight it began with",
        "data": "given by the data",
        "rate": "the learning rate",
        "state": "what the optimizer began with",
        "statistic": "the running statistic it began with",
        "rows": "the number of a row, drawn from (seed, epoch)",
        "mask": "the mask, drawn from (seed, iteration): 0, or 1 over what is kept",
        "counter": "a number that follows from the iteration",
    }
    name = Names(program).cell(slot, index)
    return f"{name}: {what.get(kind, 'given')}"
