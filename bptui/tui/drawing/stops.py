"""Breakpoints and watches as lists, and the marks that they leave elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bptui.debugger.breakpoints import Breakpoint
from bptui.debugger.watches import Watched
from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.explain import words
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, Run, cut, line, spread, width, wrapped
from bptui.tui.drawing.numbers import UNSET, colour, decimals, signed
from bptui.tui.scene import Scene, Stops

BARS = "▁▂▃▄▅▆▇█"
_SPARK = 12
# A condition that may hold after more operations than these is a condition on all, and marks none.
_FEW = 4
_HINT = (
    "No breakpoints and no watches yet.",
    "b  stops at the operation under the program's cursor, or at what you type: backward, on w5, if loss < 0.1, nan …",
    "w  watches an expression: its value, and how it changed, wherever one is.",
)


def listed(scene: Scene, columns: int, *, focused: bool = False) -> list[Line]:
    """A line for each breakpoint, then one for each watch; a hint where there are none."""
    stops = scene.stops
    if not len(stops):
        return [part for text in _HINT for part in wrapped(f" {text}", columns - 2, "dim", "    ")]
    program = scene.view.program
    lines = [_breakpoint(program, one, columns, here=one.number in stops.here) for one in stops.breakpoints]
    lines += _watches(stops, columns, scene.digits)
    if focused:
        lines[stops.chosen] = tuple((text, f"{name}+cursor") for text, name in lines[stops.chosen])
    return lines


def deeds(scene: Scene, columns: int) -> Line:
    """What can be done with the row that is chosen, and how there come to be more."""
    text = f" enter {_switching(scene.stops)}, backspace forgets it; b and w add more"
    return cut(line((text, "dim")), columns)


def _switching(stops: Stops) -> str:
    count = len(stops.breakpoints)
    if stops.chosen < count:
        return f"switches it {'off' if stops.breakpoints[stops.chosen].enabled else 'on'}"
    drawn = stops.watched[stops.chosen - count].number == stops.plotted
    return "draws the loss again" if drawn else "draws its curve"


def _breakpoint(program: Program, one: Breakpoint, columns: int, *, here: bool) -> Line:
    """`▸●  2  7  ∂E/∂W1 once       ignored 3×  met 4×`."""
    name = "now+bold" if here else "plain" if one.enabled else "dim"
    head = f" {'▸' if here else ' '}{mark(one)} {one.number:>2}  "
    said = [] if one.enabled else ["disabled"]
    said += [f"ignored {one.ignore}×"] * bool(one.ignore) + [f"met {one.hits}×"]
    numbered = one.condition.text.isdecimal()
    what = f"  {words.left(program, program.instructions[one.condition.places[0]])}" if numbered else ""
    left = line((head, name), (safe(one.text), name), (what, "dim"))
    return spread(left, line(("  ".join(said) + " ", "dim")), columns)


def mark(one: Breakpoint) -> str:
    """Round for a place, square for a condition; hollow where it is disabled."""
    return ("●○" if _is_place(one) else "◆◇")[not one.enabled]


def _is_place(one: Breakpoint) -> bool:
    return not one.condition.reads and not one.condition.not_finite and one.text.split()[0] != "on"


def marks(breakpoints: Sequence[Breakpoint]) -> Mapping[int, Run]:
    """Operation → the mark of a breakpoint there; an enabled one goes before a disabled one."""
    found: dict[int, Run] = {}
    for one in sorted(breakpoints, key=lambda one: (one.enabled, _is_place(one))):
        for place in one.condition.places if _is_place(one) or len(one.condition.places) <= _FEW else ():
            found[place] = mark(one), "plain+bold" if one.enabled else "dim"
    return found


def _watches(stops: Stops, columns: int, digits: int | None) -> list[Line]:
    """Texts, values, changes and curves under each other; from the right end on what there is no room for goes."""
    drawn = ["▸" if one.number == stops.plotted else " " for one in stops.watched]
    texts = [f"{shown}= {one.number:>2}  {safe(one.text)} " for shown, one in zip(drawn, stops.watched, strict=True)]
    values = [value(one.value, digits) for one in stops.watched]
    changes = [_changed(one.change, digits) for one in stops.watched]
    curves = [_spark(stops, one) for one in stops.watched]
    alone = [k for k, one in enumerate(stops.watched) if np.asarray(one.value).size == 1]
    wide = [max((width(block[k]) for k in alone), default=0) for block in (values, changes, curves)]
    lines = []
    for k, text in enumerate(texts):
        room, right = columns - len(text) - 2, line()
        for block, least in zip((values, changes, curves), wide, strict=True):
            part = line(" " * (least - width(block[k])), *block[k]) if k in alone else block[k]
            if part and (not right or width(right) + width(part) < room):
                right = line(*right, *part, " ")
        lines.append(spread(line((f" {text}", "plain")), right, columns))
    return lines


def _spark(stops: Stops, one: Watched) -> Line:
    """Nothing for an array, which has no curve."""
    recent = stops.recent.get(one.number, np.zeros(0))
    return line((spark(recent, _SPARK), "dim")) if np.isfinite(recent).any() else ()


def value(number: Any, digits: int | None) -> Line:
    """A number coloured by its sign, an array as its range; a dot where it is not computed."""
    if number is None:
        return line((UNSET, "dim"))
    array = np.asarray(number)
    if array.dtype == bool:
        return line((_truths(array), "plain"))
    places = decimals(array, array.size, digits or 4)
    if array.size == 1:
        only = float(array.reshape(-1)[0])
        return line((signed(only, places), f"{colour(only)}+bold"))
    return line((f"{signed(float(array.min()), places)} … {signed(float(array.max()), places)}", "plain"))


def _truths(array: Array) -> str:
    return str(bool(array.reshape(-1)[0])) if array.size == 1 else f"{int(array.sum())} of {array.size}"


def _changed(change: Any | None, digits: int | None) -> Line:
    """The change in brackets, of an array the largest; nothing where nothing changed."""
    if change is None or not np.any(change):
        return line()
    array = np.asarray(change)
    most = float(array.reshape(-1)[np.argmax(np.abs(array))])
    text = f"({signed(most, decimals(np.array([most]), 1, digits or 4))})"
    return line((text, "dim"))


def spark(values: Array, columns: int) -> str:
    """The last values as bars of eight heights between the smallest and the largest; `!` is no finite number."""
    shown = values[-columns:].astype(float)
    finite = shown[np.isfinite(shown)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    step = (high - low) / (len(BARS) - 1) or 1.0
    return "".join(BARS[round((v - low) / step)] if np.isfinite(v) else "!" for v in shown)


def watched_bar(scene: Scene, columns: int) -> Line:
    """All watches on one line, for a screen that has no room for their pane."""
    runs: list[Run] = []
    for one in scene.stops.watched:
        shown = [*value(one.value, scene.digits), (" ", "plain"), *_changed(one.change, scene.digits), (" ", "plain")]
        runs += [(f" {safe(one.text)} ", "dim"), *shown]
    made = line(*runs)
    return made if width(made) <= columns else cut(made, columns)
