"""The program as a flat listing by phase: what is done, what comes next, values at a glance.

An unrolled network has thousands of operations: a row is made when it is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bptui.debugger.view import View
from bptui.engine.program import Program
from bptui.explain.lazy import Lazy
from bptui.files.text import safe
from bptui.tui.drawing import words
from bptui.tui.drawing.lines import Line, Run, cut, line, spread, width
from bptui.tui.drawing.numbers import UNSET, colour, signed
from bptui.tui.drawing.stops import marks
from bptui.tui.scene import Scene

MOST_VALUES = 4


@dataclass(frozen=True)
class Row:
    """A line of the listing; `op` is the operation's index, or −1 for a heading or an edit."""

    line: Line
    op: int = -1


@dataclass(frozen=True, eq=False)
class Listing:
    """Every row, in order, and where an operation's is."""

    rows: Sequence[Row]
    places: Mapping[int, int]


def listing(scene: Scene, columns: int, *, headings: bool = True, focused: bool = False) -> Listing:
    """Every row, in order."""
    plan, places = _plan(scene.view.program, headings=headings)
    marked = _marked(scene.view)
    if marked:
        plan, places = _with_edits(plan, marked)
    stops = marks(scene.stops.breakpoints)

    def row(k: int) -> Row:
        part = plan[k]
        if isinstance(part, Row):
            return part
        return Row(_operation(scene, part, columns, focused=focused, stop=stops.get(part)), part)

    return Listing(Lazy(len(plan), row), places)


Plan = tuple[Sequence[int | Row], Mapping[int, int]]


@lru_cache(maxsize=8)
def _plan(program: Program, *, headings: bool) -> Plan:
    """Operations and the headings of their phases; operation → its row."""
    plan: list[int | Row] = []
    phase = ""
    for k, instruction in enumerate(program.instructions):
        if headings and instruction.phase != phase:
            phase = instruction.phase
            plan.append(Row(line(("  " + phase, "dim"))))
        plan.append(k)
    return plan, _places(plan)


def _places(plan: Sequence[int | Row]) -> Mapping[int, int]:
    return {part: k for k, part in enumerate(plan) if isinstance(part, int)}


def _with_edits(plan: Sequence[int | Row], marked: Mapping[int, list[Row]]) -> Plan:
    """Edits of this iteration, as marked rows just after the operation at their position."""
    made: list[int | Row] = [*marked.get(0, [])]
    for part in plan:
        made.append(part)
        if isinstance(part, int):
            made += marked.get(part + 1, [])
    return made, _places(made)


def _marked(view: View) -> dict[int, list[Row]]:
    """How many operations are done → the edits that lie there, of this iteration."""
    t, count = view.position.iteration, len(view.program)
    found: dict[int, list[Row]] = {}
    for edit in view.timeline.ordered:
        here = edit.position
        at_start = here.iteration == t - 1 and here.op == count
        if at_start or (here.iteration == t and here <= view.position):
            row = Row(line(("    * ", "now"), (f"{safe(edit.text)}  at {here}", "dim")))
            found.setdefault(0 if at_start else here.op, []).append(row)
    return found


def _operation(scene: Scene, k: int, columns: int, *, focused: bool, stop: Run | None) -> Line:
    view = scene.view
    instruction = view.program.instructions[k]
    done = k < view.position.op or k == view.done
    mark = "▸" if k == view.done else "›" if k == view.upcoming else "✓" if done else " "
    name = "now+bold" if k == view.done else "plain" if done else "dim"
    under = "+cursor" if focused and k == scene.row else ""
    digits = max(2, len(str(len(view.program))))
    lit = "now" if k == view.done else "dim"
    head = line(stop or (" ", lit), (f"{mark} {k + 1:>{digits}}  ", lit))
    full, short = words.sentence(view.program, instruction), words.left(view.program, instruction)
    made, most = _values(scene, k), columns - width(head) - 1
    large = view.program.slots[instruction.writes].size > MOST_VALUES
    # Of a few numbers as many as there is room for; of many it tells more what was done to them.
    wanted = [full, short] if large else [short]
    values = next((v for text in wanted for v in made if v and most - width(v) >= len(text)), ())
    room = most - width(values)
    text = full if len(full) <= room or (large and len(short) < room // 2) else short
    return spread((*head, *cut(((text, name + under),), max(4, room))), values, columns)


def _values(scene: Scene, k: int) -> list[Line]:
    """The value written, more and more briefly: its numbers, its range, nothing."""
    view = scene.view
    slot = view.program.instructions[k].writes
    there = view.state.computed[slot] if k < view.position.op or k == view.done else 0
    if not there:
        return [line((UNSET + " ", "dim"))]
    array = view.state.arrays[slot].reshape(-1)
    mark = _mark(view, slot)
    known, places = array[:there], scene.places(slot)
    shape = "×".join(map(str, view.state.arrays[slot].shape))
    span = f"{signed(float(known.min()), places)} … {signed(float(known.max()), places)}{mark}"
    brief = [line((f"{shape}: {span}", "dim")), line((span, "dim")), line((mark, "dim"))]
    return brief if array.size > MOST_VALUES else [_numbers(scene, k, places, mark), *brief]


def _mark(view: View, slot: str) -> str:
    """What the reader has to know of the numbers: outdated, set by hand, of the old weights."""
    if slot in view.stale.outdated:
        return "~"
    return "*" if slot in view.edited else "°" if slot in view.stale.old else " "


def _numbers(scene: Scene, k: int, places: int, mark: str) -> Line:
    view = scene.view
    slot = view.program.instructions[k].writes
    flat, there = view.state.arrays[slot].reshape(-1), view.state.computed[slot]
    bold = "+bold" if k == view.done else ""
    shown = [
        (signed(float(flat[cell]), places), colour(float(flat[cell])) + bold) if cell < there else (UNSET, "dim")
        for cell in scene.reading_order(slot)
    ]
    runs = [part for run in shown for part in (run, (" ", "plain"))]
    return line(*runs[:-1], (mark, "dim"))
