"""Buffers, allocated once, and the compiled instructions that work on them.

Three ways to run (one instruction, a range of elements of one, whole iterations) come from the same text, so they
give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import CodeType
from typing import Any

import numpy as np

from bptui.engine import initial
from bptui.engine.network import Array
from bptui.engine.ops import Shape
from bptui.engine.program import Instruction, Program, Slot

ALIGN = 64
_UFUNCS = [
    "absolute",
    "add",
    "copyto",
    "divide",
    "exp",
    "greater",
    "log",
    "log1p",
    "matmul",
    "maximum",
    "multiply",
    "negative",
    "square",
    "subtract",
    "tanh",
]
_SCOPE: Mapping[str, Any] = {name: getattr(np, name) for name in _UFUNCS}


class Machine:
    """The arrays of one program and the code that runs on them.

    `vector` holds every persistent slot, each padded to the alignment, so that a checkpoint is one copy. `arrays` has
    a view or a buffer for every slot.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.dtype = np.dtype(program.network.dtype)
        self.arrays: dict[str, Array] = {}
        self.vector = self._persistent()
        for slot in program.slots.values():
            if not slot.persistent:
                dtype = np.dtype(np.int64) if slot.kind == "rows" else self.dtype
                self.arrays[slot.name] = _aligned(slot.shape, dtype)
        self._names = {name: f"v{k}" for k, name in enumerate(program.slots)}
        self._temps = [self._temporaries(instruction) for instruction in program.instructions]
        self._segments: dict[tuple[int, int], Callable[[], None]] = {}
        self.reset()

    def reset(self) -> None:
        """Put every persistent slot at the value it starts from."""
        for name, value in self.program.initial.items():
            np.copyto(self.arrays[name], value)

    def begin(self, iteration: int) -> None:
        """Set what is a function of the iteration alone: the rows that are drawn."""
        if "rows" in self.arrays:
            network = self.program.network
            assert network.batch is not None
            self.arrays["rows"][:] = initial.rows(network.seed, iteration, len(network.x), network.batch)

    def execute(self, index: int, start: int = 0, stop: int | None = None) -> None:
        """Run instruction `index`, or only its elements start … stop−1: evaluated whole, aside, and copied in part."""
        size = self.program.size(index)
        stop = size if stop is None else stop
        if (start, stop) == (0, size):
            self.segment(index, index + 1)()
            return
        scratch = self._scratch(index)
        target = self.arrays[self.program.instructions[index].writes]
        target.reshape(-1)[start:stop] = scratch.reshape(-1)[start:stop]

    def segment(self, start: int, stop: int) -> Callable[[], None]:
        """A function that runs instructions start … stop−1, generated once for each range asked for."""
        if (start, stop) not in self._segments:
            body = "\n".join(f"    {self._run_text(k)}" for k in range(start, stop)) or "    pass"
            self._segments[start, stop] = self._compile(f"def generated():\n{body}\n")
        return self._segments[start, stop]

    def run(self, iteration: int, n: int, losses: Array) -> None:
        """Run n whole iterations from `iteration` on, writing the loss of each into `losses` (n,)."""
        whole, loss = self.segment(0, len(self.program)), self.arrays["loss"]
        draws = "rows" in self.arrays
        for k in range(n):
            if draws:
                self.begin(iteration + k)
            whole()
            losses[k] = loss[()]

    def quiet(self) -> np.errstate:
        """Overflow and the like are values to be looked at here, not warnings."""
        return np.errstate(all="ignore")

    def _scratch(self, index: int) -> Array:
        """The whole result of an instruction on its present operands, in an array of its own."""
        target = self.arrays[self.program.instructions[index].writes]
        scratch = _aligned(target.shape, target.dtype)
        code = self._compile(f"def generated(out):\n    {self._run_text(index, out='out')}\n")
        code(scratch)
        return scratch

    def _run_text(self, index: int, out: str = "") -> str:
        instruction = self.program.instructions[index]
        names = {role: self._names[slot] for role, slot in instruction.roles.items()}
        names.update({name: f"t{index}_{name}" for name in instruction.row.temps})
        names["out"] = out or self._names[instruction.writes]
        single = all(self.program.slots[slot].size == 1 for slot in instruction.reads[:2])
        return instruction.row.run_text(names, instruction.n, single=single)

    def _compile(self, text: str) -> Callable[..., None]:
        # Every name in the text is one that this module made; nothing a person typed gets here.
        scope = dict(self._scope)
        exec(_code(text), scope)  # noqa: S102 - generated from the op table alone
        generated: Callable[..., None] = scope["generated"]
        return generated

    @cached_property
    def _scope(self) -> dict[str, Any]:
        scope: dict[str, Any] = dict(_SCOPE)
        scope.update({self._names[name]: array for name, array in self.arrays.items()})
        for index, temps in enumerate(self._temps):
            scope.update({f"t{index}_{name}": array for name, array in temps.items()})
        return scope

    def _persistent(self) -> Array:
        slots = [slot for slot in self.program.slots.values() if slot.persistent]
        places = list(_places(slots, self.dtype))
        total = places[-1][1] if places else 0
        vector = _aligned((total,), self.dtype)
        vector[:] = 0
        for slot, (start, _) in zip(slots, places, strict=True):
            self.arrays[slot.name] = vector[start : start + slot.size].reshape(slot.shape)
        return vector

    def _temporaries(self, instruction: Instruction) -> dict[str, Array]:
        result = {}
        for name, rule in instruction.row.temps.items():
            like, _, row = rule.partition(".")
            shape = self.program.slots[instruction.roles[like.rstrip("?")]].shape
            shape = (shape[0], 1) if row else shape
            result[name] = _aligned(shape, np.dtype(bool) if like.endswith("?") else self.dtype)
        return result


def _places(slots: list[Slot], dtype: np.dtype[Any]) -> Iterator[tuple[int, int]]:
    """(start, end) of each slot in the flat vector, every start on the alignment."""
    step, start = ALIGN // dtype.itemsize, 0
    for slot in slots:
        end = start + -(-slot.size // step) * step
        yield start, end
        start = end


def _aligned(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """An uninitialised C-contiguous array that starts on a 64-byte boundary."""
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + size].view(dtype).reshape(shape)


def _code(text: str) -> CodeType:
    return compile(text, "<bptui program>", "exec")
