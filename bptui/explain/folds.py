"""Which parts of the program are folded: a long program is read by its headings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bptui.engine.program import Program
from bptui.explain.parts import Key, Part, around, parts, walk

Entry = int | Part
# A program of no more operations is looked over as it is.
_SHORT = 20


def foldable(program: Program) -> bool:
    """Whether it is long enough for its parts to fold."""
    return len(program) > _SHORT


@dataclass(frozen=True)
class Folds:
    """What a person opened and closed.

    chosen  part → whether it is open
    every   whether all others are; None: phases are, and whatever one is in
    """

    chosen: Mapping[Key, bool] = field(default_factory=dict)
    every: bool | None = None

    @property
    def key(self) -> Hashable:
        """The same for the same folds."""
        return frozenset(self.chosen.items()), self.every

    def opened(self, program: Program, ops: Iterable[int], kept: Iterable[Key] = ()) -> frozenset[Key]:
        """The parts that are open where some operations are to be seen, and what lies in the parts `kept`."""
        found: set[Key] = set()
        if self.every is not False:
            found.update(_keys(program, phases_alone=self.every is None))
        if self.every is None:
            found.update(kept, (part.key for op in ops for part in around(program, op)))
        return frozenset((found | self._those(opened=True)) - self._those(opened=False))

    def put(self, opened: Mapping[Key, bool]) -> Folds:
        """With some parts opened or closed besides."""
        return replace(self, chosen={**self.chosen, **opened})

    def showing(self, program: Program, op: int) -> Folds:
        """With the parts around an operation opened that a person has folded; others open where the cursor is."""
        folded = [part.key for part in around(program, op) if self.chosen.get(part.key, self.every) is False]
        return self.put(dict.fromkeys(folded, True))

    def _those(self, *, opened: bool) -> set[Key]:
        return {key for key, value in self.chosen.items() if value is opened}


@lru_cache(maxsize=4)
def _keys(program: Program, *, phases_alone: bool) -> frozenset[Key]:
    return frozenset(part.key for part in (parts(program) if phases_alone else walk(program)))


@dataclass(frozen=True, eq=False)
class Unfolded:
    """What is to be seen of a program: headings, and the operations under those that are open; and where each is."""

    program: Program
    opened: frozenset[Key]
    entries: Sequence[Entry]
    places: Mapping[int | Key, int]

    def place(self, op: int) -> int:
        """The row of an operation, or of the heading that hides it."""
        if op in self.places:
            return self.places[op]
        return next(self.places[part.key] for part in around(self.program, op) if part.key not in self.opened)


@lru_cache(maxsize=16)
def unfolded(program: Program, opened: frozenset[Key]) -> Unfolded:
    """A program with some parts open."""
    made: list[Entry] = []

    def unfold(items: Iterable[Entry]) -> None:
        for item in items:
            made.append(item)
            if isinstance(item, Part) and item.key in opened:
                unfold(item.items())

    unfold(parts(program))
    return _placed(program, opened, made)


@lru_cache(maxsize=4)
def without_headings(program: Program) -> Unfolded:
    """Operations alone."""
    return _placed(program, frozenset(), range(len(program)))


def _placed(program: Program, opened: frozenset[Key], entries: Sequence[Entry]) -> Unfolded:
    places = {entry if isinstance(entry, int) else entry.key: row for row, entry in enumerate(entries)}
    return Unfolded(program, opened, entries, places)
