"""Random walks with breakpoints, searches, branches, and sessions that are kept and taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from driving import last, run_back, run_on, run_until
from naive import Drawing, History, Holds, Moment, history, until
from slow import Written
from walks import CHANGES, FURTHEST, MOVES, Action, Walk

from bptui.debugger import breakpoints
from bptui.debugger.debugger import Debugger
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.view import View
from bptui.engine.network import Network
from bptui.engine.program import Program
from bptui.engine.timeline import START, Edit, Position

ITERATIONS = FURTHEST + 2
STOPPING = ("break", "break", "break", "delete", "toggle", "ignore")
RUNNING = ("continue", "continue", "reverse-continue", "reverse-continue", "interrupt", "until", "when")
BRANCHING = ("branch", "switch", "switch", "drop", "undo", "redo")
KEEPING = ("keep", "watch")
VERBS = (*MOVES, *CHANGES, *STOPPING, *RUNNING, *RUNNING, *BRANCHING, *KEEPING)


@dataclass
class Point:
    """A breakpoint, and whether it holds."""

    text: str
    holds: Holds
    enabled: bool = True
    hits: int = 0
    ignore: int = 0
    once: bool = False


@dataclass
class StopWalk(Walk):
    """A walk, and what is known of breakpoints and watches.

    found  what searches came to, counted: a test in which nothing is ever found shows nothing
    """

    points: dict[int, Point] = field(default_factory=dict)
    watches: dict[int, str] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=lambda: [1, 1])
    found: dict[str, int] = field(default_factory=dict)
    memory: int | None = None

    @classmethod
    def of(cls, network: Network, memory: int | None = None) -> StopWalk:
        walk = super().of(network, memory)
        walk.memory = memory
        return walk

    def __post_init__(self) -> None:
        super().__post_init__()
        self.end = Position(self.program.network.iterations - 1, len(self.program))
        self.known: tuple[object, History] | None = None

    def carry_out(self, action: Action) -> None:
        verb, a, b, c = action
        if verb in (*MOVES, "set", "set-at", "nudge", "undo", "redo"):
            super().carry_out(action)
        else:
            getattr(self, verb.replace("-", "_") + "_")(np.random.default_rng([a, b, c]))

    @property
    def moments(self) -> History:
        """All moments of the timeline that is looked at, as far as they are needed."""
        iterations = max(self.end.iteration, self.here.iteration) + 1
        key = tuple(map(id, self.edits)), iterations
        if self.known is None or self.known[0] != key:
            self.known = key, history(self.program, self.edits, iterations)
        return self.known[1]

    def count(self, what: str) -> None:
        self.found[what] = self.found.get(what, 0) + 1

    # Breakpoints

    def break_(self, random: np.random.Generator) -> None:
        text, holds = Drawing(self.program, self.moments, random).condition()
        once = bool(random.random() < 0.2)
        made = self.debugger.add_breakpoint(text + " once" * once)
        assert made.number == self.numbers[0]
        self.points[self.numbers[0]] = Point(text, holds, once=once)
        self.numbers[0] += 1

    def some_point(self, random: np.random.Generator) -> int | None:
        return int(random.choice(list(self.points))) if self.points else None

    def delete_(self, random: np.random.Generator) -> None:
        number = self.some_point(random)
        if number is None:
            self.refused(lambda: self.debugger.breakpoints.delete(1))
            return
        self.debugger.breakpoints.delete(number)
        del self.points[number]

    def toggle_(self, random: np.random.Generator) -> None:
        number = self.some_point(random)
        if number is not None:
            point = self.points[number]
            point.enabled = not point.enabled
            self.debugger.breakpoints.change(number, enabled=point.enabled)

    def ignore_(self, random: np.random.Generator) -> None:
        number = self.some_point(random)
        if number is not None:
            self.points[number].ignore = int(random.integers(4))
            self.debugger.breakpoints.change(number, ignore=self.points[number].ignore)

    def meetings(self, places: Iterator[int]) -> Iterator[tuple[Position, bool]]:
        """Count what is met on the way; every position where something is, and whether it stops there."""
        for i in places:
            met = [n for n, p in self.points.items() if p.enabled and p.holds(self.moments, i)]
            stops = False
            for number in met:
                point = self.points[number]
                point.hits += 1
                if point.ignore:
                    point.ignore -= 1
                    continue
                stops = True
                if point.once:
                    del self.points[number]
            yield self.moments[i].position, stops

    def after(self) -> list[int]:
        """The places in the list of moments after here, up to the end."""
        return [i for i, m in enumerate(self.moments) if self.here < m.position <= self.end]

    def behind(self) -> list[int]:
        """Those before here, the latest first, without the very start."""
        return [i for i, m in reversed(list(enumerate(self.moments))) if START < m.position < self.here]

    def continue_(self, random: np.random.Generator) -> None:
        del random
        if self.here >= self.end:
            assert run_on(self.debugger).message.startswith(("at the end (", "past the end of "))
            return
        stop = next((at for at, stops in self.meetings(iter(self.after())) if stops), None)
        self.arrive(run_on, stop, self.end)

    def reverse_continue_(self, random: np.random.Generator) -> None:
        del random
        stop = next((at for at, stops in self.meetings(iter(self.behind())) if stops), None)
        self.arrive(run_back, stop, START)

    def arrive(self, call: Callable[[Debugger], View], stop: Position | None, otherwise: Position) -> None:
        self.here = stop or otherwise
        message = call(self.debugger).message
        assert message.startswith("stopped at breakpoint") == (stop is not None), message
        self.count("stopped" if stop else "not stopped")

    def interrupt_(self, random: np.random.Generator) -> None:
        """A run forward in portions of an iteration, that is left after some; one that looks for nothing leaps."""
        if self.here >= self.end or not any(point.enabled for point in self.points.values()):
            return
        portions = int(random.integers(1, 4))
        run, ended = self.debugger.run(), None
        for _ in range(portions):
            ended = ended or run.portion(1)
        first = self.here.iteration + (self.here.op == len(self.program))
        reached = min(self.end, Position(first + portions - 1, len(self.program)))
        places = [i for i in self.after() if self.moments[i].position <= reached]
        stop = next((at for at, stops in self.meetings(iter(places)) if stops), None)
        if stop or reached == self.end:
            assert ended is not None
            self.debugger.arrive(ended)
        else:
            assert ended is None
            self.debugger.leave(run)
        self.here = stop or reached

    def until_(self, random: np.random.Generator) -> None:
        tree = Drawing(self.program, self.moments, random).truth(2)
        holds = until(self.program, tree)
        stop = next((self.moments[i].position for i in self.after() if holds(self.moments, i)), None)
        if stop is None:
            self.refused(lambda: run_until(self.debugger, tree.text()))
            return
        run_until(self.debugger, tree.text())
        self.here = stop
        self.count("until")

    def when_(self, random: np.random.Generator) -> None:
        text, holds = Drawing(self.program, self.moments, random).condition()
        expected = next((self.moments[i].position for i in self.behind() if holds(self.moments, i)), None)
        found = last(self.debugger, breakpoints.parse(self.program, text))
        assert found == expected, text
        if found is not None:
            self.debugger.goto(found)
            self.here = found
            self.count("when " + text.split()[0])

    # Branches

    def branch_(self, random: np.random.Generator) -> None:
        """One of few names, so that one may be there already, or have been undone."""
        self.go_to(str(random.choice(["edit-1", "edit-2", "mine", "other"])))

    def switch_(self, random: np.random.Generator) -> None:
        self.go_to(str(random.choice(list(self.lines.all))))

    def go_to(self, name: str) -> None:
        self.debugger.branch(name)
        self.lines.enter(name, self.here)

    def drop_(self, random: np.random.Generator) -> None:
        name = str(random.choice(list(self.lines.all)))
        if name in (self.lines.name, "main"):
            self.refused(lambda: self.debugger.drop(name))
            return
        self.debugger.drop(name)
        self.lines.drop(name)

    # Watching and keeping

    def watch_(self, random: np.random.Generator) -> None:
        if random.random() < 0.3 and self.watches:
            number = int(random.choice(list(self.watches)))
            self.debugger.watches.delete(number)
            del self.watches[number]
            return
        text = Drawing(self.program, self.moments, random).tree(2).text()
        assert self.debugger.watches.add(self.program, text) == self.numbers[1]
        self.watches[self.numbers[1]] = text
        self.numbers[1] += 1

    def keep_(self, random: np.random.Generator) -> None:
        """As a file and back, into a debugger that knows nothing, or one that has been elsewhere."""
        kept = json.loads(json.dumps(self.debugger.memento(), allow_nan=False))
        fresh = self.debugger
        if random.random() < 0.7:
            network = self.program.network
            fresh = Debugger(network) if self.memory is None else Debugger(network, self.memory)
        fresh.restore(kept)
        assert fresh.memento() == kept
        self.debugger = fresh

    # Comparing

    def written(self, edit: Edit | Written) -> tuple[object, ...]:
        """An edit as the network takes it."""
        values = np.array(edit.values, self.program.network.dtype)
        return edit.position, edit.slot, tuple(edit.cells), values.tobytes()

    def check(self) -> None:
        super().check()
        branches = self.debugger.branches
        assert branches.name == self.lines.name
        assert set(branches.all) == set(self.lines.all)
        assert branches.reached == self.lines.reached
        for name, line in self.lines.all.items():
            branch = branches.all[name]
            assert (branch.parent, branch.at) == (line.parent, line.at), name
            assert [self.written(e) for e in branch.timeline.edits] == [self.written(e) for e in line.edits], name
        stops = {n: (p.enabled, p.hits, p.ignore, p.once) for n, p in self.debugger.breakpoints.all.items()}
        assert stops == {n: (p.enabled, p.hits, p.ignore, p.once) for n, p in self.points.items()}
        assert {one.number: one.text for one in self.debugger.watched()} == self.watches


def conditions_alone(program: Program, moments: History, random: np.random.Generator) -> tuple[str, Holds]:
    """A condition that bptui takes."""
    while True:
        text, holds = Drawing(program, moments, random).condition()
        try:
            breakpoints.parse(program, text)
        except ExpressionError:
            continue
        return text, holds


def held(moments: list[Moment], holds: Holds) -> list[Position]:
    """Every position at which a condition holds."""
    return [moment.position for i, moment in enumerate(moments) if i and holds(moments, i)]
