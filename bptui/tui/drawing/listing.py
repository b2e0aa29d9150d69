"""The program as a flat listing by phase: what is done, what comes next, values at a glance."""

from __future__ import annotations

from dataclasses import dataclass

from bptui.debugger.view import View
from bptui.tui.drawing import words
from bptui.tui.drawing.lines import Line, cut, line, spread, width
from bptui.tui.drawing.numbers import UNSET, colour, signed
from bptui.tui.scene import Scene

MOST_VALUES = 4


@dataclass(frozen=True)
class Row:
    """A line of the listing; `op` is the operation's index, or −1 for a heading or an edit."""

    line: Line
    op: int = -1


def listing(scene: Scene, columns: int, *, headings: bool = True, focused: bool = False) -> list[Row]:
    """Every row, in order."""
    view, rows, phase = scene.view, [], ""
    rows += _edits(view, 0)
    for k, instruction in enumerate(view.program.instructions):
        if headings and instruction.phase != phase:
            phase = instruction.phase
            rows.append(Row(line(("  " + phase, "dim"))))
        rows.append(Row(_operation(scene, k, columns, focused=focused), k))
        rows += _edits(view, k + 1)
    return rows


def _edits(view: View, op: int) -> list[Row]:
    """Edits of this iteration, as marked rows just after the operation at their position."""
    t, count = view.position.iteration, len(view.program)
    rows = []
    for edit in view.timeline.ordered:
        at_start = op == 0 and edit.position.iteration == t - 1 and edit.position.op == count
        if at_start or (edit.position.iteration == t and edit.position.op == op and edit.position <= view.position):
            rows.append(Row(line(("    * ", "now"), (f"{edit.text}  at {edit.position}", "dim"))))
    return rows


def _operation(scene: Scene, k: int, columns: int, *, focused: bool) -> Line:
    view = scene.view
    instruction = view.program.instructions[k]
    done = k < view.position.op or k == view.done
    mark = "▸" if k == view.done else "›" if k == view.upcoming else "✓" if done else " "
    name = "now+bold" if k == view.done else "plain" if done else "dim"
    under = "+cursor" if focused and k == scene.row else ""
    head = (f" {mark} {k + 1:>2}  ", ("now" if k == view.done else "dim"))
    full, short = words.sentence(view.program, instruction), words.left(view.program, instruction)
    values = next(v for v in _values(scene, k) if columns - width((head, *v)) > len(short) or not v)
    room = columns - width((head, *values)) - 1
    text = full if len(full) <= room else short
    return spread((head, *cut(((text, name + under),), max(4, room))), values, columns)


def _values(scene: Scene, k: int) -> list[Line]:
    """The value written, more and more briefly: its numbers, its range, nothing."""
    view = scene.view
    slot = view.program.instructions[k].writes
    there = view.state.computed[slot] if k < view.position.op or k == view.done else 0
    if not there:
        return [line((UNSET + " ", "dim")), ()]
    array = view.state.arrays[slot].reshape(-1)
    mark = _mark(view, slot)
    known, places = array[:there], scene.places(slot)
    shape = "×".join(map(str, view.state.arrays[slot].shape))
    span = f"{shape}: {signed(float(known.min()), places)} … {signed(float(known.max()), places)}{mark}"
    brief = [line((span, "dim")), line((mark, "dim")), ()]
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
