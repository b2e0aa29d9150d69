"""The program as a listing: headings and operations, with what was edited and where branches leave in between.

An unrolled network has thousands of operations: a row is made when it is looked at, and parts of a long program fold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bptui.engine.program import Program
from bptui.engine.timeline import Position
from bptui.explain.folds import Entry, Unfolded, foldable, unfolded, without_headings
from bptui.explain.parts import Key, Part, around, parts
from bptui.files.text import safe
from bptui.tui.drawing import operation
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Line, first_in_sight, line
from bptui.tui.drawing.operation import Look
from bptui.tui.drawing.stops import marks
from bptui.tui.scene import Scene


@dataclass(frozen=True)
class Note:
    """A row that is neither a heading nor an operation: an edit, or a branch that leaves.

    done  how many operations are done there
    mark  what a heading shows instead, where the row is folded away
    """

    done: int
    mark: str
    line: Line


# The rows in sight at the moments that were seen last.
_LINES: Kept[list[Line]] = Kept(64)


@dataclass(frozen=True, eq=False)
class Listing:
    """Every row, in order.

    focused  whether the cursor is drawn
    """

    scene: Scene
    focused: bool = False

    def __len__(self) -> int:
        return len(self._unfolded.entries) + len(self._shown)

    @cached_property
    def foldable(self) -> bool:
        """Whether parts fold, and headings can be gone to."""
        return foldable(self._program)

    @property
    def cursor(self) -> int:
        """The row that the reader is on, or −1."""
        if self.scene.row < 0:
            return -1
        if self._heading is not None:
            return self._row(self._unfolded.places[self._heading])
        return self.place(self.scene.row)

    @property
    def here(self) -> int:
        """The row of the operation done last, at the start that of the first; or of the heading that hides it."""
        return self.place(self.scene.view.here[0])

    def place(self, op: int) -> int:
        """The row of an operation, or of the heading that hides it."""
        return self._row(self._unfolded.place(op))

    def entry(self, row: int) -> Entry | None:
        """What lies at a row; None for a note."""
        k = bisect_left(self._rows_of_notes, row)
        if k < len(self._rows_of_notes) and self._rows_of_notes[k] == row:
            return None
        return self._unfolded.entries[row - k]

    def beside(self, row: int, down: int) -> Entry:
        """What the cursor comes to from a row by so many steps, or as many as there are."""
        entries, step = self._unfolded.entries, 1 if down > 0 else -1
        k, left = row - bisect_left(self._rows_of_notes, row), abs(down)
        found = k
        while left and 0 <= k + step < len(entries):
            k += step
            if self.foldable or isinstance(entries[k], int):
                found, left = k, left - 1
        return entries[found]

    def part(self, entry: Entry) -> Part | None:
        """The heading of a row, or the innermost part around its operation."""
        inside = around(self._program, entry) if isinstance(entry, int) else [entry]
        return inside[-1] if inside and self.foldable else None

    def open(self, part: Part) -> bool:
        """Whether it is."""
        return part.key in self._unfolded.opened

    def in_sight(self, rows: int) -> list[int]:
        """The rows that a window shows: around the reader's, and always the one where one is."""
        return in_sight(len(self), self.seen, self.here, rows)

    @property
    def seen(self) -> int:
        """The row that is looked at: the reader's, else that of the next operation."""
        return self.cursor if self.focused and self.cursor >= 0 else self.place(self.scene.centre)

    def lines(self, rows: Sequence[int], columns: int) -> list[Line]:
        """Some rows, their numbers in one column; one that stands at the edge of others far off is marked as such."""
        scene, stops = self.scene, tuple(self._look.stops.items())
        key = (
            scene.outlook, self.focused, scene.row, scene.heading, scene.folds.key, stops, scene.past.branches,
            tuple(rows), columns,
        )  # fmt: skip
        return _LINES.get(key, lambda: self._lines(rows, columns))

    def _lines(self, rows: Sequence[int], columns: int) -> list[Line]:
        entries = [self.entry(row) for row in rows]
        look = replace(self._look, columns=columns, places=operation.places(self.scene, entries))
        made = [self._line(row, entry, look) for row, entry in zip(rows, entries, strict=True)]
        for k in pinned(rows):
            made[k] = tuple((text, f"{name}+wash") for text, name in made[k])
        return made

    def _line(self, row: int, entry: Entry | None, look: Look) -> Line:
        if entry is None:
            return self._shown[bisect_left(self._rows_of_notes, row)].line
        here = replace(look, cursor=self.focused and row == self.cursor)
        if isinstance(entry, int):
            return operation.operation(self.scene, entry, here)
        if not self.foldable:
            return operation.phase(entry)
        return operation.heading(self.scene, entry, here, opened=self.open(entry), inside=self._inside(entry))

    # Which rows there are

    @property
    def _program(self) -> Program:
        return self.scene.view.program

    @cached_property
    def _look(self) -> Look:
        return Look(stops=marks(self.scene.stops.breakpoints))

    @cached_property
    def _unfolded(self) -> Unfolded:
        scene = self.scene
        if not self.foldable:
            whole = frozenset(part.key for part in parts(self._program))
            return without_headings(self._program) if scene.compact else unfolded(self._program, whole)
        outer: list[Key] = []
        ops = list(scene.view.here)
        if scene.heading is None and scene.row >= 0:
            ops.append(scene.row)
        elif scene.heading is not None:
            outer = [part.key for part in around(self._program, scene.heading[1])]
            outer = outer[: outer.index(scene.heading)] if scene.heading in outer else []
        return unfolded(self._program, scene.folds.opened(self._program, ops, outer))

    @property
    def _heading(self) -> Key | None:
        """The heading that the cursor is on, if it is to be seen."""
        return self.scene.heading if self.scene.heading in self._unfolded.places else None

    # Notes

    @cached_property
    def _notes(self) -> list[Note]:
        """Those of this iteration, in order."""
        view = self.scene.view
        found = [
            (edit.position, "*", line(("    * ", "now"), (f"{safe(edit.text)}  at {edit.position}", "dim")))
            for edit in view.timeline.ordered
        ]
        found += [
            (place, "┬", line(("    ┬ ", "plain"), (f"{safe(name)} leaves here, at {place}", "dim")))
            for place, name in self.scene.past.branches
        ]
        done = [(self._done(place), mark, made) for place, mark, made in found if place <= view.position]
        return sorted((Note(k, mark, made) for k, mark, made in done if k is not None), key=lambda note: note.done)

    def _done(self, place: Position) -> int | None:
        """How many operations of this iteration are done at a place; None where it lies in another."""
        view = self.scene.view
        if place == Position(view.position.iteration - 1, len(view.program)):
            return 0
        return place.op if place.iteration == view.position.iteration else None

    @cached_property
    def _after(self) -> list[tuple[int, Note]]:
        """Behind which entry each note is to be seen; those inside of what is folded are not."""
        places = self._unfolded.places
        return [
            (places.get(note.done - 1, -1), note) for note in self._notes if not note.done or note.done - 1 in places
        ]

    @cached_property
    def _shown(self) -> list[Note]:
        return [note for _, note in self._after]

    @cached_property
    def _rows_of_notes(self) -> list[int]:
        return [after + 1 + k for k, (after, _) in enumerate(self._after)]

    def _row(self, entry: int) -> int:
        """The row of an entry, with the notes before it."""
        return entry + bisect_left(self._after, entry, key=lambda pair: pair[0])

    def _inside(self, part: Part) -> str:
        """The mark of a note that a heading hides."""
        return next((note.mark for note in self._notes if note.done - 1 in part.ops), "")


def in_sight(count: int, seen: int, here: int, rows: int) -> list[int]:
    """Rows for a window of so many lines: those around `seen`; `here` takes the line at the edge if it lies beyond."""
    window = _around(count, seen, rows)
    if here in window or rows < 1:
        return list(window)
    rest = _around(count, seen, rows - 1)
    if here in rest:
        return list(range(min(rest.start, count - rows), min(rest.start, count - rows) + rows))
    return [here, *rest] if here < window.start else [*rest, here]


def _around(count: int, seen: int, rows: int) -> range:
    first = max(0, min(first_in_sight(seen, rows), count - rows))
    return range(first, min(count, first + rows))


def pinned(rows: Sequence[int]) -> list[int]:
    """Which line of a window is not beside the others."""
    if len(rows) < 2:
        return []
    return [0] * (rows[1] != rows[0] + 1) + [len(rows) - 1] * (rows[-1] != rows[-2] + 1)
