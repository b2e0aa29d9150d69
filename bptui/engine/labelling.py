"""What is wrong with labels: they have to fit their slot, be names, and be each the only one of its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.engine.graph import in_order, sample_shapes
from bptui.engine.kinds import KINDS
from bptui.engine.network import LONGEST_NAME, Network, Problem, Where, is_name

FIXED = frozenset({"x", "y", "loss", "lr"})
NAME_RULE = f"a name is letters, digits and _, not a digit first, no keyword, and no longer than {LONGEST_NAME}"


def label_problems(network: Network) -> Iterator[Problem]:
    """Labels have to fit their slot, be names, and be each the only one of its kind."""
    taken: dict[str, str] = dict.fromkeys(slot_names(network), "a slot")
    for node in network.nodes:
        if node.name and not is_name(node.name):
            yield Problem((*node.where, "name"), f"{node.name!r} is no name: {NAME_RULE}")
        own = node.name or ("" if node.key.isdigit() else node.key)
        if own in taken and node.key not in FIXED:
            yield Problem((*node.where, "name"), f"the name {own!r} is taken: it is {taken[own]}")
        if own:
            taken.setdefault(own, "a node's name")
    for group in _label_groups(network):
        fault = _misfit(group)
        if fault:
            yield Problem(group.where, fault)
        else:
            yield from _word_problems(group, taken)


@dataclass(frozen=True)
class _Labels:
    """Labels of one slot: where they stand, what they label, and the slot's shape (0 where it is not known)."""

    where: Where
    what: str
    shape: tuple[int, ...]
    words: Any


def _misfit(group: _Labels) -> str:
    """What is wrong with the labels' shape, in words that hold for both layouts of W."""
    shape = np.array(group.words, dtype=object).shape
    if len(shape) == len(group.shape) and all(want in (0, n) for want, n in zip(group.shape, shape, strict=True)):
        return ""
    if len(group.shape) == 0:
        return f"{group.what} takes one label, not a list"
    if len(shape) != len(group.shape):
        return f"labels of {group.what} are a list" + (", one row per neuron" if len(group.shape) == 2 else "")
    if len(shape) == 2:
        fitting = (group.shape[0] or shape[0], group.shape[1] or shape[1])
        return f"the labels of {group.what} are for {sides(shape)}, the layer has {sides(fitting)}"
    return f"{count(shape[0], 'label')} for {group.what}, which has {count(group.shape[0], 'column')}"


def _word_problems(group: _Labels, taken: dict[str, str]) -> Iterator[Problem]:
    for label in (str(text) for text in np.array(group.words, dtype=object).reshape(-1)):
        if not is_name(label):
            yield Problem(group.where, f"{label!r} can't be a label: {NAME_RULE}")
        elif label in taken:
            yield Problem(group.where, f"the label {label!r} is used twice: it is already {taken[label]}")
        taken.setdefault(label, f"a label of {group.what}")


def _label_groups(network: Network) -> Iterator[_Labels]:
    shapes = sample_shapes(network, in_order(network.nodes)[0])
    for node in network.nodes:
        units = (shapes.get(node.key) or (node.units,))[-1]
        read = shapes.get(node.inputs[0]) if node.inputs else None
        fitting = {"W": (read[-1] if read else 0, units), "b": (units,), "out": (units,)}
        for key, words in node.labels.items():
            slot = key + node.suffix if key != "out" else node.output
            yield _Labels((*node.where, "labels", key), slot, fitting[key], words)
    for key, words in network.labels.items():
        shape: tuple[int, ...] = () if key == "loss" else getattr(network, key).shape[-1:]
        yield _Labels(("labels", key), key, shape, words)


def slot_names(network: Network) -> Iterator[str]:
    """Every name that a slot of the network has for certain."""
    yield from ("x", "y", "loss", "lr", *network.more)
    if network.batch is not None:
        yield from ("X", "Y", "rows")
    for node in network.nodes:
        kind = KINDS.get(node.op)
        for letter in dict.fromkeys(("W", "b", "z", "a", *(kind.letters if kind else ()))):
            yield letter + node.suffix


def sides(shape: tuple[int, ...]) -> str:
    """The shape of a weight matrix in words."""
    return f"{count(shape[0], 'input')} and {count(shape[1], 'neuron')}"


def count(number: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
