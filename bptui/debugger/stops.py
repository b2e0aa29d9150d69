"""Breakpoints together, and running to the next or the previous of them, in portions that can be interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bptui.debugger.breakpoints import Breakpoint, meant, parse
from bptui.debugger.editing import DebuggerError
from bptui.debugger.search import Backward, Forward, Hit
from bptui.engine.player import Player
from bptui.engine.program import Program
from bptui.engine.timeline import Position, Timeline, normal

_REMEMBERED = 10_000


class Breakpoints:
    """The breakpoints of a session by number, and the positions at which they were met.

    following  the number of the next: none is ever given twice
    """

    def __init__(self) -> None:
        self.all: dict[int, Breakpoint] = {}
        self.met: dict[Position, tuple[int, ...]] = {}
        self.following = 1

    def add(self, program: Program, text: str) -> Breakpoint:
        """A new one. Raises ExpressionError."""
        words = text.split()
        once = words[-1:] == ["once"]
        made = Breakpoint(self.following, parse(program, meant(" ".join(words[:-1] if once else words))), once=once)
        self.put(made)
        return made

    def put(self, breakpoint_: Breakpoint) -> None:
        """Keep one under its number."""
        self.all[breakpoint_.number] = breakpoint_
        self.following = max(self.following, breakpoint_.number + 1)

    def get(self, number: int) -> Breakpoint:
        """One by its number. Raises DebuggerError."""
        if number not in self.all:
            known = ", ".join(map(str, self.all)) or "there are none"
            raise DebuggerError(f"there is no breakpoint {number} ({known})")
        return self.all[number]

    def change(self, number: int, **what: bool | int) -> Breakpoint:
        """Change one. Raises DebuggerError."""
        self.all[number] = replace(self.get(number), **what)  # type: ignore[arg-type]
        return self.all[number]

    def delete(self, number: int) -> Breakpoint:
        """Forget one. Raises DebuggerError."""
        gone = self.get(number)
        del self.all[number]
        return gone

    def enabled(self) -> list[Breakpoint]:
        """Those that may stop a run."""
        return [one for one in self.all.values() if one.enabled]

    def meet(self, hit: Hit, searched: Sequence[Breakpoint]) -> list[Breakpoint]:
        """Count a hit; those of its breakpoints that stop there. One that was deleted meanwhile does not."""
        stopping = []
        for number in [searched[k].number for k in hit.conditions if searched[k].number in self.all]:
            known = self.all[number]
            self.all[number] = replace(known, hits=known.hits + 1, ignore=max(0, known.ignore - 1))
            if not known.ignore:
                stopping.append(self.all[number])
                if known.once:
                    del self.all[number]
        while len(self.met) >= _REMEMBERED:
            del self.met[next(iter(self.met))]
        self.met[hit.position] = tuple(one.number for one in stopping)
        return stopping

    def forget(self, since: Position | None) -> None:
        """Where they were met from a position on, where the timeline is another one from there."""
        if since is not None:
            self.met = {position: numbers for position, numbers in self.met.items() if position < since}


@dataclass(frozen=True)
class Ended:
    """Where a run ended, and why: the breakpoints that stopped it, or none where there was nothing more to stop at."""

    position: Position
    stopped: tuple[Breakpoint, ...]


def _leap(player: Player, timeline: Timeline, end: Position) -> None:
    """Where nothing is looked for, what has been visited is leapt over, to its last checkpoint."""
    here = player.position
    last = player.checkpoints.last(end.iteration)
    if last > here.iteration + 1:
        player.goto(timeline, normal(timeline.program, last, 0, 0))


class Run:
    """A run to the next breakpoint, or back to the previous one; `portion` again and again until it has ended.

    end    where it stops at the latest, going forward
    begun  where it began
    """

    def __init__(
        self,
        player: Player,
        timeline: Timeline,
        breakpoints: Breakpoints,
        end: Position,
        *,
        back: bool = False,
    ) -> None:
        self._breakpoints = breakpoints
        self._searched = breakpoints.enabled()
        conditions = [one.condition for one in self._searched]
        self._player = player
        self._timeline = timeline
        self._end = end
        self.back = back
        self.begun = player.position
        if not self._searched and not back:
            _leap(player, timeline, end)
        self._search: Forward | Backward = (
            Backward(player, timeline, conditions) if back else Forward(player, timeline, conditions, end)
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """What it looks for, as it was asked for."""
        return tuple(one.text for one in self._searched)

    @property
    def iteration(self) -> int:
        """Between which iterations it is: going forward all before have been looked at, going back all from here on."""
        return self._search.iteration

    @property
    def examined(self) -> int:
        """How many iterations have been looked at."""
        return self._search.examined

    @property
    def end(self) -> Position:
        """Where it stops at the latest."""
        return self._end

    @property
    def reached(self) -> Position:
        """Where one is if it is interrupted now."""
        here = self._search.here
        if self.back or self._search.iteration <= here.iteration:
            return here
        return max(here, Position(self._search.iteration - 1, self._end.op))

    def portion(self, most: int) -> Ended | None:
        """Look at up to so many iterations more; where it ended, or None if it has to go on.

        Raises ExpressionError where a condition turns out to have no value.
        """
        if self._search.over or (self.back and not self._searched):
            return Ended(self._end, ())
        for hit in self._advanced(most):
            stopped = self._breakpoints.meet(hit, self._searched)
            if stopped:
                return Ended(hit.position, tuple(stopped))
        return Ended(self._end, ()) if self._search.over else None

    def _advanced(self, most: int) -> list[Hit]:
        """The next hits. Where a condition has no value after all, one is where one was."""
        try:
            return self._search.advance(most)
        except BaseException:
            self._player.goto(self._timeline, self.begun)
            raise

    def whole(self) -> Ended:
        """To where it ends, at once."""
        while (ended := self.portion(10**9)) is None:
            pass
        return ended
