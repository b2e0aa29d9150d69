"""What is said of a tensor above its cells, and of the cell under the cursor below them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bptui.debugger.debugger import spell
from bptui.engine.program import Target
from bptui.explain.notation import Names, number
from bptui.tui.drawing.lines import Line, Run, cut, line, width
from bptui.tui.drawing.numbers import colour, signed
from bptui.tui.drawing.stops import BARS
from bptui.tui.drawing.tensor.seen import Seen
from bptui.tui.drawing.tensor.summary import Held, Summary, moved

# A pane lower than this says of the gradient nothing, unless the reader is in it.
_LOW = 15


def header(seen: Seen, columns: int, rows: int) -> list[Line]:
    """Name, shape and type; then what all cells have in common, and as much of what the others have as fits a line."""
    name, found = _name(seen), seen.summary(seen.plane.slot)
    drawn = line("  ", (bars(found) if found.count > 1 else "", "plain"))
    above = not seen.aside and width(name) + width(drawn) <= columns
    lines = [cut((*name, *drawn) if above else name, columns)]
    slots = [slot for slot in seen.slots if slot == seen.at[0] or (rows >= _LOW and seen.summary(slot).count)]
    for slot in slots:
        head = f" {'∂ ' if slot == seen.gradient else '  ' if seen.gradient else ''}"
        if slot == seen.at[0]:
            lines += _flowed(_facts(seen, slot, drawn=not above), columns, head)
        else:
            lines += _flowed(_brief(_facts(seen, slot)), columns, head)[:1]
    return lines


def _name(seen: Seen) -> Line:
    program, plane = seen.scene.view.program, seen.plane
    name = Names(program).slot(plane.slot)
    alias = f" ({plane.slot})" if name != plane.slot and ".grad" not in plane.slot else ""
    lit = seen.scene.written[0] in seen.slots
    shape = "×".join(map(str, plane.shape)) or "one number"
    kind = seen.scene.view.state.arrays[plane.slot].dtype.name
    return line((f" {plane.spelled(name)}{alias} ", "now+bold" if lit else "bold"), (f" {shape}  {kind}", "dim"))


def _facts(seen: Seen, slot: str, *, drawn: bool = True) -> list[Line]:
    """The numbers that stand for all cells, each with its word; and the histogram, unless it is drawn elsewhere."""
    found = seen.summary(slot)
    if not found.count:
        return [line(("not computed yet", "dim"))]
    digits = seen.scene.digits or 4
    ends = (("min", found.low), ("max", found.high), ("mean", found.mean))
    whole = seen.scene.view.program.slots[slot].size
    facts = [
        *(_fact(word, value, digits) for word, value in ends),
        line(("norm ", "dim"), number(found.norm, digits)),
        line((bars(found) if drawn and found.count > 1 else "", "plain")),
        line(("zeros ", "dim"), str(found.zeros)),
        line(("nan/inf ", "dim"), (str(found.odd), "bold" if found.odd else "plain")),
        line((f"of {found.count} of {whole} cells", "dim")) if found.count < whole else (),
        _moved(seen, slot),
    ]
    return [fact for fact in facts if fact]


def _brief(facts: Sequence[Line]) -> list[Line]:
    """The most telling first: numbers that are none, the ends, the norm; the rest as there is room."""
    order = ("nan/inf ", "min ", "max ", "norm ")
    found = {fact[0][0]: fact for fact in facts}
    first = [found[word] for word in order if word in found and (word != order[0] or found[word][1][0] != "0")]
    return [*first, *(fact for fact in facts if fact not in first)]


def _moved(seen: Seen, slot: str) -> Line:
    """How far this iteration's update has moved the cell that it moved most, where it has begun."""
    before = seen.scene.view.before.get(slot)
    if before is None or not seen.scene.view.program.slots[slot].persistent:
        return ()
    most = moved(seen.scene.held(slot), Held(before))
    return line(("moved by up to ", "dim"), (number(most, 3), "plain"))


def _fact(word: str, value: float, digits: int) -> Line:
    return line((f"{word} ", "dim"), (_plus(value, digits), colour(value)))


def _plus(value: float, digits: int) -> str:
    return f"{'+' * (value > 0)}{number(value, digits)}"


def bars(found: Summary) -> str:
    """The histogram, a bar for each part of the range; a part without cells has none."""
    most = max(found.bars) or 1
    return "".join(BARS[math.ceil(count / most * len(BARS)) - 1] if count else " " for count in found.bars)


def _flowed(facts: Sequence[Line], columns: int, head: str) -> list[Line]:
    """As many on a line as there is room for."""
    lines: list[list[Run]] = []
    for fact in facts:
        if lines and width(tuple(lines[-1])) + 2 + width(fact) <= columns:
            lines[-1] += [("  ", "plain"), *fact]
        else:
            lines.append([(head if not lines else " " * len(head), "dim+italic"), *fact])
    return [cut(line(*runs), columns) for runs in lines]


def footer(seen: Seen, columns: int) -> Line:
    """The cell where the reader is: its value, its gradient, and what the update has made of what."""
    scene, (slot, cell) = seen.scene, seen.at
    name = spell(scene.view.program, Target(slot, (cell,)))
    runs: list[Run] = [(f" {name} ", "dim"), *_number(seen, slot, cell)]
    if seen.gradient and not seen.aside:
        runs += [("  ∂ ", "dim+italic"), *_number(seen, seen.gradient, cell)]
    was = scene.before(slot, cell)
    if was is not None:
        by = scene.view.number(slot, cell) - was
        runs.append((f"  was {signed(was, scene.places(slot)).strip()} ({_plus(by, 3)})", "dim"))
    return cut(line(*runs), columns)


def _number(seen: Seen, slot: str, cell: int) -> list[Run]:
    if not seen.scene.view.is_computed(slot, cell):
        return [(seen.scene.unset(slot), "dim")]
    value = seen.scene.view.number(slot, cell)
    style = colour(value) + ("+italic" if ".grad" in slot else "")
    return [(signed(value, seen.scene.places(slot)).strip(), style)]
