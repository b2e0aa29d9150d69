"""Which way each instruction of a stack is done: the fastest that gives the bits of a machine alone, every time.

The ways of a product depend on the BLAS, the processor and the shapes, so each is tried on the very buffers it will
work on, with operands of all kinds: ordinary ones, such as vanish or overflow when multiplied, zeros of both signs,
infinities, nan. The result of some lanes is compared with what a machine alone makes of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.program import Instruction
from bptui.engine.stacks.lowering import PRODUCTS, UnfitError, ways
from bptui.engine.stacks.rewriting import LanesError
from bptui.engine.stacks.stack import Stack
from bptui.engine.terms import is_elementwise, read

# Lanes that are compared, at least and at most, and results of ordinary operands that have to be compared at least.
_LEAST, _MOST, _RESULTS = 4, 16, 256
# Numbers that operands are made of; a prime, so that no axis repeats them.
_NUMBERS = 4099
# Cells of a lane from which on a product by itself costs as much as the call.
_LARGE = 256
_TIMES = 3
KINDS = ("ordinary", "positive", "vanishing", "overflowing", "special")

Code = Callable[[], None]


def prove(stack: Stack, alone: Machine) -> None:
    """Choose the way of each instruction that differs between forks; the arrays hold nothing of worth afterwards.

    Raises LanesError where one can't be done for all at once with the same bits.
    """
    program = stack.program
    trials = _Trials(stack, alone)
    known: set[tuple[object, ...]] = set()
    for index, instruction in enumerate(program.instructions):
        if instruction.writes not in stack.varying:
            continue
        try:
            possible = _possible(stack, index)
        except LanesError as error:
            raise LanesError(f"{instruction.source}: {error}") from None
        # An update does the same to each parameter.
        key = (
            instruction.text,
            tuple(program.shapes(index).values()),
            *(s in stack.varying for s in instruction.reads),
        )
        if instruction.fused and key in known:
            continue
        known.add(key)
        stack.ways[id(instruction)] = trials.choose(index, possible)


def _possible(stack: Stack, index: int) -> dict[str, Code]:
    """Way → its code, for the ways that are worth a trial."""
    instruction = stack.program.instructions[index]
    found: dict[str, Code] = {}
    for way in _worth(stack, instruction):
        try:
            found[way] = stack.candidate(index, way)
        except UnfitError:
            continue
    return found


def _worth(stack: Stack, instruction: Instruction) -> Iterator[str]:
    all_ways = ways(stack.term(instruction))
    size = stack.program.slots[instruction.writes].size
    for way in all_ways:
        small = all_ways is PRODUCTS and size < _LARGE
        if not (small and way in ("straight", "loop")):
            yield way


class _Trials:
    """Operands for a stack and for a machine alone."""

    def __init__(self, stack: Stack, alone: Machine) -> None:
        self.stack = stack
        self.alone = alone
        self.random = np.random.default_rng(0)
        self.numbers = {kind: _numbers(kind, stack.dtype) for kind in KINDS}

    def choose(self, index: int, possible: dict[str, Code]) -> str:
        """The fastest way that is right. Raises LanesError where none is."""
        if len(possible) > 1:
            self._fill(index, "ordinary")
            order = sorted(possible, key=lambda way: self._seconds(possible[way]))
        else:
            order = list(possible)
        for way in order:
            if self._right(index, possible[way]):
                return way
        instruction = self.stack.program.instructions[index]
        if "loop" not in possible:
            try:
                if self._right(index, self.stack.candidate(index, "loop")):
                    return "loop"
            except UnfitError:
                pass
        raise LanesError(f"{instruction.source}: not the same bits as one fork alone")

    def _seconds(self, code: Code) -> float:
        found = []
        with self.stack.quiet():
            for _ in range(_TIMES):
                start = time.process_time()
                code()
                found.append(time.process_time() - start)
        return min(found)

    def _right(self, index: int, code: Code) -> bool:
        each = len(self._lanes(index)) * self.stack.program.size(index)
        ordinary = max(1, -(-_RESULTS // each))
        instruction = self.stack.program.instructions[index]
        # What each cell is made of by itself can't depend on the order of anything.
        kinds = KINDS[-1:] if is_elementwise(read(instruction.text)) else KINDS[1:]
        with self.stack.quiet():
            return all(self._same(index, code, kind) for kind in ("ordinary",) * ordinary + kinds)

    def _same(self, index: int, code: Code, kind: str) -> bool:
        self._fill(index, kind)
        lanes = self._lanes(index)
        expected = self._alone(index, lanes)
        code()
        writes = self.stack.program.instructions[index].writes
        return same(self.stack.arrays[writes][lanes], expected)

    def _lanes(self, index: int) -> list[int]:
        """The lanes that are compared: fewer where each has many results, from the first to the last."""
        count = min(_MOST, max(_LEAST, -(-_RESULTS // self.stack.program.size(index))))
        return sorted(set(np.linspace(0, self.stack.width - 1, count).astype(int).tolist()))

    def _alone(self, index: int, lanes: list[int]) -> Array:
        """What a machine alone makes of the operands of each lane that is compared."""
        stack, alone = self.stack, self.alone
        instruction = stack.program.instructions[index]
        result = alone.arrays[instruction.writes]
        found = np.empty((len(lanes), *result.shape), result.dtype)
        reads = [(alone.arrays[name], stack.arrays[name], name in stack.varying) for name in set(instruction.reads)]
        for place, lane in enumerate(lanes):
            for target, source, laned in reads:
                target[...] = source[lane] if laned else source
            alone.execute(index)
            found[place] = result
        return found

    def _fill(self, index: int, kind: str) -> None:
        """Other numbers for all that an instruction reads."""
        program = self.stack.program
        for name in set(program.instructions[index].reads):
            slot, array = program.slots[name], self.stack.arrays[name]
            if slot.kind == "rows":
                array[...] = self.random.integers(0, len(program.network.x), array.shape)
            elif slot.kind == "counter":
                array[...] = self.random.integers(1, 4)
            else:
                array[...] = self._some(kind, array.size).reshape(array.shape)

    def _some(self, kind: str, size: int) -> Array:
        start = int(self.random.integers(0, _NUMBERS))
        if len(self.numbers[kind]) < start + size:
            self.numbers[kind] = np.resize(self.numbers[kind], 2 * (_NUMBERS + size))
        return self.numbers[kind][start : start + size]


@cache
def _numbers(kind: str, dtype: np.dtype[Any]) -> Array:
    """Numbers of a kind."""
    random, limits = np.random.default_rng(KINDS.index(kind)), np.finfo(dtype)
    normal = random.normal(0, 1, _NUMBERS)
    if kind == "positive":
        normal = random.uniform(1e-6, 1, _NUMBERS)
    elif kind in ("vanishing", "overflowing"):
        # About every second product of two of them does.
        exponent = limits.minexp - limits.nmant if kind == "vanishing" else limits.maxexp
        with np.errstate(all="ignore"):
            normal = normal * np.exp2(exponent * random.uniform(0.4, 0.6, _NUMBERS))
    elif kind == "special":
        tiny, most = float(limits.smallest_subnormal), float(limits.max)
        special = np.array([0.0, -0.0, 0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, tiny, -tiny, most])
        normal = np.where(random.random(_NUMBERS) < 0.5, normal, random.choice(special, _NUMBERS))
    return normal.astype(dtype)


def same(a: Array, b: Array) -> bool:
    """Whether two arrays have the same bits; one nan is as good as another."""
    bits = np.dtype(f"i{a.dtype.itemsize}")
    equal = np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(bits)
    return bool((equal | (np.isnan(a) & np.isnan(b))).all())
