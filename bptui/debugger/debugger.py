"""The verbs: each moves along a timeline or changes it, and gives a View of where one is then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bptui.debugger import conditions, editing, expressions, memento, moves
from bptui.debugger.branches import Branches
from bptui.debugger.breakpoints import Breakpoint
from bptui.debugger.comparing import Comparison, compare, losses
from bptui.debugger.curves import Curve, Curves
from bptui.debugger.editing import DebuggerError, spell
from bptui.debugger.examiner import Examiner
from bptui.debugger.rows import Rows
from bptui.debugger.staleness import staleness
from bptui.debugger.stops import Breakpoints, Ended, Run
from bptui.debugger.view import View, edited_cells
from bptui.debugger.watches import Watched, Watches
from bptui.engine.build import build
from bptui.engine.checkpoints import MEMORY
from bptui.engine.lifeline import begun_by, unedited, writers
from bptui.engine.network import Array, Network
from bptui.engine.player import Moment, Player, State, computed_cells
from bptui.engine.program import Program, Target
from bptui.engine.timeline import START, Edit, Position, Timeline, first_difference, normal, parse

__all__ = ["Debugger", "DebuggerError", "spell"]


class Debugger:
    """A walk along timelines, one of which is looked at.

    memory  bytes that checkpoints and losses may take
    """

    def __init__(self, network: Network, memory: int = MEMORY) -> None:
        self.memory = memory
        self.load(network)

    def load(self, network: Network) -> View:
        """Start afresh with another network. Raises NetworkError."""
        timeline = Timeline(build(network))
        self.branches = Branches(timeline)
        self.breakpoints = Breakpoints()
        self.watches = Watches()
        self._player = Player(timeline, self.memory)
        self._beside: Player | None = None
        self._curves = Curves(self.memory)
        return self.view()

    @property
    def timeline(self) -> Timeline:
        """The timeline that is walked."""
        return self.branches.current.timeline

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

    @property
    def end(self) -> Position:
        """The end of the last iteration that the spec asks for."""
        return Position(self.program.network.iterations - 1, self.count)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The iterations at whose starts regular checkpoints lie; those left on a walk back come and go."""
        kept = self._player.checkpoints
        return tuple(t for t in kept.iterations if t % kept.stride == 0)

    # Moving

    def goto(self, position: Position) -> View:
        """Any position; what lies between is computed."""
        self._go(position)
        return self.view()

    def goto_text(self, text: str) -> View:
        """The position that `3:12` means. Raises PositionError."""
        return self.goto(parse(self.program, text))

    def next(self, k: int = 1) -> View:
        """K operations on; a half-done one is finished first, which counts as one."""
        return self.goto(moves.forward(self.program, self.position, k))

    def back(self, k: int = 1) -> View:
        """K operations back; a half-done one is left undone first, which counts as one."""
        return self.goto(moves.back(self.program, self.position, k))

    def step(self, k: int = 1) -> View:
        """K elements on, into and out of operations."""
        return self.goto(moves.step(self.program, self.position, k))

    def step_back(self, k: int = 1) -> View:
        """K elements back."""
        return self.goto(moves.step_back(self.program, self.position, k))

    def finish(self) -> View:
        """To the end of the phase that the next operation belongs to."""
        return self.goto(moves.finish(self.program, self.position))

    def start(self) -> View:
        """To the start of the phase that the operation done last belongs to."""
        return self.goto(moves.start(self.program, self.position))

    def iteration(self, k: int = 1) -> View:
        """K whole training iterations on, at the same operation."""
        return self.goto(moves.iterations(self.program, self.position, k))

    def iteration_back(self, k: int = 1) -> View:
        """K whole training iterations back, at the same operation; to the start where there are not so many."""
        return self.goto(moves.iterations(self.program, self.position, -k))

    def to(self, index: int) -> View:
        """To where operation `index` will be done next."""
        return self.goto(moves.to(self.program, self.position, index))

    def to_back(self, index: int) -> View:
        """Back to where operation `index` was done last. Raises DebuggerError where it never was."""
        place = moves.to_back(self.program, self.position, index)
        if place is None:
            raise DebuggerError(f"operation {index + 1} was not done before here")
        return self.goto(place)

    # Running

    def run(self, *, back: bool = False) -> Run:
        """A run to the next breakpoint or back to the previous, in portions; `arrive` ends it. Raises DebuggerError."""
        if not back and self.position >= self.end:
            raise DebuggerError(f"already at or past the end, iteration {self.program.network.iterations}")
        self._note_losses()
        return Run(self._player, self.timeline, self.breakpoints, START if back else self.end, back=back)

    def arrive(self, ended: Ended) -> View:
        """Go to where a run ended, and say why it did."""
        view = self.goto(ended.position)
        if ended.stopped:
            message = "stopped at " + "; ".join(
                f"breakpoint {one.number}: {one.text}{self.told(one.condition)}" for one in ended.stopped
            )
        elif ended.position == START:
            message = "stopped at the start: nothing to stop at before it"
        else:
            message = f"stopped at the end: {self.program.network.iterations} iterations{self._lost(view)}"
        return replace(view, message=message)

    def told(self, condition: conditions.Condition) -> str:
        """What it is that a condition holds of here, in brackets, where it has a word for that."""
        place = self.position.op - 1
        if place not in condition.places:
            return ""
        if condition.recall is not None:
            return f" ({condition.recall(place, self._quantities(condition, place))})"
        if condition.tell is None:
            return ""
        rows = before = Rows.of(self._player.live())
        if condition.compares:
            before = Rows.of(self._begun(self._moment_here(self._player.state()).before, place))
        return f" ({condition.tell(place, rows, before)})"

    def _quantities(self, condition: conditions.Condition, place: int) -> Array:
        """What a condition looks at, here and in the iterations before that it looks back at: (n, k)."""
        here = self.position
        rows = Rows.of(self._player.live())
        now = np.array(condition.quantity(place, rows, rows))
        examiner = Examiner(self._player, self.timeline, [condition])
        examiner.begin(here.iteration)
        past = examiner.remembered(0, place)
        self._player.goto(self.timeline, here)
        return now if past is None else np.concatenate([past, now])

    def leave(self, run: Run) -> View:
        """Interrupt a run: forward one is where it has got to, between two iterations; back where one began."""
        return self.goto(run.reached)

    def run_on(self) -> View:
        """To the next breakpoint, or the end of the iterations that the spec asks for."""
        try:
            run = self.run()
        except DebuggerError as error:
            return self.view(str(error))
        return self.arrive(run.whole())

    def run_back(self) -> View:
        """Back to the previous breakpoint, or to the very start."""
        return self.arrive(self.run(back=True).whole())

    def run_until(self, text: str) -> Run:
        """A run on until an expression is true; `arrive_until` ends it. Raises ExpressionError or DebuggerError."""
        condition = conditions.when_true(self.program, text)
        if self.position >= self.end:
            raise DebuggerError(f"already at or past the end, iteration {self.program.network.iterations}")
        last = self.count - 1
        if last not in condition.places:
            reads = {**condition.reads, last: condition.reads[condition.places[0]]}
            condition = replace(condition, places=(*condition.places, last), reads=reads)
        return self._run_for(condition, self.end)

    def arrive_until(self, run: Run, ended: Ended) -> View:
        """Go to where it came true. Raises DebuggerError where it did not; one is where one was."""
        if ended.stopped:
            return self.goto(ended.position)
        self.goto(run.begun)
        text = run.texts[0].removeprefix("if ")
        raise DebuggerError(f"{text} does not come true within {self.end.iteration + 1} iterations")

    def until(self, text: str) -> View:
        """On until an expression is true. Raises ExpressionError; DebuggerError at the end."""
        run = self.run_until(text)
        return self.arrive_until(run, run.whole())

    def run_back_to(self, condition: conditions.Condition) -> Run:
        """A run back to where a condition held last; it ends at the very start where it never did."""
        return self._run_for(condition, START, back=True)

    def run_to(self, place: Position) -> Run:
        """A run to the end of the iteration before that of a position further on."""
        self._note_losses()
        return Run(self._player, self.timeline, Breakpoints(), Position(place.iteration - 1, self.count))

    def _run_for(self, condition: conditions.Condition, end: Position, *, back: bool = False) -> Run:
        """A run that stops at one condition and at no breakpoint."""
        self._note_losses()
        alone = Breakpoints()
        alone.put(Breakpoint(1, condition))
        return Run(self._player, self.timeline, alone, end, back=back)

    def last(self, condition: conditions.Condition) -> Position | None:
        """The last position before here at which a condition holds, or None."""
        run = self.run_back_to(condition)
        ended = run.whole()
        self._player.goto(self.timeline, run.begun)
        return ended.position if ended.stopped else None

    def _lost(self, view: View) -> str:
        lost = np.flatnonzero(~np.isfinite(view.losses))
        return f"; from iteration {int(lost[0]) * view.every} on the loss is no finite number" if lost.size else ""

    # Editing

    def set(self, target: str, value: str, at: str | None = None) -> Edit:
        """Write a value, here or at an earlier place; what lies between is computed again.

        Raises ExpressionError, PositionError or DebuggerError, and then nothing is changed.
        """
        place = self.position if at is None else parse(self.program, at)
        cells = editing.find(self.program, target, here=at is None)
        state = self.look(place)
        editing.refuse_unset(self.program, cells, state)
        values = editing.values(self.program, state, cells, value)
        edit = Edit(place, cells.slot, cells.cells, values, " ".join(f"set {target} = {value}".split()))
        self._edit(edit)
        return edit

    def nudge(self, target: Target, steps: int = 1, amount: float | None = None) -> Edit:
        """Move a cell by a step: at the iteration's start, for a value just after the instruction that writes it.

        Raises DebuggerError where the cell is not there yet.
        """
        editing.refuse_unset(self.program, target, self.look(self.position))
        place = editing.place_of_nudge(self.timeline, target, self.position)
        state = self.look(place)
        before = [float(number) for number in state.arrays[target.slot].reshape(-1)[list(target.cells)]]
        if amount is None:
            step = steps * editing.step_size(state.arrays[target.slot].reshape(-1)[: state.computed[target.slot]])
            values = np.array([editing.rounded(number, number + step) for number in before])
        else:
            values = np.array([number + amount for number in before])
        if not editing.finite(self.program, values):
            raise DebuggerError(f"{self.spell(target)} would not be a finite number")
        text = f"nudge {self.spell(target)} to {values[0]:.12g}"
        edit = Edit(place, target.slot, target.cells, values, text, nudge=True)
        self._edit(edit)
        return edit

    def undo(self) -> Edit:
        """Take back the edit given last, wherever it lies. Raises DebuggerError if there is none."""
        here = self.position
        with self.branches.attempt():
            edit = self.branches.undo(here)
            if edit is None:
                raise DebuggerError("nothing to undo")
            self._go(here)
        return edit

    def redo(self) -> Edit:
        """Give the edit taken back last once more. Raises DebuggerError if there is none."""
        here = self.position
        with self.branches.attempt():
            edit = self.branches.redo(here)
            if edit is None:
                raise DebuggerError("nothing to redo")
            self._go(here)
        return edit

    # Branches

    def branch(self, name: str) -> View:
        """Go on with another branch, at the same position; a name that is new makes one from here."""
        here = self.position
        with self.branches.attempt():
            if name in self.branches.all:
                self.branches.enter(name, here)
            else:
                self.branches.fork(name, here)
            return self.goto(here)

    def drop(self, name: str) -> None:
        """Forget a branch. Raises DebuggerError for the one that is looked at, the first, and what is none."""
        if name not in self.branches.all:
            raise DebuggerError(f"no branch is called {name[:40]} ({', '.join(self.branches.all)})")
        if name == self.branches.name:
            raise DebuggerError(f"{name} is the branch that is looked at; go to another first")
        if not self.branches.all[name].parent:
            raise DebuggerError(f"{name} is where all others come from")
        self.branches.drop(name)

    def diff(self, name: str, other: Timeline | None = None) -> Comparison:
        """This branch beside another, or beside a timeline that is none of them. Raises DebuggerError."""
        if other is None and name not in self.branches.all:
            raise DebuggerError(f"no branch is called {name[:40]} ({', '.join(self.branches.all)})")
        if other is None and name == self.branches.name:
            raise DebuggerError(f"{name} is the branch that is looked at: name another, or a network")
        other = other or self.branches.all[name].timeline
        if self._beside is None or self._beside.program is not other.program:
            self._beside = Player(other, self.memory // 4)
        self._beside.goto(other, START)
        here = self.position
        try:
            return compare((self.branches.name, name), self._player, self._beside, here)
        finally:
            self._player.goto(self.timeline, here)

    # Stopping

    def add_breakpoint(self, text: str) -> Breakpoint:
        """A new breakpoint. Raises ExpressionError."""
        return self.breakpoints.add(self.program, text)

    def watched(self, *, passing: bool = False) -> list[Watched]:
        """Every watch here; in passing it is remembered as no place where one stopped."""
        return self.watches.at(self._player.state(), passing=passing) if self.watches.all else []

    def recent(self, number: int, count: int) -> Array:
        """A watch's values at the ends of the last iterations, as far as there is time to compute them."""
        here = self.position
        try:
            return self.watches.series[number].recent(self._player, self.timeline, self._ended(here), count)
        finally:
            self._player.goto(self.timeline, here)

    def plotted(self, number: int, *, passing: bool = False) -> tuple[Array, Array]:
        """Iterations up to here and a watch's values at their ends; in passing only those that are known already."""
        here, series = self.position, self.watches.series[number]
        if passing:
            return series.until(self.timeline, self._ended(here))
        try:
            return series.plotted(self._player, self.timeline, self._ended(here))
        finally:
            self._player.goto(self.timeline, here)

    def curve(self, name: str) -> Curve:
        """The losses of another branch up to this iteration, as far as one has been there."""
        return self._curves.of(self.branches.all[name].timeline, self.position.iteration + 1)

    def _ended(self, here: Position) -> int:
        """How many iterations are done."""
        return here.iteration + (here.op == self.count)

    # Keeping

    def memento(self) -> dict[str, Any]:
        """Everything but the program as JSON values by key."""
        return memento.memento(self)

    def restore(self, kept: Mapping[str, Any]) -> View:
        """The state that was kept. Raises DebuggerError where it does not fit the network, changing nothing."""
        memento.restore(self, kept)
        return self.view()

    # Looking

    def evaluate(self, text: str) -> Any:
        """The value of an expression here. Raises ExpressionError or NotComputedError."""
        return expressions.parse(self.program, text)(self._player.state())

    def look(self, position: Position, timeline: Timeline | None = None) -> State:
        """The state at another position, or on another timeline, without going there."""
        here = self.position
        try:
            self._player.goto(timeline or self.timeline, position)
            return self._player.state()
        finally:
            self._player.goto(self.timeline, here)

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
        shown = unedited(self.timeline, self.program.instructions[index].writes, after)
        return Moment(index, before, self.look(after, shown))

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
        found, here = writers(self.program, slot), self.position
        done = [k for k in found if k < here.op or (k == here.op and cell < here.element)]
        if done:
            return here.iteration, done[-1]
        if found and self.program.slots[slot].persistent and here.iteration:
            return here.iteration - 1, found[-1]
        return None

    def view(self, message: str = "") -> View:
        """What there is to be seen here."""
        here, state = self.position, self._player.state()
        moment = None if here == START else self._moment_here(state)
        size = 0 if moment is None else self.program.size(moment.index)
        return View(
            timeline=self.timeline,
            state=state,
            stale=staleness(self.timeline, here),
            moment=moment,
            changed=range(here.element - 1, here.element) if here.element else range(size),
            losses=losses(self._player, state),
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
        return editing.writing(self.program, slot)

    # Inside

    def _go(self, position: Position) -> None:
        self._note_losses()
        changed = first_difference(self._player.timeline, self.timeline)[0]
        self._player.goto(self.timeline, position)
        self.breakpoints.forget(changed)
        self.branches.visit(position)

    def _note_losses(self) -> None:
        self._curves.note(self._player, {branch.timeline for branch in self.branches.all.values()})

    def _edit(self, edit: Edit) -> None:
        here = self.position
        with self.branches.attempt():
            self.branches.edit(edit, here)
            self._go(here)

    def _moment_here(self, state: State) -> Moment:
        """The operation done last: what it read is still there, unless it changed it in place or an edit did."""
        index, program = moves.last(self.position), self.program
        slot = program.instructions[index].writes
        before = normal(program, self.position.iteration, index, 0)
        lasting = program.slots[slot].persistent
        old = self._player.begun(slot) if lasting else _unset(state.arrays[slot])
        again = begun_by(program, index) < index
        if index == 0 or old is None or again or self.timeline.edited_in(self.position.iteration):
            return self.moment(index)
        old = old.copy()
        old.flags.writeable = False
        arrays = {**state.arrays, slot: old}
        return Moment(index, State(before, arrays, computed_cells(program, before)), state)

    def _begun(self, before: State, index: int) -> State:
        """The state before an instruction, with what it writes as it was before the first one that writes it."""
        first = begun_by(self.program, index)
        if first == index:
            return before
        slot, earlier = self.program.instructions[index].writes, normal(self.program, self.position.iteration, first, 0)
        return replace(before, arrays={**before.arrays, slot: self.look(earlier).arrays[slot]})

    def _before_updates(self) -> Iterator[tuple[str, Array]]:
        """Each parameter whose update has begun, with its value just before."""
        t, done = self.position.iteration, self.position.op + (self.position.element > 0)
        updates: dict[str, int] = {}
        for k in range(done):
            if self.program.instructions[k].phase == "update":
                # A decay of the weights is the first part of their update.
                updates.setdefault(self.program.instructions[k].writes, k)
        # Nothing but an edit changes a parameter between the iteration's start and its own update.
        edited, state = self.timeline.edited_in(t), None
        for slot, k in updates.items():
            begun = None if edited else self._player.begun(slot)
            if begun is None:
                state = self.look(normal(self.program, t, k, 0)) if edited or state is None else state
                begun = state.arrays[slot]
            yield slot, begun


def _unset(array: Array) -> Array:
    """An array none of whose cells is computed."""
    return np.full_like(array, np.nan if array.dtype.kind == "f" else -1)
