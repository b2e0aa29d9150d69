"""A slow, obvious model of stopping: every moment of a timeline in a list, and conditions as questions about that list.

It shares nothing with bptui's conditions and expressions: an expression is a small tree that is spelt for bptui and
evaluated here with plain NumPy, one node after the other; a condition is a function of the list and a place in it.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from slow import Run, Written

from bptui.engine.program import Program
from bptui.engine.timeline import Position


@dataclass(frozen=True, eq=False)
class Moment:
    """What there is at a position, and the edits made just there."""

    position: Position
    arrays: dict[str, np.ndarray]
    computed: dict[str, int]
    edits: tuple[Written, ...]

    @property
    def done(self) -> int | None:
        """The instruction that has just been carried out; None in the middle of one and at the very start."""
        return self.position.op - 1 if self.position.op and not self.position.element else None


History = Sequence[Moment]
Holds = Callable[[History, int], bool]


def history(program: Program, edits: list[Written], iterations: int) -> list[Moment]:
    """Every position between two instructions, and every one with an edit, of so many iterations."""
    moments: list[Moment] = []

    def told(position: Position) -> None:
        here = tuple(edit for edit in edits if edit.position == position)
        arrays = {name: array.copy() for name, array in run.arrays.items()}
        moments.append(Moment(position, arrays, dict(run.computed), here))

    run = Run(program, list(edits), told=told)
    run.until(Position(iterations - 1, len(program)))
    return moments


def find(moments: History, position: Position) -> Moment | None:
    return next((moment for moment in moments if moment.position == position), None)


def before(program: Program, moments: History, i: int, place: int) -> Moment:
    """The moment at which an instruction that is done now began."""
    t = moments[i].position.iteration
    at = Position(t, place) if place or not t else Position(t - 1, len(program))
    found = find(moments, at)
    assert found is not None
    return found


def earlier(moments: History, i: int, k: int = 1) -> Moment | None:
    """The same place some iterations before."""
    here = moments[i].position
    return find(moments, Position(here.iteration - k, here.op)) if here.iteration >= k else None


# Expressions


class NotThereError(Exception):
    """Something that is not computed is read."""


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "abs": abs, "max": np.max, "min": np.min, "sum": np.sum, "mean": np.mean, "std": np.std, "any": np.any, "all": np.all,
    "argmax": np.argmax, "isnan": np.isnan, "isfinite": np.isfinite, "sign": np.sign, "tanh": np.tanh,
    "norm": lambda x: np.sqrt(np.sum(np.square(x))), "size": lambda x: float(np.size(x)),
}  # fmt: skip
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Tree:
    """kind: number, slot, cell, call, binary, and, or, not."""

    kind: str
    value: Any = None
    parts: tuple[Tree, ...] = ()

    def text(self) -> str:
        parts = [part.text() for part in self.parts]
        match self.kind:
            case "number":
                return repr(self.value)
            case "slot":
                return str(self.value)
            case "cell":
                name, index = self.value
                return f"{name}[{', '.join(map(str, index))}]"
            case "call":
                return f"{self.value}({parts[0]})"
            case "binary":
                return f"({parts[0]} {self.value} {parts[1]})"
            case "not":
                return f"(not {parts[0]})"
        return f"({f' {self.kind} '.join(parts)})"

    def reads(self) -> set[str]:
        own = {self.value} if self.kind == "slot" else {self.value[0]} if self.kind == "cell" else set()
        return own.union(*(part.reads() for part in self.parts))

    def at(self, moment: Moment) -> Any:
        """The value. Raises NotThereError."""
        match self.kind:
            case "number":
                return np.float64(self.value)
            case "slot":
                array = moment.arrays[self.value]
                if moment.computed[self.value] < array.size:
                    raise NotThereError
                return array
            case "cell":
                name, index = self.value
                array = moment.arrays[name]
                if moment.computed[name] <= np.ravel_multi_index(index, array.shape):
                    raise NotThereError
                return array[index]
            case "not":
                return not self.parts[0].at(moment)
            case "and":
                return all(part.at(moment) for part in self.parts)
            case "or":
                return any(part.at(moment) for part in self.parts)
        with np.errstate(all="ignore"):
            known = FUNCTIONS if self.kind == "call" else OPERATORS
            return known[self.value](*(part.at(moment) for part in self.parts))


def value(tree: Tree, moment: Moment) -> bytes | None:
    """Its bits, or None where it is not there."""
    try:
        found = np.array(tree.at(moment), np.float64)
    except NotThereError:
        return None
    return np.where(np.isnan(found), np.nan, found).tobytes()


def true(tree: Tree, moment: Moment) -> bool:
    try:
        return bool(tree.at(moment))
    except NotThereError:
        return False


def wrote(program: Program, done: int, reads: set[str]) -> bool:
    """Whether an instruction wrote something that is read; where none does, the iteration's last counts as one."""
    given = {name for name in reads if program.slots[name].kind in ("rows", "mask", "counter")}
    written = {i.writes for i in program.instructions}
    if not reads & written and not given:
        return done == len(program) - 1
    return program.instructions[done].writes in reads or (done == 0 and bool(given))


# Conditions: (what is typed, whether it holds)


def when_true(program: Program, tree: Tree) -> tuple[str, Holds]:
    def holds(moments: History, i: int) -> bool:
        here = moments[i]
        written = here.done is not None and wrote(program, here.done, tree.reads())
        return (written or any(e.slot in tree.reads() for e in here.edits)) and true(tree, here)

    return f"if {tree.text()}", holds


def until(program: Program, tree: Tree) -> Holds:
    """The iteration's end is a place to stop at too."""
    _, plain = when_true(program, tree)
    last = len(program) - 1
    return lambda moments, i: plain(moments, i) or (moments[i].done == last and true(tree, moments[i]))


def when_written(program: Program, slot: str) -> tuple[str, Holds]:
    def holds(moments: History, i: int) -> bool:
        done = moments[i].done
        written = done is not None and program.instructions[done].writes == slot
        return written or any(edit.slot == slot for edit in moments[i].edits)

    return f"on {slot}", holds


def when_changed(program: Program, tree: Tree) -> tuple[str, Holds]:
    """A mere slot is whatever is written to it; all else has a value, which changes."""
    if tree.kind == "slot":
        return when_written(program, tree.value)
    reads = tree.reads()
    lasting = all(program.slots[name].persistent for name in reads)

    def touched(edit: Written) -> bool:
        if edit.slot not in reads:
            return False
        if tree.kind != "cell":
            return True
        return int(np.ravel_multi_index(tree.value[1], program.slots[edit.slot].shape)) in edit.cells

    def holds(moments: History, i: int) -> bool:
        here = moments[i]
        if any(map(touched, here.edits)):
            return True
        if here.done is None or not wrote(program, here.done, reads):
            return False
        now = value(tree, here)
        old = before(program, moments, i, here.done) if lasting else earlier(moments, i)
        return now is not None and (old is None or value(tree, old) != now)

    return f"on {tree.text()}", holds


def at_number(program: Program, number: int) -> tuple[str, Holds]:
    return str(number), lambda moments, i: moments[i].done == number - 1


def at_phase(program: Program, phase: str) -> tuple[str, Holds]:
    def holds(moments: History, i: int) -> bool:
        done = moments[i].done
        if done is None or program.instructions[done].phase != phase:
            return False
        return done == 0 or program.instructions[done - 1].phase != phase

    return phase, holds


def at_op(program: Program, op: str) -> tuple[str, Holds]:
    def holds(moments: History, i: int) -> bool:
        done = moments[i].done
        return done is not None and program.instructions[done].op.split("+")[0] == op

    return op, holds


def not_finite(program: Program) -> tuple[str, Holds]:
    def holds(moments: History, i: int) -> bool:
        done = moments[i].done
        return done is not None and not np.isfinite(moments[i].arrays[program.instructions[done].writes]).all()

    return "nan", holds


# Health


def epoch(program: Program) -> int:
    """Iterations until all rows have been seen."""
    network = program.network
    return 1 if network.batch is None else max(1, len(network.x) // network.batch)


def asleep(program: Program, text: str, places: list[int], still: Callable[[int, np.ndarray], np.ndarray]):
    """Where a unit has been still for an epoch, and had not been so an iteration before."""

    def for_an_epoch(moments: History, i: int, back: int) -> np.ndarray | bool:
        result: np.ndarray | bool = True
        done = moments[i].done
        for k in range(back, back + epoch(program)):
            moment = earlier(moments, i, k)
            if moment is None:
                return False
            array = moment.arrays[program.instructions[done].writes]
            result = result & still(done, array).all(tuple(range(array.ndim - 1)))
        return result

    def holds(moments: History, i: int) -> bool:
        if moments[i].done not in places:
            return False
        return bool(np.any(for_an_epoch(moments, i, 0) & ~np.asarray(for_an_epoch(moments, i, 1))))

    return text, holds


def activations(program: Program, ops: tuple[str, ...], slot: str | None) -> list[int]:
    return [
        k
        for k, i in enumerate(program.instructions)
        if i.phase == "forward" and i.op in ops and (slot is None or i.writes == slot)
    ]


def dead(program: Program, slot: str | None) -> tuple[str, Holds]:
    places = activations(program, ("relu",), slot)
    return asleep(program, f"dead {slot or ''}".strip(), places, lambda _, array: array == 0)


def saturated(program: Program, slot: str | None, share: float | None) -> tuple[str, Holds]:
    near = 0.01 if share is None else share

    def still(place: int, array: np.ndarray) -> np.ndarray:
        low = 0.0 if program.instructions[place].op == "sigmoid" else -1.0
        return (array < low + near * (1 - low)) | (array > 1 - near * (1 - low))

    words = ["saturated", *([slot] if slot else []), *([repr(share)] if share is not None else [])]
    return asleep(program, " ".join(words), activations(program, ("sigmoid", "tanh"), slot), still)


def size(array: np.ndarray) -> Any:
    with np.errstate(all="ignore"):
        return np.sqrt(np.mean(np.square(array)))


def matrices(program: Program) -> list[str]:
    return [s.name for s in program.slots.values() if s.kind == "parameter" and len(s.shape) > 1]


def gradients(program: Program, word: str, factor: float) -> tuple[str, Holds]:
    """Vanishing or exploding: a layer's gradient beside the next one's."""
    written = {i.writes: k for k, i in enumerate(program.instructions)}
    weights = [name for name in matrices(program) if f"{name}.grad" in written]
    pairs = [(f"{a}.grad", f"{b}.grad") for a, b in itertools.pairwise(weights)]

    def ill(moment: Moment | None, pair: tuple[str, str]) -> bool:
        if moment is None:
            return False
        one, other = (size(moment.arrays[name]) for name in pair)
        if one == other == 0:
            return False
        with np.errstate(all="ignore"):
            ratio = one / other
        return bool(ratio < 1 / factor) if word == "vanishing" else bool(ratio > factor or not np.isfinite(ratio))

    def holds(moments: History, i: int) -> bool:
        mine = [pair for pair in pairs if moments[i].done == max(written[name] for name in pair)]
        return any(ill(moments[i], pair) and not ill(earlier(moments, i), pair) for pair in mine)

    return f"{word} {factor!r}", holds


def ratio(program: Program, low: float, high: float) -> tuple[str, Holds]:
    """An update's size beside that of the weights before it."""

    def ill(moments: History, i: int, done: int) -> bool:
        slot = program.instructions[done].writes
        old = before(program, moments, i, done).arrays[slot]
        with np.errstate(all="ignore"):
            moved = size(moments[i].arrays[slot] - old) / size(old)
        return not low <= moved <= high

    def holds(moments: History, i: int) -> bool:
        done = moments[i].done
        if done is None or program.instructions[done].writes not in matrices(program) or not ill(moments, i, done):
            return False
        past = earlier(moments, i)
        return past is None or not ill(moments, moments.index(past), done)

    return f"ratio {low!r} {high!r}", holds


def rising(program: Program, times: int) -> tuple[str, Holds]:
    def streak(moments: History, i: int) -> int:
        past = earlier(moments, i)
        if past is None or not moments[i].arrays["loss"] > past.arrays["loss"]:
            return 0
        return 1 + streak(moments, moments.index(past))

    def holds(moments: History, i: int) -> bool:
        return moments[i].done == program.loss_index and streak(moments, i) == times

    return f"rising {times}", holds


def flat(program: Program, times: int, tolerance: float) -> tuple[str, Holds]:
    def level(moments: History, i: int | None, back: int) -> bool:
        past = [earlier(moments, i, k) for k in range(back, back + times + 1)]
        if None in past:
            return False
        losses = np.array([moment.arrays["loss"] for moment in past])
        with np.errstate(all="ignore"):
            return bool(losses.max() - losses.min() <= tolerance * abs(losses).max())

    def holds(moments: History, i: int) -> bool:
        if moments[i].done != program.loss_index:
            return False
        return level(moments, i, 0) and not level(moments, i, 1)

    return f"flat {times} {tolerance!r}", holds


# Drawing


class Drawing:
    """Random conditions that suit a program; numbers are drawn near those of the moments there are."""

    def __init__(self, program: Program, moments: History, random: np.random.Generator) -> None:
        self.program = program
        self.moments = moments
        self.random = random
        self.names = [name for name, slot in program.slots.items() if slot.kind != "rows"]

    def one(self, several: Sequence[Any]) -> Any:
        return several[int(self.random.integers(len(several)))]

    def condition(self) -> tuple[str, Holds]:
        """A condition of any kind."""
        program = self.program
        kind = self.one(
            ("if", "if", "if", "on", "on cell", "on tree", "number", "phase", "op", "nan", "health", "health")
        )
        match kind:
            case "if":
                return when_true(program, self.truth(2))
            case "on":
                return when_written(program, self.one(self.names))
            case "on cell":
                return when_changed(program, self.cell())
            case "on tree":
                return when_changed(program, self.tree(2))
            case "number":
                return at_number(program, 1 + int(self.random.integers(len(program))))
            case "phase":
                return at_phase(program, self.one(program.instructions).phase)
            case "op":
                return at_op(program, self.one(program.instructions).op.split("+")[0])
            case "nan":
                return not_finite(program)
        return self.health()

    def health(self) -> tuple[str, Holds]:
        program = self.program
        kinds = ["ratio", "rising", "flat"]
        kinds += ["vanishing", "exploding"] * (len(matrices(program)) > 1)
        for word, ops in (("dead", ("relu",)), ("saturated", ("sigmoid", "tanh"))):
            kinds += [word] * bool(activations(program, ops, None))
        kind = self.one(kinds)
        match kind:
            case "dead":
                return dead(program, self.slot_of(("relu",)))
            case "saturated":
                return saturated(program, self.slot_of(("sigmoid", "tanh")), self.one((None, 0.05, 0.3, 0.6)))
            case "ratio":
                return ratio(program, self.one((1e-6, 1e-3, 0.03)), self.one((0.04, 0.1, 0.5, 1e9)))
            case "rising":
                return rising(program, self.one((1, 2, 3)))
            case "flat":
                return flat(program, self.one((1, 2, 3)), self.one((1e-6, 0.01, 0.1, 0.5)))
        return gradients(program, kind, self.one((1.0, 1.5, 3.0, 1000.0)))

    def slot_of(self, ops: tuple[str, ...]) -> str | None:
        found = [self.program.instructions[k].writes for k in activations(self.program, ops, None)]
        return self.one([None, *found])

    def truth(self, depth: int) -> Tree:
        """An expression that is true or false."""
        if depth and self.random.random() < 0.4:
            kind = self.one(("and", "or", "not"))
            return Tree(kind, None, tuple(self.truth(depth - 1) for _ in range(1 if kind == "not" else 2)))
        if self.random.random() < 0.2:
            return self.some(depth)
        left = self.tree(depth)
        if self.random.random() < 0.15:
            return Tree("binary", self.one(("<", ">", "==", "!=")), (left, self.tree(1)))
        return Tree("binary", self.one(("<", "<=", ">", ">=", "!=")), (left, self.threshold(left)))

    def some(self, depth: int) -> Tree:
        """Whether some or all numbers of an array are so."""
        array = self.array(depth)
        if self.random.random() < 0.5:
            array = Tree("call", self.one(("isnan", "isfinite")), (array,))
        else:
            array = Tree("binary", self.one(("<", ">")), (array, Tree("number", self.one((0.0, 0.5, 1.0)))))
        return Tree("call", self.one(("any", "all")), (array,))

    def threshold(self, tree: Tree) -> Tree:
        """A number beside one that the tree has somewhere, if it has any."""
        found = 1.0
        for _ in range(5):
            try:
                found = float(tree.at(self.one(self.moments)))
                break
            except NotThereError:
                continue
        if not np.isfinite(found):
            found = 1e30
        return Tree("number", float(f"{abs(found) * self.one((0.9873, 1.0137)):.6g}"))

    def tree(self, depth: int) -> Tree:
        """A number."""
        kind = self.random.random()
        if kind < 0.3:
            return self.cell()
        if kind < 0.7 or not depth:
            function = self.one(("max", "min", "sum", "mean", "std", "norm", "argmax", "size"))
            return Tree("call", function, (self.array(max(0, depth - 1)),))
        return Tree("binary", self.one("+-*/"), (self.tree(depth - 1), self.tree(depth - 1)))

    def array(self, depth: int) -> Tree:
        """An array."""
        if not depth or self.random.random() < 0.5:
            return Tree("slot", self.one(self.names))
        if self.random.random() < 0.5:
            return Tree("call", self.one(("abs", "sign", "tanh")), (self.array(depth - 1),))
        array = self.array(depth - 1)
        return Tree("binary", self.one("+-*/"), (array, self.one((array, self.cell()))))

    def cell(self) -> Tree:
        name = self.one(self.names)
        shape = self.program.slots[name].shape
        if shape == ():
            return Tree("slot", name)
        return Tree("cell", (name, tuple(int(self.random.integers(n)) for n in shape)))
