"""What is kept from one drawing to the next: every picture is the one that is drawn with nothing kept."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from bptui.commands.session import Session
from bptui.debugger import moves
from bptui.files import specs
from bptui.tui.drawing import formula, timeline
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.listing import Listing
from bptui.tui.drawing.network.figure import figure
from bptui.tui.drawing.network.sight import Sight, row_of
from bptui.tui.drawing.setting import AUTO
from bptui.tui.drawing.table import table
from bptui.tui.drawing.tensor.seen import seen
from bptui.tui.drawing.tensor.views import view_of
from bptui.tui.scene import Scene
from bptui.tui.screens.helping import at_hand, scene_of
from bptui.tui.screens.stopping import Stopping

STEPS = 40
ROWS = 30


def emptied(session: Session) -> None:
    """Nothing is kept any more."""
    for name, module in [*sys.modules.items()]:
        if name.startswith(("bptui.tui.drawing", "bptui.tui.scene")):
            for one in vars(module).values():
                if isinstance(one, Kept):
                    one._made.clear()
                elif hasattr(one, "cache_clear"):
                    one.cache_clear()
    session.debugger._seen.clear()


def picture(scene: Scene, columns: int, *, focused: bool) -> Iterator[list[Line]]:
    """What the panes show."""
    yield Listing(scene, focused).lines(range(min(ROWS, len(Listing(scene, focused)))), columns)
    made = table(scene, columns, focused=focused)
    place = made.place(scene.cursor) or 0
    yield [row.line for row in made[max(0, place - ROWS) : place + ROWS]]
    sight = Sight(scene, row_of(scene), focused)
    yield from (figure(sight, columns, ROWS, view) for view in ("auto", "blocks"))
    if scene.formula is not None:
        yield formula.lines(scene, columns, ROWS, AUTO, focused=focused)
    yield timeline.loss(scene, columns, ROWS // 2)
    sheet = view_of(seen(scene, focused=focused, fine=True), "heat", columns, ROWS)
    yield list(sheet.lines)


def line(random: Random, session: Session) -> str:
    """Something that a reader types."""
    program, verb = session.debugger.program, random.choice(_LINES)
    slot = random.choice([name for name, slot in program.slots.items() if slot.size])
    cells = ", ".join(str(random.randrange(side)) for side in program.slots[slot].shape)
    position = f"{random.randrange(3)}:{random.randrange(len(program))}"
    return verb.format(
        k=random.randrange(1, 4), slot=slot, cell=f"{slot}[{cells}]" if cells else slot, position=position,
        value=random.choice(["0", "-1.5", "1e300", f"{random.uniform(-1, 1):.3g}"]),
    )  # fmt: skip


_LINES = (
    "next {k}", "next {k}", "step {k}", "step {k}", "back {k}", "step-back {k}", "iteration", "iteration-back", "finish",
    "start", "goto {position}", "goto {position}.1", "set {cell} = {value}", "set {cell} = {value}",
    "set {cell} = {value} at {position}", "set {slot} = {value}", "set lr = {value}", "nudge {cell}", "undo", "undo",
    "redo", "branch main", "branch edit-1", "restart", "restart seed={k}", "break on {slot}",
    "cursor", "cursor", "focus", "asked", "sample", "digits",
)  # fmt: skip


class Reader:
    """Somebody who does the same each time, and looks after each deed."""

    def __init__(self, name: str, seed: int) -> None:
        self.session, self.random, self.name = Session(specs.load(name)), Random(seed), name
        self.focused, self.cursor, self.sample, self.asked = False, ("x", 0), 0, ""

    def do(self, what: str) -> None:
        program = self.session.debugger.program
        if what == "cursor":
            slot = self.random.choice([name for name, slot in program.slots.items() if slot.size])
            self.cursor = slot, self.random.randrange(program.slots[slot].size)
        elif what == "focus":
            self.focused = not self.focused
        elif what == "sample":
            self.sample = self.random.randrange(4)
        elif what == "digits":
            self.session.digits = self.random.randrange(1, 8)
        elif what == "asked":
            self.asked = "" if self.asked else program.instructions[self.session.debugger.view().upcoming].writes
        else:
            with contextlib.suppress(ValueError):  # there is nothing to undo, no such branch, no such cell yet
                self.session.execute(what)

    def scene(self) -> Scene:
        view = self.session.debugger.view()
        slots = view.program.slots
        if self.cursor[0] not in slots or self.cursor[1] >= slots[self.cursor[0]].size:
            self.cursor = ("x", 0)
        scene = scene_of(self.session, view, self.cursor, 0, looked=False, note="", compact=False)
        asked = self.asked if self.asked in slots and not view.is_computed(self.asked) else ""
        return replace(scene, sample=self.sample, asked=asked, stops=Stopping(self.session).rows(passing=False))


def foreseen(reader: Reader, k: int) -> None:
    """Drawings of what may come next, as the app makes them while nobody presses anything."""
    debugger = reader.session.debugger
    lead = (moves.forward, moves.back, moves.step, moves.step_back, moves.iterations)[k % 5]
    view = debugger.foresee(lead(debugger.program, debugger.position, 1 + k % 2))
    scene = replace(reader.scene(), view=view, formula=at_hand(view, reader.cursor))
    for columns in (45, 78):
        list(picture(scene, columns, focused=reader.focused))


def walk(name: str, seed: int, *, empty: bool) -> Iterator[tuple[str, list[list[Line]]]]:
    """What is done, and the picture after it."""
    reader = Reader(name, seed)
    for k in range(STEPS):
        what = line(reader.random, reader.session)
        reader.do(what)
        if empty:
            emptied(reader.session)
        else:
            foreseen(reader, k)
        yield what, list(picture(reader.scene(), reader.random.choice((45, 78)), focused=reader.focused))


@pytest.mark.parametrize(("name", "seed"), [("article", 1), ("xor", 2), ("mazur", 3), ("moons", 4), ("lstm", 5)])
def test_what_is_kept_is_what_would_be_drawn(name, seed):
    done = []
    for (what, warm), (_, cold) in zip(walk(name, seed, empty=False), [*walk(name, seed, empty=True)], strict=True):
        done.append(what)
        assert warm == cold, done
