"""A moment as the network's pane shows it: one row of the batch, and what the reader has chosen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bptui.explain.notation import Names
from bptui.tui.drawing.network.parts import Layer, layers
from bptui.tui.drawing.numbers import colour, shortened
from bptui.tui.scene import Scene


@dataclass(frozen=True, eq=False)
class Sight:
    """A scene, and how the pane looks at it.

    row      of the batch
    focused  whether the reader is in this pane
    reading  whether the reader has looked around here since the last step
    """

    scene: Scene
    row: int = 0
    focused: bool = False
    reading: bool = False

    @cached_property
    def _texts(self) -> dict[tuple[str, int, int], tuple[str, str]]:
        return {}

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, where they can be drawn as neurons."""
        return layers(self.scene.view.program)

    def number(self, slot: str, cell: int, room: int = sys.maxsize) -> tuple[str, str]:
        """A cell's number with its mark, shorter where the room is small, and its style; written once."""
        key = slot, cell, room
        if key not in self._texts:
            text, style = _number(self.scene, slot, cell, room)
            fresh = "+bold" if self.scene.fresh(slot, cell) else ""
            self._texts[key] = text, style + fresh + self.mark(slot, cell)
        return self._texts[key]

    def mark(self, slot: str, cell: int) -> str:
        """What is added to the style of the cell under the reader's cursor."""
        return ("+cursor" if self.focused else "+under") if (slot, cell) == self.scene.cursor else ""

    def length(self, slot: str, cell: int) -> int:
        """How long a cell's number is."""
        return len(self.number(slot, cell)[0])

    @cached_property
    def wanted(self) -> dict[str, int]:
        """Layer → its neuron that has to be in sight: of the element at hand, or of what the reader has chosen."""
        found: dict[str, int] = {}
        for slot, cell in self._attended:
            for key, neuron in self._neurons(slot, cell):
                found.setdefault(key, neuron)
        return found

    @cached_property
    def looked(self) -> tuple[str, int]:
        """The layer and the neuron of which the lines that lead there are looked at; ("", 0) where there is none."""
        for slot, cell in self._attended:
            for found in self._neurons(slot, cell):
                return found
        return "", 0

    @property
    def _attended(self) -> Iterator[tuple[str, int]]:
        written, changed = self.scene.written
        if written and len(changed) == 1:
            yield written, changed.start
        yield self.scene.cursor

    def _neurons(self, slot: str, cell: int) -> Iterator[tuple[str, int]]:
        """The neurons that a cell has to do with: its own, or those that its weight joins."""
        program = self.scene.view.program
        base = Names(program).base(slot)
        if program.slots[base].size != program.slots[slot].size:
            return
        key = "x" if base == "x" else self.layers[-1].key if base == "y" else program.owners.get(base, "")
        layer = next((one for one in self.layers if one.key == key), None)
        if layer is None:
            return
        yield key, cell % len(layer.kin)
        if base == layer.weight:
            yield self.layers[layer.inputs[0]].key, cell // len(layer.kin)


def _number(scene: Scene, slot: str, cell: int, room: int) -> tuple[str, str]:
    view = scene.view
    if not view.is_computed(slot, cell):
        return f"   {scene.unset(slot)}   ", "dim"
    value = view.number(slot, cell)
    outdated, edited = view.is_outdated(slot, cell), cell in view.edited.get(slot, ())
    text = shortened(value, scene.places(slot), room - (outdated or edited))
    if outdated:
        return f"~{text}", "dim+strike"
    if edited:
        return f"{text}*", colour(value)
    return text, colour(value) + ("+italic" if slot.endswith(".grad") else "")


def batch_row(scene: Scene, slot: str, cell: int) -> int | None:
    """The row of the batch that a cell belongs to, if it belongs to one."""
    slots = scene.view.program.slots
    rows = slots["x"].shape[0]
    found = slots[slot]
    by_row = found.kind in ("data", "value") or (found.of and slots[found.of].kind in ("data", "value"))
    if not by_row or not found.shape or found.shape[0] != rows or slot in ("X", "Y"):
        return None
    return cell // (found.size // rows)


def row_of(scene: Scene) -> int:
    """The row of the batch that is shown: of the element at hand, else of the cell under the cursor, else a choice."""
    written, changed = scene.written
    attended = [(written, changed.start)] if written and len(changed) == 1 else []
    for slot, cell in (*attended, scene.cursor):
        row = batch_row(scene, slot, cell)
        if row is not None:
            return row
    return max(0, min(scene.sample, scene.view.program.slots["x"].shape[0] - 1))
