"""Examines iterations for conditions, a stretch at a time.

A stretch runs free; then each condition is looked at for all its iterations at once. Where an edit is made, and where
something may not be finite, an iteration is walked operation by operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bptui.debugger.conditions import Condition
from bptui.debugger.finite import Finite
from bptui.debugger.observer import Observer, rows_of
from bptui.debugger.rows import Rows, UnstackableError
from bptui.engine.lifeline import begun_by
from bptui.engine.network import Array
from bptui.engine.player import Player
from bptui.engine.timeline import START, Edit, Position, Timeline, normal

# The longest stretch.
LONGEST = 4096


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
        self._finite = Finite(self._program) if any(condition.not_finite for condition in conditions) else None
        self._observer = Observer(player, self._conditions, LONGEST, self._finite)
        # (condition, place) → its quantities in the iterations before.
        self._past: dict[tuple[int, int], Array] = {}
        # Instruction → what is kept just before it: (condition, place, slot), for a place that compares with that.
        self._wanted: dict[int, list[tuple[int, int, str]]] = {}
        for number, condition in enumerate(self._conditions):
            for place, reads in condition.reads.items() if condition.compares else ():
                written, first = self._program.instructions[place].writes, begun_by(self._program, place)
                for slot in reads:
                    self._wanted.setdefault(first if slot == written else place, []).append((number, place, slot))
        # (condition, place) → what it compares with, while an iteration is walked.
        self._before: dict[tuple[int, int], dict[str, Array]] = {}
        self.next = 0

    def begin(self, iteration: int) -> None:
        """Stand before an iteration, knowing what conditions have to know of those before."""
        self._past.clear()
        self.next = max(0, iteration - self._memory)
        self._player.goto(self._timeline, normal(self._program, self.next, 0, 0))
        while self.next < iteration:
            self.examine(iteration - self.next)

    def remembered(self, number: int, place: int) -> Array | None:
        """A condition's quantities in the iterations before, as far as it looks back; None where there are none."""
        return self._past.get((number, place))

    def examine(self, n: int) -> list[Hit]:
        """The hits of up to n iterations more, in order; at least one iteration is examined."""
        edited = next(self._timeline.after(normal(self._program, self.next, 0, 0)), None)
        free = n if edited is None else min(n, edited.position.iteration - self.next)
        if free <= 0:
            return self._walk()
        start, length = self.next, min(free, self._observer.most)
        try:
            found = self._stretch(length)
        except _OneByOneError as error:
            self._observer.glance_at(error.number)
            self.begin(start)
            return self.examine(n)
        return self._walk_on(start, length) if found is None else found

    # A stretch

    def _stretch(self, n: int) -> list[Hit] | None:
        """N iterations, run free; None where something may not be finite and they have to be walked."""
        start, flags = self.next, self._finite.flags if self._finite else "ignore"
        try:
            with np.errstate(over=flags, invalid=flags, divide=flags, under="ignore"):
                done = self._observer.run(n)
        except FloatingPointError:
            return None
        if self._finite and not self._observer.all_finite:
            return None
        hits = _merged(self._judged(start, done))
        self.next = start + done
        return hits

    def _judged(self, start: int, done: int) -> Iterator[tuple[Position, int]]:
        """Which conditions hold where in the stretch just run."""
        for number, condition in enumerate(self._conditions):
            for place in () if condition.not_finite else condition.places:
                try:
                    values = self._observer.quantities(number, place, done)
                except UnstackableError:
                    raise _OneByOneError(number) from None
                for k in np.flatnonzero(self._decide(number, place, values)):
                    yield Position(start + int(k), place + 1), number

    def _decide(self, number: int, place: int, values: Array) -> Array:
        """Flags for new quantities (n, k), with those of the iterations before; the last are remembered."""
        condition = self._conditions[number]
        if not condition.memory:
            return condition.decide(place, values, 0)
        past = self._past.get((number, place))
        before = 0 if past is None else len(past)
        together = values if past is None else np.concatenate([past, values])
        self._past[number, place] = together[-condition.memory :].copy()
        return condition.decide(place, together, before)

    # An iteration, operation by operation

    def _walk_on(self, start: int, n: int) -> list[Hit]:
        """Walk iterations in which something may not be finite, until that is found."""
        assert self._finite is not None
        self._player.goto(self._timeline, normal(self._program, start, 0, 0))
        hits: list[Hit] = []
        while self.next < start + n:
            new = self._walk()
            hits += new
            if any(self._conditions[k].not_finite for hit in new for k in hit.conditions):
                return hits
        if self._finite.false_alarm():
            self._observer.lay_out()
        return hits

    def _walk(self) -> list[Hit]:
        found: list[tuple[Position, int]] = []
        t, count = self.next, len(self._program)
        edits = [edit for edit in self._timeline.edits if edit.position.iteration == t and edit.position != START]
        self._remember(0)
        for position in sorted({*self._stations(t), *(edit.position for edit in edits)}):
            self._player.goto(self._timeline, position)
            here = [edit for edit in edits if edit.position == position]
            found += [(position, number) for number in self._at(position, here)]
            if not position.element:
                self._remember(position.op)
        self._player.goto(self._timeline, Position(t, count))
        self._before.clear()
        self.next = t + 1
        return _merged(found)

    def _stations(self, t: int) -> Iterator[Position]:
        """Where something is looked at: just after a place, and before what it compares with."""
        for condition in self._conditions:
            yield from (Position(t, place + 1) for place in condition.places)
        yield from (Position(t, op) for op in self._wanted if op)

    def _remember(self, op: int) -> None:
        """What places compare with: what they write, before that began to be written, and all else just before them."""
        for number, place, slot in self._wanted.get(op, ()):
            self._before.setdefault((number, place), {})[slot] = self._player.machine.arrays[slot].copy()

    def _at(self, position: Position, edits: list[Edit]) -> Iterator[int]:
        """The conditions that hold at a position, the player being there."""
        rows, place = Rows.of(self._player.live()), position.op - 1
        for number, condition in enumerate(self._conditions):
            holds = position.element == 0 and place in condition.places and self._holds(number, place, rows)
            if holds or any(_touched(condition, edit, rows) for edit in edits):
                yield number

    def _holds(self, number: int, place: int, rows: Rows) -> bool:
        condition = self._conditions[number]
        if condition.not_finite:
            written = self._player.machine.arrays[self._program.instructions[place].writes]
            return not np.isfinite(written).all()
        kept = self._before.get((number, place))
        before = rows if kept is None else rows_of(self._program, place, kept)
        values = condition.quantity(place, rows, before) if place in condition.reads else np.zeros((1, 0))
        return bool(self._decide(number, place, np.array(values))[0])


class _OneByOneError(Exception):
    """A condition can't be looked at for several moments at once."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


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
