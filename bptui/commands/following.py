"""What followed from an edit: the prediction and the loss, before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bptui.commands.registry import CommandError, find
from bptui.commands.rooms import ROOMS
from bptui.commands.session import Session
from bptui.debugger.debugger import spell
from bptui.debugger.staleness import staleness
from bptui.debugger.view import View
from bptui.engine.program import Target
from bptui.engine.timeline import Edit
from bptui.explain.notation import number

# Of a change the fewest digits that show it; what none of them shows is none.
_DIGITS = (4, 6, 8)


def edits(line: str) -> bool:
    """Whether a line of the command language changes values."""
    try:
        return ROOMS[find(line.split(None, 1)[0]).verb] == "editing"
    except (IndexError, CommandError):
        return False


def followed(before: View, after: View) -> list[str]:
    """`prediction 0.191 → 0.327`, `E 0.3272 → 0.2265`: what changed at once, or that it is outdated now."""
    outdated = _outdated(before, after)
    said = [f"{' and '.join(outdated)} as computed before it, marked ~"] if outdated else []
    return [*_changes(before, after), *said]


def outdating(view: View, slot: str, cell: int) -> list[str]:
    """What an edit of a cell from here on would leave as it was computed before it."""
    edit = Edit(view.position, slot, (cell,), np.zeros(1), serial=0)
    edited = staleness(view.timeline.with_edit(edit), view.position)
    return _outdated(view, replace(view, stale=edited))


def sentence(session: Session, before: View) -> str:
    """What changed at once as a line of its own, or nothing."""
    return ", ".join(_changes(before, session.debugger.view()))


def _changes(before: View, after: View) -> Iterator[str]:
    return filter(None, (_change(before, after, slot, name) for slot, name in _results(after)))


def _results(view: View) -> Iterator[tuple[str, str]]:
    """The prediction where that is one number, and the loss, with what a reader calls them."""
    program = view.program
    if program.output and program.slots[program.output].size == 1:
        yield program.output, spell(program, Target(program.output, (0,)))
    yield "loss", program.name("loss")


def _change(before: View, after: View, slot: str, name: str) -> str:
    if not (before.is_computed(slot) and after.is_computed(slot)):
        return ""
    old, new = before.number(slot), after.number(slot)
    shown = next(((a, b) for n in _DIGITS if (a := number(old, n)) != (b := number(new, n))), None)
    return "" if shown is None else f"{name} {shown[0]} → {shown[1]}"


def _outdated(before: View, after: View) -> list[str]:
    return [name for slot, name in _results(after) if _newly(before, after, slot)]


def _newly(before: View, after: View, slot: str) -> bool:
    return after.is_computed(slot) and after.is_outdated(slot) and not before.is_outdated(slot)
