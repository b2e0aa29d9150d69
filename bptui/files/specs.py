"""A spec file → a Network, or every mistake in it at once."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable

import numpy as np

from bptui.engine.network import Network, Node, checked, find_problems, output_width
from bptui.engine.ops import LOSSES
from bptui.files.data import classes_to_columns, read_data
from bptui.files.document import open_document
from bptui.files.layers import label_row, read_layout, read_nodes
from bptui.files.report import Report
from bptui.files.text import quoted
from bptui.files.values import Table, suggest

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
    "loss",
    "lr",
    "optim",
    "iterations",
    "labels",
    "freeze",
    "narration",
)
# Read in later versions; that they are missing here is said in other words than for a misspelling.
_LATER_OPTIMIZERS = ("momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "nadam", "lion")


def load(source: str) -> Network:
    """The network of an example's name or of a spec file. Raises SpecError with every mistake.

    An example's name wins over a file of that name; `./article` is the file.
    """
    document = open_document(source)
    report = Report()
    network = read_network(document.values, document.name, report)
    report.merge(find_problems(network))
    if report:
        raise report.error(document.shown, document.lines)
    return checked(network)


def read_network(values: dict[str, object], name: str, report: Report) -> Network:
    """As much of a network as can be read; what is wrong goes to the report."""
    largest = float(np.finfo(np.float32).max) if values.get("dtype") == "float32" else math.inf
    top = Table(values, (), report, largest)
    top.check_keys(_KEYS, "the spec")
    layout = read_layout(top, "out-in")
    nodes = read_nodes(top, layout)
    x, y, batch = read_data(top)
    network = Network(
        nodes,
        x,
        y,
        loss=_loss(top),
        lr=_lr(top),
        name=top.word("name", name),
        title=top.word("title"),
        batch=batch,
        seed=top.whole("seed", 0, 0),
        dtype=top.word("dtype", "float64"),
        iterations=top.whole("iterations", 1000, 1),
        labels=_labels(top),
        freeze=_freeze(top, nodes),
        narration=_narration(top, nodes),
        layout=layout or "out-in",
    )
    return _with_classes(network, report)


def _with_classes(network: Network, report: Report) -> Network:
    """The network, class numbers made into columns where its loss asks for them."""
    width = output_width(network)
    if network.loss != "softmax-ce" or width < 2 or network.y.shape[1:] != (1,):
        return network
    return Network(**{**vars(network), "y": classes_to_columns(network.y, width, report)})


def _loss(top: Table) -> str:
    if not top.has("loss"):
        top.fault("loss", f"loss is missing: it is one of {', '.join(LOSSES)}")
    return top.word("loss", "half-mse")


def _lr(top: Table) -> float:
    """The learning rate, written at the top or with the optimizer."""
    lr = top.number("lr", DEFAULT_LR)
    if not top.has("optim"):
        return lr
    if isinstance(top.values["optim"], str):
        _check_optimizer(top, "optim")
        return lr
    optim = top.table("optim", '{ use = "sgd", lr = 0.1 }')
    if not optim.has("use") or _check_optimizer(optim, "use"):
        optim.check_keys(("use", "lr"), "optim")
    if optim.has("lr") and top.has("lr"):
        optim.fault("lr", "lr stands twice: at the top and in optim")
    return optim.number("lr", lr)


def _check_optimizer(table: Table, key: str) -> bool:
    """Whether the optimizer is one of this version."""
    name = table.word(key, "sgd")
    if name == "sgd":
        return True
    hint = "" if name in _LATER_OPTIMIZERS else suggest(name, ("sgd",))
    table.fault(key, f"no optimizer {quoted(name)}: only sgd exists in this version{hint}")
    return False


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
    slots = [letter + node.suffix for node in nodes if node.op == "dense" for letter in "Wb"]
    for pattern in patterns if slots else ():
        if not any(fnmatch.fnmatchcase(slot, pattern) for slot in slots):
            hint = suggest(pattern, slots) or f" (there are {', '.join(slots[:6])})"
            top.fault("freeze", f"freeze = {quoted(pattern)} fits no parameter{hint}")
    return patterns


def _narration(top: Table, nodes: tuple[Node, ...]) -> dict[str, str]:
    """Sentences by stage or slot; an unquoted `z2.grad = …` makes a table, which is meant all the same."""
    table = top.table("narration", '[narration] start = "…"')
    known = {*STAGES, *_told_slots(nodes)}
    found: dict[str, str] = {}
    for key in table.values:
        inner = table.table(key, "") if isinstance(table.values[key], dict) else table
        names = {f"{key}.{part}": part for part in inner.values} if inner is not table else {key: key}
        for name, part in names.items():
            if nodes and name not in known:
                hint = suggest(name, known) or f" (a stage: {', '.join(STAGES)}; or a slot)"
                inner.fault(part, f"unknown key {quoted(name)} in narration{hint}")
            found[name] = inner.word(part)
    return found


def _told_slots(nodes: Iterable[Node]) -> Iterable[str]:
    """Every slot that an instruction may write."""
    yield from ("x", "y", "loss")
    for node in nodes:
        for letter in "Wbza" if node.op == "dense" else "za":
            yield letter + node.suffix
            yield f"{letter}{node.suffix}.grad"
