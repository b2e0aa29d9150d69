"""The names that a line of the command language may hold: of cells, positions, stops, branches, networks and files."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from bptui.commands.wording import number_text
from bptui.debugger import expressions, health
from bptui.debugger.debugger import Debugger
from bptui.debugger.expressions.values import FUNCTIONS, METHODS
from bptui.debugger.metrics import available
from bptui.debugger.rows import NotComputedError
from bptui.engine.program import Program
from bptui.engine.timeline import START, normal
from bptui.files.examples import examples as built_in
from bptui.files.text import safe

_NAME = re.compile(r"[^\W\d][\w.]*$")
# A folder may hold any number of files, and is looked at again with every letter.
_MOST_FILES = 2000


@dataclass(frozen=True)
class Candidate:
    """What may stand in a line, and what it is."""

    text: str
    note: str = ""


def begun(text: str) -> int:
    """Where the name begins that a text ends with; its end where it ends with none."""
    found = _NAME.search(text)
    return len(text) if found is None else found.start()


def names(program: Program, typed: str, *, functions: bool = False) -> Iterator[Candidate]:
    """Labels, slots, and what may follow the dot of one; functions and metrics where an expression may stand."""
    base, dot, _ = typed.rpartition(".")
    if dot:
        yield from _parts(program, base, methods=functions)
        return
    plain = [slot for slot in program.slots if "." not in slot]
    shapes = program.slots
    yield from (Candidate(label, _where(label, target.slot)) for label, target in program.targets.items())
    yield from (Candidate(slot, _shape(shapes[slot].shape)) for slot in plain)
    yield from (Candidate(slot, _shape(shapes[slot].shape)) for slot in shapes if "." in slot)
    if functions:
        yield from (Candidate(f"{name}(") for name in FUNCTIONS)
        yield from (Candidate(name) for name in available(program.network))


def _parts(program: Program, base: str, *, methods: bool) -> Iterator[Candidate]:
    slot = base if base in program.slots else program.targets[base].slot if base in program.targets else ""
    if not slot:
        return
    for name in program.slots:
        if name.startswith(f"{slot}."):
            yield Candidate(f"{base}{name.removeprefix(slot)}", "the gradient" if name.endswith(".grad") else "")
    if methods:
        yield from (Candidate(f"{base}.{method}()") for method in METHODS)


def _where(label: str, slot: str) -> str:
    return "" if label == slot else f"in {slot}"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def present(debugger: Debugger, target: str, *, space: bool) -> Iterator[Candidate]:
    """The number that a cell has, where a new one is to be written."""
    with contextlib.suppress(ValueError, NotComputedError):
        value = np.asarray(expressions.parse(debugger.program, target)(debugger.look(debugger.position)))
        if value.size == 1:
            yield Candidate(" " * space + number_text(value.reshape(-1)[0]), "what it is now")


def positions(debugger: Debugger) -> Iterator[Candidate]:
    """Moments that one may want to go to: starts, edits, stops."""
    here, program = debugger.position, debugger.program
    yield Candidate(str(normal(program, here.iteration, 0, 0)), "the start of this iteration")
    yield Candidate(str(START), "the very start")
    yield from (Candidate(str(edit.position), safe(edit.text)) for edit in debugger.timeline.ordered)
    yield from (Candidate(str(place), "a breakpoint was met") for place in debugger.breakpoints.met)
    yield Candidate(str(debugger.end), "the end")


def illnesses(program: Program) -> Iterator[Candidate]:
    """What this network's training may fall ill with, and how it is asked for more closely."""
    for kind, (_, usage) in health.KINDS.items():
        with contextlib.suppress(expressions.ExpressionError):
            health.parse(program, kind, [])
            yield Candidate(kind, usage)


def breakpoints(debugger: Debugger, *, enabled: bool | None = None) -> Iterator[Candidate]:
    """Their numbers: of all, or of those that stop, or do not."""
    for number, one in debugger.breakpoints.all.items():
        if enabled in (None, one.enabled):
            yield Candidate(str(number), one.text)


def branches(debugger: Debugger) -> Iterator[Candidate]:
    """The other branches."""
    known = debugger.branches
    return (Candidate(name, f"reached {known.reached[name]}") for name in known.all if name != known.name)


def examples() -> Iterator[Candidate]:
    """The built-in networks."""
    return (Candidate(name, title) for name, title in built_in())


def files(typed: str, endings: tuple[str, ...]) -> Iterator[Candidate]:
    """Files with such names and folders, as far as a path is typed; none with a sign that can't be shown."""
    begun_name = typed.rpartition("/")[2]
    before = typed[: len(typed) - len(begun_name)]
    with contextlib.suppress(OSError, ValueError), os.scandir(before or ".") as found:
        for one in sorted(islice(found, _MOST_FILES), key=lambda entry: entry.name):
            name = one.name + "/" * one.is_dir()
            hidden = name.startswith(".") and not begun_name.startswith(".")
            if not hidden and safe(name) == name and name.endswith((*endings, "/")):
                yield Candidate(before + name)
