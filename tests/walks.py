"""Random walks of a debugger, told at the same time to the slow model of `slow.py`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from branching import Lines
from slow import Clock, Run, Written, run

from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.debugger.view import View
from bptui.engine.network import Network
from bptui.engine.player import state_at
from bptui.engine.program import Target
from bptui.engine.timeline import START, Position

MOVES = ("next", "back", "step", "step-back", "finish", "start", "iteration", "iteration-back", "goto", "to", "to-back")
CHANGES = ("set", "set", "set-at", "set-at", "nudge", "nudge", "undo", "redo")
FURTHEST = 6

Action = tuple[str, int, int, int]


@dataclass
class Walk:
    """A debugger and what is known of it: where it should be and which edits it should have."""

    debugger: Debugger
    here: Position = START
    lines: Lines = field(default_factory=Lines)

    @classmethod
    def of(cls, network: Network, memory: int | None = None) -> Walk:
        """A walk; a small memory keeps four checkpoints alone, so that their stride has to double."""
        return cls(Debugger(network) if memory is None else Debugger(network, memory))

    def __post_init__(self) -> None:
        self.program = self.debugger.program
        self.clock = Clock(self.program)
        self.slots = [name for name, slot in self.program.slots.items() if not slot.given]

    @property
    def edits(self) -> list[Written]:
        """Those of the timeline that is looked at."""
        return self.lines.edits

    def act(self, action: Action) -> None:
        """Carry out one action, in both worlds."""
        self.carry_out(action)
        self.lines.visit(self.here)

    def carry_out(self, action: Action) -> None:
        verb, a, b, c = action
        if verb in MOVES:
            self.move(verb, a, b, c)
        elif verb in ("set", "set-at"):
            self.set(self.somewhere(b, c) if verb == "set-at" else None, a, b, c)
        elif verb == "nudge":
            self.nudge(a, b)
        else:
            self.travel(verb)

    def somewhere(self, b: int, c: int) -> Position:
        """Any position of the first iterations; more often than by chance the end of one, where much can go wrong."""
        number = (b * 7919 + c) % (FURTHEST * self.clock.each + 1)
        return self.clock.position(number // self.clock.each * self.clock.each if c % 4 == 0 else number)

    # Moving

    def move(self, verb: str, a: int, b: int, c: int) -> None:
        k = 1 + a % 3
        if verb == "goto":
            self.here = self.somewhere(b, c)
            self.debugger.goto(self.here)
            return
        if verb in ("to", "to-back"):
            self.to(verb, a % len(self.program))
            return
        if verb in ("finish", "start"):
            getattr(self.debugger, verb)()
            self.here = self.clock.position(getattr(self.clock, verb)(self.clock.number(self.here)))
            return
        number = self.counted(verb, k)
        if number > (FURTHEST + 2) * self.clock.each:
            return
        getattr(self.debugger, verb.replace("-", "_"))(k)
        self.here = self.clock.position(number)

    def counted(self, verb: str, k: int) -> int:
        """Where a counting verb leads."""
        number = self.clock.number(self.here)
        if verb in ("next", "back"):
            for _ in range(k):
                number = getattr(self.clock, verb)(number)
            return number
        each = self.clock.each if verb.startswith("iteration") else 1
        return max(0, number + (-k if verb.endswith("back") else k) * each)

    def to(self, verb: str, op: int) -> None:
        """By trying one operation after the other."""
        move = self.clock.next if verb == "to" else self.clock.back
        number = move(self.clock.number(self.here))
        while number and self.clock.position(number).op != op + 1:
            number = move(number)
        if number == 0:
            self.refused(lambda: self.debugger.to_back(op))
            return
        (self.debugger.to if verb == "to" else self.debugger.to_back)(op)
        self.here = self.clock.position(number)

    # Editing

    def target(self, a: int, b: int) -> tuple[str, str, tuple[int, ...]]:
        """(what a person types, slot, cells): one cell, or now and then a whole slot."""
        name = self.slots[a % len(self.slots)]
        slot = self.program.slots[name]
        if slot.shape == () or b % 5 == 0:
            return name, name, tuple(range(slot.size))
        cell = b % slot.size
        return f"{name}[{', '.join(str(int(i)) for i in np.unravel_index(cell, slot.shape))}]", name, (cell,)

    def set(self, at: Position | None, a: int, b: int, c: int) -> None:
        text, read, cells = self.target(a, b)
        slot = read
        if at is None and read == "lr" and "lr0" in self.program.slots:
            # What a schedule computes is set by what it is computed from.
            slot = "lr0"
        place = self.here if at is None else at
        where = None if at is None else str(at)
        number = (c % 41 - 20) / 8
        state = run(self.program, self.edits, place)
        relative = c % 3 == 0
        value = f"{text} * 0.5 + {number!r}" if relative else repr(number)
        if max(cells) >= state.computed[slot] or (relative and max(cells) >= state.computed[read]):
            self.refused(lambda: self.debugger.set(text, value, where))
            return
        old = state.arrays[read].reshape(-1)[list(cells)]
        new = old * 0.5 + number if relative else np.full(len(cells), number)
        if not np.isfinite(new).all():
            self.refused(lambda: self.debugger.set(text, value, where))
            return
        self.debugger.set(text, value, where)
        self.lines.edit(Written(place, slot, cells, tuple(map(float, new))), self.here)

    def nudge(self, a: int, b: int) -> None:
        _, slot, cells = self.target(a, b * 5 + 1)
        target = Target(slot, cells, scalar=True)
        if max(cells) >= run(self.program, self.edits, self.here).computed[slot]:
            self.refused(lambda: self.debugger.nudge(target, 1, 0.25))
            return
        place = self.place_of_nudge(slot, cells)
        old = run(self.program, self.edits, place).arrays[slot].reshape(-1)[list(cells)]
        if not np.isfinite(old).all():
            return
        self.debugger.nudge(target, 1, 0.25)
        values = tuple(float(number) + 0.25 for number in old)
        self.lines.edit(Written(place, slot, cells, values, nudge=True), self.here)

    def place_of_nudge(self, slot: str, cells: tuple[int, ...]) -> Position:
        """The latest edit of the cell in this iteration; else its start, or just after what writes the value."""
        start = self.clock.position((self.clock.number(self.here) - 1) // self.clock.each * self.clock.each)
        if self.here == Position():
            start = Position()
        given = [(e.position, k) for k, e in enumerate(self.edits) if e.slot == slot and set(e.cells) & set(cells)]
        later = [position for position, _ in given if start < position <= self.here]
        if later:
            return max(later)
        if self.program.slots[slot].persistent:
            return start
        writer = next(k for k, i in enumerate(self.program.instructions) if i.writes == slot)
        return min(self.here, Position(self.here.iteration, writer + 1))

    def travel(self, verb: str) -> None:
        """Undo or redo."""
        if getattr(self.lines, verb)(self.here):
            getattr(self.debugger, verb)()
        else:
            self.refused(getattr(self.debugger, verb))

    def refused(self, call: Callable[[], object]) -> None:
        """What can't be done is refused, and nothing changes (which the check after it sees)."""
        try:
            call()
        except DebuggerError:
            return
        raise AssertionError("this should have been refused")

    # Comparing

    def check(self) -> None:
        """The debugger's present, that of a fresh player and that of the slow model are the same bits."""
        slow = run(self.program, self.edits, self.here)
        view = self.debugger.view()
        assert view.position == self.here
        self.same(view, slow)
        assert state_at(self.debugger.timeline, self.here).same_bits(slow.state(self.here))
        self.check_moment(view)

    def same(self, view: View, slow: Run) -> None:
        expected = slow.state(self.here)
        assert view.state.computed == expected.computed
        for name, array in expected.arrays.items():
            found = view.state.arrays[name]
            assert found.tobytes() == array.tobytes(), f"{name} at {self.here}: {found} is not {array}"
        assert view.state.same_bits(expected)
        assert [float(loss).hex() for loss in view.losses] == [loss.hex() for loss in slow.all_losses()]

    def check_moment(self, view: View) -> None:
        """The instruction done last as it was carried out, and the parameters before their updates."""
        if self.here == Position():
            assert view.moment is None
            return
        t, last = self.here.iteration, self.here.op if self.here.element else self.here.op - 1
        assert view.moment is not None
        assert view.moment.index == last
        before = self.clock.position(t * self.clock.each + sum(self.clock.sizes[:last]))
        assert view.moment.before.same_bits(run(self.program, self.edits, before).state(before))
        written = self.program.instructions[last].writes
        kept = [edit for edit in self.edits if edit.position != self.here or edit.slot != written]
        assert view.moment.after.same_bits(run(self.program, kept, self.here).state(self.here))
        begun = [k for k, i in enumerate(self.program.instructions) if i.phase == "update" and k <= last]
        assert list(view.before) == [self.program.instructions[k].writes for k in begun]
        for k in begun[:2]:
            name, place = self.program.instructions[k].writes, Position(t, k)
            expected = run(self.program, self.edits, place).state(place).arrays[name]
            assert view.before[name].tobytes() == expected.tobytes()


def random_action(random: np.random.Generator) -> Action:
    """An action for a soak: moves and changes about as often as each other."""
    verbs = MOVES if random.random() < 0.6 else CHANGES
    a, b, c = (int(n) for n in random.integers(0, 10_000, 3))
    return str(random.choice(verbs)), a, b, c


def finite(run_: Run) -> bool:
    return all(math.isfinite(loss) for loss in run_.losses)
