"""Buffers, allocated once, and the compiled instructions that work on them.

Three ways to run (one instruction, a range of elements of one, whole iterations) come from the same lines, so they
give the same bits.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from bptui.engine import initial, optimizers
from bptui.engine.layout import Layout, lay_out
from bptui.engine.lowering import Lowering, Pool, Scope, aligned
from bptui.engine.network import Array
from bptui.engine.ops.dual import DUAL
from bptui.engine.ops.functions import FUNCTIONS
from bptui.engine.program import Instruction, Program

# Ends a free run early: called after an instruction, it says whether to stop there.
Stop = Callable[[], bool]
# Looks on: called after an instruction with the number of iterations done before.
Hook = Callable[[int], None]


@dataclass(frozen=True)
class Taps:
    """What a free run is asked for on its way.

    stops   (index of an instruction, what says whether to stop just after it)
    hooks   (index of an instruction, what looks on just after it)
    copies  (a flat array, where to copy it at each iteration's end: (n, cells) of it)
    squares (a flat array, where to put the sum of its squares at each iteration's end: (n,)): finite if all of it is
    """

    stops: Sequence[tuple[int, Stop]] = ()
    hooks: Sequence[tuple[int, Hook]] = ()
    copies: Sequence[tuple[Array, Array]] = ()
    squares: Sequence[tuple[Array, Array]] = ()


NO_TAPS = Taps()
# So many functions, for taps at different places, are kept.
_RUNS = 64
# For so many sizes of what is copied it is kept where the rows lie.
_SIZES = 16
# So many instructions at most are compiled together, where they have been asked for together so often; and so many
# such functions are made.
_TOGETHER, _OFTEN, _SEGMENTS = 32, 4, 1024
_WORD = re.compile(r"[A-Za-z_]\w*")
# The name that a scope makes for an object.
_OBJECT = re.compile(r"\b[a-z]+\d+\b")
# `f(a, b, out)`: all up to the last argument, and that.
_STATEMENT = re.compile(r"(\w+\((?:\w+, )+)(\w+)\)")

_NUMPY = {name: getattr(np, name) for name in (
    "absolute", "add", "copyto", "concatenate", "cos", "divide", "equal", "exp", "expm1", "floor", "greater",
    "greater_equal", "less", "less_equal", "log", "log1p", "logical_and", "logical_or", "matmul", "maximum", "minimum",
    "bitwise_and",
    "multiply", "negative", "not_equal", "pad", "power", "sign", "sqrt", "square", "subtract", "take", "tanh", "tile",
    "tril", "triu", "argmax",
)}  # fmt: skip


class Machine:
    """The arrays of one program and the code that runs on them.

    `vector` holds every slot that lasts, each padded to the alignment, so that a checkpoint is one copy; data, which
    only a person changes, lie in `data`. `arrays` has a view or a buffer for every slot.

    dtype   of values, where it is not the network's: complex for a complex step; data stay real
    layout  where the slots lie, if not as `lay_out` has them

    `seed` is what rows and masks are drawn from: the network's, unless somebody changes it.
    """

    def __init__(self, program: Program, dtype: np.dtype[Any] | None = None, layout: Layout | None = None) -> None:
        self.program = program
        self.seed = program.network.seed
        self.dtype = np.dtype(program.network.dtype) if dtype is None else dtype
        layout = layout or lay_out(program, self.dtype, np.zeros((), self.dtype).real.dtype)
        self.arrays = dict(layout.arrays)
        self.vector = layout.vector
        self.data = layout.data
        self.passing = layout.passing
        self.whole = layout.whole
        self._flat = layout.flat
        self._pool = Pool()
        self._scope = scope_for(self.dtype)
        self._lines: dict[int, list[str]] = {}
        self._segments: dict[tuple[int, int], Callable[[], None]] = {}
        self._bare: Callable[..., Any] | None = None
        self._asked: dict[tuple[int, int], int] = {}
        self._scratches: dict[int, tuple[Array, Callable[[], None]]] = {}
        self._runs: dict[tuple[int, ...], Callable[..., Any]] = {}
        self._tapped: tuple[Taps, Callable[..., Any], list[Any]] | None = None
        self._places: dict[int, list[slice]] = {}
        self._steps: list[Callable[[], None] | None] = [None] * len(program)
        self._given = [slot for slot in program.slots.values() if slot.given]
        # The number of the update alone is not worth a call.
        self._begins = any(slot.of != "t" for slot in self._given)
        self.reset()

    def reset(self) -> None:
        """Put every persistent slot at the value it starts from."""
        for name, value in self.program.initial.items():
            np.copyto(self.arrays[name], value)

    def begin(self, iteration: int) -> None:
        """Set what is a function of the iteration alone: the rows that are drawn, masks, counters."""
        network = self.program.network
        for slot in self._given:
            array = self.arrays[slot.name]
            if slot.kind == "rows":
                assert network.batch is not None
                array[:] = initial.rows(self.seed, iteration, len(network.x), network.batch)
            elif slot.kind == "mask":
                array[...] = initial.mask(self.seed, iteration, slot.name, slot.shape, slot.rate)
            else:
                array[...] = optimizers.counter(slot.of, iteration)

    def execute(self, index: int, start: int = 0, stop: int | None = None) -> None:
        """Run instruction `index`, or only its elements start … stop−1: evaluated whole, aside, and copied in part."""
        if stop is None and not start:
            step = self._steps[index]
            if step is None:
                step = self._steps[index] = self.segment(index, index + 1)
            step()
            return
        size = self.program.size(index)
        stop = size if stop is None else stop
        if (start, stop) == (0, size):
            self.segment(index, index + 1)()
            return
        scratch = self._scratch(index)
        target = self.arrays[self.program.instructions[index].writes]
        target.reshape(-1)[start:stop] = scratch.reshape(-1)[start:stop]

    def through(self, start: int, stop: int) -> None:
        """Run instructions start … stop−1, each whole; ranges that are often asked for are compiled together."""
        k = start
        while k < stop:
            end = min(stop, k - k % _TOGETHER + _TOGETHER)
            together = self._segments.get((k, end))
            if together is not None or self._often(k, end):
                (together or self.segment(k, end))()
            else:
                for index in range(k, end):
                    self.execute(index)
            k = end

    def _often(self, start: int, stop: int) -> bool:
        """Whether a range has been asked for often enough, so that it is worth its compilation."""
        if stop == start + 1 or len(self._segments) >= _SEGMENTS + len(self._steps):
            return False
        asked = self._asked[start, stop] = self._asked.get((start, stop), 0) + 1
        return asked > _OFTEN

    def segment(self, start: int, stop: int) -> Callable[[], None]:
        """A function that runs instructions start … stop−1, generated once for each range asked for."""
        if (start, stop) not in self._segments:
            body = [line for k in range(start, stop) for line in self._lines_of(k)]
            self._segments[start, stop] = self._compile("generated", "", body or ["pass"])
        return self._segments[start, stop]

    def run(self, iteration: int, n: int, losses: Array, taps: Taps = NO_TAPS, first: int = 0) -> tuple[int, int]:
        """Run n whole iterations from `iteration` on, writing the loss of each into `losses`, from its cell `first` on.

        Hooks and copies count from `first` on too: a long run may be made in parts. (iterations done, instructions done
        of the next one): (n, 0) unless a stop ended the run.
        """
        begin = self.begin if self._begins else None
        if taps is NO_TAPS:
            if self._bare is None:
                self._bare = self._compile_run(NO_TAPS)
            self._bare(iteration - first, first, first + n, losses, begin)
            return n, 0
        if self._tapped is None or self._tapped[0] is not taps:
            self._tapped = taps, self._run_for(taps), self._arguments(taps)
        _, function, arguments = self._tapped
        done, index = function(iteration - first, first, first + n, losses, begin, *arguments)
        return int(done) - first, int(index)

    def _run_for(self, taps: Taps) -> Callable[..., Any]:
        """The function of `run` for taps at these places; the one made first goes where there are too many."""
        stops, hooks = ([index for index, _ in looks] for looks in (taps.stops, taps.hooks))
        key = (*stops, -1, *hooks, -1, len(taps.copies), len(taps.squares))
        if key not in self._runs:
            while len(self._runs) >= _RUNS:
                del self._runs[next(iter(self._runs))]
            self._runs[key] = self._compile_run(taps)
        return self._runs[key]

    def _arguments(self, taps: Taps) -> list[Any]:
        """What that function works on. Pieces of memory are copied in a third of the time that rows of arrays take."""
        arguments: list[Any] = [one for _, one in (*taps.stops, *taps.hooks)]
        for source, kept in taps.copies:
            n = source.nbytes
            if n not in self._places or len(self._places[n]) < len(kept):
                while len(self._places) >= _SIZES:
                    del self._places[next(iter(self._places))]
                self._places[n] = [slice(k * n, (k + 1) * n) for k in range(len(kept))]
            arguments += [_memory(source), _memory(kept), self._places[n]]
        return [*arguments, *itertools.chain(*taps.squares)]

    def quiet(self) -> np.errstate:
        """Overflow and the like are values to be looked at here, not warnings."""
        return np.errstate(all="ignore")

    # Inside

    def _scratch(self, index: int) -> Array:
        """The whole result of an instruction on its present operands, in an array of its own."""
        if index not in self._scratches:
            instruction = self.program.instructions[index]
            target = self.arrays[instruction.writes]
            scratch = aligned(target.shape, target.dtype)
            code = self._compile("generated", "", self._lower(instruction, scratch))
            self._scratches[index] = scratch, code
        scratch, code = self._scratches[index]
        code()
        return scratch

    def _lines_of(self, index: int) -> list[str]:
        if index not in self._lines:
            instruction = self.program.instructions[index]
            self._lines[index] = self._lower(instruction, self.arrays[instruction.writes])
        return self._lines[index]

    def _lower(self, instruction: Instruction, out: Array, arrays: dict[str, Array] | None = None) -> list[str]:
        given = arrays or {role: self.arrays[slot] for role, slot in instruction.roles.items()}
        in_place = instruction.row.in_place and out is given[instruction.row.args[0]]
        lowering = Lowering(
            given, self.dtype, self._pool, self._scope, in_place=in_place, functions=instruction.row.functions
        )
        return lowering.line(instruction.text, out)

    def _iteration(self) -> Iterator[tuple[int, list[str]]]:
        """(index of the instruction done with it, statements) of a whole iteration, the update fused."""
        instructions = self.program.instructions
        fused = sorted({i.fused for i in instructions if i.fused})
        for k, instruction in enumerate(instructions):
            if not instruction.fused:
                yield k, self._lines_of(k)
        for number in fused:
            members = [k for k, i in enumerate(instructions) if i.fused == number]
            yield members[-1], self._fused([instructions[k] for k in members])

    def _fused(self, members: Sequence[Instruction]) -> list[str]:
        """What does the same to each parameter, done to all of them side by side."""
        first = members[0]
        parameter = first.writes.partition(".")[0]
        if first.attrs.get("eps") == 0:
            # In the padding between parameters 0 would be divided by 0.
            return [line for i in members for line in self._lower(i, self.arrays[i.writes])]

        def wide(slot: str) -> Array:
            name, dot, ending = slot.partition(".")
            return self._flat[dot + ending] if name == parameter else self.arrays[slot]

        roles = {role: wide(slot) for role, slot in first.roles.items()}
        return self._lower(first, wide(first.writes), roles)

    def _compile_run(self, taps: Taps) -> Callable[..., Any]:
        """The function of `run`, for taps at these places."""
        body = ["for k in range(first, n):", "    if begin is not None:", "        begin(t + k)"]
        if self._given and not self._begins:
            body = ["for k in range(first, n):", f"    {self._scope.name(self.arrays['t'])}[()] = t + k + 1"]
        looks = _looks(taps)
        last = len(self.program) - 1
        for index, lines in self._whole([index for index in looks if index != last]):
            body += [f"    {line}" for line in (*lines, *(looks.get(index, ()) if index != last else ()))]
        # After the last instruction all are done, in whatever order they ran.
        body += [f"    {line}" for line in looks.get(last, ())]
        body += [f"    copy{k}[rows{k}[k]] = source{k}" for k in range(len(taps.copies))]
        body += [f"    squares{k}[k] = flat{k}.dot(flat{k})" for k in range(len(taps.squares))]
        loss = self._scope.name(self.arrays["loss"])
        body += [f"    {self._noted(loss)}" if self.dtype.kind == "f" else "    pass", "return n, 0"]
        names = ["t", "first", "n", "losses", "begin", *_numbered("stop", taps.stops), *_numbered("hook", taps.hooks)]
        names += [f"{name}{k}" for k in range(len(taps.copies)) for name in ("source", "copy", "rows")]
        names += [f"{name}{k}" for k in range(len(taps.squares)) for name in ("flat", "squares")]
        return self._compile("generated", ", ".join(names), body)

    def _whole(self, looked: Sequence[int]) -> list[tuple[int, list[str]]]:
        """An iteration's statements; the update is fused unless somebody looks in between."""
        first = next((k for k, i in enumerate(self.program.instructions) if i.fused), len(self.program))
        apart = any(index >= first for index in looked)
        whole = [(k, self._lines_of(k)) for k in range(len(self.program))] if apart else list(self._iteration())
        if self.program.network.training.sequential:
            return whole
        before = sum(instruction.phase != "update" for instruction in self.program.instructions)
        return [*_once(whole[:before], self._scope.names), *whole[before:]]

    def _noted(self, loss: str) -> str:
        """The statement that writes down the loss of the iteration k."""
        return f"losses[k] = {loss}.item()"

    def _compile(self, name: str, arguments: str, body: Iterable[str]) -> Callable[..., Any]:
        return function_of(self._scope, name, arguments, list(body))


def _memory(array: Array) -> memoryview:
    """The bytes of an array that lies in one piece."""
    return array.reshape(-1).view(np.uint8).data


def _numbered(name: str, several: Sequence[object]) -> list[str]:
    return [f"{name}{k}" for k in range(len(several))]


def _looks(taps: Taps) -> dict[int, list[str]]:
    """Index of an instruction → statements that look on just after it."""
    looks: dict[int, list[str]] = {}
    for number, (index, _) in enumerate(taps.hooks):
        looks.setdefault(index, []).append(f"hook{number}(k)")
    for number, (index, _) in enumerate(taps.stops):
        looks.setdefault(index, []).extend([f"if stop{number}():", f"    return k, {index + 1}"])
    return looks


def _once(whole: list[tuple[int, list[str]]], names: Mapping[str, Any]) -> list[tuple[int, list[str]]]:
    """Statements of an iteration without those that a later instruction would only repeat.

    Where an instruction is one statement `f(a, b, out)`, and an earlier one has `f(a, b, temporary)` on its way, the
    earlier writes `out` at once. What an instruction writes is written once in an iteration, so nothing else is in the
    way; the temporary must neither be written again nor be seen under another name.
    """
    found = [(index, list(lines)) for index, lines in whole]
    heads: dict[str, list[str]] = {}
    for _, lines in found:
        match = _STATEMENT.fullmatch(lines[0]) if len(lines) == 1 else None
        before = heads.get(match.group(1)) if match else None
        if match is not None and before is not None and _moved(before, match, names):
            lines.clear()
        for line in lines[:-1]:
            if inner := _STATEMENT.fullmatch(line):
                heads.setdefault(inner.group(1), lines)
    return found


def _moved(before: list[str], later: re.Match[str], names: Mapping[str, Any]) -> bool:
    """Let an earlier instruction's statements do what a later statement does; whether that can be done."""
    head, out = later.groups()
    place = next((k for k, other in enumerate(before) if other.startswith(head)), None)
    if place is None:
        return False
    temporary, rest = before[place][len(head) : -1], before[place + 1 :]
    if _aliased(temporary, rest, names):
        return False
    before[place] = later.group()
    before[place + 1 :] = [re.sub(rf"\b{temporary}\b", out, other) for other in rest]
    return True


def _aliased(temporary: str, rest: list[str], names: Mapping[str, Any]) -> bool:
    """Whether a buffer is written again in the statements that follow, or read there under another name."""
    buffer = names.get(temporary)
    if not isinstance(buffer, np.ndarray):
        return True
    for line in rest:
        written = (f"{temporary})", f", {temporary},", f"out={temporary}")
        if line.endswith(written[0]) or written[2] in line or line.startswith(f"copyto({temporary},"):
            return True
        if written[1] in line and "_reduce(" in line:
            return True
        for word in _WORD.findall(line):
            other = names.get(word)
            if is_dataclass(other):
                # What it works on may lie anywhere.
                return True
            other = getattr(other, "__self__", other)
            if word != temporary and isinstance(other, np.ndarray) and np.may_share_memory(other, buffer):
                return True
    return False


def scope_for(dtype: np.dtype[Any]) -> Scope:
    """The functions that generated code may call, on numbers of a type."""
    scope = Scope()
    scope.names.update(_NUMPY, **FUNCTIONS)
    if dtype.kind == "c":
        scope.names.update(DUAL)
    return scope


def function_of(scope: Scope, name: str, arguments: str, lines: list[str]) -> Callable[..., Any]:
    """A function of these statements, every object it works on a local variable."""
    # Every name in the text is one that the engine made; nothing a person typed gets here.
    body, objects = _renamed("\n".join(f"    {line}" for line in lines), scope)
    head = ", ".join(part for part in (arguments, *(f"{word}={word}" for word in objects)) if part)
    exec(_code(f"def {name}({head}):\n{body}\n"), objects)  # noqa: S102 - generated from the op table alone
    generated: Callable[..., Any] = objects[name]
    return generated


def _renamed(text: str, scope: Scope) -> tuple[str, dict[str, Any]]:
    """The objects of a text numbered in the order in which they come: alike on other objects, it is the same text."""
    new: dict[str, str] = {}

    def renamed(word: re.Match[str]) -> str:
        name = word.group()
        return new.setdefault(name, f"_{len(new)}") if name in scope.names else name

    text = _OBJECT.sub(renamed, text)
    own = {word: scope.names[word] for word in sorted(set(_WORD.findall(text)) & scope.names.keys())}
    return text, own | {name: scope.names[old] for old, name in new.items()}


def compiled(instruction: Instruction, arrays: Mapping[str, Array], out: Array) -> Callable[[], None]:
    """A function that computes one instruction's line on arrays of its roles into `out`."""
    scope = scope_for(out.dtype)
    lowering = Lowering(arrays, out.dtype, Pool(), scope, functions=instruction.row.functions)
    return function_of(scope, "generated", "", lowering.line(instruction.text, out))


@lru_cache(maxsize=1024)
def _code(text: str) -> CodeType:
    """Kept: other layers, and other machines, do the same with other objects."""
    return compile(text, "<bptui program>", "exec")
