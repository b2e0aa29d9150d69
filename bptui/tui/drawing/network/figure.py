"""The network as a textbook draws it: neurons in columns, weights on the lines between them, the operation lit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptui.engine.network import Array
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.layers import drawable
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.network.ink import WIDEST
from bptui.tui.drawing.network.lit import Flow, flow, lit
from bptui.tui.drawing.network.parts import (
    GRADIENT,
    LINE,
    SHORT,
    SUM,
    VALUE,
    Fact,
    Neuron,
    Sizes,
    all_facts,
    below,
    facts,
    gradient,
)
from bptui.tui.drawing.network.plan import Column, Form, Gap, Plan, forms, heading, plan
from bptui.tui.drawing.network.sight import Sight
from bptui.tui.drawing.numbers import colour, signed
from bptui.tui.scene import Scene

if TYPE_CHECKING:
    from bptui.tui.drawing.network.blocks import Opened

# The figure is for up to some dozens of neurons, unless it is asked for.
_DOZENS = 60
# Of more lines between two layers those of the largest weights are drawn.
_MOST_LINES = 32
# Of more lines than these none is of the widest, or they would be one field.
_FEW = 12
# A weight below this share of its layer's largest is dotted.
_SLIGHT = 0.05
# From which share on a dot is full, and half full; between which sizes a number is brief with two decimals.
_FULL, _HALF, _LEAST, _WIDE = 2 / 3, 1 / 3, 0.005, 99.5
# So many characters a brief number may have.
_BRIEF = 6
# Of a layer with more weights the largest in sight is taken for the largest.
_MANY = 4096
# By what a line is (resting, chosen, lit) and its sign: +, −, none.
_INKS = (("hot7", "cold7", "faint"), ("pos", "neg", "plain"), ("now", "now", "now"))


def figure(sight: Sight, columns: int, rows: int, view: str = "auto", opened: Opened = frozenset()) -> list[Line]:
    """The drawing, or blocks where the neurons don't fit; a moment that was seen lately is not drawn again."""
    key = sight.scene.outlook, sight.row, sight.focused, sight.reading, columns, rows, view, opened
    return _FIGURES.get(key, lambda: _figure(sight, columns, rows, view, opened))


_FIGURES: Kept[list[Line]] = Kept(256)


def _figure(sight: Sight, columns: int, rows: int, view: str, opened: Opened) -> list[Line]:
    made = planned(sight, columns, rows, view)
    if made is not None:
        return _draw(made, sight)
    from bptui.tui.drawing.network.blocks import blocks

    return blocks(sight, columns, rows, opened)


# Where all stands


def planned(sight: Sight, columns: int, rows: int, view: str = "auto") -> Plan | None:
    """The best layout that fits, or None."""
    program = sight.scene.view.program
    if view == "blocks" or not drawable(program):
        return None
    sizes = [len(layer.kin) for layer in sight.layers]
    if view == "auto" and sum(sizes) > _DOZENS:
        return None
    most = max(sizes) if view == "neurons" else max(sizes) // 4
    weights = [len(sight.layers[one.inputs[0]].kin) * len(one.kin) for one in sight.layers if one.weight]
    # Where all are in sight whatever is wanted, it makes no difference.
    firsts = tuple(
        max(0, sight.wanted.get(layer.key, 0) - rows // 2) if size > rows - 3 else 0
        for layer, size in zip(sight.layers, sizes, strict=True)
    )
    for form in forms(max(weights, default=0), rows):
        made = plan(program, form, (columns, rows), _lengths(sight, form, firsts, rows), firsts, most)
        if made is not None:
            return made
    return None


def _lengths(sight: Sight, form: Form, firsts: Sequence[int], rows: int) -> Sizes:
    """How long the numbers are that a form shows."""
    program = sight.scene.view.program
    neurons = []
    for layer, first in zip(sight.layers, firsts, strict=True):
        shown = [fact for kin in layer.kin[first : first + rows] for fact in facts(program, kin, form.level)]
        shown += [one for one in (below(kin, form.level) for kin in layer.kin[first : first + rows]) if one is not None]
        longest = max((sight.length(fact.slot, fact.cell(sight.row)) for fact in shown), default=0)
        neurons.append(min(longest, form.longest))
    labelled = [layer.weight if form.labels else "" for layer in sight.layers]
    weights = [min(_longest(sight, slot), form.longest) for slot in labelled]
    gradients = [min(_longest(sight, f"{slot}.grad"), form.longest) for slot in labelled]
    return Sizes(tuple(neurons), tuple(weights), tuple(gradients))


def _longest(sight: Sight, slot: str) -> int:
    slots = sight.scene.view.program.slots
    return max(sight.length(slot, cell) for cell in range(slots[slot].size)) if slot in slots else 0


# What is drawn


def _draw(made: Plan, sight: Sight) -> list[Line]:
    canvas = Canvas(made.width, made.height)
    lines = [_Lines(sight, gap) for gap in made.gaps]
    for one in lines:
        one.stroke(canvas)
    for column in made.columns:
        _headed(canvas, made, column)
        for neuron in column.neurons:
            _neuron(canvas, sight, neuron, made.form)
    for one in lines:
        one.label(canvas)
        one.arrows(canvas)
    _loss(canvas, sight, made)
    _say(canvas, sight, made, lines)
    return canvas.lines()


def _headed(canvas: Canvas, made: Plan, column: Column) -> None:
    """A layer's heading, and how many neurons are out of sight above and below."""
    if made.form.headed:
        text = heading(column.layer)
        canvas.write(max(0, column.x + (column.width - len(text)) // 2), 0, text, "dim")
    for count, sign, y in ((column.above, "↑", int(made.form.headed)), (column.below, "↓", made.height - 1)):
        if count:
            canvas.write(column.x, y - (sign == "↓" and column is made.columns[-1]), f"{sign} {count}", "dim")


def _neuron(canvas: Canvas, sight: Sight, neuron: Neuron, form: Form) -> None:
    scene, row = sight.scene, sight.row
    every = [(fact.slot, fact.cell(row)) for fact in all_facts(scene.view.program, neuron.kin)]
    written = any(scene.fresh(*cell) for cell in every)
    read = any(scene.lit(*cell) for cell in every)
    # The cursor may be on what is not shown: then it is the neuron itself that bears its mark.
    shown = {(fact.slot, fact.cell(row)) for fact in (*neuron.facts, *filter(None, [neuron.bias]))}
    mark = next((sight.mark(*cell) for cell in every if cell == scene.cursor and cell not in shown), "")
    name = ("now+bold" if written else "now" if read else "plain") + mark
    if form.level <= SHORT:
        _dot(canvas, sight, neuron, name, short=form.level == SHORT)
    elif form.level == LINE:
        text, style = sight.number(neuron.kin.value.slot, neuron.kin.value.cell(row), neuron.room)
        canvas.write(neuron.x, neuron.y, neuron.kin.title, name)
        canvas.write(neuron.right - 1 - len(text), neuron.y, text, style)
    else:
        frame = "now+bold" if written else "now" if read else "faint"
        canvas.box(neuron.x, neuron.y, neuron.width, neuron.height, neuron.kin.title, frame)
        canvas.write(neuron.x + 1, neuron.y, f" {neuron.kin.title} ", name + ("" if written else "+bold"))
        for k, fact in enumerate(neuron.facts, 1):
            _fact(canvas, sight, fact, neuron, neuron.y + k)
        if neuron.bias is not None:
            _fact(canvas, sight, neuron.bias, neuron, neuron.y + neuron.height - 1)


def _fact(canvas: Canvas, sight: Sight, fact: Fact, neuron: Neuron, y: int) -> None:
    canvas.write(neuron.x + 1, y, f"{fact.prefix} ", "dim+italic")
    canvas.write(neuron.x + 3, y, *sight.number(fact.slot, fact.cell(sight.row), neuron.room))


def _dot(canvas: Canvas, sight: Sight, neuron: Neuron, style: str, *, short: bool) -> None:
    """A dot, filled by a neuron's share of the largest of its layer in this row, with a sign or a short number.

    While gradients flow back it is the gradient, where there is one.
    """
    view, fact = sight.scene.view, neuron.kin.value
    slope = gradient(view.program, fact)
    back = view.phase == "backward" and slope is not None and view.is_computed(slope.slot, slope.cell(sight.row))
    fact = slope if back and slope is not None else fact
    cell = fact.cell(sight.row)
    mark = sight.mark(neuron.kin.value.slot, cell)
    lit_style = style if style.startswith("now") else ""
    if not view.is_computed(fact.slot, cell):
        unset = sight.scene.unset(fact.slot)
        canvas.write(neuron.x, neuron.y, f"○  {unset}" if short else f"○{unset}", (lit_style or "dim") + mark)
        return
    values = view.state.arrays[fact.slot][sight.row]
    value = float(values[fact.place])
    ink = colour(value) + ("+italic" if back else "")
    canvas.write(neuron.x, neuron.y, "∂" if back else _filled(value, values), (lit_style or ink) + mark)
    if mark and short:
        canvas.write(neuron.x + 1, neuron.y, *sight.number(fact.slot, cell))
    else:
        canvas.write(neuron.x + 1, neuron.y, _brief(value)[: _BRIEF if short else 1], ink + mark)


def _filled(value: float, values: Array) -> str:
    """A dot, filled by the share that a value has of the largest."""
    largest = float(np.abs(values).max())
    share = abs(value) / largest if 0 < largest < np.inf else float(value != 0)
    return "●" if share > _FULL else "◐" if share > _HALF else "○"


def _brief(value: float) -> str:
    """A number in six characters at most: `−0.45`, `+9e-4`."""
    if value == 0 or _LEAST <= abs(value) < _WIDE or not np.isfinite(value):
        return signed(value, 2)
    text = f"{value:+.0e}".replace("e+", "e").replace("e0", "e").replace("e-0", "e-").replace("-", "−", value < 0)
    return text if len(text) <= _BRIEF else f"{text[0]}tiny" if abs(value) < 1 else f"{text[0]}huge"


def _loss(canvas: Canvas, sight: Sight, made: Plan) -> None:
    """The loss below the outputs, and the line from each of them to it."""
    scene, rail, end = sight.scene, made.rail, made.loss_row
    outputs = made.columns[-1].neurons
    written = scene.written[0]
    back = written == f"{outputs[0].kin.value.slot}.grad" and scene.view.phase == "backward"
    forward = scene.view.phase == "loss"
    style = "now" if back or forward else "faint"
    for k, neuron in enumerate(outputs):
        lit_here = forward or (back and scene.fresh(written, neuron.kin.value.cell(sight.row)))
        canvas.write(neuron.right, neuron.middle, "◀" if back and lit_here else "─", "now" if lit_here else "faint")
        for y in range(neuron.middle + 1, end if k == len(outputs) - 1 else outputs[k + 1].middle):
            canvas.write(rail, y, "│", style)
        canvas.write(rail, neuron.middle, "┤" if k else "╮", style)
    text, ink = sight.number("loss", 0)
    name = scene.view.program.name("loss")
    x = max(0, rail - 3 - len(name) - len(text))
    canvas.write(x - 1, end, f" {name} ", ("now" if scene.lit("loss", 0) else "plain") + "+bold")
    canvas.write(x + len(name) + 1, end, text, ink)
    canvas.write(rail - 1, end, "◀╯" if forward else "─╯", style)


@dataclass(eq=False)
class _Lines:
    """The lines that lead to a layer, at a moment."""

    sight: Sight
    gap: Gap

    def __post_init__(self) -> None:
        scene, gap = self.sight.scene, self.gap
        self.flow = flow(scene, gap)
        self.lit: Array = lit(scene, gap, self.sight.layers, self.sight.row)
        self.chosen = self._chosen()
        self.values: Array = self._values()
        self.widths = self._widths()
        self.one = self._one()
        self.drawn = self._drawn()

    def _chosen(self) -> Array:
        """Those that lead to the neuron that is looked at."""
        key, neuron = self.sight.looked
        return np.asarray(self.gap.targets == (neuron if key == self.sight.layers[self.gap.layer].key else -1))

    def _one(self) -> Array:
        """The line under the reader's cursor."""
        slot, cell = self.sight.scene.cursor
        on = slot.removesuffix(".grad") == self.gap.weight != ""
        return np.asarray((self.gap.cells == cell) & on)

    def _values(self) -> Array:
        """The weights."""
        if not self.gap.weight:
            return np.zeros(len(self.gap.links))
        array = self.sight.scene.view.state.arrays[self.gap.weight].reshape(-1)
        return np.asarray(array[self.gap.cells], float)

    def _widths(self) -> Array:
        """How wide each is drawn: by its weight's share of the largest of the layer."""
        if not self.gap.weight:
            return np.ones(len(self.gap.links), int)
        array = self.sight.scene.view.state.arrays[self.gap.weight]
        sizes = np.abs(self.values)
        every = np.abs(array) if array.size <= _MANY else sizes
        largest = every.max(initial=0.0, where=np.isfinite(every))
        share = np.where(np.isfinite(sizes), sizes, largest) / (largest or 1.0)
        widest = WIDEST if len(sizes) <= _FEW else WIDEST - 1
        least = _SLIGHT if len(sizes) <= _FEW else 1 / WIDEST
        return np.where(share < least, 0, np.clip(np.ceil(share * widest - 1e-9), 1, widest)).astype(int)

    def _drawn(self) -> Array:
        """All; of very many those with the largest weights, those that are lit if they are few, and those chosen."""
        count = len(self.gap.links)
        if count <= _MOST_LINES:
            return np.ones(count, bool)
        marks = np.zeros(count, bool)
        sizes = np.where(np.isfinite(self.values), np.abs(self.values), np.inf)
        marks[np.argpartition(-sizes, _MOST_LINES)[:_MOST_LINES]] = True
        if self.lit.sum() <= _MOST_LINES:
            marks |= self.lit
        return marks | self.chosen

    def stroke(self, canvas: Canvas) -> None:
        """The lines themselves; what changes in an update is the weight, not what runs along its line."""
        glowing = self.lit & (not self.gap.labelled or self.flow is not Flow.NONE)
        near = self.one if self.one.any() else self.chosen
        tier = np.where(glowing, 2, near.astype(int))
        signs = np.where(self.values > 0, 0, np.where(self.values < 0, 1, 2))
        ranks = tier * 100 + self.widths * 10 + signs
        widths = np.where(self.drawn, self.widths, -1)
        for half in self.gap.halves:
            cells, bits, upper = half.dots(widths, ranks, self.values < 0)
            canvas.dots(cells, bits, [_INKS[rank // 100][rank % 10] for rank in upper.tolist()])

    def label(self, canvas: Canvas) -> None:
        """The weights with their gradients; where there is no room for all, those into the neuron looked at."""
        if not self.gap.weight:
            return
        for k, link in enumerate(self.gap.links):
            if link.label is None:
                break
            x, y, cell = link.label.x, link.label.y, link.cell
            lead, room = link.label.lead, link.label.room
            canvas.write(x - 1, y, " " * (link.label.width + 2))
            canvas.write(x, y, link.label.name, "now+bold" if self.lit[k] else "plain")
            canvas.write(x + lead, y, *self.sight.number(self.gap.weight, cell, room))
            slot = f"{self.gap.weight}.grad"
            if link.label.tall and self.sight.scene.view.is_computed(slot, cell):
                text, style = self.sight.number(slot, cell, room)
                canvas.write(x - 1, y + 1, " " * (lead + 1 + len(text)))
                canvas.write(x + lead - 1, y + 1, f"∂{text}", style)
        if not self.gap.labelled:
            self._label_chosen(canvas)

    def _label_chosen(self, canvas: Canvas) -> None:
        """Beside each neuron the weight by which it goes into the one that is looked at."""
        for k in np.flatnonzero(self.chosen).tolist():
            link = self.gap.links[k]
            text, style = self.sight.number(self.gap.weight, link.cell)
            room = link.target.x - link.source.right
            if room >= len(text) + 6:
                canvas.write(link.source.right, link.source.middle, f" ×{text} ", style)
            elif self.one[k] and room >= len(text):
                y = round((link.source.middle + link.target.middle) / 2)
                canvas.write(link.source.right + (room - len(text)) // 2, y, text, style)

    def arrows(self, canvas: Canvas) -> None:
        """The heads of what flows."""
        places = set()
        for k in np.flatnonzero(self.lit & self.drawn).tolist():
            link = self.gap.links[k]
            if self.flow is Flow.FORWARD:
                places.add((link.target.x - 1, link.target.middle, "▶"))
            elif self.flow is Flow.BACK:
                places.add((link.source.right, link.source.middle, "◀"))
            elif self.flow is Flow.MEET and link.label is not None:
                places.add((link.label.x - 1, link.label.y, "▶"))
                places.add((link.label.right, link.label.y, "◀"))
            elif self.flow is Flow.MEET:
                places.add((link.target.x - 1, link.target.middle, "◀"))
        for x, y, head in places:
            canvas.write(x, y, head, "now")

    @property
    def unsaid(self) -> int:
        """How many numbers of its weights are there and not drawn."""
        if not self.gap.weight:
            return 0
        view = self.sight.scene.view
        size = view.program.slots[self.gap.weight].size
        there = view.state.computed.get(f"{self.gap.weight}.grad", 0)
        if not self.gap.labelled:
            return size + there
        return 0 if self.gap.links[0].label is not None and self.gap.links[0].label.tall else there


def _say(canvas: Canvas, sight: Sight, made: Plan, lines: Sequence[_Lines]) -> None:
    """What the drawing leaves out is in the values; that is said where there is room, if need be across lines."""
    count = sum(one.unsaid for one in lines) + _unsaid_biases(sight, made.form) + _unsaid_slopes(sight, made.form)
    fewer = any(not one.drawn.all() for one in lines)
    texts = []
    if fewer and count:
        texts.append(f"lines: the {_MOST_LINES} largest of each layer · … {count} numbers more in Values (2)")
    texts += [f"… {count} more in Values (2)"] if count else []
    for across, text in itertools.product((False, True), texts):
        place = canvas.stretch(len(text), across=across)
        if place is not None:
            canvas.write(place[0] - 1, place[1], f" {text} ", "dim")
            return


def _unsaid_biases(sight: Sight, form: Form) -> int:
    """Biases that have no place, and their gradients."""
    program, computed = sight.scene.view.program, sight.scene.view.state.computed
    biases = [kin.bias for layer in sight.layers for kin in layer.kin if kin.bias is not None]
    slopes = [one for one in (gradient(program, bias) for bias in biases) if one is not None]
    there = sum(one.place < computed[one.slot] for one in slopes) if form.level <= SUM else 0
    return there + (len(biases) if form.level < VALUE else 0)


def _unsaid_slopes(sight: Sight, form: Form) -> int:
    """The gradients of neurons that have no row of their own; dots are gradients while these flow back."""
    if not SHORT < form.level < GRADIENT:
        return 0
    view, row = sight.scene.view, sight.row
    slopes = (gradient(view.program, kin.value) for layer in sight.layers for kin in layer.kin)
    return sum(one is not None and view.is_computed(one.slot, one.cell(row)) for one in slopes)


def caption(scene: Scene, row: int) -> str:
    """How many parameters there are, and which row of a batch is drawn."""
    program = scene.view.program
    count = sum(program.slots[name].size for name in program.parameters)
    words = ["Network", f"{count:,} parameters".replace(",", "\u2009")] if count else ["Network"]
    rows = program.slots["x"].shape[0]
    if drawable(program) and rows > 1:
        words.append(f"row {row + 1} of {rows}, page ↑ ↓")
    return " · ".join(words)
