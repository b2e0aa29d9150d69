"""What the user described: nodes, data, loss and learning rate; checked as a whole, then frozen."""

from __future__ import annotations

import difflib
import keyword
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bptui.engine.ops import ACTIVATIONS, LOSSES

Array = npt.NDArray[Any]
Where = tuple[str | int, ...]

MAX_PARAMETERS = 50_000_000
# Words that an expression already gives a meaning to, so that no label may take them.
RESERVED = frozenset({*keyword.kwlist, "at"})
_FIXED = frozenset({"x", "y", "loss", "lr"})
_NAME_RULE = "a name is letters, digits and _, not a digit first, no keyword"


@dataclass(frozen=True)
class Problem:
    """One mistake in a description: where it stands (keys and indices, outermost first) and what is wrong."""

    where: Where
    message: str


class NetworkError(ValueError):
    """A description that does not hold together; `problems` has every mistake found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the mistakes; the text has them all."""
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


@dataclass(frozen=True, eq=False)
class Node:
    """One layer or one node of a graph.

    key      in a layer list its number from 1 ("1", "2", …), in a graph its name
    inputs   the keys of what it reads; "x" is the data
    units    0 where they are not known (only while a faulty description is being checked)
    op       "dense" or "add"
    W        (in, units) or None: drawn from (seed, slot)
    b        (units,) or None: zeros
    labels   "W", "b" and "out" → nested lists of labels in the engine's layout: W is (in, units), b and out (units,)
    where    the place in the description, for messages: ("layers", 0) or ("net", "h1")
    """

    key: str
    inputs: tuple[str, ...]
    units: int = 1
    op: str = "dense"
    act: str = "identity"
    bias: bool = True
    W: Array | None = None
    b: Array | None = None
    name: str = ""
    labels: Mapping[str, Any] = field(default_factory=dict)
    freeze: tuple[str, ...] = ()
    where: Where = ()

    @property
    def suffix(self) -> str:
        """What its slots' names end with: W1 for a layer, W_h1 for a node of a graph."""
        return self.key if self.key.isdigit() else f"_{self.key}"

    @property
    def output(self) -> str:
        """The slot that holds its result: `a…` after an activation, else `z…`."""
        return ("z" if self.act == "identity" else "a") + self.suffix


@dataclass(frozen=True, eq=False)
class Network:
    """A whole description.

    x, y     (rows, in) and (rows, out); all rows are one batch unless `batch` is smaller
    batch    rows drawn for each iteration from (seed, epoch), or None
    labels   "x", "y" and "loss" → a list of labels for the columns; a string for the loss
    freeze   patterns (`b*`) of parameter slots that are not trained
    narration  a stage (`start`, a phase, or the slot just written) → a sentence for the reader
    layout   how the person writes weight matrices, for saving them the same way; arrays here are always (in, out)
    """

    nodes: tuple[Node, ...]
    x: Array
    y: Array
    loss: str = "half-mse"
    lr: float = 0.1
    name: str = "network"
    title: str = ""
    batch: int | None = None
    seed: int = 0
    dtype: str = "float64"
    iterations: int = 1000
    labels: Mapping[str, Any] = field(default_factory=dict)
    freeze: tuple[str, ...] = ()
    narration: Mapping[str, str] = field(default_factory=dict)
    layout: str = "out-in"

    @property
    def graph(self) -> bool:
        """Whether it was described as a graph (`[net]`) rather than a list of layers."""
        return any(not node.key.isdigit() for node in self.nodes)

    def node(self, key: str) -> Node:
        """The node of that key."""
        return next(node for node in self.nodes if node.key == key)


def nearest(word: str, words: Iterable[str]) -> str:
    """` (did you mean …?)` with the nearest of `words`, or nothing."""
    lower = {known.lower(): known for known in words}
    near = difflib.get_close_matches(str(word).lower(), list(lower), 1, 0.55 if len(word) > 2 else 0.5)
    return f" (did you mean {lower[near[0]]}?)" if near else ""


def is_name(text: str) -> bool:
    """Whether expressions and generated code can use it: Python reads names NFKC-normalised, so only those count."""
    return text.isidentifier() and unicodedata.normalize("NFKC", text) == text and text not in RESERVED


def checked(network: Network) -> Network:
    """The network with its nodes in an order in which each comes after what it reads.

    Raises NetworkError with every mistake.
    """
    problems = list(find_problems(network))
    if problems:
        raise NetworkError(problems)
    ordered, _ = _in_order(network.nodes)
    return Network(**{**vars(network), "nodes": ordered})


def find_problems(network: Network) -> Iterator[Problem]:
    """Every mistake in a description, in the order of its parts."""
    yield from _scalar_problems(network)
    yield from _data_problems(network)
    yield from _node_problems(network)
    ordered, stuck = _in_order(network.nodes)
    if stuck:
        loop = _loop(stuck)
        chain = " → ".join(node.key for node in (*loop, loop[0]))
        yield Problem(loop[0].where, f"a loop in the graph: {chain} (each reads the next)")
    yield from _shape_problems(network, ordered)
    yield from _label_problems(network)


def widths(network: Network, ordered: Iterable[Node]) -> dict[str, int]:
    """The number of columns that each node, and x, gives; 0 where it is not known."""
    result = {"x": int(network.x.shape[1])}
    for node in ordered:
        added = {result.get(key, 0) for key in node.inputs}
        result[node.key] = max(node.units, 0) if node.op == "dense" else added.pop() if len(added) == 1 else 0
    return result


def output_width(network: Network) -> int:
    """How many numbers the last node gives for a row; 0 where it is not known."""
    ordered, stuck = _in_order(network.nodes)
    ends = _ends(network.nodes)
    return widths(network, ordered)[ends[0].key] if len(ends) == 1 and not stuck else 0


def _ends(nodes: Iterable[Node]) -> list[Node]:
    """The nodes that no other reads."""
    nodes = list(nodes)
    read = {key for node in nodes for key in node.inputs}
    return [node for node in nodes if node.key not in read]


def _loop(stuck: Iterable[Node]) -> list[Node]:
    """One loop among nodes that wait for each other."""
    waiting = {node.key: node for node in stuck}
    path = [next(iter(waiting.values()))]
    while True:
        after = next(waiting[key] for key in path[-1].inputs if key in waiting)
        if after in path:
            return path[path.index(after) :]
        path.append(after)


def _in_order(nodes: Iterable[Node]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Nodes sorted so that each comes after its inputs, and those that no order can place."""
    waiting = list(nodes)
    known = {"x"}
    names = {node.key for node in waiting}
    ordered: list[Node] = []
    while waiting:
        ready = [node for node in waiting if all(k in known or k not in names for k in node.inputs)]
        if not ready:
            break
        ordered.append(ready[0])
        known.add(ready[0].key)
        waiting.remove(ready[0])
    return tuple(ordered), tuple(waiting)


def _scalar_problems(network: Network) -> Iterator[Problem]:
    if network.loss not in LOSSES:
        known = ", ".join(LOSSES)
        hint = nearest(network.loss, LOSSES) or f" (one of {known})"
        yield Problem(("loss",), f"unknown loss {network.loss!r}{hint}")
    if not np.isfinite(network.lr):
        yield Problem(("lr",), f"lr is {network.lr}: a learning rate is a finite number")
    elif network.lr < 0:
        yield Problem(("lr",), f"lr is {network.lr}: a negative learning rate would climb")
    if network.dtype not in ("float64", "float32"):
        yield Problem(("dtype",), f"unknown dtype {network.dtype!r} (float64 or float32)")
    if network.iterations < 1:
        yield Problem(("iterations",), f"iterations is {network.iterations}: at least 1 is needed")


def _data_problems(network: Network) -> Iterator[Problem]:
    for slot, array in (("x", network.x), ("y", network.y)):
        if array.size == 0:
            yield Problem(("data", slot), f"{slot} is empty: at least one row is needed")
        elif not np.isfinite(array).all():
            row = int(np.argwhere(~np.isfinite(array))[0][0])
            yield Problem(("data", slot), f"{slot} holds a number that is not finite, in row {row}")
    yield from _target_problems(network)
    if not (network.x.size and network.y.size):
        return
    if len(network.x) != len(network.y):
        rows = f"x has {_count(len(network.x), 'row')}, y has {_count(len(network.y), 'row')}"
        yield Problem(("data", "y"), f"{rows}: one target row for each input row is needed")
    if network.batch is not None and not 1 <= network.batch <= len(network.x):
        fault = f"batch is {network.batch}: the data have {_count(len(network.x), 'row')} to draw from"
        yield Problem(("data", "batch"), fault)


def _target_problems(network: Network) -> Iterator[Problem]:
    """Targets that a loss has no meaning for."""
    y, outputs = network.y, network.nodes[-1].units if network.nodes else 0
    if network.loss == "bce" and y.size and (bad := y[(y < 0) | (y > 1)]).size:
        yield Problem(("data", "y"), f"y holds {bad[0]:g}: bce needs targets from 0 to 1")
    if network.loss == "softmax-ce" and outputs == 1:
        yield Problem(("loss",), "softmax-ce over 1 output is always 0: use bce, or one output for each class")


def _node_problems(network: Network) -> Iterator[Problem]:
    if not network.nodes:
        yield Problem(("layers",), """no layers: describe at least one, such as layers = ["dense 1"]""")
    keys = {"x", *(node.key for node in network.nodes)}
    for node in network.nodes:
        yield from _own_problems(node)
        for key in node.inputs:
            if key not in keys:
                yield Problem(
                    node.where, f"{node.key} reads {key!r}, which is no node{nearest(key, sorted(keys - {node.key}))}"
                )
    yield from _end_problems(network, keys)


def _own_problems(node: Node) -> Iterator[Problem]:
    """What is wrong with a node alone."""
    if node.act not in ACTIVATIONS:
        hint = nearest(node.act, ACTIVATIONS) or f" (one of {', '.join(ACTIVATIONS)})"
        yield Problem((*node.where, "act"), f"unknown activation {node.act!r}{hint}")
    if node.op == "dense" and node.units < 1:
        yield Problem((*node.where, "dense"), f"a dense layer has at least 1 unit, not {node.units}")
    for param in node.freeze:
        if param not in ("W", "b"):
            yield Problem((*node.where, "freeze"), f"freeze names {param!r}: a layer has W and b")
    if node.key in _FIXED:
        yield Problem(node.where, f"a node may not be called {node.key!r}: that is a slot's name")
    elif not (is_name(node.key) or (node.key.isdecimal() and node.key.isascii())):
        yield Problem(node.where, f"a node may not be called {node.key!r}: {_NAME_RULE}")


def _end_problems(network: Network, keys: set[str]) -> Iterator[Problem]:
    """One node alone may be read by no other; where some node's inputs are not known, this can't be told."""
    if all(node.inputs and keys.issuperset(node.inputs) for node in network.nodes):
        ends = _ends(network.nodes)
        for node in ends[:-1]:
            fault = f"nothing reads {node.key}: only one node may end the graph, and that is {ends[-1].key}"
            yield Problem(node.where, fault)


def _shape_problems(network: Network, ordered: tuple[Node, ...]) -> Iterator[Problem]:
    width = widths(network, ordered)
    counts: list[tuple[int, Node]] = []
    for node in ordered:
        inputs = [width[key] for key in node.inputs if width.get(key)]
        if node.op == "add" and len(set(inputs)) > 1:
            named = ", ".join(f"{k} has {width[k]}" for k in node.inputs if width.get(k))
            yield Problem(node.where, f"{node.key} adds different widths: {named}")
        if node.op == "dense":
            counts.append(((sum(inputs) + 1) * max(node.units, 0), node))
            yield from _weight_problems(node, inputs[0] if inputs else 0)
    total = sum(count for count, _ in counts)
    if total > MAX_PARAMETERS:
        largest = max(counts, key=lambda pair: pair[0])[1]
        size = f"{total:,} parameters need about {total * 40 / 2**30:,.1f} GiB here"
        yield Problem((*largest.where, "dense"), f"{size}; the limit is {MAX_PARAMETERS:,} parameters")
    out = output_width(network)
    if out and network.y.size and network.y.shape[1] != out:
        columns = network.y.shape[1]
        fault = f"y has {_count(columns, 'column')}, the last layer gives {out}: they have to agree"
        yield Problem(("data", "y"), fault)


def _weight_problems(node: Node, inputs: int) -> Iterator[Problem]:
    """Weights have to fit what is known of the layer: 0 inputs or units are not known, and fit all."""
    if node.W is not None:
        fitting = (inputs or node.W.shape[0], node.units if node.units > 0 else node.W.shape[1])
        if node.W.shape != fitting:
            fault = f"W is for {_sides(node.W.shape)}, the layer has {_sides(fitting)}"
            yield Problem((*node.where, "W"), fault)
        elif not np.isfinite(node.W).all():
            i, j = np.argwhere(~np.isfinite(node.W))[0]
            fault = f"W holds {node.W[i, j]} (neuron {j}, input {i}): a weight is a finite number"
            yield Problem((*node.where, "W"), fault)
    if node.b is not None:
        if node.units > 0 and node.b.shape != (node.units,):
            fault = f"b has {_count(node.b.size, 'number')}, the layer has {_count(node.units, 'neuron')}"
            yield Problem((*node.where, "b"), fault)
        elif not np.isfinite(node.b).all():
            yield Problem((*node.where, "b"), "b holds a number that is not finite")


def _sides(shape: tuple[int, ...]) -> str:
    return f"{_count(shape[0], 'input')} and {_count(shape[1], 'neuron')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _label_problems(network: Network) -> Iterator[Problem]:
    """Labels have to fit their slot, be names, and be each the only one of its kind."""
    taken: dict[str, str] = dict.fromkeys(_slot_names(network), "a slot")
    for node in network.nodes:
        if node.name and not is_name(node.name):
            yield Problem((*node.where, "name"), f"{node.name!r} is no name: {_NAME_RULE}")
        own = node.name or ("" if node.key.isdigit() else node.key)
        if own in taken and node.key not in _FIXED:
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
        return f"the labels of {group.what} are for {_sides(shape)}, the layer has {_sides(fitting)}"
    return f"{_count(shape[0], 'label')} for {group.what}, which has {_count(group.shape[0], 'column')}"


def _word_problems(group: _Labels, taken: dict[str, str]) -> Iterator[Problem]:
    for label in (str(text) for text in np.array(group.words, dtype=object).reshape(-1)):
        if not is_name(label):
            yield Problem(group.where, f"{label!r} can't be a label: {_NAME_RULE}")
        elif label in taken:
            yield Problem(group.where, f"the label {label!r} is used twice: it is already {taken[label]}")
        taken.setdefault(label, f"a label of {group.what}")


def _label_groups(network: Network) -> Iterator[_Labels]:
    width = widths(network, _in_order(network.nodes)[0])
    for node in network.nodes:
        units = width.get(node.key, node.units)
        inputs = width.get(node.inputs[0], 0) if node.inputs else 0
        shapes = {"W": (inputs, units), "b": (units,), "out": (units,)}
        for key, words in node.labels.items():
            slot = key + node.suffix if key != "out" else node.output
            yield _Labels((*node.where, "labels", key), slot, shapes[key], words)
    for key, words in network.labels.items():
        shape: tuple[int, ...] = () if key == "loss" else (getattr(network, key).shape[1],)
        yield _Labels(("labels", key), key, shape, words)


def _slot_names(network: Network) -> Iterator[str]:
    yield from ("x", "y", "loss", "lr")
    if network.batch is not None:
        yield from ("X", "Y", "rows")
    for node in network.nodes:
        for letter in "Wbza":
            yield letter + node.suffix
