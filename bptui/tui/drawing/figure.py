"""The network as a textbook draws it: neurons in columns, weights on the lines between them, the operation lit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bptui.engine.network import Node
from bptui.engine.program import Program
from bptui.explain.notation import Names
from bptui.tui.drawing.blocks import blocks
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.layers import drawable
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.numbers import UNSET, colour, signed
from bptui.tui.scene import Scene

_LABEL_GAP = 13


@dataclass(frozen=True)
class Fact:
    """A line inside a neuron: a prefix and a cell's number."""

    prefix: str
    slot: str
    cell: int


@dataclass
class Neuron:
    """One box: its name, what it shows, and where it stands."""

    title: str
    slot: str
    cell: int
    facts: list[Fact]
    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0

    @property
    def middle(self) -> int:
        """The row at which lines meet it: that of its first number."""
        return self.y + min(1, self.height - 1)


@dataclass
class Column:
    """The neurons of one node of the network."""

    key: str
    neurons: list[Neuron] = field(default_factory=list)


def figure(scene: Scene, columns: int, rows: int, sample: int = 0) -> list[Line]:
    """The drawing, or blocks where the neurons don't fit."""
    program = scene.view.program
    outputs = ("x", *(node.output for node in program.network.nodes))
    if not drawable(program) or max(program.slots[name].shape[1] for name in outputs) > rows:
        return blocks(scene, columns, rows)
    for level in (3, 2, 1, 0):
        layout = _columns(scene, sample, level)
        if _place(layout, scene, columns, rows, level):
            return _draw(layout, scene, columns, rows, level)
    return blocks(scene, columns, rows)


def _columns(scene: Scene, sample: int, level: int) -> list[Column]:
    program = scene.view.program
    layout = [Column("x", [_neuron(scene, "x", sample, j, [], level) for j in range(program.slots["x"].shape[1])])]
    for node in program.network.nodes:
        column = Column(node.key)
        for j in range(program.slots[node.output].shape[1]):
            column.neurons.append(_neuron(scene, node.output, sample, j, _facts(program, node, sample, j), level))
        layout.append(column)
    if level >= 1:
        for j, neuron in enumerate(layout[-1].neurons):
            neuron.facts.append(Fact("t", "y", sample * program.slots["y"].shape[1] + j))
    return layout


def _facts(program: Program, node: Node, sample: int, j: int) -> list[Fact]:
    """What a neuron has besides its value: before the activation, and its bias."""
    facts = []
    if node.act != "identity":
        facts.append(Fact("z", "z" + node.suffix, sample * program.slots["z" + node.suffix].shape[1] + j))
    if node.op == "dense" and node.bias:
        facts.append(Fact("b", "b" + node.suffix, j))
    return facts


def _neuron(scene: Scene, slot: str, sample: int, j: int, more: list[Fact], level: int) -> Neuron:
    program = scene.view.program
    cell = sample * program.slots[slot].shape[1] + j
    facts = [Fact(" ", slot, cell)]
    if level >= 2 and f"{slot}.grad" in program.slots:
        facts.append(Fact("∂", f"{slot}.grad", cell))
    if level >= 3:
        facts = [fact for fact in more if fact.prefix == "z"] + facts + [fact for fact in more if fact.prefix == "b"]
    return Neuron(_title(program, slot, cell), slot, cell, facts)


def _title(program: Program, slot: str, cell: int) -> str:
    names = program.cell_names.get(slot)
    return names[cell] if names else f"{program.name(slot)}{cell % program.slots[slot].shape[-1] + 1}"


def _place(layout: list[Column], scene: Scene, columns: int, rows: int, level: int) -> bool:
    """Give every neuron its place; False where they don't fit."""
    for column in layout:
        for neuron in column.neurons:
            neuron.height = 1 if level == 0 else len(neuron.facts) + 2
            wide = max(len(_fact(scene, fact)) for fact in neuron.facts)
            neuron.width = len(neuron.title) + 1 + wide if level == 0 else max(wide + 4, len(neuron.title) + 4)
    widths = [max((n.width for n in column.neurons), default=0) for column in layout]
    gap = (columns - 2 - sum(widths)) / max(1, len(layout) - 1)
    tallest = max((n.height for column in layout for n in column.neurons if len(column.neurons) > 1), default=1)
    x = 1.0
    for column, width in zip(layout, widths, strict=True):
        # The row below the last column is the loss's; with room to spare all keep it free, and lie level.
        high = tallest if len(column.neurons) > 1 else column.neurons[0].height
        room = rows - (column is layout[-1] or len(column.neurons) * high < rows)
        if gap < 4 or len(column.neurons) * high > room:
            return False
        _stack(column, round(x), width, room - high)
        x += width + gap
    return True


def _stack(column: Column, x: int, width: int, free: int) -> None:
    """One column, its neurons spread evenly, so that the rows of equally long columns lie level."""
    count = len(column.neurons)
    for k, neuron in enumerate(column.neurons):
        neuron.x = x + (width - neuron.width) // 2
        neuron.y = free // 2 if count == 1 else round(free * k / (count - 1))


def _draw(layout: list[Column], scene: Scene, columns: int, rows: int, level: int) -> list[Line]:
    canvas = Canvas(columns, rows)
    edges = list(_edges(layout, scene))
    for edge in sorted(edges, key=lambda edge: edge.lit):
        _stroke(canvas, edge)
    for column in layout:
        for neuron in column.neurons:
            _box(canvas, scene, neuron, level)
    # All labels before any gradient, in one order, so that a label stands still from step to step.
    placed = [(edge, _label(canvas, scene, edge)) for edge in edges]
    left_out = sum(
        not _gradient(canvas, scene, edge, *place) if place is not None else bool(edge.weight) for edge, place in placed
    )
    for edge in edges:
        if edge.lit:
            _arrow(canvas, edge)
    _error(canvas, scene, layout[-1].neurons[-1])
    if left_out:
        _say_left_out(canvas, left_out)
    return canvas.lines()


def _say_left_out(canvas: Canvas, count: int) -> None:
    """Numbers for which the lines have no room are in the values; that is said where there is room."""
    text = f"… {count} more in Values (2)"
    for y in range(canvas.rows - 1, -1, -1):
        for x in range(1, canvas.columns - len(text)):
            if canvas.free(x, y, len(text)):
                canvas.write(x, y, text, "dim")
                return


def _error(canvas: Canvas, scene: Scene, last: Neuron) -> None:
    """The loss, under the last of the outputs."""
    text, style = _number(scene, "loss", 0)
    name = scene.view.program.name("loss")
    y = min(last.y + last.height, canvas.rows - 1)
    x = last.x + max(0, last.width - len(name) - len(text) - 2)
    lit = scene.lit("loss", 0)
    canvas.write(x, y, name, "now+bold" if lit else "plain+bold")
    canvas.write(x + len(name) + 1, y, text, style + ("+bold" if lit else ""))


@dataclass(frozen=True)
class Edge:
    """A line between two neurons; `weight` is the slot and cell on it, or "" where it carries none."""

    source: Neuron
    target: Neuron
    weight: str
    cell: int
    lit: bool
    back: bool


def _edges(layout: list[Column], scene: Scene) -> Iterator[Edge]:
    program = scene.view.program
    places = {column.key: column.neurons for column in layout}
    phase = scene.view.phase
    for node in program.network.nodes:
        for key in node.inputs:
            for k, source in enumerate(places[key]):
                for j, target in enumerate(places[node.key]):
                    if node.op == "dense":
                        weight, cell = "W" + node.suffix, k * node.units + j
                        lit = _weight_lit(scene, weight, cell)
                        yield Edge(source, target, weight, cell, lit, phase == "backward")
                    elif k == j:
                        lit = scene.fresh(target.slot, target.cell)
                        yield Edge(source, target, "", 0, lit, phase == "backward")


def _weight_lit(scene: Scene, weight: str, cell: int) -> bool:
    """A weight is lit when the operation reads or writes it, or writes its gradient."""
    return scene.lit(weight, cell) or scene.fresh(f"{weight}.grad", cell)


def _stroke(canvas: Canvas, edge: Edge) -> None:
    left, right = edge.source.x + edge.source.width, edge.target.x
    style = "now" if edge.lit else "faint"
    if edge.source.middle == edge.target.middle:
        canvas.write(left, edge.source.middle, ("━" if edge.lit else "─") * (right - left), style)
    else:
        canvas.stroke((left, edge.source.middle + 0.4), (right - 0.5, edge.target.middle + 0.4), style)


def _arrow(canvas: Canvas, edge: Edge) -> None:
    if edge.back:
        canvas.write(edge.source.x + edge.source.width, edge.source.middle, "◀", "now")
    else:
        canvas.write(edge.target.x - 1, edge.target.middle, "▶", "now")


def _label(canvas: Canvas, scene: Scene, edge: Edge) -> tuple[int, int] | None:
    """The weight's name and number on its line, where there is room; where the number stands."""
    left, right = edge.source.x + edge.source.width, edge.target.x
    if not edge.weight or right - left < _LABEL_GAP:
        return None
    program = scene.view.program
    names = program.cell_names.get(edge.weight)
    name = f"{names[edge.cell]} " if names else ""
    number, style = _number(scene, edge.weight, edge.cell)
    length = len(name) + len(number)
    level = edge.source.middle == edge.target.middle
    for part in (0.5, 0.3, 0.7, 0.4, 0.6) if level else (0.26, 0.34, 0.2, 0.74, 0.5, 0.62):
        x = round(left + (right - left) * part - length / 2)
        x = max(left + 2, min(x, right - length - 2))
        y = round(edge.source.middle + (edge.target.middle - edge.source.middle) * part)
        if x + length < right and canvas.free(x, y, length, over="─━"):
            canvas.write(x - 1, y, " " + name, "now+bold" if edge.lit else "plain")
            canvas.write(
                x + len(name), y, number, style + ("+under" if scene.cursor == (edge.weight, edge.cell) else "")
            )
            canvas.write(x + length, y, " ", "plain")
            return x + len(name), y
    return None


def _gradient(canvas: Canvas, scene: Scene, edge: Edge, x: int, y: int) -> bool:
    """A weight's gradient, below its number or above; False where there is one and no room."""
    slot = f"{edge.weight}.grad"
    if slot not in scene.view.program.slots or edge.cell >= scene.view.state.computed[slot]:
        return True
    number, style = _number(scene, slot, edge.cell)
    for row in (y + 1, y - 1):
        if canvas.free(x - 1, row, len(number) + 1):
            canvas.write(x - 1, row, f"∂{number}", style)
            return True
    return False


def _box(canvas: Canvas, scene: Scene, neuron: Neuron, level: int) -> None:
    written = any(scene.fresh(fact.slot, fact.cell) for fact in neuron.facts)
    read = any(scene.lit(fact.slot, fact.cell) for fact in neuron.facts)
    frame = "now+bold" if written else "now" if read else "faint"
    if level == 0:
        canvas.write(neuron.x, neuron.y, neuron.title, "now" if read else "plain")
        canvas.write(neuron.x + len(neuron.title) + 1, neuron.y, *_styled(scene, neuron.facts[0]))
        return
    canvas.box(neuron.x, neuron.y, neuron.width, neuron.height, neuron.title, frame)
    canvas.write(neuron.x + 1, neuron.y, f" {neuron.title} ", "now+bold" if read or written else "plain+bold")
    for k, fact in enumerate(neuron.facts, 1):
        canvas.write(neuron.x + 1, neuron.y + k, fact.prefix, "dim+italic")
        text, style = _styled(scene, fact)
        canvas.write(neuron.x + 3, neuron.y + k, text, style)


def _fact(scene: Scene, fact: Fact) -> str:
    return _number(scene, fact.slot, fact.cell)[0]


def _styled(scene: Scene, fact: Fact) -> tuple[str, str]:
    text, style = _number(scene, fact.slot, fact.cell)
    return text, style + ("+bold" if scene.fresh(fact.slot, fact.cell) else "")


def _number(scene: Scene, slot: str, cell: int) -> tuple[str, str]:
    """A cell's number with its mark, and the style of its sign."""
    view = scene.view
    if not view.is_computed(slot, cell):
        return f"   {UNSET}   ", "dim"
    value = view.number(slot, cell)
    text = signed(value, scene.places(slot))
    if view.is_outdated(slot, cell):
        return f"~{text}", "dim+strike"
    if cell in view.edited.get(slot, ()):
        return f"{text}*", colour(value)
    gradient = "+italic" if slot.endswith(".grad") else ""
    return text, colour(value) + gradient


def caption(scene: Scene, sample: int) -> str:
    """What the drawing shows of a batch."""
    names = Names(scene.view.program)
    rows = scene.view.program.slots["x"].shape[0]
    if not drawable(scene.view.program):
        return "Network"
    return f"Network · row {sample + 1} of {rows} of {names.slot('x')}, ↑ ↓ another" if rows > 1 else "Network"
