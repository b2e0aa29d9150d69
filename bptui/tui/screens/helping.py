"""What the main screen is helped with: making a scene."""

from __future__ import annotations

from dataclasses import dataclass

from bptui.commands.session import Session
from bptui.debugger.view import View
from bptui.engine.player import Moment
from bptui.tui.scene import Scene


@dataclass(frozen=True)
class Kept:
    """A formula that stays while the reader moves from name to name in it."""

    iteration: int
    index: int
    cell: int

    @staticmethod
    def of(scene: Scene) -> Kept | None:
        """The one that is shown."""
        if scene.formula is None:
            return None
        moment, cell = scene.formula
        return Kept(moment.before.position.iteration, moment.index, cell)

    def formula(self, session: Session) -> tuple[Moment, int]:
        """The same with the numbers of now."""
        return session.debugger.moment(self.index, self.iteration), self.cell


def scene_of(
    session: Session,
    view: View,
    cursor: tuple[str, int],
    row: int,
    *,
    looked: bool | Kept,
    note: str,
    compact: bool,
) -> Scene:
    """The scene of a view, with the formula that is wanted."""
    kept = looked.formula(session) if isinstance(looked, Kept) else None
    found = kept or (_looked_at(session, view, cursor) if looked else None)
    return Scene(
        view=view,
        cursor=cursor,
        row=min(row, len(view.program) - 1),
        formula=found or at_hand(view, cursor),
        looked=found is not None and not (kept and kept[0].index == view.done),
        pointed=bool(looked),
        compact=compact,
        digits=session.digits,
        note=note,
    )


def at_hand(view: View, cursor: tuple[str, int]) -> tuple[Moment, int] | None:
    """The operation done last; its cell under the cursor, else the first that it wrote."""
    if view.moment is None:
        return None
    return view.moment, written_cell(view, cursor)[1]


def written_cell(view: View, cursor: tuple[str, int]) -> tuple[str, int]:
    """The cell of the operation at hand that is explained: the one under the cursor, else the first it wrote."""
    assert view.done is not None
    written = view.program.instructions[view.done].writes
    return written, cursor[1] if cursor[0] == written and cursor[1] in view.changed else view.changed.start


def _looked_at(session: Session, view: View, cursor: tuple[str, int]) -> tuple[Moment, int] | None:
    """What wrote the cell under the cursor, if an operation did."""
    slot, cell = cursor
    if not view.is_computed(slot, cell):
        return None
    writer = session.debugger.writer(slot, cell)
    if writer is None:
        return None
    iteration, index = writer
    return session.debugger.moment(index, iteration), cell
