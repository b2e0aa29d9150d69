"""The verbs: each moves along a timeline or changes it, and gives a View of where one is then."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bptui.debugger import expressions
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.rows import NotComputedError
from bptui.debugger.staleness import staleness
from bptui.debugger.view import View, edited_cells, last_edit_of
from bptui.engine.build import build
from bptui.engine.network import Array, Network
from bptui.engine.player import Moment, Player, State
from bptui.engine.program import Program, Target
from bptui.engine.timeline import START, Edit, Position, Timeline, normal, parse

# A list of values may hold expressions with commas of their own, but not a great many more than it needs.
_COMMAS = 8
_SHOWN = 100


class DebuggerError(ValueError):
    """A command that can't be carried out; nothing was changed, and the message says why in one line."""


class Debugger:
    """A walk along one timeline."""

    def __init__(self, network: Network) -> None:
        self.load(network)

    def load(self, network: Network) -> View:
        """Start afresh with another network. Raises NetworkError."""
        self.timeline = Timeline(build(network))
        self._player = Player(self.timeline)
        self._undone: list[Edit] = []
        return self.view()

    @property
    def program(self) -> Program:
        """The program that is walked."""
        return self.timeline.program

    @property
    def position(self) -> Position:
        """Where it is."""
        return self._player.position

    @property
    def count(self) -> int:
        """The number of operations in an iteration."""
        return len(self.program)

    # Moving

    def goto(self, position: Position) -> View:
        """Any position; what lies between is computed."""
        self._player.goto(self.timeline, position)
        return self.view()

    def goto_text(self, text: str) -> View:
        """The position that `3:12` means. Raises PositionError."""
        return self.goto(parse(self.program, text))

    def next(self, k: int = 1) -> View:
        """K operations on; a half-done one is finished first, which counts as one."""
        return self.goto(self._moment(self._moments() + k))

    def back(self, k: int = 1) -> View:
        """K operations back; a half-done one is left undone first, which counts as one."""
        here = self._moments() + (self.position.element > 0)
        return self.goto(self._moment(max(0, here - k)))

    def step(self, k: int = 1) -> View:
        """K elements on, into and out of operations."""
        whole, k = divmod(k, self._elements)
        moment, element = self._moments() + whole * self.count, self.position.element + k
        while element >= (size := self.program.size(moment % self.count)):
            moment, element = moment + 1, element - size
        return self.goto(self._moment(moment, element))

    def step_back(self, k: int = 1) -> View:
        """K elements back."""
        whole, k = divmod(k, self._elements)
        moment, element = self._moments() - whole * self.count, self.position.element - k
        while element < 0 and moment > 0:
            moment -= 1
            element += self.program.size(moment % self.count)
        return self.goto(self._moment(moment, max(0, element)) if moment >= 0 else START)

    def finish(self) -> View:
        """To the end of the phase that the next operation belongs to."""
        k = self.position.op % self.count
        phase = self.program.instructions[k].phase
        base = self._moments() - k
        while k < self.count and self.program.instructions[k].phase == phase:
            k += 1
        return self.goto(self._moment(base + k))

    def start(self) -> View:
        """To the start of the phase that the operation done last belongs to."""
        if self.position == START:
            return self.view()
        k = self._last()
        base = self._moments() - self.position.op
        while k > 0 and self.program.instructions[k - 1].phase == self.program.instructions[k].phase:
            k -= 1
        return self.goto(self._moment(base + k))

    def iteration(self, k: int = 1) -> View:
        """K whole training iterations on, at the same operation."""
        return self.goto(self._moment(self._moments() + k * self.count, self.position.element))

    def iteration_back(self, k: int = 1) -> View:
        """K whole training iterations back, at the same operation; to the start where there are not so many."""
        moment = self._moments() - k * self.count
        return self.goto(START if moment < 0 else self._moment(moment, self.position.element))

    def to(self, index: int) -> View:
        """To where operation `index` will be done next."""
        moment = self._moments()
        ahead = (index + 1 - moment) % self.count or self.count
        return self.goto(self._moment(moment + ahead))

    def to_back(self, index: int) -> View:
        """Back to where operation `index` was done last. Raises DebuggerError where it never was."""
        moment = self._moments() + (self.position.element > 0)
        behind = (moment - index - 1) % self.count or self.count
        if moment - behind < 1:
            raise DebuggerError(f"operation {index + 1} was not done before here")
        return self.goto(self._moment(moment - behind))

    def advance(self, iterations: int, end: Position) -> None:
        """Some whole iterations on, but not past `end`; no view is made, for those who run in slices."""
        there = self._moment(self._moments() + iterations * self.count, self.position.element)
        self._player.goto(self.timeline, min(there, end))

    def run_on(self) -> View:
        """To the end of the iterations that the spec asks for, there being nothing to stop at before."""
        end = Position(self.program.network.iterations - 1, self.count)
        if self.position >= end:
            return self.view(f"already at or past the end, iteration {self.program.network.iterations}")
        view = self.goto(end)
        message = f"stopped at the end: {self.program.network.iterations} iterations"
        lost = next((t for t, loss in enumerate(view.losses) if not math.isfinite(loss)), None)
        if lost is not None:
            message += f"; from iteration {lost} on the loss is no finite number"
        return replace(view, message=message)

    def run_back(self) -> View:
        """To the very start, there being nothing to stop at before."""
        return replace(self.goto(START), message="stopped at the start: nothing to stop at before it")

    def until(self, text: str) -> View:
        """On, operation by operation, until an expression is true. Raises ExpressionError; DebuggerError at the end."""
        expression = expressions.parse(self.program, text)
        here = self.position
        if here >= Position(self.program.network.iterations - 1, self.count):
            raise DebuggerError(f"already at or past the end, iteration {self.program.network.iterations}")
        stops = {self.program.writers.get(slot, -1) for slot in expression.slots} | {self.count - 1}
        # Weights half updated are those of no network.
        stops = {self.count - 1} if expression.metric else stops
        end = Position(self.program.network.iterations - 1, self.count)
        try:
            while self.position < end:
                self._player.goto(self.timeline, self._moment(self._moments() + 1))
                if self.position.op - 1 in stops and expression.holds(self._player.state()):
                    return self.view()
        except ExpressionError:
            self._player.goto(self.timeline, here)
            raise
        self._player.goto(self.timeline, here)
        raise DebuggerError(f"{expression.text} does not come true within {self.program.network.iterations} iterations")

    # Editing

    def set(self, target: str, value: str, at: str | None = None) -> Edit:
        """Write a value, here or at an earlier place; what lies between is computed again.

        Raises ExpressionError, PositionError or DebuggerError, and then nothing is changed.
        """
        place = self.position if at is None else parse(self.program, at)
        cells = expressions.parse_target(self.program, self._rate(target) if at is None else target)
        state = self.look(place)
        self._refuse_unset(cells, state)
        values = _values(self.program, state, cells, value)
        edit = Edit(place, cells.slot, cells.cells, values, f"set {target} = {value}")
        self._edit(self.timeline.with_edit(edit))
        return edit

    def _rate(self, target: str) -> str:
        """`lr` computed by a schedule is set by what it is computed from."""
        return "lr0" if target.strip() == "lr" and "lr0" in self.program.slots else target

    def nudge(self, target: Target, steps: int = 1, amount: float | None = None) -> Edit:
        """Move a cell by a step: at the iteration's start, for a value just after the instruction that writes it.

        Raises DebuggerError where the cell is not there yet.
        """
        self._refuse_unset(target, self.look(self.position))
        place = self._place_of_nudge(target)
        state = self.look(place)
        before = [float(number) for number in state.arrays[target.slot].reshape(-1)[list(target.cells)]]
        if amount is None:
            step = steps * _step_size(state.arrays[target.slot].reshape(-1)[: state.computed[target.slot]])
            values = np.array([_rounded(number, number + step) for number in before])
        else:
            values = np.array([number + amount for number in before])
        if not _finite(self.program, values):
            raise DebuggerError(f"{self.spell(target)} would not be a finite number")
        timeline = self.timeline
        if timeline.edits and self._continues(timeline.edits[-1], target, place):
            timeline = timeline.without_last()
        text = f"nudge {self.spell(target)} to {values[0]:.12g}"
        edit = Edit(place, target.slot, target.cells, values, text, nudge=True)
        self._edit(timeline.with_edit(edit))
        return edit

    def undo(self) -> Edit:
        """Take back the edit given last, wherever it lies. Raises DebuggerError if there is none."""
        if not self.timeline.edits:
            raise DebuggerError("nothing to undo")
        edit = self.timeline.edits[-1]
        self._undone.append(edit)
        self._switch(self.timeline.without_last())
        return edit

    def redo(self) -> Edit:
        """Give the edit taken back last once more. Raises DebuggerError if there is none."""
        if not self._undone:
            raise DebuggerError("nothing to redo")
        edit = self._undone.pop()
        self._switch(self.timeline.with_edit(edit))
        return edit

    # Looking

    def evaluate(self, text: str) -> Any:
        """The value of an expression here. Raises ExpressionError or NotComputedError."""
        return expressions.parse(self.program, text)(self._player.state())

    def look(self, position: Position, timeline: Timeline | None = None) -> State:
        """The state at another position, or on another timeline, without going there."""
        here = self.position
        self._player.goto(timeline or self.timeline, position)
        state = self._player.state()
        self._player.goto(self.timeline, here)
        return state

    def value_before(self, edit: Edit) -> State:
        """The state at an edit's place without that edit and those given after it."""
        given = self.timeline.edits[: self.timeline.edits.index(edit)]
        return self.look(edit.position, Timeline(self.program, given))

    def set_by_hand(self, slot: str, cell: int) -> Edit | None:
        """The edit that a cell's present value is from, or None if an instruction has written it since."""
        writer = self.writer(slot, cell)
        since = START if writer is None else Position(*writer, cell + 1)
        return self._last_edit(slot, cell, since, self.position)

    def set_before(self, slot: str, cell: int, reader: int, iteration: int) -> Edit | None:
        """The edit that a cell's value is from as instruction `reader` of an iteration read it, or None."""
        until = normal(self.program, iteration, reader, 0)
        writer = self.program.writers.get(slot)
        if writer is None or writer >= reader:
            return None
        return self._last_edit(slot, cell, Position(iteration, writer, cell + 1), until)

    def _last_edit(self, slot: str, cell: int, since: Position, until: Position) -> Edit | None:
        edits = [e for e in self.timeline.ordered if since <= e.position <= until]
        return next((e for e in reversed(edits) if e.slot == slot and cell in e.cells), None)

    def moment(self, index: int, iteration: int | None = None) -> Moment:
        """Instruction `index` of this iteration (or another) as it was carried out, or as far as it was."""
        t = self.position.iteration if iteration is None else iteration
        after = normal(self.program, t, index + 1, 0)
        after = min(after, self.position) if t == self.position.iteration else after
        before = self.look(normal(self.program, t, index, 0))
        return Moment(index, before, self.look(after, self._unedited(after, self.program.instructions[index].writes)))

    def moments(self, iteration: int) -> Callable[[int], Moment]:
        """Instruction → how it was carried out in that iteration; one look does for all before the first update.

        Nothing but an update or an edit changes what a forward or backward instruction has read.
        """
        updates = [k for k, i in enumerate(self.program.instructions) if i.phase == "update"]
        first = updates[0] if updates else self.count
        end = normal(self.program, iteration, first, 0)
        end = min(end, self.position) if iteration == self.position.iteration else end
        start = normal(self.program, iteration, 0, 0)
        edited = any(True for _ in self.timeline.between(start, end)) or end.element > 0
        shared = None if edited else self.look(end)

        def moment(k: int) -> Moment:
            if shared is None or k >= first or k >= end.op:
                return self.moment(k, iteration)
            return Moment(k, shared, shared)

        return moment

    def writer(self, slot: str, cell: int = 0) -> tuple[int, int] | None:
        """(iteration, index) of the instruction that wrote what a cell holds now, or None: it is as it began."""
        index = self.program.writers.get(slot)
        here = self.position
        if index is None:
            return None
        if index < here.op or (index == here.op and cell < here.element):
            return here.iteration, index
        if self.program.slots[slot].persistent and here.iteration:
            return here.iteration - 1, index
        return None

    def view(self, message: str = "") -> View:
        """What there is to be seen here."""
        here, state = self.position, self._player.state()
        moment = None if here == START else self.moment(self._last())
        size = 0 if moment is None else self.program.size(moment.index)
        return View(
            timeline=self.timeline,
            state=state,
            stale=staleness(self.timeline, here),
            moment=moment,
            changed=range(here.element - 1, here.element) if here.element else range(size),
            losses=self._losses(state),
            before=dict(self._before_updates()),
            edited=edited_cells(self.timeline, here),
            message=message,
            every=self._player.losses.step,
        )

    def spell(self, target: Target) -> str:
        """How a reader calls cells: by their label, else by slot and index."""
        return spell(self.program, target)

    def writing(self, slot: str) -> str:
        """The instruction that will write a slot, in words."""
        index = self.program.writers.get(slot, 0)
        return f"operation {index + 1}, {self.program.instructions[index].source}, will write it"

    # Inside

    @property
    def _elements(self) -> int:
        """The number of elements that an iteration writes."""
        return sum(self.program.size(k) for k in range(self.count))

    def _moments(self) -> int:
        """The number of operations done since the start."""
        return self.position.iteration * self.count + self.position.op

    def _moment(self, moments: int, element: int = 0) -> Position:
        return normal(self.program, *divmod(moments, self.count), element)

    def _last(self) -> int:
        """The index of the operation done last, or half done."""
        return self.position.op if self.position.element else self.position.op - 1

    def _losses(self, state: State) -> Array:
        known = self._player.losses.until(self.position.iteration)
        return np.append(known, state.arrays["loss"]) if state.computed["loss"] else known

    def _before_updates(self) -> Iterator[tuple[str, Array]]:
        """Each parameter whose update has begun, with its value just before."""
        t, done = self.position.iteration, self.position.op + (self.position.element > 0)
        updates = [k for k in range(done) if self.program.instructions[k].phase == "update"]
        # Nothing but an edit changes a parameter between the first update and its own: without one, one look will do.
        edited = updates and any(True for _ in self.timeline.between(Position(t, updates[0]), self.position))
        state = self.look(normal(self.program, t, updates[0], 0)) if updates else None
        for k in updates:
            slot = self.program.instructions[k].writes
            state = self.look(normal(self.program, t, k, 0)) if edited else state
            assert state is not None
            yield slot, state.arrays[slot]

    def _refuse_unset(self, target: Target, state: State) -> None:
        slot = self.program.slots[target.slot]
        if not slot.editable:
            raise DebuggerError(f"{slot.name} follows from the iteration and can't be set")
        if not target.cells:
            raise DebuggerError("no cell is named: the index picks nothing")
        if max(target.cells) >= state.computed[slot.name]:
            where = f"{self.spell(target)} is not computed at {state.position}"
            raise DebuggerError(f"{where}: {self.writing(slot.name)}")

    def _unedited(self, position: Position, slot: str) -> Timeline:
        """The timeline without edits of a slot at a position: there it holds what its instruction wrote."""
        edits = [edit for edit in self.timeline.edits if edit.position != position or edit.slot != slot]
        return self.timeline if len(edits) == len(self.timeline.edits) else Timeline(self.program, tuple(edits))

    def _place_of_nudge(self, target: Target) -> Position:
        here = self.position
        start = normal(self.program, here.iteration, 0, 0)
        later = last_edit_of(self.timeline, target, start, here)
        if later is not None:
            return later.position
        if self.program.slots[target.slot].persistent:
            return start
        return min(here, normal(self.program, here.iteration, self.program.writers[target.slot] + 1, 0))

    def _continues(self, last: Edit, target: Target, place: Position) -> bool:
        return last.nudge and (last.slot, last.cells, last.position) == (target.slot, target.cells, place)

    def _edit(self, timeline: Timeline) -> None:
        self._undone.clear()
        self._switch(timeline)

    def _switch(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._player.goto(timeline, self.position)


def spell(program: Program, target: Target) -> str:
    """How a reader calls cells: by their label, else by slot and index."""
    if target.whole:
        return target.slot
    grad = target.slot.endswith(".grad") and target.slot not in program.cell_names
    base = target.slot.removesuffix(".grad") if grad else target.slot
    for label, known in program.targets.items():
        if known.slot == base and known.cells == target.cells:
            return label + ".grad" * grad
    if len(target.cells) != 1 or program.slots[target.slot].shape == ():
        return target.slot
    index = np.unravel_index(target.cells[0], program.slots[target.slot].shape)
    return f"{target.slot}[{', '.join(str(int(i)) for i in index)}]"


def _values(program: Program, state: State, target: Target, text: str) -> Array:
    """The numbers that `text` means for the cells: one for all, or a list in their shape."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    if text.count(",") > _COMMAS * (1 + len(target.cells)):
        raise ExpressionError(f"{shown} holds far more numbers than the {len(target.cells)} that are needed")
    try:
        value = _literal(text, lambda part: expressions.parse(program, part)(state))
        array = np.array(value, dtype=np.float64)
    except NotComputedError as error:
        raise DebuggerError(f"{error.slot} is not computed at {state.position}") from None
    except (ValueError, TypeError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"{shown}: rows of different lengths, or no numbers") from None
    if not _finite(program, array):
        raise DebuggerError(f"{shown} is not a finite number{' in float32' * (program.network.dtype == 'float32')}")
    shape = program.slots[target.slot].shape if target.whole else target.form
    if array.ndim and array.shape != shape and not (array.size == 1 and len(target.cells) == 1):
        have, want = ("×".join(map(str, s)) or "one number" for s in (array.shape, shape))
        raise DebuggerError(f"{shown} has shape {have}, {want} is needed")
    return np.broadcast_to(array.reshape(-1) if array.ndim else array, (len(target.cells),)).copy()


def _literal(text: str, evaluate: Callable[[str], Any]) -> Any:
    """An expression, or nested lists of them."""
    text = " ".join(text.split())
    if not text.startswith("["):
        return _number(text, evaluate)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text[:60]!r} is no list of numbers") from None
    if not isinstance(tree, ast.List):
        return evaluate(text)
    return _listed(tree, evaluate)


def _listed(tree: ast.expr, evaluate: Callable[[str], Any]) -> Any:
    """A part of a list: more lists, a plain number, or an expression."""
    if isinstance(tree, ast.List):
        return [_listed(part, evaluate) for part in tree.elts]
    if isinstance(tree, ast.Constant) and type(tree.value) is float:
        return tree.value
    return _number(ast.unparse(tree), evaluate)


def _number(text: str, evaluate: Callable[[str], Any]) -> Any:
    value = evaluate(text)
    if np.asarray(value).dtype == bool:
        raise ExpressionError(f"{text} is true or false: a number is needed")
    return value


def _finite(program: Program, values: Array) -> bool:
    """Whether numbers are finite in the precision of the program."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(values.astype(program.network.dtype)).all())


def _rounded(before: float, after: float) -> float:
    """A number a person typed stays one as it is nudged: 0.14 + 0.01 is 0.15, not 0.15000000000000002."""
    return float(f"{after:.12g}") if float(f"{before:.12g}") == before else after


def _step_size(array: Array) -> float:
    """A step that shows: a tenth of the slot's largest power of ten."""
    largest = float(np.abs(array).max(initial=0.0))
    if not math.isfinite(largest) or largest < 1e-12:
        return 0.01
    return float(10.0 ** (math.floor(math.log10(largest)) - 1))
