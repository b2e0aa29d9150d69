"""A spec file → a Network, or every mistake in it at once."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from bptui.engine.checking import checked, find_problems
from bptui.engine.kinds import KINDS
from bptui.engine.network import Array, Hints, Network, Node
from bptui.files.data import read_data
from bptui.files.document import Source, open_source, parsed
from bptui.files.layer_tables import label_row
from bptui.files.layers import MAX_NODES, read_layout, read_nodes
from bptui.files.report import FileError, Report
from bptui.files.targets import with_classes
from bptui.files.text import quoted
from bptui.files.training import read_loss, read_training
from bptui.files.values import Table
from bptui.files.weights import load_npz

DEFAULT_LR = 0.1
STAGES = ("start", "data", "forward", "loss", "backward", "update", "end")
_KEYS = (
    "name",
    "title",
    "seed",
    "dtype",
    "data",
    "layers",
    "layer",
    "net",
    "layout",
    "init",
    "weights",
    "loss",
    "lr",
    "optim",
    "schedule",
    "clip",
    "l1",
    "l2",
    "update",
    "iterations",
    "labels",
    "freeze",
    "narration",
)


def load(source: str) -> Network:
    """The network of an example's name or of a spec file. Raises SpecError with every mistake.

    An example's name wins over a file of that name; `./article` is the file.
    """
    return read(open_source(source))


def read(source: Source) -> Network:
    """The network that a text describes. Raises SpecError with every mistake."""
    document = parsed(source)
    report = Report()
    network = read_network(document.values, source.name, report, source.folder)
    report.merge(find_problems(network))
    if report:
        raise report.error(source.shown, document.lines)
    return checked(network)


def read_network(values: dict[str, object], name: str, report: Report, folder: Path | None = None) -> Network:
    """As much of a network as can be read; what is wrong goes to the report."""
    largest = float(np.finfo(np.float32).max) if values.get("dtype") == "float32" else math.inf
    top = Table(values, (), report, largest, folder or Path())
    top.check_keys(_KEYS, "the spec")
    layout = read_layout(top, "out-in")
    nodes = read_nodes(top, layout)
    seed = top.whole("seed", 0, 0)
    data = read_data(top, top.folder, seed)
    loss, loss_options = read_loss(top)
    training, lr = read_training(top, DEFAULT_LR)
    network = Network(
        _with_weights(top, nodes),
        data.x,
        data.y,
        loss=loss,
        lr=lr,
        name=top.word("name", name),
        title=top.word("title"),
        batch=data.batch,
        seed=seed,
        dtype=top.word("dtype", "float64"),
        iterations=top.whole("iterations", 1000, 1),
        labels=_labels(top),
        freeze=_freeze(top, nodes),
        narration=_narration(top, nodes),
        layout=layout or "out-in",
        more=data.more,
        test=data.test,
        test_more=data.test_more,
        classes=data.classes,
        loss_options=loss_options,
        training=training,
        init=top.word("init"),
        source=_found(data.source, top.folder),
    )
    return with_classes(network, report)


def _found(source: Mapping[str, object] | None, folder: Path) -> dict[str, object] | None:
    """Where the data are from, a file's name as it is from here."""
    if source is None:
        return None
    files = {key: str(folder / str(source[key])) for key in ("file", "text") if Path(str(source.get(key, ""))).suffix}
    return {**source, **files}


def _with_weights(top: Table, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The nodes with the weights of `weights = "w.npz"`, where a node has none of its own."""
    if not top.has("weights"):
        return nodes
    name = top.word("weights", "-")
    if not name:
        top.fault("weights", 'weights is the name of a file such as "w.npz"')
    try:
        arrays = load_npz(top.folder / name) if name and isinstance(top.values["weights"], str) else {}
    except FileError as error:
        top.fault("weights", str(error))
        return nodes
    slots = [letter + node.suffix for node in nodes if node.op in KINDS for letter in KINDS[node.op].kept]
    if arrays and slots and not any(slot in arrays for slot in slots):
        top.fault("weights", f"{quoted(name)} holds none of the weights, which are called {', '.join(slots[:6])}")
    return tuple(_weighted(node, arrays) for node in nodes)


def _weighted(node: Node, arrays: Mapping[str, Array]) -> Node:
    letters = KINDS[node.op].kept if node.op in KINDS else ()
    found = {letter: arrays[letter + node.suffix] for letter in letters if letter + node.suffix in arrays}
    given, bias = found.pop("W", None), found.pop("b", None)
    return replace(
        node,
        W=given if node.W is None else node.W,
        b=bias if node.b is None and node.bias else node.b,
        given={**found, **node.given},
    )


def _labels(top: Table) -> dict[str, object]:
    """Labels of the columns of x and y, and of the loss."""
    labels = top.table("labels", '{ x = ["i1", "i2"], y = ["target"], loss = "E" }')
    labels.check_keys(("x", "y", "loss"), "labels")
    found: dict[str, object] = {}
    for key in ("x", "y"):
        row = label_row(labels, key) if labels.has(key) else None
        if row:
            found[key] = row
    loss = labels.word("loss")
    return {**found, "loss": loss} if loss else found


def _freeze(top: Table, nodes: Iterable[Node]) -> tuple[str, ...]:
    """Patterns of parameters; one that fits none is a mistake."""
    patterns = top.words("freeze")
    slots = [letter + node.suffix for node in nodes if node.op in KINDS for letter in KINDS[node.op].trainable]
    hints = Hints()
    if len(patterns) > MAX_NODES:
        top.fault("freeze", f"{len(patterns)} patterns: the limit is {MAX_NODES}")
        return ()
    for pattern in patterns if slots else ():
        if not any(fnmatch.fnmatchcase(slot, pattern) for slot in slots):
            hint = hints.nearest(pattern, slots) or f" (there are {', '.join(slots[:6])})"
            top.fault("freeze", f"freeze = {quoted(pattern)} fits no parameter{hint}")
    return patterns


def _narration(top: Table, nodes: tuple[Node, ...]) -> dict[str, str]:
    """Sentences by stage or slot; an unquoted `z2.grad = …` makes a table, which is meant all the same."""
    table = top.table("narration", '[narration] start = "…"')
    known = {*STAGES, *_told_slots(nodes)}
    hints = Hints()
    found: dict[str, str] = {}
    for key in table.values:
        inner = table.table(key, "") if isinstance(table.values[key], dict) else table
        names = {f"{key}.{part}": part for part in inner.values} if inner is not table else {key: key}
        for name, part in names.items():
            if nodes and name not in known:
                hint = hints.nearest(name, known) or f" (a stage: {', '.join(STAGES)}; or a slot)"
                inner.fault(part, f"unknown key {quoted(name)} in narration{hint}")
            found[name] = inner.word(part)
    return found


def _told_slots(nodes: Iterable[Node]) -> Iterable[str]:
    """Every slot that an instruction may write."""
    yield from ("x", "y", "loss")
    for node in nodes:
        for letter in ("z", "a", *(KINDS[node.op].letters if node.op in KINDS else ())):
            yield letter + node.suffix
            yield f"{letter}{node.suffix}.grad"
