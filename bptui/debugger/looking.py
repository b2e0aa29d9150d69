"""What there is to see from where one is, and elsewhere without going there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bptui.debugger import editing, expressions, moves
from bptui.debugger.branches import Branches
from bptui.debugger.comparing import losses
from bptui.debugger.curves import Curves
from bptui.debugger.editing import spell
from bptui.debugger.staleness import staleness
from bptui.debugger.stops import Breakpoints
from bptui.debugger.view import View, edited_cells
from bptui.debugger.watches import Watches
from bptui.engine.build import build
from bptui.engine.checkpoints import MEMORY
from bptui.engine.lifeline import begun_by, unedited, writers
from bptui.engine.network import Array, Network
from bptui.engine.player import Moment, Player, State, computed_cells
from bptui.engine.program import Program, Target
from bptui.engine.timeline import START, Edit, Position, Timeline, first_difference, normal

if TYPE_CHECKING:
    from bptui.debugger.probing.knobs import Start

# So many moments that were seen last, or foreseen, are at hand as they were seen, where a program has few numbers.
_SEEN = 4
_LIGHT = 1 << 19


class Looking:
    """A player on the timeline that is looked at, and the view of where one is.

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
        self._seen: deque[View] = deque(maxlen=_SEEN if is_light(timeline.program) else 1)
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
        return self._player.checkpoints.regular

    def goto(self, position: Position) -> View:
        """Any position; what lies between is computed."""
        self._go(position)
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

    def begun(self) -> Start:
        """This iteration's start: every slot that lasts as it was there, edits made there included."""
        from bptui.debugger.probing.knobs import Start

        t, arrays = self.position.iteration, self._player.machine.arrays
        lasting = [slot for slot in self.program.slots.values() if slot.persistent]
        if not self.timeline.edited_in(t):
            # Data are changed by edits alone, in place: what is not edited can be looked at where it is.
            edited = {edit.slot for edit in self.timeline.edits}
            kept = {
                slot.name: (arrays[slot.name].copy() if slot.name in edited else arrays[slot.name])
                if slot.kind == "data"
                else self._player.begun(slot.name)
                for slot in lasting
            }
            found = {name: array for name, array in kept.items() if array is not None}
            if len(found) == len(lasting):
                return Start(self.timeline, t, found)
        state = self.look(Position(t))
        return Start(self.timeline, t, {slot.name: state.arrays[slot.name] for slot in lasting})

    def value_before(self, edit: Edit, at: Position | None = None) -> State:
        """The state at an edit's place, or at another, without that edit and those given after it."""
        given = self.timeline.edits[: self.timeline.edits.index(edit)]
        return self.look(at or edit.position, Timeline(self.program, given))

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
        """What there is to be seen here; asked again at one place, the same arrays are seen."""
        return replace(self._here(), message=message)

    def foresee(self, position: Position) -> View:
        """What there will be to be seen at a position: `view` there has nothing to do then.

        Nobody has been there by that: of the losses no more are known than before.
        """
        here, known = self.position, len(self._player.losses)
        try:
            self._player.goto(self.timeline, position)
            return self._here()
        finally:
            self._player.goto(self.timeline, here)
            self._player.losses.cut(known)

    def glimpse(self) -> View:
        """In passing: where one is, and the losses; its arrays are the machine's own, which the next step changes."""
        state = self._player.live()
        moment = None if state.position == START else Moment(moves.last(state.position), state, state)
        through = self._player.losses.through(state.position.iteration) if state.computed["loss"] else None
        return View(
            timeline=self.timeline,
            state=state,
            stale=staleness(self.timeline, state.position),
            moment=moment,
            changed=range(0),
            losses=losses(self._player, state) if through is None else through,
            every=self._player.losses.step,
        )

    def _here(self) -> View:
        """Where the player is, as it was seen or foreseen lately; else seen now, sharing what is still so."""
        if self._seen and self._seen[-1].timeline is not self.timeline:
            self._seen.clear()
        view = next((view for view in self._seen if view.position == self.position), None)
        if view is None:
            view = self._view(self._seen[-1].state if self._seen else None)
        else:
            self._seen.remove(view)
        self._seen.append(view)
        return view

    def _view(self, earlier: State | None) -> View:
        here, state = self.position, self._player.state(earlier)
        moment = None if here == START else self._moment_here(state, earlier)
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

    def _moment_here(self, state: State, earlier: State | None = None) -> Moment:
        """The operation done last: what it read is still there, unless it changed it in place or an edit did.

        earlier  the state that was seen before this one, on this timeline
        """
        index, program = moves.last(self.position), self.program
        slot = program.instructions[index].writes
        before = normal(program, self.position.iteration, index, 0)
        edited = self.timeline.edited_in(self.position.iteration)
        if earlier is not None and earlier.position == before and not edited and begun_by(program, index) == index:
            return Moment(index, earlier, state)
        lasting = program.slots[slot].persistent
        old = self._player.begun(slot) if lasting else _unset(state.arrays[slot])
        again = begun_by(program, index) < index
        if index == 0 or old is None or again or edited:
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


@lru_cache(maxsize=4)
def is_light(program: Program) -> bool:
    """Whether an iteration takes no longer than a frame, and nobody sees how often it is carried out."""
    own = any(instruction.own is not None for instruction in program.instructions)
    return not own and sum(slot.size for slot in program.slots.values()) <= _LIGHT


def _unset(array: Array) -> Array:
    """An array none of whose cells is computed."""
    return np.full_like(array, np.nan if array.dtype.kind == "f" else -1)
