"""A debugger's state as flat JSON values, and back: what a session keeps. Positions and bits are the same again.

Keys are stable, and each says one thing, so that what a command changed is the few keys that differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from bptui.debugger import expressions
from bptui.debugger.branches import Branch, Branches, Change
from bptui.debugger.breakpoints import Breakpoint, parse
from bptui.debugger.editing import DebuggerError
from bptui.debugger.stops import Breakpoints
from bptui.debugger.watches import Watches
from bptui.engine import timeline as time
from bptui.engine.program import Program
from bptui.engine.timeline import Edit, Position, Timeline

if TYPE_CHECKING:
    from bptui.debugger.debugger import Debugger

Json = Any
_One = TypeVar("_One")
_DIGITS = 12


def memento(debugger: Debugger) -> dict[str, Json]:
    """Everything that is not the program, by key."""
    branches = debugger.branches
    result: dict[str, Json] = {
        "position": str(debugger.position), "branch": branches.name,
        "numbers": {"breakpoint": debugger.breakpoints.following, "watch": debugger.watches.following},
    }  # fmt: skip
    changes = [*branches.undoable, *branches.redoable]
    for edit in _edits(branches, changes):
        result[f"edit/{edit.serial}"] = _edit(edit)
    for branch in branches.all.values():
        result[f"branch/{branch.name}"] = _branch(branch)
        result[f"reached/{branch.name}"] = str(branches.reached[branch.name])
    for word, stack in (("undo", branches.undoable), ("redo", branches.redoable)):
        result |= {f"{word}/{k}": _change(change) for k, change in enumerate(stack)}
    for number, one in debugger.breakpoints.all.items():
        result[f"breakpoint/{number}"] = {
            "stop": one.condition.text, "enabled": one.enabled, "hits": one.hits, "ignore": one.ignore,
            "once": one.once,
        }  # fmt: skip
    result |= {f"watch/{number}": one.text for number, one in debugger.watches.all.items()}
    return result


def restore(debugger: Debugger, kept: Mapping[str, Json]) -> None:
    """The state that was kept, on the program that is there. Raises DebuggerError where it does not fit."""
    program = debugger.program
    try:
        edits = {int(name): _read_edit(program, int(name), value) for name, value in _under(kept, "edit")}
        branches = _read_branches(program, kept, edits)
        breakpoints, watches = Breakpoints(), Watches()
        for name, value in _under(kept, "breakpoint"):
            breakpoints.put(_read_breakpoint(program, int(name), value))
        for name, value in _under(kept, "watch"):
            watches.put(int(name), expressions.parse(program, str(value)))
        for numbered, word in ((breakpoints, "breakpoint"), (watches, "watch")):
            numbered.following = max(numbered.following, int(kept["numbers"][word]))
        position = _read_position(program, str(kept["position"]))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        text = _told(error)
        raise DebuggerError(f"the session does not fit the network: {text}") from None
    time.reserve(max(edits, default=0))
    debugger.branches, debugger.breakpoints, debugger.watches = branches, breakpoints, watches
    debugger.goto(position)
    # A change is one since the place where the session was left.
    debugger.watched()


def _told(error: Exception) -> str:
    match error:
        case ValueError():
            return str(error)
        case KeyError():
            return f"{error} is missing"
    return f"{type(error).__name__} {error}"


def _edits(branches: Branches, changes: list[Change]) -> Iterator[Edit]:
    """Every edit that a branch has, had or may have again, in the order of their numbers."""
    states = [state for change in changes for state in (*change.before.values(), *change.after.values()) if state]
    lists = {id(one.timeline): one.timeline.edits for one in (*branches.all.values(), *states)}
    whole: list[tuple[Edit, ...]] = []
    for edits in sorted(lists.values(), key=len, reverse=True):
        # Most are the beginning of a longer one, which is found at once; to go through each takes the square of it.
        if not any(longer[: len(edits)] == edits for longer in whole):
            whole.append(edits)
    known = {edit.serial: edit for edits in whole for edit in edits}
    yield from (known[serial] for serial in sorted(known))


def _once(tell: Callable[[_One], Json]) -> Callable[[_One], Json]:
    """What is frozen is told once: the same value again, so that a command costs what it changed."""
    known: WeakKeyDictionary[_One, Json] = WeakKeyDictionary()

    def told(one: _One) -> Json:
        if one not in known:
            known[one] = tell(one)
        return known[one]

    return told


@_once
def _edit(edit: Edit) -> Json:
    values = [float(value) for value in edit.values]
    alike = len({repr(value) for value in values}) == 1  # 0.0 and -0.0 are not
    whole = edit.cells == tuple(range(len(edit.cells)))
    return {
        "at": str(edit.position), "slot": edit.slot,
        "cells": len(edit.cells) if whole else list(edit.cells),
        "values": values[0] if alike else values,
        "text": edit.text, "nudge": edit.nudge,
    }  # fmt: skip


def _read_edit(program: Program, serial: int, value: Json) -> Edit:
    slot = program.slots.get(str(value["slot"]))
    if slot is None or not slot.editable:
        raise ValueError(f"an edit of {str(value['slot'])[:40]}, which can't be edited here")
    cells = range(value["cells"]) if isinstance(value["cells"], int) else value["cells"]
    if not cells or len(cells) > slot.size or not all(type(cell) is int and 0 <= cell < slot.size for cell in cells):
        raise ValueError(f"an edit of cells that {slot.name} does not have")
    values = np.broadcast_to(np.array(value["values"], np.float64), (len(cells),)).copy()
    if not np.isfinite(values).all():
        raise ValueError(f"an edit of {slot.name} to what is no finite number")
    place = _read_position(program, str(value["at"]))
    return Edit(place, slot.name, tuple(cells), values, str(value["text"]), int(value["nudge"]), serial)


@_once
def _branch(branch: Branch) -> Json:
    return {
        "edits": _runs([edit.serial for edit in branch.timeline.edits]),
        "parent": branch.parent, "at": str(branch.at),
    }  # fmt: skip


def _runs(serials: list[int]) -> str:
    """`1-3 7` of 1, 2, 3, 7: every edit tells of all before it, and that should not take a line each time."""
    firsts = [k for k, serial in enumerate(serials) if not k or serial != serials[k - 1] + 1]
    runs = [serials[first:end] for first, end in itertools.pairwise([*firsts, len(serials)])]
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _serials(runs: str, edits: Mapping[int, Edit]) -> Iterator[int]:
    """What `1-3 7` means; a run longer than there are edits means nothing."""
    for run in runs.split():
        first, _, last = run.partition("-")
        serials = range(int(first), int(last or first) + 1)
        if len(serials) > len(edits):
            raise ValueError(f"edits {run[:40]} are not there")
        yield from serials


def _found(edits: Mapping[int, Edit], serial: int) -> Edit:
    if serial not in edits:
        raise ValueError(f"edit {str(serial)[:40]} is missing")
    return edits[serial]


def _read_branch(program: Program, name: str, value: Json, edits: Mapping[int, Edit]) -> Branch:
    timeline = Timeline(program, tuple(_found(edits, serial) for serial in _serials(value["edits"], edits)))
    return Branch(name, timeline, str(value["parent"]), _read_position(program, str(value["at"])))


@_once
def _change(change: Change) -> Json:
    before, after = (
        {name: branch and _branch(branch) for name, branch in states.items()}
        for states in (change.before, change.after)
    )
    return {
        "edit": change.edit.serial, "before": before, "after": after, "left": change.left, "entered": change.entered,
    }  # fmt: skip


def _read_change(program: Program, value: Json, edits: Mapping[int, Edit]) -> Change:
    before, after = (
        {str(name): state and _read_branch(program, str(name), state, edits) for name, state in value[word].items()}
        for word in ("before", "after")
    )
    return Change(_found(edits, value["edit"]), before, after, str(value["left"]), str(value["entered"]))


def _read_branches(program: Program, kept: Mapping[str, Json], edits: Mapping[int, Edit]) -> Branches:
    branches = Branches(Timeline(program))
    branches.all = {name: _read_branch(program, name, value, edits) for name, value in _under(kept, "branch")}
    branches.reached = {name: _read_position(program, str(kept[f"reached/{name}"])) for name in branches.all}
    branches.name = str(kept["branch"])
    if branches.name not in branches.all:
        raise ValueError(f"no branch is called {branches.name[:40]}")
    for branch in branches.all.values():
        _check_parents(branches, branch)
    branches.undoable = [_read_change(program, value, edits) for _, value in _under(kept, "undo")]
    branches.redoable = [_read_change(program, value, edits) for _, value in _under(kept, "redo")]
    return branches


def _check_parents(branches: Branches, branch: Branch) -> None:
    """Every branch comes from the first, by way of those there are."""
    seen: set[str] = set()
    while branch.parent:
        if branch.name in seen or branch.parent not in branches.all:
            raise ValueError(f"branch {branch.name[:40]} comes from nowhere")
        seen.add(branch.name)
        branch = branches.all[branch.parent]


def _read_breakpoint(program: Program, number: int, value: Json) -> Breakpoint:
    return Breakpoint(
        number, parse(program, str(value["stop"])), bool(value["enabled"]), int(value["hits"]), int(value["ignore"]),
        bool(value["once"]),
    )  # fmt: skip


def _read_position(program: Program, text: str) -> Position:
    """A place where somebody has been, however far on."""
    return time.parse(program, text, _DIGITS)


def _under(kept: Mapping[str, Json], word: str) -> list[tuple[str, Json]]:
    """What stands under `word/`, by number where it is numbered."""
    found = [(key.partition("/")[2], value) for key, value in kept.items() if key.startswith(f"{word}/")]
    return sorted(found, key=lambda item: (int(item[0]) if item[0].isdecimal() else 0, item[0]))
