"""A row of the program: an operation with the value that it wrote, or a heading with what a folded part came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bptui.debugger.view import View
from bptui.engine.program import Program
from bptui.explain import words
from bptui.explain.folds import Entry
from bptui.explain.parts import Part, title
from bptui.files.text import safe
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.layers import described
from bptui.tui.drawing.lines import CUT, Line, Run, cut, line, spread, width
from bptui.tui.drawing.numbers import UNSET, colour, shortened, signed
from bptui.tui.drawing.tensor.summary import ends
from bptui.tui.scene import Scene

MOST_VALUES = 4
# Of a formula that is cut so many letters are to be seen; of a number cut as well as its row, so many.
_LEAST, _BRIEF = 6, 6
# With a single blank between, a value would read as a part of the formula.
_GAP = 2
# Columns that are given up so that decimal points stand in one.
_MOST_SHIFT = 4
_DEPTH = {"phase": 0, "layer": 1, "block": 2}


@dataclass(frozen=True)
class Look:
    """How rows are drawn.

    places  decimals of the row in sight that has most
    stops   operation → the mark of a breakpoint there
    cursor  whether the reader is on the row
    """

    columns: int = 0
    places: int = 0
    stops: Mapping[int, Run] = field(default_factory=dict)
    cursor: bool = False


def places(scene: Scene, entries: Iterable[Entry | None]) -> int:
    """The most decimals of the numbers in some rows."""
    shown = [_result(scene.view, entry) for entry in entries if entry is not None]
    slots = {scene.view.program.instructions[k].writes for k in shown if k is not None}
    return max((scene.places(slot) for slot in slots), default=0)


def phase(part: Part) -> Line:
    """The heading of a phase in a short program."""
    return line(("  " + part.name, "dim"))


def operation(scene: Scene, k: int, look: Look) -> Line:
    """`▸ 2  prediction = h @ W2   +0.1910`."""
    view = scene.view
    seen = _progress(view, range(k, k + 1)), k == view.done, scene.asked != "" and k == view.upcoming
    drawn_as = look.columns, look.places, look.cursor, look.stops.get(k)
    aspect = scene.aspect(view.program.instructions[k].writes)
    return _OPERATIONS.get((k, seen, drawn_as, aspect), lambda: _operation(scene, k, look))


# A row stays what it is until its operation is carried out again.
_OPERATIONS: Kept[Line] = Kept(1024)


def _operation(scene: Scene, k: int, look: Look) -> Line:
    view = scene.view
    mark = _progress(view, range(k, k + 1))
    name = "now+bold" if k == view.done else "plain" if mark == "✓" else "dim"
    digits = max(2, len(str(len(view.program))))
    lit = "now" if k == view.done else "dim"
    head = line(look.stops.get(k, (" ", lit)), (f"{mark} {k + 1:>{digits}}  ", lit))
    text, values = _fitting(scene, k, look, look.columns - width(head) - _GAP)
    return spread((*head, (text, name + _under(look))), values, look.columns)


# So many numbers are compared one by one.
_COMPARED = 2


def _fitting(scene: Scene, k: int, look: Look, most: int) -> tuple[str, Line]:
    """The formula with as much of the value as there is room for; else as much of it as leaves room for a value.

    One or two numbers are what a reader compares with his own: they are whole, and the formula is cut.
    """
    program = scene.view.program
    instruction = program.instructions[k]
    full, short = words.sentence(program, instruction), f"{words.left(program, instruction)} {CUT}"
    *made, least = _values(scene, k, look)
    if made and program.size(k) <= _COMPARED and width(made[0]) + len(short) <= most:
        return _begun(full, short, most - width(made[0])), made[0]
    for text in (full, short):
        for value in made:
            if width(value) + len(text) <= most:
                return _begun(full, short, most - width(value)), value
    return _begun(full, short, max(4, most - width(least))), least


def _begun(full: str, short: str, room: int) -> str:
    """A formula cut with a sign, or what is written where no more than that would be left."""
    text = full if room >= min(len(full), len(short) + _LEAST) else short
    return "".join(part for part, _ in cut(line(text), room))


def heading(scene: Scene, part: Part, look: Look, *, opened: bool, inside: str) -> Line:
    """`▾ att  multi-head 2   18 operations`; of a folded part what it came to, and the marks of what is in it."""
    view = scene.view
    here = not opened and view.done in part.ops
    mark = " " if opened else _progress(view, part.ops)
    lit = "now" if here else "dim"
    stop = (" ", lit) if opened else next((look.stops[k] for k in sorted(look.stops) if k in part.ops), (" ", lit))
    name = "now+bold" if here else "plain" if mark == "✓" else "dim"
    head = line(stop, (f"{mark} {'  ' * _DEPTH[part.kind]}{'▾' if opened else '▹'} ", lit))
    called = (safe(title(view.program, part)), name + _under(look))
    kind, count = f"  {kind_of(view.program, part)}".rstrip(), f"{len(part.ops)} operation{'s' * (len(part.ops) > 1)} "
    if opened:
        return spread(line(*head, called, (kind, "dim")), line((count, "dim")), look.columns)
    made, most = _came_to(scene, part, inside, look), look.columns - width(head) - 1
    more = [f"{kind}  {len(part.ops)} ops", f"  {len(part.ops)} ops", kind, ""]
    texts = [line(called, (text, "dim")) for text in more]
    values = next((v for text in texts for v in made if most - width(v) >= width(text)), made[-1])
    text = next((text for text in texts if width(text) <= most - width(values)), texts[-1])
    return spread((*head, *cut(text, max(4, most - width(values)))), values, look.columns)


def kind_of(program: Program, part: Part) -> str:
    """What a layer is: `conv 6 5 relu`."""
    node = next((node for node in program.network.nodes if part.kind == "layer" and node.key == part.name), None)
    return "" if node is None else safe(described(node))


def _came_to(scene: Scene, part: Part, inside: str, look: Look) -> list[Line]:
    """The value of the last of its operations that is done, more and more briefly."""
    k = _result(scene.view, part)
    made = [line((UNSET + " ", "dim"))] if k is None else [v for v in _values(scene, k, look) if v]
    mark = inside or ("~" if _outdated(scene.view, part) else "")
    return made if not mark or made[0][-1][0].endswith("!") else [_marked(value, mark) for value in made]


def _marked(value: Line, mark: str) -> Line:
    """With another mark at its end."""
    text, name = value[-1]
    return (*value[:-1], (text[:-1] + mark, name))


def _outdated(view: View, part: Part) -> bool:
    """Whether an edit has outdated what any of its operations wrote."""
    return any(view.program.writers[slot] in part.ops for slot in view.stale.outdated)


def _under(look: Look) -> str:
    return "+cursor" if look.cursor else ""


def _progress(view: View, ops: range) -> str:
    """Whether one is there, comes there next, has been there, or none of these."""
    if view.done in ops:
        return "▸"
    return "›" if view.upcoming in ops else "✓" if ops.stop <= view.position.op else " "


def _result(view: View, entry: Entry) -> int | None:
    """The operation whose value a row shows: its own, or the last one of a part that is done; None where none is."""
    ops = range(entry, entry + 1) if isinstance(entry, int) else entry.ops
    if view.done in ops:
        return view.done
    return ops.stop - 1 if ops.stop <= view.position.op else None


def _values(scene: Scene, k: int, look: Look) -> list[Line]:
    """The value written, more and more briefly: its numbers, its range, what either begins with, nothing."""
    view = scene.view
    slot = view.program.instructions[k].writes
    there = view.state.computed[slot] if k < view.position.op or k == view.done else 0
    if not there:
        asked = scene.asked and k == view.upcoming
        return [line(("? ", "now")) if asked else line((UNSET + " ", "dim"))]
    array = view.state.arrays[slot].reshape(-1)
    known, most = array[:there], scene.places(slot)
    low, high, odd = ends(scene.held(slot), there)
    if odd:
        low, high = float(known.min()), float(known.max())
    mark = "!" if odd else _mark(view, slot)
    # More of it is better than decimal points in one column.
    shift = " " * min(_MOST_SHIFT, look.places - most) * (most >= 0)
    tails = [(shift + mark, "dim"), (mark, "dim")] if shift else [(mark, "dim")]
    whole, *brief = _written(scene, k, (low, high), most)
    texts = [line(*whole, end) for end in tails]
    return [*texts, *(line(*each, (mark, "dim")) for each in brief), line((mark, "dim"))]


def _written(scene: Scene, k: int, ends: tuple[float, float], places: int) -> list[Line]:
    """Some numbers one by one, many as their range; more and more briefly."""
    view = scene.view
    array = view.state.arrays[view.program.instructions[k].writes]
    if array.size > MOST_VALUES:
        return _spans(array.shape, ends, places)
    whole, *brief = _few(scene, k, places)
    between = _spans(array.shape, ends, places)[1:-1] if array.size > 1 else []
    return [whole, *sorted([*brief, *between], key=width, reverse=True)]


def _few(scene: Scene, k: int, places: int) -> list[Line]:
    """All numbers, all with fewer digits, the first."""
    brief = _numbers(scene, k, lambda value: shortened(value, places, _BRIEF))
    alone = [line(*brief[:1], (f" {CUT}", "dim"))] if len(brief) > 1 else []
    return [_numbers(scene, k, lambda value: signed(value, places)), brief, *alone]


def _spans(shape: tuple[int, ...], ends: tuple[float, float], places: int) -> list[Line]:
    """The shape and the range, the range, that with fewer digits, its beginning."""
    span = f" {CUT} ".join(signed(end, places) for end in ends)
    low, high = (shortened(end, places, _BRIEF) for end in ends)
    texts = [f"{'×'.join(map(str, shape))}: {span}", span, f"{low} {CUT} {high}", f"{low} {CUT}"]
    return [line((text, "dim")) for text in texts]


def _mark(view: View, slot: str) -> str:
    """What the reader has to know of the numbers: outdated, set by hand, of the old weights."""
    if slot in view.stale.outdated:
        return "~"
    return "*" if slot in view.edited else "°" if slot in view.stale.old else " "


def _numbers(scene: Scene, k: int, written: Callable[[float], str]) -> Line:
    view = scene.view
    slot = view.program.instructions[k].writes
    flat, there = view.state.arrays[slot].reshape(-1), view.state.computed[slot]
    bold = "+bold" if k == view.done else ""
    shown = [
        (written(float(flat[cell])), colour(float(flat[cell])) + bold) if cell < there else (scene.unset(slot), "dim")
        for cell in scene.reading_order(slot)
    ]
    runs = [part for run in shown for part in (run, (" ", "plain"))]
    return line(*runs[:-1])
