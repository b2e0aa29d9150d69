"""A plane of a tensor as numbers: as many rows and columns as there is room for, those around the reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bptui.explain.cells import unravelled
from bptui.explain.notation import Names
from bptui.tui.drawing.lines import Line, Run, cut, line, merged
from bptui.tui.drawing.numbers import signed
from bptui.tui.drawing.table import number_runs, shortened
from bptui.tui.drawing.tensor.headings import headings
from bptui.tui.drawing.tensor.plane import Cell, window
from bptui.tui.drawing.tensor.seen import Seen
from bptui.tui.drawing.tensor.sheet import Sheet

_GAP = 3
# Beside its gradient a matrix is shown only if so many columns of each fit, or all there are.
_LEAST = 2
# A number in exponent form takes so much behind its point.
_EXPONENT = 6
_WAS = 24


@dataclass(frozen=True, eq=False)
class Grid:
    """The numbers of a plane in so much room."""

    seen: Seen
    columns: int
    rows: int

    def sheet(self) -> Sheet:
        """What the columns are, the rows, and how much more there is."""
        lines = [cut(self._heading(), self.columns), *(self._row(self._top + k) for k in range(self._down))]
        beyond = self._beyond()
        if beyond:
            lines.insert(0, cut(beyond, self.columns))
        above = 1 + bool(beyond)

        def at(x: int, y: int) -> Cell | None:
            return self._at(x, y - above) if y >= above else None

        return Sheet(lines, at, self.seen.stepped, max(1, self._down // 2))

    # What fits

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        return headings(self.seen.scene.view.program, self.seen.plane)

    @cached_property
    def _label(self) -> int:
        """How wide what stands before a row is."""
        plane, (rows, _) = self.seen.plane, self._names
        if plane.columns == 1:
            return 16
        return min(12, max((len(name) for name in rows), default=len(str(plane.rows - 1)))) + 3

    @cached_property
    def _shapes(self) -> Mapping[str, tuple[int, int]]:
        """Slot → how many letters stand before a number's point, the sign and the whole part, and how many in all."""
        made = {}
        for slot in self.seen.slots:
            places = self.seen.scene.places(slot)
            before = max(2, len(signed(self.seen.summary(slot).largest, places).partition(".")[0]))
            made[slot] = before, before + max(1 + places, _EXPONENT) + (3 if places < 0 else 0)
        return made

    def _unit(self, slot: str) -> int:
        """How wide a column is: a number and its mark."""
        return self._shapes[slot][1] + 1

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        """The slots that stand beside each other."""
        slots, room = self.seen.slots, self.columns - self._label
        if len(slots) == 1:
            return slots
        pair = sum(map(self._unit, slots))
        if min(self.seen.plane.columns, _LEAST) * pair + _GAP <= room:
            return slots
        return (slots[self.seen.aside],)

    @cached_property
    def _across(self) -> int:
        """How many columns of each part are shown."""
        room = self.columns - self._label - _GAP * (len(self._parts) - 1)
        return max(1, min(self.seen.plane.columns, room // sum(map(self._unit, self._parts))))

    @cached_property
    def _down(self) -> int:
        plane = self.seen.plane
        room = self.rows - 1
        cropped = plane.rows > room or plane.columns > self._across
        return max(1, min(plane.rows, room - cropped))

    @cached_property
    def _corner(self) -> tuple[int, int]:
        """The first row and column in sight."""
        plane = self.seen.plane
        row, column = plane.place(self.seen.at[1])
        return window(row, plane.rows, self._down), window(column, plane.columns, self._across)

    @property
    def _top(self) -> int:
        return self._corner[0]

    @property
    def _left(self) -> int:
        return self._corner[1]

    # What is drawn

    def _beyond(self) -> Line:
        """Which rows and columns these are, where there are others."""
        plane = self.seen.plane
        said = []
        if self._down < plane.rows:
            said.append(f"rows {self._top}–{self._top + self._down - 1} of {plane.rows}")
        if self._across < plane.columns:
            said.append(f"columns {self._left}–{self._left + self._across - 1} of {plane.columns}")
        return line((f" {'   '.join(said)}", "dim")) if said else ()

    def _heading(self) -> Line:
        """The number or the label of each column, and of what part they are."""
        runs: list[Run] = []
        head = " " * self._label
        for slot in self._parts:
            name = Names(self.seen.scene.view.program).slot(slot)
            gradient = "+italic" if slot == self.seen.gradient else ""
            unit = self._unit(slot)
            if self.seen.plane.columns == 1:
                runs.append((head + shortened(name, unit + _GAP - 1).ljust(unit), f"dim{gradient}"))
            else:
                shown = range(self._left, self._left + self._across)
                texts = "".join(self._column(k, slot).ljust(unit) for k in shown)
                runs.append((self._owner(slot, head) + texts, f"dim{gradient}"))
            head = " " * _GAP
        return line(*runs)

    def _owner(self, slot: str, head: str) -> str:
        """A sign before the columns of a gradient that stands beside its values."""
        return f"{'∂':>{len(head) - 1}} " if slot == self.seen.gradient else head

    def _column(self, k: int, slot: str) -> str:
        _, names = self._names
        name = names[k] if names else str(k)
        before, wide = self._shapes[slot]
        return " " * (before - 1) + shortened(name, wide + 1 - before)

    def _row(self, row: int) -> Line:
        plane, scene = self.seen.plane, self.seen.scene
        runs = [self._lead(row)]
        for slot in self._parts:
            if slot != self._parts[0]:
                runs.append((" " * _GAP, "plain"))
            for column in range(self._left, self._left + self._across):
                cell = plane.cell(row, column)
                number, mark = number_runs(scene, slot, cell, focused=self.seen.focused, shape=self._shapes[slot])
                # A blank after a number has no style of its own, so that neighbours of one sign are one run.
                runs += [number, mark if mark[0] != " " or "+" in number[1] else (" ", number[1])]
        return cut((*merged(runs), *self._was(row)), self.columns)

    def _lead(self, row: int) -> Run:
        """The number or the label of a row."""
        plane, program = self.seen.plane, self.seen.scene.view.program
        if plane.columns == 1:
            label = Names(program).cell(plane.slot, unravelled(row, plane.shape))
            lit = self.seen.scene.lit(plane.slot, row)
            return f" {shortened(label, self._label - 2)}".ljust(self._label), "now+bold" if lit else "plain"
        names, _ = self._names
        text = shortened(names[row], self._label - 2) if names else str(row)
        return f"{text:>{self._label - 1}} ", "faint" if not names else "dim"

    def _was(self, row: int) -> list[Run]:
        """What a cell was before the update, where there is one number in a row and room for two."""
        plane, scene = self.seen.plane, self.seen.scene
        used = self._label + sum(map(self._unit, self._parts)) + _GAP * (len(self._parts) - 1)
        was = scene.before(plane.slot, plane.cell(row, 0)) if plane.columns == 1 else None
        if was is None or used + _WAS > self.columns:
            return []
        return [(f"  was {signed(was, scene.places(plane.slot))}", "dim")]

    def _at(self, x: int, k: int) -> Cell | None:
        """The cell at a column of letters in the k-th row in sight."""
        x -= self._label
        if not 0 <= k < self._down or x < 0:
            return None
        for slot in self._parts:
            wide = self._unit(slot) * self._across
            if x < wide:
                return slot, self.seen.plane.cell(self._top + k, self._left + x // self._unit(slot))
            x -= wide + _GAP
            if x < 0:
                break
        return None
