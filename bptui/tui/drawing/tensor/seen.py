"""Where the reader is and what there is to draw: what all views of a tensor begin from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bptui.tui.drawing.tensor.plane import Cell, Plane, gradient, plane, there
from bptui.tui.drawing.tensor.summary import Summary, summary
from bptui.tui.scene import Scene


@dataclass(frozen=True, eq=False)
class Seen:
    """A plane of a tensor in a scene.

    at       the cell around which things are drawn
    focused  whether the cursor is the reader's own place, or only remembered
    fine     whether a letter may show two numbers by its colour and its ground's
    """

    scene: Scene
    at: Cell
    focused: bool = False
    fine: bool = False

    @cached_property
    def plane(self) -> Plane:
        """What is seen of the tensor."""
        return plane(self.scene.view.program, self.at)

    @cached_property
    def gradient(self) -> str:
        """The slot of its gradient, or ""."""
        return gradient(self.scene.view.program, self.plane.slot)

    @property
    def slots(self) -> tuple[str, ...]:
        """The values, and the gradient where there is one."""
        return (self.plane.slot, self.gradient) if self.gradient else (self.plane.slot,)

    @property
    def aside(self) -> bool:
        """Whether the reader is in the gradient."""
        return self.at[0] != self.plane.slot

    def there(self, slot: str) -> int:
        """How many cells of the plane are computed."""
        return there(self.scene, slot, self.plane)

    def summary(self, slot: str) -> Summary:
        """Of the whole tensor."""
        return summary(self.scene.held(slot), self.scene.view.state.computed[slot])

    def cursor(self, slot: str) -> int | None:
        """The flat cell of a slot that the reader's cursor is on, if it is on this plane."""
        name, cell = self.scene.cursor
        return cell if name == slot and 0 <= cell - self.plane.first < self.plane.size else None

    def single(self, slot: str) -> int | None:
        """The cell that the last step alone wrote, in the middle of an operation."""
        name, cells = self.scene.written
        return cells.start if name == slot and len(cells) == 1 and self.plane.size > 1 else None

    @property
    def cursor_style(self) -> str:
        """How the cursor's place is marked."""
        return "cursor+bold" if self.focused else "under"

    def stepped(self, across: int, down: int, block: tuple[int, int] = (1, 1)) -> Cell:
        """So many marks from where the reader is; past the last column one step leads into the gradient, and back."""
        slot, _ = self.at
        (row, column), seen = self.plane.place(self.at[1]), self.plane
        row = clamped(row + down * block[0], seen.rows)
        if across == 1 and column + block[1] >= seen.columns and self.gradient and not self.aside:
            return self.gradient, seen.cell(row, 0)
        if across == -1 and column < block[1] and self.aside:
            return seen.slot, seen.cell(row, seen.columns - 1)
        return slot, seen.cell(row, clamped(column + across * block[1], seen.columns))

    def along(self, by: int, step: int) -> Cell:
        """So many cells on in a vector; a step past its end leads into the gradient, and back."""
        slot, cell = self.at
        size = self.plane.size
        if by == step and cell + by >= size and self.gradient and not self.aside:
            return self.gradient, 0
        if by == -step and cell < step and self.aside:
            return self.plane.slot, size - 1
        return slot, clamped(cell + by, size)


def clamped(place: int, count: int) -> int:
    """A place among so many, the nearest there is."""
    return max(0, min(count - 1, place))


def seen(scene: Scene, *, focused: bool, fine: bool = False) -> Seen:
    """Around the cursor, where the reader has gone to it; else around what the operation at hand wrote."""
    slot, cells = scene.written
    at = scene.cursor if focused or scene.pointed or not slot else (slot, cells.start)
    return Seen(scene, at, focused, fine)
