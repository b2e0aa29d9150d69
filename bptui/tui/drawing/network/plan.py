"""Where neurons, weights and lines stand: made once for a program, a size and the length of its numbers.

Nothing here depends on a moment, so that a drawing stands still while its numbers change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from bptui.engine.network import Array
from bptui.engine.program import Program
from bptui.files.text import safe
from bptui.tui.drawing.network.ink import Ink
from bptui.tui.drawing.network.parts import (
    ALL,
    DOT,
    LINE,
    SHORT,
    VALUE,
    Kin,
    Label,
    Layer,
    Link,
    Neuron,
    Sizes,
    below,
    facts,
    layers,
)

# The narrowest space between two layers, the same of a line beside a label, and what is right of the last layer.
_GAP, _STUB, _RAIL = 4, 3, 3
# With more lines than these before a layer there is room for short numbers alone, and the lines need it.
_CROWD = 24
# A number has at least so much room, so that the drawing does not move with every digit.
_NUMBER = 7
# Where all digits have no room: a number of the usual length with its mark, and one with its mark in that length.
_LONGEST = (sys.maxsize, _NUMBER + 1, _NUMBER)


@dataclass(frozen=True)
class Form:
    """How much is shown: a level of `parts`, and whether layers have headings.

    labels   2: every weight has its number and its gradient, 1: its number at least, 0: neither
    longest  how many characters a number has at most, with its mark: those that are longer get fewer digits
    """

    level: int
    headed: bool
    labels: int
    longest: int


@dataclass(frozen=True, eq=False)
class Column:
    """A layer as it is drawn: the neurons in sight, and how many there are above and below them."""

    layer: Layer
    x: int
    width: int
    neurons: tuple[Neuron, ...]
    above: int
    below: int


@dataclass(frozen=True, eq=False)
class Gap:
    """The lines that lead to a layer.

    weight  the slot of their weights, or ""
    """

    layer: int
    weight: str
    links: tuple[Link, ...]
    columns: int
    rows: int

    @cached_property
    def cells(self) -> Array:
        """Of each line the cell of its weight."""
        return np.array([link.cell for link in self.links], int)

    @cached_property
    def sources(self) -> Array:
        """Of each line the neuron that it comes from."""
        return np.array([link.source.index for link in self.links], int)

    @cached_property
    def targets(self) -> Array:
        """Of each line the neuron that it leads to."""
        return np.array([link.target.index for link in self.links], int)

    @property
    def labelled(self) -> bool:
        """Whether each weight's number is there."""
        return bool(self.links) and self.links[0].label is not None

    @cached_property
    def halves(self) -> tuple[Ink, Ink]:
        """The lines from their sources on, as far as their labels or all the way, and from their labels on."""
        parts: tuple[list[tuple[float, float, float, float]], ...] = ([], [])
        numbers: tuple[list[int], ...] = ([], [])
        for k, link in enumerate(self.links):
            for half, segment in _segments(link):
                parts[half].append(segment)
                numbers[half].append(k)
        made = [Ink(segments, which, self.columns, self.rows) for segments, which in zip(parts, numbers, strict=True)]
        return made[0], made[1]


def _segments(link: Link) -> Iterator[tuple[int, tuple[float, float, float, float]]]:
    """The straight parts of a line; 1 with those behind its label."""
    half = 0
    for (x0, y0), (x1, y1) in zip(link.path, link.path[1:], strict=False):
        if link.label is not None and x0 == link.label.x - 1:
            half = 1  # the part that lies under the label is left out
        else:
            yield half, (x0, y0, x1, y1)


@dataclass(frozen=True, eq=False)
class Plan:
    """A whole drawing: its layers, and the lines that lead to each but the first."""

    form: Form
    columns: tuple[Column, ...]
    gaps: tuple[Gap, ...]
    width: int
    height: int

    @cached_property
    def hidden(self) -> int:
        """How many neurons are out of sight."""
        return sum(column.above + column.below for column in self.columns)

    @property
    def rail(self) -> int:
        """The column in which the outputs are joined to the loss."""
        return max(neuron.right for neuron in self.columns[-1].neurons) + 1

    @property
    def loss_row(self) -> int:
        """The row of the loss: the first below the outputs; the last of all, where numbers may stand beside them."""
        last = self.columns[-1].neurons[-1]
        return min(last.y + last.height, self.height - 1) if self.form.level >= VALUE else self.height - 1


def forms(most_links: int, rows: int) -> Iterator[Form]:
    """What is tried, the best first: numbers on the lines are worth more than what else is in the boxes, or digits."""
    for labels in (2, 1, 0):
        highest = SHORT if most_links > _CROWD else ALL
        if labels and most_links > rows:
            continue
        for level in range(highest, (LINE if labels else DOT) - 1, -1):
            for headed in (True, False):
                for longest in _LONGEST if level > SHORT else _LONGEST[:1]:
                    yield Form(level, headed, labels, longest)


@lru_cache(maxsize=64)
def plan(
    program: Program, form: Form, size: tuple[int, int], lengths: Sizes, firsts: tuple[int, ...], most: int
) -> Plan | None:
    """The drawing in a form, or None where it does not fit.

    firsts  of each layer the first neuron in sight, should not all of them be
    most    how many of a layer may be out of sight
    """
    made = _Maker(program, form, size, lengths, firsts)
    return made.plan() if made.fits(most) else None


class _Maker:
    """What a layout is made of while it is made."""

    def __init__(
        self, program: Program, form: Form, size: tuple[int, int], lengths: Sizes, firsts: tuple[int, ...]
    ) -> None:
        self.program = program
        self.form = form
        self.width, self.rows = size
        self.lengths = lengths
        self.firsts = firsts
        self.layers = layers(program)
        self.top = int(form.headed and any(heading(layer) for layer in self.layers))
        self.boxes = [[facts(program, kin, form.level) for kin in layer.kin] for layer in self.layers]
        self.heights = [max(len(box) for box in boxes) + 2 if form.level >= VALUE else 1 for boxes in self.boxes]
        self.widths = [self._wide(k) for k in range(len(self.layers))]

    def _wide(self, k: int) -> int:
        """How wide the neurons of a layer are."""
        layer, number, level = self.layers[k], max(_NUMBER, self.lengths.neurons[k]), self.form.level
        title = max(len(kin.title) for kin in layer.kin)
        if level >= VALUE:
            return max(number, title) + 4
        return {DOT: 2, SHORT: 6, LINE: title + 1 + number}[level] + 1

    def _room(self, k: int) -> int:
        """How many rows a layer has: the one below the last is the loss's."""
        return self.rows - self.top - (k == len(self.layers) - 1)

    def _shown(self, k: int) -> int:
        """How many neurons of a layer are in sight: all, or as many as leave a row above and below for a sign."""
        count, room = len(self.layers[k].kin), self._room(k)
        return count if count * self.heights[k] <= room else max(0, (room - 2) // self.heights[k])

    def fits(self, most: int) -> bool:
        """Whether the rows do for the neurons and the columns for the lines."""
        hidden = [len(layer.kin) - self._shown(k) for k, layer in enumerate(self.layers)]
        if self.form.headed and not self.top:
            return False  # the same as without headings
        if max(hidden) > (most if self.form.level <= LINE else 0) or min(map(self._shown, range(len(hidden)))) < 1:
            return False
        return self._gaps() is not None

    def _gaps(self) -> list[float] | None:
        """How wide the space before each layer but the first is: labels get what they need, and of the rest more."""
        needs = [float(self._need(k)) for k in range(1, len(self.layers))]
        free = self.width - 1 - _RAIL - sum(self.widths) - sum(needs)
        if free < 0:
            return None
        weighted = [bool(layer.weight) for layer in self.layers[1:]]
        shares = sum(weighted) or len(needs) or 1
        more = free / shares
        return [need + (more if heavy or not any(weighted) else 0) for need, heavy in zip(needs, weighted, strict=True)]

    def _need(self, k: int) -> int:
        """The narrowest space before a layer."""
        if not self.layers[k].weight:
            return _GAP + 2
        return self._label_width(k) + 2 * _STUB if self.form.labels else _GAP

    def _names(self, k: int) -> tuple[str, ...]:
        """The names of a layer's weights, cell by cell; () where they have none."""
        return tuple(safe(name) for name in self.program.cell_names.get(self.layers[k].weight, ()))

    def _label_width(self, k: int) -> int:
        longest = max(self.lengths.weights[k], self.lengths.gradients[k] if self._tall(k) else 0)
        return self._lead(k) + max(_NUMBER, longest)

    def _lead(self, k: int) -> int:
        """The columns before the number: for the weight's name, or the sign of a gradient."""
        return max((len(name) + 1 for name in self._names(k) if name), default=int(self._tall(k)))

    def _tall(self, k: int) -> bool:
        """Whether labels of a layer have a gradient below the number."""
        if not self.form.labels or f"{self.layers[k].weight}.grad" not in self.program.slots:
            return False
        links = len(self.layers[k].kin) * len(self.layers[self.layers[k].inputs[0]].kin)
        return self.form.labels > 1 or links * 2 <= self.rows - self.top

    # The neurons

    def plan(self) -> Plan | None:
        """All of it."""
        gaps = self._gaps() or []
        x, columns = 1.0, []
        for k, (layer, width) in enumerate(zip(self.layers, self.widths, strict=True)):
            columns.append(self._column(k, layer, round(x), width))
            x += width + (gaps[k] if k < len(gaps) else 0)
        made = []
        for k, layer in enumerate(self.layers):
            if k:
                links = self._links(columns, k)
                if links is None:
                    return None
                made.append(Gap(k, layer.weight, tuple(links), self.width, self.rows))
        return Plan(self.form, tuple(columns), tuple(made), self.width, self.rows)

    def _column(self, k: int, layer: Layer, x: int, width: int) -> Column:
        shown, count = self._shown(k), len(layer.kin)
        above = max(0, min(self.firsts[k], count - shown))
        below = count - shown - above
        high, signs = self.heights[k], 1 if count > shown else 0
        spare = all(len(one.kin) * self.heights[j] < self._room(j) for j, one in enumerate(self.layers))
        rows = self.rows - self.top - (spare or k == len(self.layers) - 1)
        free = rows - 2 * signs - high
        step = free // max(1, shown - 1)
        first = self.top + signs + (free - step * (shown - 1)) // 2
        neurons = [self._neuron(k, layer.kin[above + n], x, first + step * n) for n in range(shown)]
        return Column(layer, x, width, tuple(neurons), above, below)

    def _neuron(self, k: int, kin: Kin, x: int, y: int) -> Neuron:
        inside = self.boxes[k][kin.value.place]
        height = len(inside) + 2 if self.form.level >= VALUE else 1
        return Neuron(kin, k, inside, below(kin, self.form.level), x, y, self.widths[k], height)

    # The lines

    def _links(self, columns: Sequence[Column], k: int) -> list[Link] | None:
        """The lines to a layer; None where one that leads past a layer finds no way between its neurons."""
        target, pairs = columns[k], []
        for number in self.layers[k].inputs:
            for source in columns[number].neurons:
                for neuron in target.neurons:
                    if self.layers[k].weight:
                        pairs.append((source, neuron, source.index * len(target.layer.kin) + neuron.index))
                    elif source.index == neuron.index:
                        pairs.append((source, neuron, -1))
        wanted = bool(self.form.labels and self.layers[k].weight)
        labels = self._labels(columns, k, pairs) if wanted else None
        if wanted and labels is None:
            return None
        links = []
        for n, (source, neuron, cell) in enumerate(pairs):
            way = _way(columns, source, neuron)
            if way is None:
                return None
            label = labels[n] if labels else None
            links.append(Link(source, neuron, cell, _through(way, label), label))
        return links

    def _labels(
        self, columns: Sequence[Column], k: int, pairs: Sequence[tuple[Neuron, Neuron, int]]
    ) -> list[Label] | None:
        """In one column, each near its line, none over another."""
        width, high = self._label_width(k), 2 if self._tall(k) else 1
        start = columns[k - 1].x + columns[k - 1].width
        x = start + (columns[k].x - start - width) // 2
        wanted = [source.middle + (target.middle - source.middle) * 0.4 for source, target, _ in pairs]
        rows = _apart(wanted, high, self.top, self.rows)
        if rows is None:
            return None
        names, lead = self._names(k), self._lead(k)
        return [
            Label(x, y, width, names[cell] if names else "", lead, tall=high > 1)
            for (_, _, cell), y in zip(pairs, rows, strict=True)
        ]


def heading(layer: Layer) -> str:
    """What stands above a layer: its name where its neurons have none of their own, and its activation."""
    named = layer.kin[0].title.startswith("[")
    return " · ".join(part for part in (layer.title if named else "", layer.act) if part)


def _apart(wanted: Sequence[float], high: int, top: int, bottom: int) -> list[int] | None:
    """Rows near those wanted, in their order, each so high, and a free one between them where there is room."""
    count = len(wanted)
    step = high + 1 if count * (high + 1) - 1 <= bottom - top else high
    if count * high > bottom - top:
        return None
    order = sorted(range(count), key=lambda k: wanted[k])
    rows: list[int] = []
    for k in order:
        rows.append(max(round(wanted[k]), rows[-1] + step if rows else top))
    limit = bottom - high
    for place in range(count - 1, -1, -1):
        rows[place] = min(rows[place], limit)
        limit = rows[place] - step
    # What was pushed down by those above it may go half of the way back up.
    rows = _settled(rows, [wanted[k] for k in order], step, top)
    found = [0] * count
    for place, k in enumerate(order):
        found[k] = rows[place]
    return found


def _settled(rows: list[int], wanted: Sequence[float], step: int, top: int) -> list[int]:
    """Runs of rows that touch are moved up together, so far that they lie around where they were wanted."""
    made = list(rows)
    for first in range(len(made)):
        if first and made[first] - made[first - 1] == step:
            continue
        last = first
        while last + 1 < len(made) and made[last + 1] - made[last] == step:
            last += 1
        off = sum(made[k] - wanted[k] for k in range(first, last + 1)) / (last - first + 1)
        floor = top if first == 0 else made[first - 1] + step
        up = min(round(max(0.0, off)), made[first] - floor)
        for k in range(first, last + 1):
            made[k] -= up
    return made


def _way(columns: Sequence[Column], source: Neuron, target: Neuron) -> tuple[tuple[float, float], ...] | None:
    """From a neuron to another; past the layers between them by a row in which they have nothing."""
    # A box is touched, a bare number is not.
    near = float(target.height == 1)
    start, end = (float(source.right), float(source.middle)), (target.x - near, float(target.middle))
    between = columns[source.layer + 1 : target.layer]
    if not between:
        return start, end
    taken = {row for column in between for n in column.neurons for row in range(n.y, n.y + n.height)}
    rows = range(max(0, min(taken) - 1), max(taken) + 2)
    free = [row for row in rows if row not in taken]
    if not free:
        return None
    row = float(min(free, key=lambda row: (abs(row - source.middle), -row)))
    return start, (between[0].x - 1.0, row), (between[-1].x + between[-1].width + 1.0, row), end


def _through(way: tuple[tuple[float, float], ...], label: Label | None) -> tuple[tuple[float, float], ...]:
    """A way that goes through a label, which stands before its last place."""
    if label is None:
        return way
    return (*way[:-1], (label.x - 1.0, float(label.y)), (label.right + 1.0, float(label.y)), way[-1])
