"""What is wrong with a description: every mistake, each with its place, told at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bptui.engine import initial, memory
from bptui.engine.graph import completed, ends, in_order, loop, sample_shapes, shape_faults
from bptui.engine.initial import Weight
from bptui.engine.kinds import KINDS, MisfitError, written
from bptui.engine.labelling import FIXED, NAME_RULE, count, label_problems, sides
from bptui.engine.network import Array, Hints, Network, NetworkError, Node, Problem, Training, is_name, nearest
from bptui.engine.ops import ACTIVATIONS, LOSSES
from bptui.engine.ops.row import Shape
from bptui.engine.optimizers import OPTIMIZERS, SCHEDULES, option_fault

MAX_PARAMETERS = 50_000_000


def checked(network: Network) -> Network:
    """The network with its nodes in an order in which each comes after what it reads, every option filled in.

    Raises NetworkError with every mistake.
    """
    problems = list(find_problems(network))
    if problems:
        raise NetworkError(problems)
    ordered, _ = in_order(network.nodes)
    return replace(network, nodes=tuple(completed(node) for node in ordered))


def find_problems(network: Network) -> Iterator[Problem]:
    """Every mistake in a description, in the order of its parts."""
    yield from _scalar_problems(network)
    yield from _training_problems(network)
    if network.loss in LOSSES:
        yield from _loss_problems(network)
    yield from _data_problems(network)
    yield from _node_problems(network)
    ordered, stuck = in_order(network.nodes)
    if stuck:
        circle = loop(stuck)
        chain = " → ".join(node.key for node in (*circle, circle[0]))
        yield Problem(circle[0].where, f"a loop in the graph: {chain} (each reads the next)")
    yield from _shape_problems(network, ordered)
    yield from label_problems(network)


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
    if network.init and (fault := initial.fault(network.init)):
        yield Problem(("init",), fault)


def _training_problems(network: Network) -> Iterator[Problem]:
    """Options that an optimizer, a schedule or a loss does not know, or can't work with."""
    training = network.training
    if training.optim not in OPTIMIZERS:
        hint = nearest(training.optim, OPTIMIZERS) or f" (one of {', '.join(OPTIMIZERS)})"
        yield Problem(("optim", "use"), f"no optimizer is called {training.optim!r}{hint}")
    else:
        for key, value in training.options.items():
            if fault := option_fault(training.optim, key, value):
                yield Problem(("optim", key), f"{key} is {value}: {fault}")
        if training.options.get("nesterov") and not training.options.get("momentum"):
            yield Problem(("optim", "nesterov"), "nesterov needs a momentum")
    for key in ("clip_value", "clip_norm", "l1", "l2"):
        value = getattr(training, key)
        if value is not None and not (math.isfinite(value) and value >= 0):
            yield Problem((key,), f"{key} is {value}: a number from 0 on is needed")
    if training.sequential and training.clip_norm is not None:
        yield Problem(("clip",), "clip by norm needs all gradients at once, so update can't be sequential")
    yield from _schedule_problems(training)


def _schedule_problems(training: Training) -> Iterator[Problem]:
    if training.schedule not in SCHEDULES:
        hint = nearest(training.schedule, SCHEDULES) or f" (one of {', '.join(SCHEDULES)})"
        yield Problem(("schedule", "use"), f"no schedule is called {training.schedule!r}{hint}")
        return
    for key in training.schedule_options.keys() - SCHEDULES[training.schedule].options.keys():
        yield Problem(("schedule", key), f"the schedule {training.schedule} has no option {key!r}")
    for key, default in SCHEDULES[training.schedule].options.items():
        if default is None and training.schedule_options.get(key) is None:
            yield Problem(("schedule",), f"the schedule {training.schedule} needs {key}")
    for key, least in (("every", 1), ("steps", 1), ("first", 1), ("last", 1)):
        value = training.schedule_options.get(key)
        if value is not None and value < least:
            yield Problem(("schedule", key), f"{key} is {value}: at least {least} is needed")


def _loss_problems(network: Network) -> Iterator[Problem]:
    """Options that a loss can't work with."""
    options = network.loss_options
    for key in options.keys() - {"reduction", "class_weights", *LOSSES[network.loss].options}:
        yield Problem(("loss", key), f"the loss {network.loss} has no option {key!r}")
    for key in ("delta", "margin"):
        if options.get(key, 1.0) <= 0:
            yield Problem(("loss", key), f"{key} is {options[key]}: it is above 0")
    if not 0 <= options.get("smoothing", 0.0) < 1:
        yield Problem(("loss", "smoothing"), f"smoothing is {options['smoothing']}: it is 0 up to, but not, 1")
    weights = options.get("class_weights")
    if weights is None:
        return
    columns = network.y.shape[-1] if network.y.size else len(weights)
    if "smoothing" not in LOSSES[network.loss].options:
        yield Problem(("loss", "class_weights"), f"{network.loss} takes no class_weights: softmax-ce and nll do")
    elif len(weights) != columns:
        fault = f"{count(len(weights), 'class weight')} for {count(columns, 'class')}"
        yield Problem(("loss", "class_weights"), fault.replace("classs", "classes"))
    elif min(weights) < 0 or not any(weights):
        yield Problem(("loss", "class_weights"), "class weights are from 0 on, and not all of them 0")


def _data_problems(network: Network) -> Iterator[Problem]:
    for slot, array in (("x", network.x), ("y", network.y), *network.more.items()):
        if array.size == 0:
            yield Problem(("data", slot), f"{slot} is empty: at least one row is needed")
        elif not np.isfinite(array).all():
            row = int(np.argwhere(~np.isfinite(array))[0][0])
            yield Problem(("data", slot), f"{slot} holds a number that is not finite, in row {row}")
    yield from _target_problems(network)
    if not (network.x.size and network.y.size):
        return
    for name, array in (("y", network.y), *network.more.items()):
        if array.size and len(network.x) != len(array):
            rows = f"x has {count(len(network.x), 'row')}, {name} has {count(len(array), 'row')}"
            what = "target" if name == "y" else name
            yield Problem(("data", name), f"{rows}: one {what} row for each input row is needed")
    if network.batch is not None and not 1 <= network.batch <= len(network.x):
        fault = f"batch is {network.batch}: the data have {count(len(network.x), 'row')} to draw from"
        yield Problem(("data", "batch"), fault)


def _target_problems(network: Network) -> Iterator[Problem]:
    """Targets that a loss has no meaning for."""
    outputs = network.nodes[-1].units if network.nodes else 0
    parts = [("y", network.y), *([("y_test", network.test[1])] if network.test is not None else [])]
    for name, y in parts:
        if network.loss == "bce" and y.size and (bad := y[(y < 0) | (y > 1)]).size:
            yield Problem(("data", name), f"{name} holds {bad[0]:g}: bce needs targets from 0 to 1")
        if network.loss == "hinge" and y.size and (bad := y[np.abs(y) != 1]).size:
            yield Problem(("data", name), f"{name} holds {bad[0]:g}: hinge needs targets -1 and 1")
    if network.loss == "softmax-ce" and outputs == 1 and network.nodes[-1].op == "dense":
        yield Problem(("loss",), "softmax-ce over 1 output is always 0: use bce, or one output for each class")


def _node_problems(network: Network) -> Iterator[Problem]:
    if not network.nodes:
        yield Problem(("layers",), """no layers: describe at least one, such as layers = ["dense 1"]""")
    keys = {"x", *network.more, *(node.key for node in network.nodes)}
    hints, shared = Hints(), Hints()
    for node in network.nodes:
        yield from _own_problems(node)
        yield from _sharing_problems(node, network, shared)
        if node.key in network.more:
            yield Problem(node.where, f"a node may not be called {node.key!r}: that is an input's name")
        for key in node.inputs:
            if key not in keys:
                hint = hints.nearest(key, keys - {node.key})
                yield Problem(node.where, f"{node.key} reads {key!r}, which is no node{hint}")
        yield from _table_problems(node, network)
    yield from _end_problems(network, keys)


def _table_problems(node: Node, network: Network) -> Iterator[Problem]:
    """What an embedding looks up in its table has to be there."""
    arrays = {"x": network.x, **network.more}
    rows = node.options.get("rows")
    if node.op != "embedding" or node.inputs[:1] not in [(name,) for name in arrays] or not isinstance(rows, int):
        return
    read = arrays[node.inputs[0]]
    if read.size and (read != np.floor(read)).any():
        yield Problem(node.where, f"{node.key}: an embedding reads whole numbers, {node.inputs[0]} holds others")
    elif read.size and (read.min() < 0 or read.max() >= rows):
        most = int(read.max())
        fault = f"{node.inputs[0]} holds numbers up to {most}, the embedding has {rows} rows: {most + 1} are needed"
        yield Problem(node.where, f"{node.key}: {fault}")


def _sharing_problems(node: Node, network: Network, hints: Hints) -> Iterator[Problem]:
    """The node whose weights are shared has to be there, of the same kind, with weights of its own."""
    if not node.shares:
        return
    others = {other.key: other for other in network.nodes if other.key != node.key}
    other = others.get(node.shares)
    if other is None:
        hint = hints.nearest(node.shares, others)
        fault = f"{node.key} shares the weights of {node.shares!r}, which is no node{hint}"
        yield Problem((*node.where, "shares"), fault)
    elif other.op != node.op or other.bias != node.bias or other.shares:
        fault = (
            f"{node.key} can't share the weights of {node.shares}: both are to be {node.op}, {node.shares} the owner"
        )
        yield Problem((*node.where, "shares"), fault)


def _own_problems(node: Node) -> Iterator[Problem]:
    """What is wrong with a node alone."""
    if node.act not in ACTIVATIONS:
        hint = nearest(node.act, ACTIVATIONS) or f" (one of {', '.join(ACTIVATIONS)})"
        yield Problem((*node.where, "act"), f"unknown activation {node.act!r}{hint}")
    if node.op in KINDS and "units" in KINDS[node.op].options and node.units < 1:
        yield Problem((*node.where, node.op), f"{node.op} needs at least 1 unit, not {node.units}")
    if node.init and (fault := initial.fault(node.init)):
        yield Problem((*node.where, "init"), fault)
    kind = KINDS.get(node.op)
    letters = kind.trainable if kind else ()
    for param in node.freeze:
        if param not in letters:
            has = f"a layer has {' and '.join(letters)}" if letters else f"{node.op} has no weights"
            yield Problem((*node.where, "freeze"), f"freeze names {param!r}: {has}")
    if node.key in FIXED:
        yield Problem(node.where, f"a node may not be called {node.key!r}: that is a slot's name")
    elif not (is_name(node.key) or (node.key.isdecimal() and node.key.isascii())):
        yield Problem(node.where, f"a node may not be called {node.key!r}: {NAME_RULE}")


def _end_problems(network: Network, keys: set[str]) -> Iterator[Problem]:
    """One node alone may be read by no other; where some node's inputs are not known, this can't be told."""
    if all(node.inputs and keys.issuperset(node.inputs) for node in network.nodes):
        last = ends(network.nodes)
        for node in last[:-1]:
            fault = f"nothing reads {node.key}: only one node may end the graph, and that is {last[-1].key}"
            yield Problem(node.where, fault)


def _shape_problems(network: Network, ordered: tuple[Node, ...]) -> Iterator[Problem]:
    shapes = sample_shapes(network, ordered)
    for node, fault in shape_faults(network, ordered):
        yield Problem(node.where, _shape_fault(node, fault, shapes))
    counts: list[tuple[int, Node]] = []
    for node in ordered:
        weights = node_weights(node, shapes)
        counts.append((sum(math.prod(w.shape) for w in weights.values()), node))
        for letter, weight in weights.items():
            yield from _weight_problems(node, letter, weight, shapes)
    yield from _shared_problems(ordered, shapes)
    total = sum(number for number, _ in counts)
    if total > MAX_PARAMETERS:
        largest = max(counts, key=lambda pair: pair[0])[1]
        number = f"{total:,}" if total < 10**30 else "10³⁰ or more"
        size = f"{number} parameters need about {memory.gibibytes(total * 40)} GiB here"
        yield Problem((*largest.where, largest.op), f"{size}; the limit is {MAX_PARAMETERS:,} parameters")
    else:
        yield from _room_problems(network, ordered, shapes)
    yield from _output_problems(network, shapes)


def _shared_problems(ordered: tuple[Node, ...], shapes: dict[str, Shape | None]) -> Iterator[Problem]:
    """Weights that are shared have to fit both who owns and who uses them."""
    owners = {node.key: node for node in ordered}
    for node in ordered:
        owner = owners.get(node.shares)
        if owner is None or owner.op != node.op:
            continue
        own, needed = node_weights(owner, shapes), node_weights(replace(node, shares=""), shapes)
        odd = [k for k in own if k in needed and own[k].shape != needed[k].shape]
        for letter in odd[:1]:
            there, here = written(own[letter].shape), written(needed[letter].shape)
            fault = f"{node.key} can't share the weights of {owner.key}: {letter} is {there} there, {here} here"
            yield Problem((*node.where, "shares"), fault)


def _room_problems(network: Network, ordered: tuple[Node, ...], shapes: dict[str, Shape | None]) -> Iterator[Problem]:
    """What the nodes give has to fit into this machine; said before any weight is drawn."""
    rows = network.batch or len(network.x)
    sizes = [(rows * math.prod(shape), node) for node in ordered if (shape := shapes.get(node.key))]
    if fault := memory.lack(sum(size for size, _ in sizes), network.dtype):
        largest = max(sizes, key=lambda pair: pair[0])[1]
        sides = written((rows, *(shapes[largest.key] or ())))
        yield Problem(largest.where, f"{fault}: make the batch smaller, or {largest.key} ({sides})")


def _shape_fault(node: Node, fault: str, shapes: dict[str, Shape | None]) -> str:
    known = {key: shape for key in node.inputs if (shape := shapes.get(key))}
    if node.op == "add" and all(len(shape) == 1 for shape in known.values()):
        named = ", ".join(f"{key} has {shape[0]}" for key, shape in known.items())
        return f"{node.key} adds different widths: {named}"
    return f"{node.key}: {fault}" if not node.key.isdigit() else f"layer {node.key}: {fault}"


def node_weights(node: Node, shapes: dict[str, Shape | None]) -> dict[str, Weight]:
    """Letter → parameter of a node; none where its shape is not known. A dense layer's may have 0 for what is not."""
    kind = KINDS.get(node.op)
    if kind is None or node.shares:
        return {}
    read = [shapes.get(key) for key in node.inputs]
    if node.op == "dense":
        return dict(kind.weights(node, [(read[0] if read else None) or (0,)]))
    if not read or any(shape is None for shape in read) or shapes.get(node.key) is None:
        return {}
    try:
        return dict(kind.weights(completed(node), [shape for shape in read if shape is not None]))
    except (MisfitError, TypeError):
        return {}


def _output_problems(network: Network, shapes: dict[str, Shape | None]) -> Iterator[Problem]:
    """Targets have to have the shape of what the last node gives."""
    last = ends(network.nodes)
    out = shapes.get(last[0].key) if len(last) == 1 else None
    if not out or not network.y.size or network.y.shape[1:] == out:
        return
    if len(out) == 1 and network.y.ndim == 2:
        columns = network.y.shape[1]
        fault = f"y has {count(columns, 'column')}, the last layer gives {out[0]}: they have to agree"
    else:
        fault = f"a row of y is {written(network.y.shape[1:])}, the last layer gives {written(out)}: they have to agree"
    yield Problem(("data", "y"), fault)


def _weight_problems(node: Node, letter: str, weight: Weight, shapes: dict[str, Shape | None]) -> Iterator[Problem]:
    """Weights have to fit what is known of the layer: 0 inputs or units are not known, and fit all."""
    given = node.weights(letter)
    if given is None:
        return
    where = (*node.where, letter)
    if node.op == "dense":
        yield from _dense_problems(node, letter, given, shapes)
    elif given.shape != weight.shape:
        yield Problem(where, f"{letter} has the shape {written(given.shape)}, the layer needs {written(weight.shape)}")
    elif not np.isfinite(given).all():
        yield Problem(where, f"{letter} holds a number that is not finite")


def _dense_problems(node: Node, letter: str, given: Array, shapes: dict[str, Shape | None]) -> Iterator[Problem]:
    read = shapes.get(node.inputs[0]) if node.inputs else None
    inputs = read[-1] if read else 0
    if letter == "W" and given.ndim != 2:
        yield Problem((*node.where, "W"), f"W has {count(given.ndim, 'dimension')}: inputs × neurons are needed")
    elif letter == "W":
        fitting = (inputs or given.shape[0], node.units if node.units > 0 else given.shape[1])
        if given.shape != fitting:
            fault = f"W is for {sides(given.shape)}, the layer has {sides(fitting)}"
            yield Problem((*node.where, "W"), fault)
        elif not np.isfinite(given).all():
            i, j = np.argwhere(~np.isfinite(given))[0]
            fault = f"W holds {given[i, j]} (neuron {j}, input {i}): a weight is a finite number"
            yield Problem((*node.where, "W"), fault)
    elif node.units > 0 and given.shape != (node.units,):
        fault = f"b has {count(given.size, 'number')}, the layer has {count(node.units, 'neuron')}"
        yield Problem((*node.where, "b"), fault)
    elif not np.isfinite(given).all():
        yield Problem((*node.where, "b"), "b holds a number that is not finite")
