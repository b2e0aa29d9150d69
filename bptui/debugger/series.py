"""An expression at the ends of past iterations: what a plot of a watch is drawn from.

The iterations asked for are run again, many at a time where that is possible; what was found is kept until an edit
changes it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from bptui.debugger.expressions import ExpressionError
from bptui.debugger.recorder import Recorder, small
from bptui.debugger.rows import NotComputedError, Rows, UnstackableError
from bptui.engine.network import Array
from bptui.engine.player import Player, estimated_seconds
from bptui.engine.timeline import START, Position, Timeline, first_difference, normal

# Seconds, roughly, that may be spent on all points that a plot asks for, and on those of a few last iterations.
_PLOT, _RECENT = 0.2, 0.03
# What is estimated to take less than this part of it is not measured first.
_SURE = 0.1
# An iteration of more seconds is measured alone, one of fewer together with some more.
_SLOW, _TOGETHER = 2e-4, 64
# Seconds to get to a place in the past, beside those of the iterations.
_THERE = 1e-3
# Fewer points than these are no curve, more are more than there are dots to draw them with.
_FEWEST, _MOST = 8, 512
_STRETCH = 1024


class Quantity(Protocol):
    """What is looked at at the end of an iteration: an expression, or several numbers at once."""

    @property
    def reads(self) -> Mapping[str, tuple[int, int]]:
        """Slot → the first of the flat cells it reads, and the one after the last."""

    @property
    def metric(self) -> bool:
        """Whether it asks how well the network does."""

    def over(self, rows: Rows) -> Array:
        """Its value at each moment, (n, …)."""


class Series:
    """One expression, or quantities of so many numbers: (n,) or (n, width) of n iterations.

    Of what has another number of values nothing is kept: only a number can be drawn.
    """

    def __init__(self, expression: Quantity, width: int | None = None) -> None:
        self._expression = expression
        self._size = width or 1
        self._tail = () if width is None else (width,)
        self._timeline: Timeline | None = None
        self._iterations = np.zeros(0, np.int64)
        self._values = np.zeros((0, *self._tail))
        self._seconds = 0.0

    def until(self, timeline: Timeline, iteration: int) -> tuple[Array, Array]:
        """What is known of the iterations before one: their numbers and the values at their ends, (n,) each."""
        self._agree(timeline)
        n = int(np.searchsorted(self._iterations, iteration))
        return self._iterations[:n], self._values[:n]

    def plotted(self, player: Player, timeline: Timeline, iteration: int) -> tuple[Array, Array]:
        """As many iterations before one as there is time for, evenly spread. The player ends up anywhere."""
        every = self._in_time(player, timeline, iteration, iteration, _PLOT)
        wanted = range(iteration) if every else _spread(player, iteration, self._seconds)
        self._fill(player, timeline, np.array(wanted, np.int64))
        return self.until(timeline, iteration)

    def note(self, timeline: Timeline, iteration: int, rows: Rows) -> None:
        """Keep what is seen of an iteration on the way, so that nobody has to go back for it."""
        self._agree(timeline)
        n = int(np.searchsorted(self._iterations, iteration))
        if n == len(self._iterations) or self._iterations[n] != iteration:
            values = self._over(rows)
            if values is not None:
                self._iterations = np.insert(self._iterations, n, iteration)
                self._values = np.insert(self._values, n, values[0], axis=0)

    def missing(self, timeline: Timeline, iteration: int, count: int) -> Array:
        """Those of the last iterations before one that are not known yet."""
        self._agree(timeline)
        return np.setdiff1d(np.arange(max(0, iteration - count), iteration), self._iterations, assume_unique=True)

    def lately(self, player: Player, timeline: Timeline, iteration: int, count: int) -> None:
        """Some more of the last iterations before one, the latest first. The player ends up anywhere."""
        missing = self.missing(timeline, iteration, count)
        if missing.size:
            each = max(self._seconds, estimated_seconds(player.program))
            # To get there takes as long as to run from the last checkpoint, so it has to be worth it.
            some = max(1, int(_RECENT / each), min(player.checkpoints.stride, missing.size))
            begun = time.monotonic()
            self._fill(player, timeline, missing[-some:])
            self._seconds = max(each / 2, (time.monotonic() - begun) / min(some, missing.size))

    def recent(self, player: Player, timeline: Timeline, iteration: int, count: int) -> Array:
        """The values of the last iterations before one, where there is time for them. The player ends up anywhere."""
        if self._in_time(player, timeline, iteration, min(count, iteration), _RECENT):
            self._fill(player, timeline, np.arange(max(0, iteration - count), iteration))
        return self.until(timeline, iteration)[1][-count:]

    def _in_time(self, player: Player, timeline: Timeline, iteration: int, count: int, seconds: float) -> bool:
        """Whether so many iterations can be run again within so many seconds: estimated, and measured if in doubt."""
        estimated = estimated_seconds(player.program)
        if count * estimated <= _SURE * seconds:
            return True
        if not self._seconds:
            begun, probed = time.monotonic(), 1 if estimated > _SLOW else min(_TOGETHER, iteration)
            self._fill(player, timeline, np.arange(iteration - probed, iteration))
            self._seconds = max(estimated, (time.monotonic() - begun) / probed)
        return count * self._seconds <= seconds

    def _agree(self, timeline: Timeline) -> None:
        """Forget what another timeline does not share."""
        if self._timeline is not None and self._timeline is not timeline:
            first = first_difference(self._timeline, timeline)[0]
            if first is not None:
                kept = 0 if first == START else int(np.searchsorted(self._iterations, first.iteration))
                self._iterations, self._values = self._iterations[:kept], self._values[:kept]
        self._timeline = timeline

    def _fill(self, player: Player, timeline: Timeline, wanted: Array) -> None:
        self._agree(timeline)
        missing = np.setdiff1d(wanted, self._iterations, assume_unique=True)
        found = [
            values
            for stretch in np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
            if stretch.size
            for values in self._through(player, timeline, int(stretch[0]), int(stretch[-1]) + 1)
        ]
        if missing.size:
            iterations = np.concatenate([self._iterations, missing])
            order = np.argsort(iterations)
            self._iterations = iterations[order]
            self._values = np.concatenate([self._values, *found])[order]

    def _through(self, player: Player, timeline: Timeline, first: int, stop: int) -> Iterator[Array]:
        """The values of some iterations in a row, in pieces."""
        last = len(timeline.program) - 1
        # A single one is played from a checkpoint at its start, which is nearer than the end of the one before.
        alone = stop - first == 1 or self._expression.metric or not small(timeline.program, self._expression.reads)
        recorder = Recorder(timeline.program, [] if alone else [(last, self._expression.reads)], _STRETCH)
        t = first
        while t < stop:
            done, values = 0, None
            if not alone:
                player.goto(timeline, normal(timeline.program, t, 0, 0))
                n = min(stop - t, recorder.most)
                done = recorder.run(player, n)
                values = self._over(recorder.rows(last, done)) if done else None
            if values is None:
                alone = alone or done > 0  # else it is an edit in this iteration that was in the way
                player.goto(timeline, Position(t, last + 1))
                values, done = self._alone(player), 1
            yield values
            t += done

    def _alone(self, player: Player) -> Array:
        values = self._over(Rows.of(player.live()))
        return np.full((1, *self._tail), np.nan) if values is None else values

    def _over(self, rows: Rows) -> Array | None:
        """The value at each moment, nan where it is none; None where moments have to be looked at one by one."""
        try:
            values = self._expression.over(rows).reshape(rows.n, -1)
        except UnstackableError:
            return None
        except (NotComputedError, ExpressionError):
            return np.full((rows.n, *self._tail), np.nan)
        if values.shape[1] != self._size:
            return np.full((rows.n, *self._tail), np.nan)
        return values.astype(np.float64).reshape(rows.n, *self._tail)


def _spread(player: Player, iteration: int, seconds: float) -> Sequence[int]:
    """Which iterations before one are looked at, where there is no time for all: such as begin at a checkpoint."""
    most = max(_FEWEST, min(_MOST, int(_PLOT / (seconds + _THERE))))
    step = player.checkpoints.stride
    while iteration > step * most:
        step *= 2
    return range(0, iteration, step)
