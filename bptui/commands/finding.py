"""`find 0.174`: every cell that shows as that number at that many digits, now or earlier in this iteration.

`find relu`: every operation whose line holds a text, in the program's words or in a reader's, or that is of a kind or
of a layer that is called so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bptui.commands import speaking
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.debugger.debugger import Debugger, spell
from bptui.engine.player import State
from bptui.engine.program import Program, Target
from bptui.engine.timeline import Edit, Position, Timeline
from bptui.explain.parts import around, layer, title
from bptui.explain.words import sentence

MOST = 40
_NUMBER = re.compile(r"([+\-−]?)(\d*)(?:\.(\d*))?(?:[eE]([+\-−]?\d{1,3}))?")


@dataclass(frozen=True)
class Found:
    """A cell that held the number: since when, by what it was written, and whether it still does."""

    slot: str
    cell: int
    value: float
    since: Position
    source: str


def is_number(text: str) -> bool:
    """Whether cells are looked for rather than operations."""
    match = _NUMBER.fullmatch(text)
    return match is not None and bool(match.group(2) or match.group(3))


def operations(program: Program, text: str) -> tuple[int, ...]:
    """Where a text is to be found, with other capitals where it is nowhere as it is written. Raises CommandError."""
    for form in (str, str.lower):
        wanted = form(text)
        found = tuple(k for k in range(len(program)) if any(wanted in form(said) for said in _said(program, k)))
        if found:
            return found
    raise CommandError(f"nothing in the program is called {text[:40]!r}: find takes a name, an operation or a number")


def _said(program: Program, k: int) -> Iterator[str]:
    """All that an operation may be looked for by."""
    instruction = program.instructions[k]
    yield sentence(program, instruction)
    yield instruction.source
    yield instruction.op
    yield from (title(program, part) for part in around(program, k))
    yield from dict.fromkeys(program.cell_names.get(instruction.writes, ()))
    yield from _of_layer(program, layer(program, k))


def _of_layer(program: Program, key: str) -> Iterator[str]:
    node = next((node for node in program.network.nodes if node.key == key), None)
    if node is not None:
        yield from (node.name, node.op, *(() if key.isdigit() else (key,)))


def find(debugger: Debugger, text: str) -> list[str]:
    """Cells, line by line."""
    shows = _matcher(text.strip())
    now = debugger.look(debugger.position)
    found = list(_distinct(hit for hit in _history(debugger) if shows(hit.value)))
    if not found:
        return [f"no cell shows as {text.strip()} here or earlier in iteration {debugger.position.iteration}"]
    lines = [_line(debugger, hit, now) for hit in found[:MOST]]
    return [*lines, f"… {len(found) - MOST} more"] if len(found) > MOST else lines


def _matcher(text: str) -> Callable[[float], bool]:
    match = _NUMBER.fullmatch(text)
    assert match is not None
    sign, whole, decimals, exponent = match.groups()
    wanted = text.replace("−", "-").lstrip("+")
    if exponent is not None:
        style = f".{len(decimals or '')}e"
    else:
        style, wanted = (
            f".{len(decimals or '')}f",
            f"{'-' * (sign in ('-', '−'))}{whole or 0}" + (f".{decimals}" if decimals else ""),
        )
    target = format(float(wanted), style)
    return lambda value: bool(np.isfinite(value)) and format(value, style) == target


def _line(debugger: Debugger, hit: Found, now: State) -> str:
    name = spell(debugger.program, Target(hit.slot, (hit.cell,)))
    still = hit.cell < now.computed[hit.slot] and float(now.arrays[hit.slot].reshape(-1)[hit.cell]) == hit.value
    later = "" if still else "; no longer"
    line = f"{name} = {hit.value!r}  at {hit.since}, {hit.source}{later}"
    return Told(line, lambda: speaking.found(debugger.program, name, hit, still=still))


def _distinct(hits: Iterator[Found]) -> Iterator[Found]:
    seen: set[tuple[str, int, float]] = set()
    for hit in hits:
        if (hit.slot, hit.cell, hit.value) not in seen:
            seen.add((hit.slot, hit.cell, hit.value))
            yield hit


def _history(debugger: Debugger) -> Iterator[Found]:
    """Every value that any cell had in this iteration, up to here, in the order of time."""
    here, program = debugger.position, debugger.program
    start = Position(here.iteration - 1, len(program)) if here.iteration else Position()
    state = debugger.look(start)
    for name, slot in program.slots.items():
        if slot.persistent:
            source = (
                "as it was at the start"
                if not here.iteration or name not in program.writers
                else _source(debugger, name)
            )
            yield from _cells(state, name, range(slot.size), start, source)
    for k in range(here.op + (here.element > 0)):
        yield from _written(debugger, k)
    for edit in debugger.timeline.between(start, here):
        yield from _cells(debugger.look(edit.position), edit.slot, edit.cells, edit.position, edit.text)


def _written(debugger: Debugger, k: int) -> Iterator[Found]:
    """What instruction k wrote, before anybody edited it."""
    here, slot = debugger.position, debugger.program.instructions[k].writes
    done = Position(here.iteration, k + 1) if k < here.op else here
    earlier = [edit for edit in debugger.timeline.edits if edit.position < done or edit.slot != slot]
    state = debugger.look(done, _without_later(debugger.timeline, earlier))
    yield from _cells(state, slot, range(state.computed[slot]), done, debugger.program.instructions[k].source)


def _without_later(timeline: Timeline, edits: list[Edit]) -> Timeline:
    return timeline if len(edits) == len(timeline.edits) else Timeline(timeline.program, tuple(edits))


def _source(debugger: Debugger, slot: str) -> str:
    return debugger.program.instructions[debugger.program.writers[slot]].source


def _cells(state: State, slot: str, cells: range | tuple[int, ...], since: Position, source: str) -> Iterator[Found]:
    flat = state.arrays[slot].reshape(-1)
    for cell in cells:
        yield Found(slot, int(cell), float(flat[cell]), since, source)
