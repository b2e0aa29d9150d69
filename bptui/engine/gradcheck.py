"""Whether the program's gradients are the derivatives of its loss; and if not, which instruction and element is wrong.

All parameters are moved at once along a random direction, scaled so that each has as large a part in the loss's
change: one complex step of the forward pass (`bptui.engine.ops.dual`) then speaks for all of them. Only if that fails
is each tensor asked alone, then each backward instruction on what it really read, then, by halving, its elements.
Where a function can't take complex numbers, central differences stand in.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bptui.engine import initial
from bptui.engine.machine import Machine, compiled
from bptui.engine.network import Array
from bptui.engine.program import Instruction, Program

# So small that its square is nothing beside 1, and no product of it with a weight is lost.
STEP = 1e-40
TOLERANCE = 1e-7
# A parameter along which the loss changes by less than this share of what others make: nothing but rounding, maybe.
_HARDLY = 1e-6
# How far beside a kink, as a share of the largest weight.
_BESIDE = 1e-3
# For central differences, of fourth order.
_SPAN = 1e-3
_DIFFERENCES = 2e-5
_REAL = np.dtype(np.float64)
_COMPLEX = np.dtype(np.complex128)


@dataclass(frozen=True)
class TensorCheck:
    """One parameter: the slope along a direction of length 1, as the program has it and as measured; relative error."""

    name: str
    given: float
    measured: float
    error: float


@dataclass(frozen=True)
class Failure:
    """What is wrong: the instruction (its index), the slot and flat cell it wrote, that value and the measured one."""

    index: int
    slot: str
    cell: int
    given: float
    measured: float
    reason: str = ""


@dataclass(frozen=True)
class GradientCheck:
    """How a check ended.

    tensors  one entry for each trained parameter where each was asked alone, else one for all together
    kinks    cells at which some op has no derivative (relu at 0, a tie of a maximum); these are no errors
    """

    passed: bool
    method: str
    tensors: tuple[TensorCheck, ...]
    failure: Failure | None = None
    kinks: int = 0
    program: Program | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return repr(self) if self.program is None else sentence(self.program, self)

    @property
    def worst(self) -> float:
        """The largest relative error."""
        return max((tensor.error for tensor in self.tensors), default=0.0)


def check(
    program: Program,
    iteration: int = 0,
    values: Mapping[str, Array] | None = None,
    *,
    each: bool = False,
    seed: int = 0,
) -> GradientCheck:
    """Check every gradient of an iteration.

    values  slot → its value at the start of that iteration, where not what the program begins with
    each    ask every tensor alone, also where all is well
    """
    return GradientChecker(program, seed).check(iteration, values, each=each)


class GradientChecker:
    """Checks a program's gradients, as often as asked: buffers, code and directions are made once."""

    def __init__(self, program: Program, seed: int = 0) -> None:
        self.program = program
        self.seed = seed
        self.method = "a complex step"
        self.real = Machine(program, _REAL)
        self.names = [name for name in program.parameters if f"{name}.grad" in program.slots]
        self._gradients = [self.real.arrays[f"{name}.grad"] for name in self.names]
        self._drawn = [self._draw(name) for name in self.names]
        last = max((k for k, i in enumerate(program.instructions) if i.phase == "backward"), default=-1)
        self._backward = self.real.segment(0, last + 1)
        self._complex: Machine | None = None
        self._start: dict[str, Array] = {}
        self._place: tuple[int, Mapping[str, Array]] = (-1, {})

    def check(
        self, iteration: int = 0, values: Mapping[str, Array] | None = None, *, each: bool = False
    ) -> GradientCheck:
        """Check every gradient of an iteration; see `check`."""
        with self.real.quiet():
            return self._check(iteration, values or {}, each=each)

    def _check(self, iteration: int, values: Mapping[str, Array], *, each: bool) -> GradientCheck:
        self._load(iteration, values)
        if (failure := self._not_finite()) is not None:
            return GradientCheck(False, self.method, (), failure)
        sizes = self._sizes()
        together = self._ask("all parameters", range(len(self.names)), sizes)
        if together.error <= self.tolerance and not each:
            return GradientCheck(True, self.method, (together,))
        tensors = self.ask_each(sizes)
        if all(tensor.error <= self.tolerance for tensor in tensors):
            return GradientCheck(True, self.method, tensors)
        failure, kinks = _Locator(self.program, self.real).find()
        if failure is not None:
            return GradientCheck(False, self.method, tensors, failure, kinks)
        if kinks:
            return self._beside(kinks, iteration, values)
        return GradientCheck(False, self.method, tensors, self.unexplained(tensors))

    def _not_finite(self) -> Failure | None:
        """The first instruction whose result is not finite: there is nothing to compare then."""
        for k, instruction in enumerate(self.program.instructions):
            result = self.real.arrays[instruction.writes]
            if instruction.phase != "update" and not np.isfinite(result).all():
                cell = int(np.flatnonzero(~np.isfinite(result))[0])
                value = float(result.reshape(-1)[cell])
                return Failure(k, instruction.writes, cell, value, math.nan, "not finite")
        return None

    def ask_each(self, sizes: Sequence[float]) -> tuple[TensorCheck, ...]:
        """Every tensor asked alone."""
        return tuple(self._ask(name, [k], sizes) for k, name in enumerate(self.names))

    @property
    def tolerance(self) -> float:
        """The largest relative error that rounding explains."""
        return TOLERANCE if self.method == "a complex step" else _DIFFERENCES

    def _draw(self, name: str) -> Array:
        """A random direction of a parameter, of length 1."""
        drawn = initial.generator(self.seed, "direction", name).normal(0.0, 1.0, self.program.slots[name].shape)
        return drawn / (float(np.linalg.norm(drawn)) or 1.0)

    def _load(self, iteration: int, values: Mapping[str, Array]) -> None:
        """Put the machines at the start of an iteration, and take its gradients."""
        again = iteration == self._place[0] and not values and not self._place[1]
        if not again or self.program.network.training.sequential:
            self._place = (iteration, values)
            self._put(self.real)
            if self._complex is not None:
                self._put(self._complex)
            # The parameters as they are before any update that stands among the gradients.
            self._start = {name: self.real.arrays[name].copy() for name in self.names}
        self._backward()
        self._slopes = [float(np.vdot(g, d)) for g, d in zip(self._gradients, self._drawn, strict=True)]

    def _put(self, machine: Machine) -> None:
        iteration, values = self._place
        machine.reset()
        for name, value in values.items():
            np.copyto(machine.arrays[name], value)
        machine.begin(iteration)

    def _beside(self, kinks: int, iteration: int, values: Mapping[str, Array]) -> GradientCheck:
        """Each instruction is right, but some lie at a kink: ask again a little beside it, where there is none."""
        moved = {}
        for name, start in self._start.items():
            drawn = initial.generator(self.seed, "beside", name).normal(0.0, 1.0, start.shape)
            moved[name] = start + _BESIDE * max(1.0, float(np.abs(start).max(initial=0.0))) * drawn
        self._load(iteration, {**values, **moved})
        tensors = self.ask_each(self._sizes())
        failure, left = _Locator(self.program, self.real).find()
        if failure is None and not left and any(tensor.error > self.tolerance for tensor in tensors):
            failure = self.unexplained(tensors)
        return GradientCheck(failure is None, self.method, tensors, failure, kinks)

    def _sizes(self) -> list[float]:
        """How much the loss changes along each direction; where it hardly changes at all, what would count as much."""
        slopes = [abs(slope) for slope in self._slopes]
        least = _HARDLY * max((s for s in slopes if math.isfinite(s)), default=0.0) or 1.0
        return [max(least, s) if math.isfinite(s) else 1.0 for s in slopes]

    def _ask(self, name: str, chosen: Sequence[int], sizes: Sequence[float]) -> TensorCheck:
        """Compare slopes along the directions of these parameters, each as long as makes its slope 1."""
        lengths = {k: 1.0 / sizes[k] for k in chosen}
        given = sum(self._slopes[k] * length for k, length in lengths.items())
        measured = self._measured(lengths)
        error = abs(given - measured) / max(1.0, abs(given), abs(measured))
        total = math.hypot(*lengths.values()) or 1.0
        return TensorCheck(name, given / total, measured / total, error if math.isfinite(error) else math.inf)

    def _measured(self, lengths: Mapping[int, float]) -> float:
        """The derivative of the loss along these directions."""
        if self.method == "a complex step":
            found = self._stepped(lengths)
            if math.isfinite(found):
                return found
            self.method = "central differences"
        return self._differences(lengths)

    def _stepped(self, lengths: Mapping[int, float]) -> float:
        if self._complex is None:
            self._complex = Machine(self.program, _COMPLEX)
            self._put(self._complex)
            self._imaginary = [self._complex.arrays[name].imag for name in self.names]
            self._stepping = self._complex.segment(0, self.program.loss_index + 1)
        for k, imaginary in enumerate(self._imaginary):
            np.multiply(self._drawn[k], STEP * lengths.get(k, 0.0), imaginary)
        if not _takes_complex(self._stepping, own=self._own):
            return math.nan
        return float(self._complex.arrays["loss"].imag) / STEP

    @cached_property
    def _own(self) -> bool:
        """Whether some op is a person's own, so that nothing is known of the numbers it takes."""
        return any(instruction.own is not None for instruction in self.program.instructions)

    def _differences(self, lengths: Mapping[int, float]) -> float:
        directions = {k: self._drawn[k] * length for k, length in lengths.items()}
        h = _SPAN / max((1.0, *(float(np.abs(d).max(initial=0.0)) for d in directions.values())))
        near, far = (self._loss(directions, k * h) - self._loss(directions, -k * h) for k in (1, 2))
        return (8 * near - far) / (12 * h)

    def _loss(self, directions: Mapping[int, Array], step: float) -> float:
        machine = Machine(self.program, _REAL)
        self._put(machine)
        for k, direction in directions.items():
            machine.arrays[self.names[k]][...] = self._start[self.names[k]] + step * direction
        with machine.quiet():
            machine.segment(0, self.program.loss_index + 1)()
        return float(machine.arrays["loss"])

    def unexplained(self, tensors: Iterable[TensorCheck]) -> Failure:
        """Each instruction is right by itself, yet the gradient is not: something was changed between them."""
        worst = max(tensors, key=lambda tensor: tensor.error)
        slot = f"{worst.name}.grad"
        index, reason = self._changed()
        if index is None:
            index = self.program.writers[slot]
        return Failure(index, slot, 0, worst.given, worst.measured, reason)

    def _changed(self) -> tuple[int | None, str]:
        """A backward instruction that reads a parameter after its update."""
        updated: set[str] = set()
        for k, instruction in enumerate(self.program.instructions):
            if instruction.phase == "update":
                updated.add(instruction.writes)
            elif instruction.phase == "backward" and (late := updated & set(instruction.reads)):
                return (
                    k,
                    f"it reads {min(late)} after its update, so it is no gradient at the weights of the forward pass",
                )
        return None, ""


class _Locator:
    """Asks each backward instruction whether it is the derivative of the forward one, on what it really read."""

    def __init__(self, program: Program, machine: Machine) -> None:
        self.program = program
        self.machine = machine
        self.kinks = 0

    def find(self) -> tuple[Failure | None, int]:
        """(the first instruction that is wrong, how many cells had no derivative)."""
        for k, instruction in self._results():
            failure = self._asked(k, instruction)
            if failure is not None:
                return failure, self.kinks
        return None, self.kinks

    def _results(self) -> Iterator[tuple[int, Instruction]]:
        """Each gradient by its last instruction: a wide one is summed to its operand's shape by the next."""
        for k, instruction in enumerate(self.program.instructions):
            wide = instruction.writes.endswith("_wide")
            if instruction.phase == "backward" and instruction.differentiates is not None and not wide:
                yield k, instruction

    def _asked(self, k: int, instruction: Instruction) -> Failure | None:
        assert instruction.differentiates is not None
        forward = self.program.instructions[instruction.differentiates]
        local = _Local(self.program, self.machine, forward, instruction)
        self.kinks += local.kinks
        cell = local.wrong_cell()
        if cell is None:
            return None
        at = k
        if instruction.op == "unbroadcast":
            # The line to blame is the one that made the wide gradient.
            at = self.program.writers[instruction.reads[0]]
        given, measured = local.at(cell)
        return Failure(at, instruction.writes, cell, given, measured)


class _Local:
    """One gradient against the forward instruction it differentiates."""

    def __init__(self, program: Program, machine: Machine, forward: Instruction, backward: Instruction) -> None:
        self.forward = forward
        self.role = backward.argument
        self.arrays = {role: machine.arrays[slot] for role, slot in forward.roles.items()}
        self.given = np.asarray(machine.arrays[backward.writes], np.float64).reshape(-1)
        gradient = f"{forward.writes}.grad"
        self.upstream = machine.arrays[gradient] if gradient in program.slots else np.ones(())
        self.free = ~self._kinked().reshape(-1)
        self.tolerance = TOLERANCE
        self._run = self._compile()

    @property
    def kinks(self) -> int:
        """Cells of the argument at which the op has no derivative."""
        return int((~self.free).sum())

    def _kinked(self) -> Array:
        """The cells of the argument at which the op has no derivative."""
        shape = self.arrays[self.role].shape
        kink = self.forward.row.kink
        if kink is None:
            return np.zeros(shape, bool)
        attrs = {**self.forward.row.attrs, **self.forward.attrs}
        mask = np.asarray(kink({**attrs, **self.arrays}))
        extra = mask.ndim - len(shape)
        if extra > 0:
            mask = np.asarray(mask.any(tuple(range(extra))))
        axes = tuple(k for k, n in enumerate(shape) if n == 1 and mask.ndim == len(shape) and mask.shape[k] != 1)
        return np.array(np.broadcast_to(mask.any(axes, keepdims=True) if axes else mask, shape))

    def _compile(self) -> Callable[[Array], tuple[float, float]]:
        """Direction of the argument → the derivative of ⟨upstream, result⟩ along it, and how large its terms are."""
        moved = self.arrays[self.role].astype(_COMPLEX)
        out = np.zeros(self.upstream.shape, _COMPLEX)
        run = compiled(self.forward, {**self.arrays, self.role: moved}, out)
        own = self.forward.own is not None
        return self._stepped(moved, out, run) if _takes_complex(run, own=own) else self._differences()

    def _differences(self) -> Callable[[Array], tuple[float, float]]:
        moved = self.arrays[self.role].copy()
        start = self.arrays[self.role]
        out = np.zeros(self.upstream.shape)
        run = compiled(self.forward, {**self.arrays, self.role: moved}, out)

        def at(direction: Array, step: float) -> Array:
            moved[...] = start + step * direction.reshape(start.shape)
            run()
            return out.copy()

        def derivative(direction: Array) -> tuple[float, float]:
            h = _SPAN / max(1.0, float(np.abs(direction).max(initial=0.0)))
            near, far = (at(direction, k * h) - at(direction, -k * h) for k in (1, 2))
            terms = self.upstream * (8 * near - far) / (12 * h)
            return float(terms.sum()), float(np.abs(terms).sum())

        self.tolerance = _DIFFERENCES
        return derivative

    def _stepped(self, moved: Array, out: Array, run: Callable[[], None]) -> Callable[[Array], tuple[float, float]]:
        start = self.arrays[self.role]

        def derivative(direction: Array) -> tuple[float, float]:
            moved[...] = start
            moved.imag[...] = STEP * direction.reshape(start.shape)
            run()
            terms = self.upstream * (out.imag / STEP)
            return float(terms.sum()), float(np.abs(terms).sum())

        return derivative

    def wrong_cell(self) -> int | None:
        """A cell of the gradient that is not the derivative, or None."""
        rng = np.random.default_rng(0)
        direction = rng.normal(0.0, 1.0, self.given.size) * self.free
        cells = np.flatnonzero(self.free)
        if not cells.size or not self._differs(direction, cells):
            return None
        while cells.size > 1:
            half = cells[: cells.size // 2]
            cells = half if self._differs(direction, half) else cells[cells.size // 2 :]
        return int(cells[0])

    def _differs(self, direction: Array, cells: Array) -> bool:
        part = np.zeros_like(direction)
        part[cells] = direction[cells]
        given, (measured, size) = float(self.given @ part), self._run(part)
        scale = max(float(np.abs(self.given * part).sum()), size)
        return not abs(given - measured) <= self.tolerance * scale

    def at(self, cell: int) -> tuple[float, float]:
        """(the gradient's cell, the derivative measured)."""
        unit = np.zeros(self.given.size)
        unit[cell] = 1.0
        return float(self.given[cell]), self._run(unit)[0]


def _takes_complex(run: Callable[[], None], *, own: bool) -> bool:
    """Run it; whether all its functions took complex numbers, which a person's `own` may not."""
    if not own:
        run()
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            run()
    except (TypeError, np.exceptions.ComplexWarning):
        return False
    return True


def sentence(program: Program, result: GradientCheck) -> str:
    """How the check ended, in a sentence."""
    if result.failure is None:
        kinks = ""
        if result.kinks:
            kinks = f" (checked a little beside the weights: {result.kinks} cells lie at a kink, such as relu at 0)"
        return f"all gradients agree with {result.method}: the largest relative error is {result.worst:.2g}{kinks}"
    failure = result.failure
    instruction = program.instructions[failure.index]
    shape = program.slots[failure.slot].shape
    index = ",".join(str(int(k)) for k in np.unravel_index(failure.cell, shape)) if shape else ""
    where = f"{failure.slot}[{index}]" if shape else failure.slot
    if failure.reason == "not finite":
        made = f"operation {failure.index + 1}, {instruction.source}, gives {failure.given}"
        return f"there is nothing to compare: {made}, which is not finite"
    if failure.reason:
        return f"{failure.slot} is wrong: operation {failure.index + 1}, {instruction.source}: {failure.reason}"
    of = ""
    if instruction.differentiates is not None:
        of = f", the gradient of {program.instructions[instruction.differentiates].source} by {instruction.argument}"
    return (
        f"{where} is wrong: operation {failure.index + 1}, {instruction.source}{of}, "
        f"gives {failure.given:.10g}, {result.method} {failure.measured:.10g}"
    )
