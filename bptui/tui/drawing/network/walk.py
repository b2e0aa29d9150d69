"""Where the arrows lead in a drawing of neurons: over layers and along lines, and up and down within them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bptui.tui.drawing.network.parts import Layer, all_facts
from bptui.tui.drawing.network.plan import Plan
from bptui.tui.drawing.network.sight import Sight

Cell = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Trail:
    """By which line the reader last came to a neuron, or left it to the left: the same way leads back.

    Both by the layer's number and the neuron's.
    """

    came: dict[tuple[int, int], Cell] = field(default_factory=dict)
    left: dict[tuple[int, int], Cell] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Walk:
    """A drawing that is walked in."""

    made: Plan
    sight: Sight
    trail: Trail

    def go(self, across: int, down: int) -> Cell:
        """The cell that an arrow leads to from the one under the cursor."""
        place = self._place()
        if place is None:
            return self._value(0, 0)
        kind, k, n = place
        if kind == "neuron":
            return self._from_neuron(k, n, across, down)
        if kind == "weight":
            return self._from_weight(k, n, across, down)
        if kind == "bias":
            return self._from_bias(k, n, across, down)
        return self._from_loss(across, down)

    @property
    def _layers(self) -> Sequence[Layer]:
        return self.sight.layers

    def _place(self) -> tuple[str, int, int] | None:
        """What the cursor is on: a neuron, weight or bias of a layer by its number, or what the loss is made of."""
        slot, cell = self.sight.scene.cursor
        if slot in ("loss", "y"):
            return "loss", 0, cell
        base = slot.removesuffix(".grad")
        for k, layer in enumerate(self._layers):
            if base == layer.weight:
                return "weight", k, cell
            for kin in layer.kin[:1]:
                if kin.bias is not None and base == kin.bias.slot:
                    return "bias", k, cell
                if any(fact.slot == slot and fact.stride for fact in all_facts(self.sight.scene.view.program, kin)):
                    return "neuron", k, cell % len(layer.kin)
        return None

    def _value(self, k: int, n: int) -> Cell:
        fact = self._layers[k].kin[n].value
        return fact.slot, fact.cell(self.sight.row)

    def _from_neuron(self, k: int, n: int, across: int, down: int) -> Cell:
        if down:
            return self._value(k, max(0, min(len(self._layers[k].kin) - 1, n + down)))
        if across > 0:
            return self._out(k, n)
        return self._in(k, n)

    def _out(self, k: int, n: int) -> Cell:
        """To the right: along the line that was last left here, or the most level one."""
        if (k, n) in self.trail.left:
            return self.trail.left[k, n]
        reader = next((m for m, layer in enumerate(self._layers) if k in layer.inputs), None)
        if reader is None:
            self.trail.came[len(self._layers), 0] = self._value(k, n)
            return "loss", 0
        layer = self._layers[reader]
        if not layer.weight:
            self.trail.came[reader, n] = self._value(k, n)
            return self._value(reader, n)
        return layer.weight, n * len(layer.kin) + _level(n, len(self._layers[k].kin), len(layer.kin))

    def _in(self, k: int, n: int) -> Cell:
        """To the left: along the line that led here, or the most level one."""
        layer = self._layers[k]
        if (k, n) in self.trail.came:
            return self.trail.came[k, n]
        if not layer.inputs:
            return self._value(k, n)
        source = layer.inputs[-1]
        if not layer.weight:
            return self._value(source, n)
        return layer.weight, _level(n, len(layer.kin), len(self._layers[source].kin)) * len(layer.kin) + n

    def _from_weight(self, k: int, cell: int, across: int, down: int) -> Cell:
        layer = self._layers[k]
        source, target = divmod(cell, len(layer.kin))
        if across > 0:
            self.trail.came[k, target] = layer.weight, cell
            return self._value(k, target)
        if across < 0:
            self.trail.left[layer.inputs[0], source] = layer.weight, cell
            return self._value(layer.inputs[0], source)
        return _beside(self._beside(k, target), (layer.weight, cell), down)

    def _beside(self, k: int, target: int) -> Sequence[Cell]:
        """The weights and biases that ↑ and ↓ go through: all of a layer, where they are named; else a neuron's."""
        layer, gap = self._layers[k], next(gap for gap in self.made.gaps if gap.layer == k)
        if gap.labelled:
            rows = sorted((link.label.y, link.cell) for link in gap.links if link.label is not None)
            cells = [(layer.weight, cell) for _, cell in rows]
            kin = layer.kin
        else:
            cells = [(layer.weight, s * len(layer.kin) + target) for s in range(len(self._layers[layer.inputs[0]].kin))]
            kin = layer.kin[target : target + 1]
        return [*cells, *((one.bias.slot, one.bias.place) for one in kin if one.bias is not None)]

    def _from_bias(self, k: int, n: int, across: int, down: int) -> Cell:
        layer = self._layers[k]
        here = layer.kin[n].bias
        assert here is not None
        if across > 0:
            self.trail.came[k, n] = here.slot, n
            return self._value(k, n)
        if across < 0:
            return self._value(layer.inputs[0], _level(n, len(layer.kin), len(self._layers[layer.inputs[0]].kin)))
        return _beside(self._beside(k, n), (here.slot, n), down)

    def _from_loss(self, across: int, down: int) -> Cell:
        last = len(self._layers) - 1
        targets = [kin.target for kin in self._layers[last].kin if kin.target is not None]
        column: list[Cell] = [*((fact.slot, fact.cell(self.sight.row)) for fact in targets), ("loss", 0)]
        if across < 0:
            return self.trail.came.get((last + 1, 0), self._value(last, 0))
        return _beside(column, self.sight.scene.cursor, down)


def _level(n: int, count: int, others: int) -> int:
    """The neuron at about the same height in another layer."""
    return round(n * (others - 1) / (count - 1)) if count > 1 else (others - 1) // 2


def _beside(cells: Sequence[Cell], here: Cell, by: int) -> Cell:
    """So many places on in a row of cells, or to its end."""
    places: Mapping[Cell, int] = {cell: k for k, cell in enumerate(cells)}
    return cells[max(0, min(len(cells) - 1, places.get(here, 0) + by))]
