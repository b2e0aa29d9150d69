"""The network of a spec: `layers = […]`, `[[layer]]` tables or a `[net]`, read into nodes.

A node that could be read only in part is kept, with 0 units or no inputs where these are not known, so that one
mistake hides no other and calls up none.
"""

from __future__ import annotations

from collections.abc import Callable

from bptui.engine.network import Node
from bptui.files.layer_lines import LINE, read_line, reading
from bptui.files.layer_tables import read_layer, read_layout, read_node
from bptui.files.text import quoted
from bptui.files.values import Table, as_list, as_table

MAX_NODES = 1000
WAYS = ("layers", "layer", "net")

__all__ = ["read_layout", "read_nodes"]


def read_nodes(top: Table, layout: str) -> tuple[Node, ...]:
    """The nodes, however they are described; none where nothing can be made of them."""
    report = top.report
    used = [way for way in WAYS if top.has(way)]
    if crowded := next((way for way in used if _length(top.values[way]) > MAX_NODES), None):
        top.fault(crowded, f"{_length(top.values[crowded])} layers: the limit is {MAX_NODES}")
        report.spoil(("layers",))
        return ()
    nodes: list[Node] = []
    for way in used:
        nodes = _READERS[way](top, layout)
    for way in used[1:]:
        top.fault(way, f"{_written(way)} and {_written(used[0])} both describe the network: only one may")
    if len(used) > 1:
        report.spoil(("layers",))
        return ()
    return tuple(nodes)


def _length(value: object) -> int:
    return len(as_list(value) or as_table(value) or ())


def _written(way: str) -> str:
    return {"layers": "layers = […]", "layer": "[[layer]]", "net": "[net]"}[way]


def _lines(top: Table) -> list[Node]:
    """`layers = ["dense 4 tanh", …]`."""
    items = as_list(top.values["layers"])
    if items is None or any(isinstance(item, dict) for item in items):
        kind = "a list of tables" if items else quoted(top.values["layers"])
        top.fault("layers", f"layers is a list of lines such as {LINE}, not {kind}; tables go under [[layer]]")
        return []
    nodes: list[Node] = []
    for i, item in enumerate(items):
        node = read_line(item, str(i + 1), (*top.at("layers"), i), top.report)
        nodes.append(reading(node, _before(i)))
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
        nodes.append(read_layer(top.inner(values or {}, where), str(i + 1), _before(i), layout))
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
            nodes.append(read_line(item, key, net.at(key), top.report, graph=True))
        else:
            nodes.append(read_node(net.inner(values, net.at(key)), key, layout))
    return nodes


_READERS: dict[str, Callable[[Table, str], list[Node]]] = {
    "layers": lambda top, _layout: _lines(top),
    "layer": _tables,
    "net": _graph,
}


def _before(index: int) -> tuple[str, ...]:
    """The node that a layer in a list reads."""
    return ("x",) if index == 0 else (str(index),)
