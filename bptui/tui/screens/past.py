"""What lies on the way to a moment, gathered for the time pane."""

from __future__ import annotations

from collections.abc import Iterator

from bptui.debugger.debugger import Debugger
from bptui.engine.timeline import Position, first_difference
from bptui.tui.scene import Past


def past(debugger: Debugger, plotted: int | None, *, passing: bool) -> Past:
    """Of the present timeline; in passing, where a run has not stopped, nothing is computed for it."""
    here = debugger.position
    return Past(
        checkpoints=debugger.checkpoints,
        met=frozenset(place.iteration for place in debugger.breakpoints.met),
        branches=tuple(_partings(debugger)),
        others=tuple(
            (branch.name, *debugger.curve(branch.name))
            for branch in debugger.branches.all.values()
            if branch.timeline is not debugger.timeline and branch.at <= here
        ),
        furthest=debugger.furthest,
        ahead=debugger.ahead(),
        watched=Past.watched if plotted is None else debugger.plotted(plotted, passing=passing),
    )


def _partings(debugger: Debugger) -> Iterator[tuple[Position, str]]:
    """Where each other branch and the present one part."""
    current = debugger.branches.current
    for branch in debugger.branches.all.values():
        if branch is not current:
            parted = first_difference(current.timeline, branch.timeline)[0]
            later = branch if branch.parent == current.name else current
            yield later.at if parted is None else parted, branch.name
