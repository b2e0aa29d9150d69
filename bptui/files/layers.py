"""The network of a spec: `layers = […]`, `[[layer]]` tables or a `[net]`, read into nodes.

A node that could be read only in part is kept, with 0 units or no inputs where these are not known, so that one
mistake hides no other and calls up none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from bptui.engine.network import MAX_PARAMETERS, Array, Node, Where
from bptui.files.report import Report
from bptui.files.text import quoted
from bptui.files.values import Table, as_list, as_table, flawless, suggest

MAX_NODES = 1000
LAYOUTS = ("out-in", "in-out")
WAYS = ("layers", "layer", "net")
_LAYER_KEYS = ("dense", "name", "act", "bias", "W", "b", "labels", "freeze", "layout")
_NODE_KEYS = ("dense", "from", "act", "bias", "W", "b", "labels", "freeze", "layout")
_LINE = '"dense 4 tanh"'
_NODE_LINE = '"dense 4 tanh (x)" or "add (h1, h2)"'


def read_layout(table: Table, inherited: str) -> str:
    """How weight matrices are written there; '' where that can't be told."""
    layout = table.word("layout", inherited)
    if layout and layout not in LAYOUTS:
        table.fault("layout", f"unknown layout {quoted(layout)}{suggest(layout, LAYOUTS) or ' (out-in or in-out)'}")
        return ""
    return layout


def read_nodes(top: Table, layout: str) -> tuple[Node, ...]:
    """The nodes, however they are described; none where nothing can be made of them."""
    report = top.report
    used = [way for way in WAYS if top.has(way)]
    nodes: list[Node] = []
    for way in used:
        nodes = _READERS[way](top, layout)
    for way in used[1:]:
        top.fault(way, f"{_written(way)} and {_written(used[0])} both describe the network: only one may")
    if len(nodes) > MAX_NODES:
        top.fault(used[0], f"{len(nodes)} layers: the limit is {MAX_NODES}")
    if len(used) > 1 or len(nodes) > MAX_NODES:
        report.spoil(("layers",))
        return ()
    return tuple(nodes)


def _written(way: str) -> str:
    return {"layers": "layers = […]", "layer": "[[layer]]", "net": "[net]"}[way]


def _lines(top: Table) -> list[Node]:
    """`layers = ["dense 4 tanh", …]`."""
    items = as_list(top.values["layers"])
    if items is None or any(isinstance(item, dict) for item in items):
        kind = "a list of tables" if items else quoted(top.values["layers"])
        top.fault("layers", f"layers is a list of lines such as {_LINE}, not {kind}; tables go under [[layer]]")
        return []
    nodes: list[Node] = []
    for i, item in enumerate(items):
        node = _line(item, str(i + 1), (*top.at("layers"), i), top.report)
        nodes.append(_reading(node, _before(i)))
    return nodes


def _tables(top: Table, layout: str) -> list[Node]:
    """`[[layer]]` tables."""
    items = as_list(top.values["layer"])
    if items is None:
        top.fault("layer", "a layer is headed [[layer]], in two brackets: there may be several")
        top.report.spoil(("layers",))
        return []
    nodes: list[Node] = []
    for i, item in enumerate(items):
        where = (*top.at("layer"), i)
        values = as_table(item)
        if values is None:
            top.report.add(where, f"a layer is a table such as {{ dense = 4 }}, not {quoted(item)}")
        table = Table(values or {}, where, top.report, top.largest)
        table.check_keys(_LAYER_KEYS, "a layer")
        nodes.append(_dense(table, str(i + 1), _before(i), layout))
    return nodes


def _graph(top: Table, layout: str) -> list[Node]:
    """`[net]`: a line or a table for each node."""
    net = top.table("net", 'h1 = "dense 4 tanh (x)"')
    nodes: list[Node] = []
    if as_table(top.values["net"]) is None:
        top.report.spoil(("layers",))
    for key, item in net.values.items():
        values = as_table(item)
        if key.isdigit():
            net.fault(key, f"{quoted(key)} can't be a node's name: it would be taken for a layer's number")
        if values is None:
            nodes.append(_line(item, key, net.at(key), top.report, graph=True))
        else:
            nodes.append(_node(Table(values, net.at(key), top.report, top.largest), key, layout))
    return nodes


_READERS: dict[str, Callable[[Table, str], list[Node]]] = {
    "layers": lambda top, _layout: _lines(top),
    "layer": _tables,
    "net": _graph,
}


def _before(index: int) -> tuple[str, ...]:
    """The node that a layer in a list reads."""
    return ("x",) if index == 0 else (str(index),)


def _reading(node: Node, inputs: tuple[str, ...]) -> Node:
    return Node(**{**vars(node), "inputs": inputs})


def _line(item: object, key: str, where: Where, report: Report, *, graph: bool = False) -> Node:
    """One line, such as `dense 4 tanh (x)`; brackets only in a graph, and always there."""
    unknown = Node(key, (), units=0, where=where)
    example = _NODE_LINE if graph else _LINE
    if not isinstance(item, str):
        report.add(where, f"a line such as {example} is expected, not {quoted(item)}")
        return unknown
    head, bracket, tail = item.strip().partition("(")
    fault, node = _words(head.split(), unknown)
    inputs = tuple(word.strip() for word in tail.rstrip(")").split(","))
    wrong = fault or _wrong_inputs(node, inputs, bracket + tail, graph=graph)
    if wrong:
        report.add(where, f"{quoted(item)}: {wrong}")
    if wrong and node.op == "add" and not graph:
        return unknown
    return node if wrong or not graph else _reading(node, inputs)


def _words(words: Sequence[str], unknown: Node) -> tuple[str, Node]:
    """(what is wrong, the node) of the words before the brackets: an op, its size and an activation."""
    op = words[0] if words else ""
    if op not in ("dense", "add"):
        return f"{quoted(op)} is no kind of layer{suggest(op, ('dense', 'add')) or ' (dense or add)'}", unknown
    size, rest = (words[1:2], words[2:]) if op == "dense" else (["1"], words[1:])
    if not size or not (size[0].isascii() and size[0].isdecimal()):
        said = f"{quoted(size[0])} is no number of neurons" if size else "no number of neurons"
        return f"{said}: write {_LINE}", unknown
    units = int(size[0][:20])
    act = rest[0] if rest else "identity"
    node = Node(**{**vars(unknown), "op": op, "act": act, "units": _bounded(units)})
    if len(rest) > 1:
        return f"{quoted(rest[1])} is one word too many after the activation", node
    return _too_large(units), node


def _bounded(units: int) -> int:
    return units if units <= MAX_PARAMETERS else 0


def _too_large(units: int) -> str:
    return "" if units <= MAX_PARAMETERS else f"{quoted(units)} neurons are too many: the limit is {MAX_PARAMETERS:,}"


def _wrong_inputs(node: Node, inputs: tuple[str, ...], brackets: str, *, graph: bool) -> str:
    """What is wrong with the brackets of a line: '' or a reason."""
    if not graph:
        what = "add needs a [net]" if node.op == "add" else "brackets are for a [net]"
        return f"{what}; a layer in a list reads the one before it" if brackets or node.op == "add" else ""
    wanted = 1 if node.op == "dense" else 2
    if brackets.startswith("(") and brackets.endswith(")") and len(inputs) == wanted and all(inputs):
        return ""
    return "say what it reads, in brackets: " + ("dense 4 tanh (x)" if node.op == "dense" else "add (h1, h2)")


def _node(table: Table, key: str, layout: str) -> Node:
    """A node of a graph written as a table."""
    if not table.has("add"):
        table.check_keys(_NODE_KEYS, "a node")
        return _dense(table, key, _inputs(table, "from", 1), layout)
    table.check_keys(("add", "act", "labels"), "a node that adds")
    labels = _labels(table, ("out",), layout)
    act = table.word("act", "identity")
    return Node(key, _inputs(table, "add", 2), op="add", act=act, labels=labels, where=table.where)


def _inputs(table: Table, key: str, count: int) -> tuple[str, ...]:
    """The nodes that a node reads; none where that can't be told."""
    words = table.words(key)
    if len(words) == count:
        return words
    example = 'from = "x"' if count == 1 else 'add = ["h1", "h2"]'
    if not table.has(key):
        table.report.add(table.where, f"a node says what it reads: {example}")
    elif words or not table.values[key]:
        table.fault(key, f"it reads {count}, not {len(words)}: {example}")
    return ()


def _dense(table: Table, key: str, inputs: tuple[str, ...], layout: str) -> Node:
    """A dense layer or node, all but its own kind's keys checked."""
    units = _units(table)
    layout = read_layout(table, layout)
    bias = table.flag("bias", default=True)
    return Node(
        key,
        inputs,
        units,
        act=table.word("act", "identity"),
        bias=bias,
        W=_weights(table, layout),
        b=_biases(table, units, bias=bias),
        name=table.word("name"),
        labels=_labels(table, ("W", "b", "out"), layout, bias=bias),
        freeze=table.words("freeze"),
        where=table.where,
    )


def _units(table: Table) -> int:
    """The number of neurons; 0 where it is not known."""
    if not table.has("dense"):
        message = "a layer says how many neurons it has: dense = 4"
        table.report.add(table.where, message, spoils=table.at("dense"))
        return 0
    units = table.whole("dense", 0, 1)
    if _too_large(units):
        table.fault("dense", _too_large(units))
    return _bounded(units)


def _weights(table: Table, layout: str) -> Array | None:
    """W as (in, out)."""
    matrix = table.matrix("W") if table.has("W") else None
    if matrix is None or not layout:
        return None
    return np.ascontiguousarray(matrix if layout == "in-out" else matrix.T)


def _biases(table: Table, units: int, *, bias: bool) -> Array | None:
    """The biases: a list, or one number for all neurons."""
    if not table.has("b"):
        return None
    if not bias:
        table.fault("b", "b is given, but bias = false")
        return None
    if as_list(table.values["b"]) is not None:
        return table.numbers("b")
    number = table.number("b", 0.0)
    return np.broadcast_to(np.float64(number), (units,)) if units else None


def _labels(table: Table, keys: Sequence[str], layout: str, *, bias: bool = True) -> dict[str, Any]:
    """Labels by what they name; those of W as (in, out)."""
    labels = table.table("labels", 'labels = { out = ["h1", "h2"] }')
    labels.check_keys(keys, "labels")
    found: dict[str, Any] = {}
    if labels.has("W") and "W" in keys:
        rows = label_rows(labels, "W")
        if rows and layout:
            found["W"] = rows if layout == "in-out" else [list(column) for column in zip(*rows, strict=True)]
    for key in ("b", "out"):
        row = label_row(labels, key) if labels.has(key) and key in keys else None
        if row and key == "b" and not bias:
            labels.fault("b", "labels for b, but bias = false")
        elif row:
            found[key] = row
    return found


def label_row(table: Table, key: str) -> list[str] | None:
    """A list of labels."""
    row = _texts(table.values[key])
    if row is None:
        table.fault(key, f'labels of {key} are a list of texts such as ["h1", "h2"]{_odd(table.values[key])}')
    return row


def label_rows(table: Table, key: str) -> list[list[str]] | None:
    """A matrix of labels."""
    rows = [_texts(value) for value in as_list(table.values[key]) or []]
    good = [row for row in rows if row]
    if not rows or len(good) < len(rows):
        table.fault(key, f'labels of {key} are rows of texts such as [["w1", "w2"], ["w3", "w4"]]')
        return None
    odd = next((i for i, row in enumerate(good) if len(row) != len(good[0])), None)
    if odd is not None:
        message = f"row {odd} of the labels of {key} is {len(good[odd])} long, row 0 is {len(good[0])}"
        table.report.add((*table.at(key), odd), message, spoils=table.at(key))
        return None
    return good


def _texts(value: object) -> list[str] | None:
    items = as_list(value)
    return None if not items or any(map(flawless, items)) else [str(item) for item in items]


def _odd(value: object) -> str:
    """The first item that is no text, for a message."""
    items: Iterable[object] = as_list(value) or [value]
    return next((f", not {quoted(item)}" for item in items if flawless(item)), "")
