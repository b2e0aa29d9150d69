"""Looking through time for conditions, forwards and backwards, in portions."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.debugger.conditions import Condition
from bptui.debugger.examiner import LONGEST, Examiner, Hit
from bptui.engine.player import Player
from bptui.engine.timeline import Position, Timeline

__all__ = ["Backward", "Forward", "Hit"]

# A search begins with short stretches, so that it does not run far past what it looks for.
_FIRST = 32
# The longest window that a search backwards looks through at once: all that it finds there has to be kept.
_WINDOW = 2 * LONGEST


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

    def advance(self, most: int = LONGEST) -> list[Hit]:
        """Look at up to so many iterations more: the hits among them, in order."""
        if not self._begun:
            self._begun = True
            ended = self.here.op == self._count
            self._examiner.begin(self.here.iteration + ended)
        first = self._examiner.next
        n = min(self._n, most, self._end.iteration + 1 - first)
        self._n = min(2 * self._n, LONGEST)
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

    def advance(self, most: int = LONGEST) -> list[Hit]:
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
        self._size = min(2 * self._size, _WINDOW)
        self._found = []
        self._examiner.begin(self._start)
