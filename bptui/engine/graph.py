"""The order of a network's nodes, and the shapes of what they give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bptui.engine.kinds import KINDS, Kind, MisfitError
from bptui.engine.network import Network, Node
from bptui.engine.ops.row import Shape
from bptui.engine.terms import ShapeError, read, shape

Shapes = dict[str, Shape | None]


def completed(node: Node) -> Node:
    """The node with every option of its kind, defaults where nothing is said."""
    kind = KINDS.get(node.op)
    if kind is None:
        return node
    defaults = {key: option.default for key, option in kind.options.items() if key != "units"}
    return replace(node, options={**defaults, **node.options})


def sample_shapes(network: Network, ordered: Iterable[Node]) -> Shapes:
    """The shape, without the batch, of what each node and each input gives; None where it is not known."""
    return dict(_walk(network, ordered, {}))


def shape_faults(network: Network, ordered: Iterable[Node]) -> Iterator[tuple[Node, str]]:
    """Each node that can't read what it is given, and why."""
    faults: dict[str, str] = {}
    nodes = list(ordered)
    for _ in _walk(network, nodes, faults):
        pass
    yield from ((node, faults[node.key]) for node in nodes if node.key in faults)


def _walk(network: Network, ordered: Iterable[Node], faults: dict[str, str]) -> Iterator[tuple[str, Shape | None]]:
    known: Shapes = {}
    for name, array in (("x", network.x), *network.more.items()):
        known[name] = tuple(array.shape[1:]) if array.size else None
        yield name, known[name]
    for node in ordered:
        read_ = [known.get(key) for key in node.inputs]
        known[node.key] = None
        if read_ and all(shape_ is not None for shape_ in read_):
            try:
                known[node.key] = node_shape(completed(node), [s for s in read_ if s is not None])
            except MisfitError as fault:
                faults[node.key] = str(fault)
        yield node.key, known[node.key]


def node_shape(node: Node, shapes: list[Shape]) -> Shape | None:
    """The shape of a node's output, the batch left out; None where the node is not described well enough.

    Raises MisfitError.
    """
    if node.own is not None:
        return _own_shape(node, shapes)
    kind = KINDS.get(node.op)
    if kind is None or not _describable(node, kind):
        return None
    result = kind.shape(node, shapes)
    return None if 0 in result else result


def _own_shape(node: Node, shapes: list[Shape]) -> Shape:
    assert node.own is not None
    full = {role: (1, *s) for role, s in zip(node.own.roles(len(shapes)), shapes, strict=True)}
    try:
        return shape(read(node.own.text()), full)[1:]
    except ShapeError as error:
        raise MisfitError(str(error)) from None


def _describable(node: Node, kind: Kind) -> bool:
    """Whether all is known that its shape depends on."""
    if "units" in kind.options and node.units < 1:
        return False
    least, most = kind.inputs
    if not least <= len(node.inputs) or (most and len(node.inputs) > most):
        return False
    needed = [key for key, option in kind.options.items() if option.needed and key != "units"]
    return all(node.options.get(key) is not None for key in needed)


def output_width(network: Network) -> int:
    """How many numbers the last node gives along its last axis; 0 where it is not known."""
    ordered, stuck = in_order(network.nodes)
    found = ends(network.nodes)
    shape_ = sample_shapes(network, ordered)[found[0].key] if len(found) == 1 and not stuck else None
    return shape_[-1] if shape_ else 0


def ends(nodes: Iterable[Node]) -> list[Node]:
    """The nodes that no other reads."""
    nodes = list(nodes)
    read = {key for node in nodes for key in node.inputs}
    return [node for node in nodes if node.key not in read]


def loop(stuck: Iterable[Node]) -> list[Node]:
    """One loop among nodes that wait for each other."""
    waiting = {node.key: node for node in stuck}
    path = [next(iter(waiting.values()))]
    while True:
        after = next(waiting[key] for key in path[-1].inputs if key in waiting)
        if after in path:
            return path[path.index(after) :]
        path.append(after)


def in_order(nodes: Iterable[Node]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Nodes sorted so that each comes after its inputs, and those that no order can place."""
    waiting = list(nodes)
    known = {"x"}
    names = {node.key for node in waiting}
    ordered: list[Node] = []
    while waiting:
        ready = next((node for node in waiting if all(k in known or k not in names for k in node.inputs)), None)
        if ready is None:
            break
        ordered.append(ready)
        known.add(ready.key)
        waiting.remove(ready)
    return tuple(ordered), tuple(waiting)
