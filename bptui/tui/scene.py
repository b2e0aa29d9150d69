"""What the screen shows: one frozen value that every pane draws from."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bptui.debugger.view import View
from bptui.engine import lifeline
from bptui.engine.network import Array
from bptui.engine.player import Moment
from bptui.engine.program import Program
from bptui.engine.reach import operands
from bptui.engine.timeline import START, Position
from bptui.explain.folds import Folds
from bptui.explain.parts import Key
from bptui.tui.drawing.numbers import UNSET, places
from bptui.tui.drawing.tensor.summary import Held, largest

if TYPE_CHECKING:
    from bptui.debugger.breakpoints import Breakpoint
    from bptui.debugger.probing.planes import Predictions
    from bptui.debugger.probing.slopes import Slice, Surface
    from bptui.debugger.watches import Watched


@dataclass(frozen=True)
class Hit:
    """What lies at a place of a pane: a cell, an operation or a moment; `text` says more of it than the screen does.

    keep  the formula that is shown stays, though the cell has one of its own
    """

    slot: str = ""
    cell: int = 0
    op: int = -1
    position: Position | None = None
    text: str = ""
    keep: bool = False


@dataclass(frozen=True, eq=False)
class Stops:
    """What runs stop at, and what is watched: the rows of a list, breakpoints first.

    here     the numbers of the breakpoints that stopped a run at this very position
    chosen   the row that the reader is on
    recent   watch → its values at the ends of the last iterations, where they are numbers
    plotted  the watch that is drawn in place of the loss, or None
    """

    breakpoints: tuple[Breakpoint, ...] = ()
    watched: tuple[Watched, ...] = ()
    here: frozenset[int] = frozenset()
    chosen: int = 0
    recent: Mapping[int, Array] = field(default_factory=dict)
    plotted: int | None = None

    def __len__(self) -> int:
        return len(self.breakpoints) + len(self.watched)

    def watch(self, number: int | None) -> Watched | None:
        """A watch by its number."""
        return next((one for one in self.watched if one.number == number), None)


@dataclass(frozen=True, eq=False)
class Past:
    """What lies on the way to a moment.

    checkpoints  iterations at whose starts there are checkpoints
    met          iterations in which breakpoints were met
    branches     where the timeline and each other branch part, and the branch's name
    others       (name, losses, how many iterations lie between two) of other branches, as far as they are known
    watched      iterations, and the values of the plotted watch at their ends
    furthest     the furthest that one has been on this branch
    ahead        the losses of this branch as far as one has been on it, and how many iterations lie between two
    """

    checkpoints: tuple[int, ...] = ()
    met: frozenset[int] = frozenset()
    branches: tuple[tuple[Position, str], ...] = ()
    others: tuple[tuple[str, Array, int], ...] = ()
    watched: tuple[Array, Array] = (np.zeros(0), np.zeros(0))
    furthest: Position = START
    ahead: tuple[Array, int] = (np.zeros(0), 1)


@dataclass(frozen=True, eq=False)
class Norms:
    """‖∂E/∂W‖ of parameters at iterations: values (n, parameters), the last the latest that is known."""

    parameters: tuple[str, ...]
    iterations: Array
    values: Array


@dataclass(frozen=True, eq=False)
class Spread:
    """How the cells of a slot are spread.

    quantiles  at the ends of iterations, (n, quantiles)
    cells      as they are here, or None; of very many only every so-manieth, `step`
    """

    slot: str
    iterations: Array
    quantiles: Array
    cells: Array | None
    step: int = 1


@dataclass(frozen=True, eq=False)
class Plotted:
    """The numbers of a plot that shows more than curves.

    what     None where there are none yet, or never
    said     why there are none
    path     of a surface, where the two cells were at the ends of the last iterations, (n, 2)
    chosen   whether its second cell was chosen by the reader
    pending  what is drawn is not of this moment yet
    """

    what: Slice | Surface | Predictions | Norms | Spread | None = None
    said: str = ""
    path: Array = field(default_factory=lambda: np.zeros((0, 2)))
    chosen: bool = False
    pending: bool = False


def _nothing(scene: Scene, view: str) -> Plotted:
    del scene, view
    return Plotted()


@dataclass(frozen=True, eq=False)
class Scene:
    """A view, and where the reader is looking.

    cursor    (slot, flat cell) in the values
    row       the operation under the cursor in the program
    looked    the formula of the cursor's cell is wanted rather than that of the operation at hand
    pointed   the reader has gone to a cell since the last step
    stops     breakpoints and watches
    past      what lies on the way here
    folds     what is open of the program
    heading   the part of the program whose heading the cursor is on, instead of its first operation, or None
    plotting  what computes the numbers of a plot when it is drawn
    sample    the row of the batch that is looked at, while neither the operation at hand nor the cursor is in one
    formula   the instruction and cell whose formula is shown, or None
    compact   the small layout
    asked     the slot of which a number is asked for before it is there, or ""
    mistaken  the spec has mistakes now, and its last good network is shown
    """

    view: View
    cursor: tuple[str, int]
    row: int
    formula: tuple[Moment, int] | None
    looked: bool = False
    pointed: bool = False
    compact: bool = False
    mistaken: bool = False
    asked: str = ""
    digits: int | None = None
    note: str = ""
    sample: int = 0
    stops: Stops = field(default_factory=Stops)
    past: Past = field(default_factory=Past)
    folds: Folds = field(default_factory=Folds)
    heading: Key | None = None
    plotting: Callable[[Scene, str], Plotted] = _nothing

    @cached_property
    def written(self) -> tuple[str, range]:
        """The slot that the operation at hand wrote, and which of its cells."""
        view = self.view
        if view.done is None:
            return "", range(0)
        return view.program.instructions[view.done].writes, view.changed

    @cached_property
    def read(self) -> Mapping[str, Array]:
        """Slot → flags of the cells that the operation at hand read."""
        view = self.view
        if view.done is None:
            return {}
        instruction, changed = view.program.instructions[view.done], view.changed
        shape = view.program.slots[instruction.writes].shape
        result: dict[str, Array] = {}
        shapes = view.program.shapes(view.done)
        if len(changed) == 1 and instruction.op != "draw":
            marks = np.zeros(shape, bool)
            marks.reshape(-1)[changed.start] = True
            masks = operands(instruction.text, shapes, marks)
        else:
            masks = {role: np.ones(role_shape, bool) for role, role_shape in shapes.items()}
        for role, slot in instruction.roles.items():
            result[slot] = result.get(slot, np.zeros(masks[role].shape, bool)) | masks[role]
        return result

    @cached_property
    def outlook(self) -> Hashable:
        """The moment, and how the reader looks at it: all that a drawing depends on but stops, folds and plots."""
        moment, cell = self.formula or (None, 0)
        explained = None if moment is None else (moment.index, moment.before.position.iteration, cell)
        looks = self.cursor, self.looked, self.pointed, self.compact, self.asked, self.digits, self.sample
        return self.view.timeline, self.position, explained, looks

    @cached_property
    def _places(self) -> dict[str, int]:
        return {}

    def places(self, slot: str) -> int:
        """How many decimals a slot's numbers get."""
        if slot not in self._places:
            self._places[slot] = places(largest(self.held(slot), self.view.state.computed[slot]), self.digits or 4)
        return self._places[slot]

    @cached_property
    def _held(self) -> dict[str, Held]:
        return {}

    def held(self, slot: str) -> Held:
        """A slot's array as a key: the same from one write of it to the next."""
        if slot not in self._held:
            self._held[slot] = Held(self.view.state.arrays[slot], self._origin(slot))
        return self._held[slot]

    def aspect(self, slot: str) -> Hashable:
        """What the drawing of a slot's numbers depends on, all but the reader's cursor."""
        view, (written, cells) = self.view, self.written
        outdated = view.stale.outdated.get(slot)
        return (
            self.held(slot),
            view.state.computed[slot],
            None if outdated is None else outdated.tobytes(),
            slot in view.stale.old,
            view.edited.get(slot),
            self.position.iteration if slot in view.before else None,
            cells if slot == written else None,
            (view.done, cells) if slot in self.read else None,
            self.digits,
            self.unset(slot),
        )

    def _origin(self, slot: str) -> Hashable:
        timeline, position = self.view.timeline, self.position
        writers = _writers(timeline.program, slot)
        begun = position.op if position.element and position.op in writers else None
        return (
            timeline,
            slot,
            position.iteration * len(writers) + bisect.bisect_left(writers, position.op),
            position.iteration if timeline.program.slots[slot].given else None,
            position if begun is not None else None,
            sum(edit.slot == slot and edit.position <= position for edit in timeline.edits),
        )

    def unset(self, slot: str) -> str:
        """What stands for a number that is not computed yet: a question mark where the reader is to work it out."""
        return "?" if slot == self.asked else UNSET

    def plotted(self, view: str) -> Plotted:
        """The numbers of a view that shows more than curves over the iterations."""
        return self.plotting(self, view)

    def before(self, slot: str, cell: int) -> float | None:
        """What a cell of a lasting slot was before this iteration's update of it, where that has begun."""
        array = self.view.before.get(slot)
        return None if array is None or not self.view.program.slots[slot].persistent else float(array.reshape(-1)[cell])

    def reading_order(self, slot: str) -> list[int]:
        """The cells of a slot in the order in which they are listed."""
        return reading_order(self.view.program, slot)

    def lit(self, slot: str, cell: int) -> bool:
        """Whether a cell belongs to the operation at hand."""
        name, cells = self.written
        if slot == name and cell in cells:
            return True
        mask = self.read.get(slot)
        return mask is not None and bool(mask.reshape(-1)[cell])

    def fresh(self, slot: str, cell: int) -> bool:
        """Whether the last step wrote a cell."""
        name, cells = self.written
        return slot == name and cell in cells

    @property
    def centre(self) -> int:
        """The operation that has to be in sight: the next one, or the last of a finished iteration."""
        view = self.view
        return view.upcoming if view.done is None or view.position.op < len(view.program) else view.done

    @property
    def position(self) -> Position:
        """Where it is."""
        return self.view.position


@lru_cache(maxsize=1024)
def _writers(program: Program, slot: str) -> Sequence[int]:
    """The operations that write a slot, in order."""
    return lifeline.writers(program, slot)


def reading_order(program: Program, slot: str) -> list[int]:
    """Weights and their gradients neuron by neuron, as people number them; everything else as it lies."""
    slots = program.slots
    cells = np.arange(slots[slot].size).reshape(slots[slot].shape)
    weights = cells.ndim == 2 and slots[slots[slot].of or slot].kind == "parameter"
    return [int(k) for k in (cells.T if weights else cells).reshape(-1)]
