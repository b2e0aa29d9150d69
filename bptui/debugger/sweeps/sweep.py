"""A sweep: what is asked of how many variants, and how each of them ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from bptui.debugger import expressions
from bptui.debugger.expressions import Expression
from bptui.debugger.metrics import Metrics
from bptui.debugger.rows import Rows, UnstackableError
from bptui.debugger.sweeps.variants import Axis, SweepError, Variant, variants
from bptui.debugger.training import blamed, pace, unknown_at_loss
from bptui.engine.build import build
from bptui.engine.machine import Machine
from bptui.engine.network import Array, Network
from bptui.engine.player import Player, State, computed_cells
from bptui.engine.program import Program
from bptui.engine.stacks import Course, Ending, Fork, LanesError, Watch, nobody, one_by_one, stacked
from bptui.engine.timeline import START, Edit, Position, Timeline

# Bytes that what lasts of all forks may take at a time.
_MEMORY = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be done, with nothing in it that could not be sent to another process.

    edits       those of every fork, wherever they lie
    position    where the forks part
    iterations  the number of updates after which they end, counted from the very start
    until       a condition that ends a fork before, or ""
    parameters  whether their weights are wanted
    """

    network: Network
    edits: tuple[Edit, ...]
    position: Position
    variants: tuple[Variant, ...]
    iterations: int
    until: str = ""
    parameters: bool = False

    @property
    def work(self) -> int:
        """The iterations of all forks together, at most."""
        return len(self.variants) * max(0, self.iterations - self.position.iteration)

    def part(self, start: int, stop: int) -> Plan:
        """The same for some of the variants."""
        return replace(self, variants=self.variants[start:stop])


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a fork ended: as a run does, and `where`, in words, what is not finite was written first."""

    settings: dict[str, Any]
    iterations: int
    loss: float
    reason: str
    where: str
    metrics: dict[str, float]
    parameters: dict[str, Array]


def plan(timeline: Timeline, position: Position, axes: Sequence[Axis], *, here: bool) -> Plan:
    """A plan for the forks of a timeline at a position, to the spec's number of iterations.

    here  the position was not asked for in so many words: `lr` is what a schedule computes it from

    Raises SweepError, or what the command `set` raises.
    """
    program = timeline.program
    begun = tuple(timeline.at(START))
    state = _state(timeline, position)
    other = cache(lambda seed: _state(_with_seed(timeline, seed), position))
    made = variants(program, state, axes, here=here, begun=begun, other=other)
    return Plan(program.network, timeline.edits, position, tuple(made), program.network.iterations)


def refuse(planned: Plan) -> None:
    """Raises SweepError or ExpressionError where a plan can't be carried out."""
    program, here = build(planned.network), planned.position
    if here.iteration + (here.op > 0 or here.element > 0) > planned.iterations:
        raise SweepError(f"{here} is past the end, {planned.iterations} iterations counted from 0:0: give it more")
    if not planned.until:
        return
    condition = expressions.parse(program, planned.until)
    if slot := unknown_at_loss(program, condition):
        raise SweepError(f"until {planned.until}: {slot} is not computed yet when an iteration's loss is known")
    # A condition that is none says so at once.
    machine = Machine(program)
    with machine.quiet():
        machine.begin(0)
        machine.segment(0, program.loss_index + 1)()
    Until(program, condition).alone(machine)


def together(planned: Plan, watch: Watch = nobody) -> list[Outcome]:
    """Carry out a plan, all forks at once. Raises LanesError where that can't be done."""
    return _carry_out(planned, stacked, watch)


def singly(planned: Plan, watch: Watch = nobody) -> list[Outcome]:
    """Carry out a plan, one fork after the other, to the same bits."""
    return _carry_out(planned, one_by_one, watch)


def either(planned: Plan, watch: Watch = nobody) -> list[Outcome]:
    """Carry out a plan, all forks at once if that can be done."""
    try:
        return together(planned, watch)
    except LanesError:
        return singly(planned, watch)


Way = Callable[[Course, Sequence[Fork], Sequence[Mapping[str, Array]]], list[Ending]]


def _carry_out(planned: Plan, way: Way, watch: Watch) -> list[Outcome]:
    """So many forks at a time as memory is there for."""
    program = build(planned.network)
    cells = sum(slot.size for slot in program.slots.values() if slot.persistent and slot.kind != "data")
    size = max(1, _MEMORY // max(1, cells * np.dtype(planned.network.dtype).itemsize))
    parts = (planned.part(start, start + size) for start in range(0, len(planned.variants), size))
    return [outcome for part in parts for outcome in _done(part, program, way, watch)]


def _done(planned: Plan, program: Program, way: Way, watch: Watch) -> list[Outcome]:
    timeline = Timeline(program, planned.edits)
    until = Until(program, expressions.parse(program, planned.until)) if planned.until else None
    if until is not None and way is stacked and not until.many():
        raise LanesError(f"{planned.until} is looked at in one fork after the other")
    course = Course(
        program,
        _state(timeline, planned.position),
        tuple(edit for edit in timeline.edits if edit.position > planned.position),
        planned.iterations,
        pace(planned.iterations),
        until,
        watch,
    )
    seed = planned.network.seed
    forks = [Fork(one.edits, seed if one.seed is None else one.seed) for one in planned.variants]
    begun = {one.seed: _begun(timeline, planned.position, one.seed) for one in planned.variants}
    starts = [begun[one.seed] for one in planned.variants]
    endings = way(course, forks, starts)
    measure = Metrics(program)
    return [
        _outcome(program, one, ending, measure, parameters=planned.parameters)
        for one, ending in zip(planned.variants, endings, strict=True)
    ]


def _outcome(program: Program, one: Variant, ending: Ending, measure: Metrics, *, parameters: bool) -> Outcome:
    where = blamed(program, ending.iterations, ending.done) if ending.done else ""
    kept = {name: ending.lasting[name] for name in program.parameters} if parameters else {}
    metrics = measure.all(ending.lasting)
    return Outcome(one.settings, ending.iterations, ending.loss, ending.reason, where, metrics, kept)


def _begun(timeline: Timeline, position: Position, seed: int | None) -> Mapping[str, Array]:
    """Slot → the value with which forks of a seed part, where it is another than without."""
    program = timeline.program
    if seed is None:
        return {}
    if position == START:
        return program.drawn(seed)
    arrays = _state(_with_seed(timeline, seed), position).arrays
    # Between two iterations only what lasts is of any consequence.
    between = position.element == 0 and position.op in (0, len(program))
    kept = [slot for slot in program.slots.values() if slot.kind != "data" and (slot.persistent or not between)]
    return {slot.name: arrays[slot.name] for slot in kept}


def _with_seed(timeline: Timeline, seed: int) -> Timeline:
    """The same from another seed on."""
    return Timeline(build(replace(timeline.program.network, seed=seed)), timeline.edits)


def _state(timeline: Timeline, position: Position) -> State:
    player = Player(timeline)
    player.goto(timeline, position)
    return player.state()


class Until:
    """A condition, for one machine or for many lanes."""

    def __init__(self, program: Program, expression: Expression) -> None:
        self.expression = expression
        self._known = Position(0, program.loss_index + 1)
        self._computed = computed_cells(program, self._known)

    @property
    def of_loss(self) -> bool:
        """Whether it reads nothing but the loss."""
        return self.expression.slots == {"loss"} and not self.expression.metric

    def alone(self, machine: Machine) -> bool:
        """Whether it is true on a machine that has just computed its loss."""
        return self.expression.holds(State(self._known, machine.arrays, self._computed))

    def over(self, n: int, cells: Callable[[str, int, int], Array]) -> Array:
        """Its truth at n moments."""
        return self.expression.true_over(Rows(n, self._computed, cells))

    def many(self) -> bool:
        """Whether it can be looked at at several moments at once."""
        try:
            self.over(2, lambda _, start, stop: np.ones((2, stop - start)))
        except UnstackableError:
            return False
        return True
