"""All forks of a course, stacked or one by one: every fork ends the same to the bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bptui.engine.machine import Machine
from bptui.engine.network import Array
from bptui.engine.stacks.alone import Alone
from bptui.engine.stacks.course import Course, Ending, Fork
from bptui.engine.stacks.lockstep import Lockstep

Starts = Sequence[Mapping[str, Array]]


def stacked(course: Course, forks: Sequence[Fork], starts: Starts) -> list[Ending]:
    """How each fork ends, all of them run at once.

    starts  for each fork, slot → the value that it begins with, where its seed gives another

    Raises LanesError, before anything was run, where an op can't be done for all at once.
    """
    alone = Alone(course, forks, Machine(course.program))
    alone.begin(starts)
    lockstep = Lockstep(alone)
    lockstep.prepare(len(forks))
    for start, end, edited in course.legs():
        left = [fork for fork in range(len(forks)) if fork not in alone.ending]
        if edited:
            for fork in left:
                alone.edited(fork, start)
        else:
            lockstep.run(left, start, end, last=end == course.end)
    return _ended(alone)


def one_by_one(course: Course, forks: Sequence[Fork], starts: Starts) -> list[Ending]:
    """How each fork ends, run alone one after the other; `starts` as for `stacked`."""
    alone = Alone(course, forks, Machine(course.program))
    alone.begin(starts)
    for fork in range(len(forks)):
        for start, end, edited in course.legs():
            if fork not in alone.ending:
                alone.edited(fork, start) if edited else alone.whole(fork, start, end)
    return _ended(alone)


def _ended(alone: Alone) -> list[Ending]:
    for fork in range(len(alone.forks)):
        if fork not in alone.ending:
            alone.last(fork)
    return [alone.ending[fork] for fork in range(len(alone.forks))]
