"""What a reader's labels and names stand for: `w5` is one cell of W2, `h1` a column of h."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bptui.engine.network import Network
from bptui.engine.program import Slot, Target

Names = dict[str, tuple[str, ...]]


def name_cells(
    network: Network, slots: Mapping[str, Slot], outputs: Mapping[str, str]
) -> tuple[dict[str, Target], Names, dict[str, str]]:
    """(label or name → target, slot → labels of its cells, slot → its display name)."""
    names = {slot: name for slot, name in _display_names(network, outputs) if name}
    targets = {name: _whole(slots[slot]) for slot, name in names.items() if name not in slots}
    cell_names: Names = {}
    groups = [*_groups(network, outputs)]
    for slot, labels in [*groups, *_derived(network, groups, targets)]:
        table = _per_cell(slots[slot], labels)
        cell_names[slot] = table
        for label in dict.fromkeys(table):
            cells = tuple(k for k, text in enumerate(table) if text == label)
            targets[label] = Target(slot, cells, scalar=len(cells) == 1)
    return targets, cell_names, names


def _whole(slot: Slot) -> Target:
    return Target(slot.name, tuple(range(slot.size)), whole=True, scalar=slot.shape == ())


def _display_names(network: Network, outputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for node in network.nodes:
        single = node.labels.get("out", []) if len(node.labels.get("out", [])) == 1 else []
        own = node.name or ("" if node.key.isdigit() else node.key)
        yield outputs[node.key], own or (str(single[0]) if len(single) else "")
    yield "loss", str(network.labels.get("loss", ""))


def _groups(network: Network, outputs: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """(slot, labels) for every group of labels in the description."""
    for key, labels in network.labels.items():
        yield key, labels
    for node in network.nodes:
        for letter, labels in node.labels.items():
            yield outputs[node.key] if letter == "out" else letter + node.suffix, labels


def _derived(
    network: Network, groups: list[tuple[str, Any]], targets: Mapping[str, Target]
) -> Iterator[tuple[str, Any]]:
    """Before an activation a neuron `h1` is called `z_h1`, unless somebody took that name."""
    taken = {str(text) for _, labels in groups for text in np.array(labels, object).reshape(-1)} | set(targets)
    for node in network.nodes:
        if "out" in node.labels and node.act != "identity":
            labels = [f"z_{text}" for text in node.labels["out"]]
            if not taken & set(labels) and not _is_slot(network, labels):
                yield "z" + node.suffix, labels


def _is_slot(network: Network, labels: list[str]) -> bool:
    made = {letter + node.suffix for node in network.nodes for letter in "Wbza"}
    return bool(made & set(labels))


def _per_cell(slot: Slot, labels: Any) -> tuple[str, ...]:
    """A label for each flat cell: labels of columns are repeated for the rows of the batch."""
    array = np.array(labels, dtype=object)
    return tuple(str(text) for text in np.broadcast_to(array, slot.shape).reshape(-1))
