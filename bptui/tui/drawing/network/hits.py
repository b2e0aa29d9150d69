"""What lies at a place of a drawing of neurons."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bptui.tui.drawing.network.parts import Link, Neuron
from bptui.tui.drawing.network.plan import Gap, Plan
from bptui.tui.drawing.network.sight import Sight

# How far from a line, in cells, it is still meant.
_NEAR = 1.2


def cell_at(made: Plan, sight: Sight, x: int, y: int) -> tuple[str, int] | None:
    """The cell at a column and a row: of a neuron, of a label, of the nearest line; None where there is nothing."""
    for column in made.columns:
        for neuron in column.neurons:
            if neuron.x <= x < neuron.right and neuron.y <= y < neuron.y + neuron.height:
                return _within(neuron, sight, y)
    for gap in made.gaps:
        for link in gap.links:
            label = link.label
            if label is not None and label.x <= x < label.right and label.y <= y <= label.y + label.tall:
                return gap.weight + (".grad" if y > label.y else ""), link.cell
    if y == made.loss_row and x >= made.columns[-1].x:
        return "loss", 0
    return _nearest(made, x + 0.5, y)


def _within(neuron: Neuron, sight: Sight, y: int) -> tuple[str, int]:
    fact = neuron.kin.value
    inner = y - neuron.y - 1
    if neuron.height > 1 and 0 <= inner < len(neuron.facts):
        fact = neuron.facts[inner]
    elif neuron.height > 1 and inner == len(neuron.facts) and neuron.bias is not None:
        fact = neuron.bias
    return fact.slot, fact.cell(sight.row)


def _nearest(made: Plan, x: float, y: float) -> tuple[str, int] | None:
    """The weight of the nearest line that is near enough."""
    found = [(_distance(link, x, y), gap.weight, link.cell) for gap, link in _weighted(made)]
    distance, slot, cell = min(found, default=(math.inf, "", 0))
    return (slot, cell) if distance <= _NEAR else None


def _weighted(made: Plan) -> Iterator[tuple[Gap, Link]]:
    for gap in made.gaps:
        if gap.weight:
            for link in gap.links:
                yield gap, link


def _distance(link: Link, x: float, y: float) -> float:
    """How far a place is from a line, rows counted double: they are twice as far apart as columns."""
    best = math.inf
    for (x0, y0), (x1, y1) in zip(link.path, link.path[1:], strict=False):
        dx, dy = x1 - x0, 2 * (y1 - y0)
        px, py = x - x0, 2 * (y - y0)
        length = dx * dx + dy * dy
        t = max(0.0, min(1.0, (px * dx + py * dy) / length)) if length else 0.0
        best = min(best, math.hypot(px - t * dx, py - t * dy))
    return best
