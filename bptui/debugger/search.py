"""Looking through time for conditions, forwards and backwards, a stretch of iterations at a time.

A stretch runs free while the few cells that conditions read are copied aside; then each condition is looked at for all
its iterations at once. Large slots are looked at on the way instead. Where an edit is made, and where the processor's
flags say that a number may not be finite, an iteration is walked operation by operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bptui.debugger.conditions import Condition
from bptui.debugger.recorder import Recorder, small
from bptui.debugger.rows import NotComputedError, Rows, UnstackableError
from bptui.engine.machine import Hook, Taps
from bptui.engine.network import Array
from bptui.engine.player import Player, computed_cells
from bptui.engine.timeline import START, Edit, Position, Timeline, normal

# The longest stretch; a search begins with short ones, so that it does not run far past what it looks for.
_LONGEST = 1024
_FIRST = 32
# So many false alarms of the processor's flags, and only losses and what lasts are looked at.
_PATIENCE = 8


@dataclass(frozen=True)
class Hit:
    """A position at which conditions hold, by their places in the search."""

    position: Position
    conditions: tuple[int, ...]


class Examiner:
    """Examines iterations one after the other, from any on."""

    def __init__(self, player: Player, timeline: Timeline, conditions: Sequence[Condition]) -> None:
        self._player = player
        self._timeline = timeline
        self._program = timeline.program
        self._conditions = list(conditions)
        self._memory = max((condition.memory for condition in conditions), default=0)
        self._finite = any(condition.not_finite for condition in conditions)
        self._alarms = 0
        self._hooked: dict[tuple[int, int], list[Array]] = {}
        self._logged: list[tuple[int, int]] = []
        for number, condition in enumerate(self._conditions):
            for place, reads in condition.reads.items():
                if condition.alone or not small(self._program, reads):
                    self._hooked[number, place] = []
                else:
                    self._logged.append((number, place))
        self._past: dict[tuple[int, int], Array] = {}
        self._recorder = self._new_recorder()
        self.next = 0

    def begin(self, iteration: int) -> None:
        """Stand before an iteration, knowing what conditions have to know of those before."""
        self._past.clear()
        start = max(0, iteration - self._memory)
        self._player.goto(self._timeline, normal(self._program, start, 0, 0))
        self.next = start
        if start == 0:
            self._look_at_the_start()
        while self.next < iteration:
            self.examine(iteration - self.next)

    def examine(self, n: int) -> list[Hit]:
        """The hits of up to n iterations more, in order; at least one iteration is examined."""
        edited = next(self._timeline.after(normal(self._program, self.next, 0, 0)), None)
        free = n if edited is None else min(n, edited.position.iteration - self.next)
        if free <= 0:
            return self._walk()
        start, length = self.next, min(free, self._recorder.most)
        try:
            found = self._stretch(length)
        except UnstackableError:
            self._hook_all()
            self.begin(start)
            return self.examine(n)
        return self._walk_on(start, length) if found is None else found

    def _walk_on(self, start: int, n: int) -> list[Hit]:
        """Walk iterations in which something may not be finite, until it is found."""
        self._player.goto(self._timeline, normal(self._program, start, 0, 0))
        hits: list[Hit] = []
        while self.next < start + n and not hits:
            hits = self._walk()
        self._alarms += not any(self._conditions[k].not_finite for hit in hits for k in hit.conditions)
        return hits

    # A stretch

    def _stretch(self, n: int) -> list[Hit] | None:
        """N iterations, run free; None where something may not be finite and they have to be walked."""
        start = self.next
        taps = Taps(hooks=list(self._hooks()), copies=self._recorder.copies(n, self._player.machine))
        for values in self._hooked.values():
            values.clear()
        watched = self._finite and self._alarms < _PATIENCE
        flags: Literal["ignore", "raise"] = "raise" if watched else "ignore"
        try:
            with np.errstate(over=flags, invalid=flags, divide=flags, under="ignore"):
                done = self._player.run(n, taps)
        except FloatingPointError:
            return None
        if self._finite and not self._all_finite(start, done):
            return None
        hits = _merged(self._judged(start, done))
        self.next = start + done
        return hits

    def _all_finite(self, start: int, done: int) -> bool:
        machine = self._player.machine
        losses = self._player.losses.until(start + done)[start // self._player.losses.step :]
        return bool(np.isfinite(losses).all() and np.isfinite(machine.vector).all())

    def _hooks(self) -> Iterator[tuple[int, Hook]]:
        for (number, place), values in self._hooked.items():
            yield self._latest(number, place), self._hook(number, place, values)

    def _hook(self, number: int, place: int, values: list[Array]) -> Hook:
        condition, rows = self._conditions[number], self._rows_after(place)

        def look(k: int) -> None:
            del k
            values.append(np.array(condition.quantity(place, rows)))

        return look

    def _latest(self, number: int, place: int) -> int:
        """Where in an iteration a quantity may be looked at; after an update, its end will mostly do."""
        program = self._program
        if program.instructions[place].phase != "update":
            return place
        reads = self._conditions[number].reads[place]
        later = any(program.writers.get(slot, -1) > place for slot in reads)
        return place if later else len(program) - 1

    def _rows_after(self, place: int) -> Rows:
        """The present buffers, as after an instruction."""
        arrays = self._player.machine.arrays
        computed = computed_cells(self._program, Position(0, place + 1))
        return Rows(1, computed, lambda slot, start, stop: arrays[slot].reshape(1, -1)[:, start:stop], arrays)

    def _judged(self, start: int, done: int) -> Iterator[tuple[Position, int]]:
        """Which conditions hold where in the stretch just run."""
        for number, condition in enumerate(self._conditions):
            for place in () if condition.not_finite else condition.places:
                flags = self._decide(number, place, self._quantities(number, place, done))
                for k in np.flatnonzero(flags):
                    yield Position(start + int(k), place + 1), number

    def _quantities(self, number: int, place: int, done: int) -> Array:
        condition = self._conditions[number]
        if (number, place) in self._hooked:
            return np.concatenate(self._hooked[number, place])
        if place not in condition.reads:
            return np.zeros((done, 0))
        return condition.quantity(place, self._recorder.rows(place, done))

    def _decide(self, number: int, place: int, values: Array) -> Array:
        """Flags for new quantities (n, k), with those of the iterations before; the last are remembered."""
        condition = self._conditions[number]
        past = self._past.get((number, place))
        before = 0 if past is None else len(past)
        together = values if past is None else np.concatenate([past, values])
        if condition.memory:
            self._past[number, place] = together[-condition.memory :].copy()
        return condition.decide(place, together, before)

    def _hook_all(self) -> None:
        """Look at everything on the way, one iteration at a time."""
        for key in self._logged:
            self._hooked[key] = []
        self._logged = []
        self._recorder = self._new_recorder()

    def _new_recorder(self) -> Recorder:
        reads = [(place, self._conditions[number].reads[place]) for number, place in self._logged]
        return Recorder(self._program, reads, _LONGEST)

    # An iteration, operation by operation

    def _walk(self) -> list[Hit]:
        found: list[tuple[Position, int]] = []
        t, count = self.next, len(self._program)
        edits = [edit for edit in self._timeline.edits if edit.position.iteration == t and edit.position != START]
        for position in sorted({*self._stations(t), *(edit.position for edit in edits)}):
            self._player.goto(self._timeline, position)
            here = [edit for edit in edits if edit.position == position]
            found += [(position, number) for number in self._at(position, here)]
        self._player.goto(self._timeline, Position(t, count))
        self.next = t + 1
        return _merged(found)

    def _stations(self, t: int) -> Iterator[Position]:
        for condition in self._conditions:
            yield from (Position(t, place + 1) for place in condition.places)

    def _at(self, position: Position, edits: list[Edit]) -> Iterator[int]:
        """The conditions that hold at a position, the player being there."""
        rows, place = Rows.of(self._player.live()), position.op - 1
        for number, condition in enumerate(self._conditions):
            holds = position.element == 0 and place in condition.places and self._holds(number, place, rows)
            if holds or any(_touched(condition, edit, rows) for edit in edits):
                yield number
        for edit in edits:
            self._note_edited(edit, rows)

    def _note_edited(self, edit: Edit, rows: Rows) -> None:
        """What is compared with its last value is compared with what a hand has made of it."""
        for number, condition in enumerate(self._conditions):
            for place, reads in condition.reads.items() if condition.compares else ():
                past = self._past.get((number, place))
                if past is None or edit.slot not in reads:
                    continue
                values = np.array(condition.quantity(place, rows))
                if values.shape[1:] == past.shape[1:]:
                    past[-1] = values[0]

    def _holds(self, number: int, place: int, rows: Rows) -> bool:
        condition = self._conditions[number]
        if condition.not_finite:
            written = self._player.machine.arrays[self._program.instructions[place].writes]
            return not np.isfinite(written).all()
        values = condition.quantity(place, rows) if place in condition.reads else np.zeros((1, 0))
        return bool(self._decide(number, place, np.array(values))[0])

    def _look_at_the_start(self) -> None:
        """For conditions that compare, the initial values are those of an iteration before the first."""
        rows = Rows.of(self._player.live())
        for number, condition in enumerate(self._conditions):
            for place in condition.reads if condition.begins else ():
                try:
                    self._past[number, place] = np.array(condition.quantity(place, rows))
                except NotComputedError:
                    continue


def _touched(condition: Condition, edit: Edit, rows: Rows) -> bool:
    """Whether an edit made here makes a condition hold."""
    if not condition.touched(edit):
        return False
    return condition.expression is None or bool(condition.expression.true_over(rows)[0])


def _merged(found: Sequence[tuple[Position, int]] | Iterator[tuple[Position, int]]) -> list[Hit]:
    """Conditions by position, in the order of time."""
    at: dict[Position, list[int]] = {}
    for position, number in found:
        at.setdefault(position, []).append(number)
    return [Hit(position, tuple(sorted(set(at[position])))) for position in sorted(at)]


class Forward:
    """A search from where a player stands to an end, in portions.

    examined  how many iterations it has looked at
    """

    def __init__(self, player: Player, timeline: Timeline, conditions: Sequence[Condition], end: Position) -> None:
        self._examiner = Examiner(player, timeline, conditions)
        self.here = player.position
        self._count = len(timeline.program)
        self._end = end
        self._n = _FIRST
        self._begun = False
        self.examined = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing left to look at."""
        return self._begun and self._examiner.next > self._end.iteration

    @property
    def iteration(self) -> int:
        """How far it has got."""
        return self._examiner.next

    def advance(self, most: int = _LONGEST) -> list[Hit]:
        """Look at up to so many iterations more: the hits among them, in order."""
        if not self._begun:
            self._begun = True
            ended = self.here.op == self._count
            self._examiner.begin(self.here.iteration + ended)
        first = self._examiner.next
        n = min(self._n, most, self._end.iteration + 1 - first)
        self._n = min(2 * self._n, _LONGEST)
        hits = self._examiner.examine(n) if n > 0 else []
        self.examined += self._examiner.next - first
        return [hit for hit in hits if self.here < hit.position <= self._end]


class Backward:
    """A search from where a player stands back to the start, in portions: windows that grow as they go back.

    examined  how many iterations it has looked at
    """

    def __init__(self, player: Player, timeline: Timeline, conditions: Sequence[Condition]) -> None:
        self._examiner = Examiner(player, timeline, conditions)
        self.here = player.position
        self._until = self.here.iteration + 1
        self._start = self._until
        self._size = 1
        self._found: list[Hit] = []
        self.examined = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing left to look at."""
        return self._start == 0 and self._examiner.next >= self._until

    @property
    def iteration(self) -> int:
        """How far back it has looked."""
        return self._start if self._examiner.next >= self._until else self._until

    def advance(self, most: int = _LONGEST) -> list[Hit]:
        """Look at up to so many iterations: the hits of a window that is done, the latest first."""
        if self._start == self._until or self._examiner.next >= self._until:
            self._open()
        first = self._examiner.next
        hits = self._examiner.examine(min(most, self._until - first))
        self.examined += self._examiner.next - first
        self._found += [hit for hit in hits if hit.position < self.here]
        return self._found[::-1] if self._examiner.next >= self._until else []

    def _open(self) -> None:
        self._until = self._start
        self._start = max(0, self._until - self._size)
        self._size *= 2
        self._found = []
        self._examiner.begin(self._start)
