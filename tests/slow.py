"""A slow, obvious model of time: everything is computed again from the very start, one shown source at a time.

It shares with bptui the program it is given (slots, instructions, what they start from) and nothing that runs it: each
instruction's *shown* source is evaluated by Python with plain NumPy, elements are copied one after the other, edits are
written in the order in which they were given.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from bptui.engine.player import State
from bptui.engine.program import Program
from bptui.engine.timeline import Position


def erf(x: np.ndarray) -> np.ndarray:
    """The C library's, cell by cell."""
    return np.vectorize(math.erf, otypes=[np.float64])(x).astype(x.dtype)


def unfold(x: np.ndarray, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> np.ndarray:
    """(batch, places…, channels, kernel…), one window after the other."""
    cells = x.shape[2:]
    outs = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(cells, kernel, stride, dilation, strict=True)]
    result = np.zeros((len(x), *outs, x.shape[1], *kernel), x.dtype)
    for place in np.ndindex(*outs):
        for cell in np.ndindex(*kernel):
            at = tuple(p * s + c * d for p, s, c, d in zip(place, stride, cell, dilation, strict=True))
            result[(slice(None), *place, slice(None), *cell)] = x[(slice(None), slice(None), *at)]
    return result


def fold(c: np.ndarray, shape: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> np.ndarray:
    """Each window added back where it is from; the cells of the kernel in order."""
    result, n = np.zeros(shape, c.dtype), len(shape) - 2
    outs, kernel = c.shape[1 : 1 + n], c.shape[2 + n :]
    for cell in np.ndindex(*kernel):
        for place in np.ndindex(*outs):
            at = tuple(p * s + k * d for p, s, k, d in zip(place, stride, cell, dilation, strict=True))
            result[(slice(None), slice(None), *at)] += c[(slice(None), *place, slice(None), *cell)]
    return result


def place(g: np.ndarray, shape: tuple[int, ...], index: Any) -> np.ndarray:
    """Zeros, and g at an index."""
    result = np.zeros(shape, g.dtype)
    result[index] = g
    return result


def scatter(g: np.ndarray, index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros, and each row of g added to the row that index names."""
    result = np.zeros(shape, g.dtype)
    for at in np.ndindex(*index.shape):
        result[min(max(int(index[at]), 0), shape[0] - 1)] += g[at]
    return result


NAMESPACE: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        "exp", "expm1", "tanh", "cos", "floor", "maximum", "minimum", "where", "square", "log", "log1p", "sqrt", "sign",
        "power", "pad", "tile", "tril", "triu", "tri", "concatenate", "broadcast_to", "arange",
    )
} | {"erf": erf, "unfold": unfold, "fold": fold, "place": place, "scatter": scatter}  # fmt: skip

GLOBALS: dict[str, Any] = {"np": np, **NAMESPACE}


@dataclass(frozen=True, eq=False)
class Written:
    """An edit, as a person gave it."""

    position: Position
    slot: str
    cells: tuple[int, ...]
    values: tuple[float, ...]
    nudge: bool = False


def shown(source: str, names: tuple[str, ...]) -> CodeType:
    """The right side of a shown line as Python reads it: a dot in a slot's name as `_`."""
    text = source.partition(" = ")[2]
    for name in sorted(names, key=len, reverse=True):
        if "." in name:
            text = text.replace(name, name.replace(".", "_"))
    return compile(text, "<shown source>", "eval")


@lru_cache(maxsize=64)
def listing(program: Program, names: tuple[str, ...]) -> list[CodeType]:
    """Every instruction's line; compiled once, since walks go over them thousands of times."""
    for instruction in program.instructions:
        assert instruction.source.startswith(f"{instruction.writes} = ")
    return [shown(instruction.source, names) for instruction in program.instructions]


def evaluate(program: Program, k: int, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The whole result of instruction k, by its shown source."""
    names = {name.replace(".", "_"): array for name, array in arrays.items()}
    with np.errstate(all="ignore"):
        return np.asarray(eval(listing(program, tuple(arrays))[k], GLOBALS, names))


def counted(of: str, t: int) -> float:
    """NAdam's product of μ over the updates so far (Dozat 2016), `mu_product β ψ`."""
    word, beta, psi = of.split()
    assert word == "mu_product"
    product = np.float64(1)
    for k in range(1, t + 2):
        product *= float(beta) * (1 - 0.5 * np.power(0.96, k * float(psi)))
    return product


@dataclass
class Run:
    """Where a computation from the start has got to."""

    program: Program
    edits: list[Written]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    computed: dict[str, int] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    # Told of every position between two instructions, and of every one at which there is an edit.
    told: Callable[[Position], None] = lambda _: None

    def __post_init__(self) -> None:
        dtype = np.dtype(self.program.network.dtype)
        for name, slot in self.program.slots.items():
            kind = np.dtype(np.int64) if slot.kind == "rows" else dtype
            self.arrays[name] = np.zeros(slot.shape, kind)
            if slot.persistent:
                self.arrays[name][...] = self.program.initial[name]
        self.clear()

    def clear(self) -> None:
        """What an iteration computes anew is not there before."""
        self.computed = {name: slot.size if slot.persistent else 0 for name, slot in self.program.slots.items()}

    def write(self, position: Position) -> None:
        for edit in self.edits:
            if edit.position == position:
                self.arrays[edit.slot].reshape(-1)[list(edit.cells)] = edit.values

    def until(self, target: Position) -> Run:
        """Compute from the very start to the target."""
        self.write(Position())
        self.told(Position())
        if target == Position():
            return self
        for t in range(target.iteration + 1):
            self.clear()
            self.draw(t)
            for k in range(len(self.program)):
                if self.instruction(t, k, target):
                    return self
            self.losses.append(float(self.arrays["loss"]))
        raise AssertionError(f"{target} was never reached")

    def draw(self, t: int) -> None:
        """What is a function of the iteration: the batch's rows, masks, the number of the update."""
        network = self.program.network
        for name, slot in self.program.slots.items():
            if slot.kind == "rows":
                rows, batch = len(network.x), network.batch
                epoch, place = divmod(t, rows // batch)
                order = np.random.default_rng([network.seed, zlib.crc32(b"order"), epoch]).permutation(rows)
                self.arrays[name][:] = order[place * batch : (place + 1) * batch]
            elif slot.kind == "mask":
                drawn = np.random.default_rng([network.seed, zlib.crc32(name.encode()), t]).random(slot.shape)
                self.arrays[name][...] = (drawn >= slot.rate) / (1 - slot.rate)
            elif slot.kind == "counter":
                self.arrays[name][...] = t + 1 if slot.of == "t" else counted(slot.of, t)
            else:
                continue
            self.computed[name] = slot.size

    def instruction(self, t: int, k: int, target: Position) -> bool:
        """Copy the result of instruction k, cell by cell; whether the target was reached."""
        slot = self.program.instructions[k].writes
        size, lasting = self.program.slots[slot].size, self.program.slots[slot].persistent
        result, flat = evaluate(self.program, k, self.arrays).reshape(-1), self.arrays[slot].reshape(-1)
        edited = {edit.position for edit in self.edits if edit.position.iteration == t}
        for e in range(1, size + 1):
            flat[e - 1] = result[e - 1]
            if not lasting:
                self.computed[slot] = e
            here = Position(t, k, e) if e < size else Position(t, k + 1)
            if here in edited:
                self.write(here)
                result = evaluate(self.program, k, self.arrays).reshape(-1) if e < size else result
            if e == size or here in edited:
                self.told(here)
            if here == target:
                return True
        return False

    def state(self, position: Position) -> State:
        arrays = {}
        for name, array in self.arrays.items():
            copy, there = array.copy(), self.computed[name]
            if array.dtype.kind == "f":
                copy.reshape(-1)[there:] = np.nan
            elif not there:
                copy[...] = -1
            arrays[name] = copy
        return State(position, arrays, dict(self.computed))

    def all_losses(self) -> list[float]:
        """Those of the iterations before, and the present one's as soon as it is there."""
        return self.losses + ([float(self.arrays["loss"])] if self.computed["loss"] else [])


def run(program: Program, edits: list[Written], position: Position) -> Run:
    """Everything from the start to a position."""
    return _run(program, tuple(edits), position)


@lru_cache(maxsize=64)
def _run(program: Program, edits: tuple[Written, ...], position: Position) -> Run:
    """The same question is asked several times in a row; nobody writes to what comes back."""
    return Run(program, list(edits)).until(position)


class Clock:
    """Positions as one running number of elements, and the verbs that move along it, by counting."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.sizes = [program.size(k) for k in range(len(program))]
        self.each = sum(self.sizes)

    def number(self, position: Position) -> int:
        return position.iteration * self.each + sum(self.sizes[: position.op]) + position.element

    def position(self, number: int) -> Position:
        if number <= 0:
            return Position()
        t, rest = divmod(number, self.each)
        if rest == 0:
            return Position(t - 1, len(self.sizes))
        op = 0
        while rest >= self.sizes[op]:
            rest -= self.sizes[op]
            op += 1
        return Position(t, op, rest)

    def boundary(self, number: int) -> bool:
        return self.position(number).element == 0

    def next(self, number: int) -> int:
        number += 1
        while not self.boundary(number):
            number += 1
        return number

    def back(self, number: int) -> int:
        number = max(0, number - 1)
        while not self.boundary(number):
            number -= 1
        return number

    def phase(self, number: int) -> str:
        """The phase of the operation whose element is written next."""
        op = self.position(number).op % len(self.sizes)
        return self.program.instructions[op].phase

    def finish(self, number: int) -> int:
        """To the end of the phase, which no phase of the next iteration belongs to."""
        phase, t = self.phase(number), number // self.each
        number += 1
        while self.phase(number) == phase and number // self.each == t:
            number += 1
        return number

    def start(self, number: int) -> int:
        if number == 0:
            return 0
        phase, t = self.phase(number - 1), (number - 1) // self.each
        number -= 1
        while number and self.phase(number - 1) == phase and (number - 1) // self.each == t:
            number -= 1
        return number
