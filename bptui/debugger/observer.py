"""How the quantities of conditions come out of a free run: copied aside for thousands of iterations, or on the way.

What is small is copied at every iteration's end, and looked at for the whole stretch at once. What is large is looked
at just after it was written, one moment at a time, while it is in the cache; and so is what is half written then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bptui.debugger.conditions import Condition
from bptui.debugger.finite import Finite
from bptui.debugger.recorder import MOST, Reads, Recorder, all_finite, side_by_side, small
from bptui.debugger.rows import Rows
from bptui.engine.lifeline import half_written
from bptui.engine.machine import Hook
from bptui.engine.network import Array
from bptui.engine.player import Player, computed_cells
from bptui.engine.program import Program
from bptui.engine.timeline import Position

# (the condition's number, the place)
Key = tuple[int, int]
# Cells: what is so large is looked at just after it was written; what is so few is copied aside with all else.
_LARGE, _FEW = 8192, 128


@dataclass(eq=False)
class _Glance:
    """A quantity that is looked at on the way.

    before  slot → what it was before it was written, where the quantity compares
    values  what was seen in the stretch
    """

    condition: Condition
    place: int
    rows: Rows
    before: dict[str, Array]
    values: list[Array] = field(default_factory=list)


class Observer:
    """Sees to it that conditions get what they look at.

    finite  set where it matters whether everything is finite
    """

    def __init__(self, player: Player, conditions: Sequence[Condition], longest: int, finite: Finite | None) -> None:
        self._player = player
        self._program = player.program
        self._conditions = conditions
        self._longest = longest
        self._finite = finite
        self._glances: dict[Key, _Glance] = {}
        self._logged: list[Key] = []
        self._suspicious = False
        for number, condition in enumerate(conditions):
            for place, reads in condition.reads.items():
                if condition.alone or self._passing(place, reads) or not small(self._program, _cells(condition, reads)):
                    self._glances[number, place] = self._glance(number, place)
                else:
                    self._logged.append((number, place))
        self.lay_out()

    def lay_out(self) -> None:
        """Decide what is copied aside, and what else is looked at for being finite."""
        watched = self._finite.looked_at() if self._finite else ()
        sizes = {slot: self._program.slots[slot].size for slot in watched}
        self._large = [slot for slot in watched if sizes[slot] >= _LARGE]
        small_ones = {slot: (0, sizes[slot]) for slot in watched if sizes[slot] < _LARGE}
        aside = sum(sizes[slot] for slot in small_ones) <= _FEW
        self._aside = small_ones if aside else {}
        self._summed = side_by_side(self._player.machine, [] if aside else list(small_ones))
        logged = [(place, self._conditions[number]) for number, place in self._logged]
        reads = [(place, _cells(condition, condition.reads[place])) for place, condition in logged]
        reads.append((len(self._program) - 1, self._aside))
        sums = {slot for place, condition in logged for slot in condition.sums & condition.reads[place].keys()}
        self._recorder = Recorder(self._program, reads, self._longest, sorted(sums), watched=self._finite is not None)

    def glance_at(self, number: int) -> None:
        """Look at a condition on the way from now on."""
        for key in [key for key in self._logged if key[0] == number]:
            self._logged.remove(key)
            self._glances[key] = self._glance(*key)
        self.lay_out()

    @property
    def most(self) -> int:
        """The longest stretch that there is room for."""
        wide = [
            8 * sum(stop - start for start, stop in glance.condition.reads[glance.place].values())
            for glance in self._glances.values()
            if glance.condition.wide
        ]
        return max(1, min(self._recorder.most, MOST // max([1, *wide])))

    def run(self, n: int) -> int:
        """Up to n iterations from where the player stands, with all that is looked at; how many it were.

        Raises FloatingPointError, where NumPy was told to.
        """
        self._suspicious = False
        for glance in self._once():
            glance.values.clear()
            for slot in glance.before:
                np.copyto(glance.before[slot], self._player.machine.arrays[slot])
        return self._recorder.run(self._player, n, list(self._hooks()), self._summed)

    def quantities(self, number: int, place: int, n: int) -> Array:
        """A condition's quantities in the n iterations that were run, (n, k). Raises UnstackableError."""
        glance = self._glances.get((number, place))
        if glance is not None:
            return np.concatenate(glance.values)
        condition = self._conditions[number]
        if place not in condition.reads:
            return np.zeros((n, 0))
        rows = self._recorder.rows(place, n)
        before = self._recorder.rows(place, n, before=True) if condition.compares else rows
        return condition.quantity(place, rows, before)

    @property
    def all_finite(self) -> bool:
        """Whether everything looked at was finite in the iterations that were run last."""
        lasting = self._player.machine.vector
        return not self._suspicious and self._recorder.finite and bool(np.isfinite(lasting).all())

    # On the way

    def _passing(self, place: int, reads: Reads) -> bool:
        """Whether something is read that is half written at a place: it is another thing once the iteration is over."""
        return any(half_written(self._program, slot, place) for slot in reads)

    def _glance(self, number: int, place: int) -> _Glance:
        """What looks on, one for all conditions with the same quantity."""
        condition, arrays = self._conditions[number], self._player.machine.arrays
        for glance in self._glances.values():
            if glance.place == place and glance.condition.quantity is condition.quantity:
                return glance
        # All else that is read is at that moment what it was just before.
        written = {self._program.instructions[place].writes} if condition.compares else set()
        before = {slot: arrays[slot].copy() for slot in written & condition.reads[place].keys()}
        return _Glance(condition, place, rows_of(self._program, place, arrays), before)

    def _once(self) -> Iterable[_Glance]:
        return {id(glance): glance for glance in self._glances.values()}.values()

    def _hooks(self) -> Iterator[tuple[int, Hook]]:
        for glance in self._once():
            yield self._latest(glance), self._look(glance)
        for slot in self._large:
            yield self._program.writers[slot], self._check(self._player.machine.arrays[slot].reshape(-1))

    def _look(self, glance: _Glance) -> Hook:
        arrays, condition, place = self._player.machine.arrays, glance.condition, glance.place
        before = rows_of(self._program, place, {**arrays, **glance.before}) if glance.before else glance.rows
        written = self._program.instructions[place].writes

        def look(k: int) -> None:
            del k
            glance.values.append(np.array(condition.quantity(place, glance.rows, before)))
            if written in glance.before:
                np.copyto(glance.before[written], arrays[written])

        return look

    def _check(self, array: Array) -> Hook:
        def check(k: int) -> None:
            del k
            self._suspicious = self._suspicious or not all_finite(array)

        return check

    def _latest(self, glance: _Glance) -> int:
        """Where in an iteration a quantity may be looked at; after an update, its end will mostly do."""
        program, place = self._program, glance.place
        if program.instructions[place].phase != "update":
            return place
        later = any(program.writers.get(slot, -1) > place for slot in glance.condition.reads[place])
        return place if later else len(program) - 1


def _cells(condition: Condition, reads: Reads) -> Reads:
    """What is read but for slots of which the sum of the squares will do."""
    return {slot: cells for slot, cells in reads.items() if slot not in condition.sums}


def rows_of(program: Program, place: int, arrays: dict[str, Array]) -> Rows:
    """These arrays, whatever they come to hold, as one moment just after an instruction."""
    computed = computed_cells(program, Position(0, place + 1))
    return Rows(1, computed, lambda slot, start, stop: arrays[slot].reshape(1, -1)[:, start:stop], arrays)
