"""One layer or node written as a table: `[[layer]]`, or a key of `[net]` with keys of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bptui.engine import initial
from bptui.engine.kinds import KINDS, Kind
from bptui.engine.network import Array, Node
from bptui.files.layer_lines import Fault, bounded, check_option, too_large
from bptui.files.report import FileError
from bptui.files.text import quoted
from bptui.files.values import Table, as_list, as_table, flawless, suggest
from bptui.files.weights import read_array

LAYOUTS = ("out-in", "in-out")
_COMMON = ("name", "act", "bias", "labels", "freeze", "layout", "init")
_GRAPH = ("from", "shares")


def read_layout(table: Table, inherited: str) -> str:
    """How weight matrices are written there; '' where that can't be told."""
    layout = table.word("layout", inherited)
    if layout and layout not in LAYOUTS:
        table.fault("layout", f"unknown layout {quoted(layout)}{suggest(layout, LAYOUTS) or ' (out-in or in-out)'}")
        return ""
    return layout


def read_layer(table: Table, key: str, inputs: tuple[str, ...], layout: str) -> Node:
    """A `[[layer]]`, which reads the one before."""
    kind = _kind(table)
    if kind is None:
        return Node(key, inputs, units=0, where=table.where)
    if kind.inputs != (1, 1):
        table.report.add(table.where, f"{kind.name} needs a [net]; a layer in a list reads the one before it")
        return Node(key, inputs, units=0, where=table.where)
    table.check_keys(_keys(table, kind, ("shares",)), "a layer")
    return _node(table, kind, key, inputs, layout)


def read_node(table: Table, key: str, layout: str) -> Node:
    """A node of a graph."""
    kind = _kind(table)
    if kind is None:
        return Node(key, (), units=0, where=table.where)
    what = f"a node that {kind.name}s" if kind.name == "add" else "a node"
    table.check_keys(_keys(table, kind, _GRAPH), what)
    listed = _names_inputs(table, kind)
    return _node(table, kind, key, _inputs(table, kind, kind.name if listed else "from"), layout)


def _kind(table: Table) -> Kind | None:
    """The kind that a table is of: `kind = "conv"`, or a key of that name (`conv = 6`); dense where nothing says.

    None where it says what is no kind.
    """
    if table.has("kind"):
        name = table.word("kind")
        if name in KINDS:
            return KINDS[name]
        table.fault("kind", f"{quoted(name)} is no kind of layer{suggest(name, KINDS)}")
        table.report.spoil(table.where)
        return None
    found = [key for key in table.values if key in KINDS]
    for key in found[1:]:
        table.fault(key, f"{key} and {found[0]} are both kinds of layers: only one may stand")
    return KINDS[found[0]] if found else KINDS["dense"]


def _keys(table: Table, kind: Kind, more: Sequence[str]) -> list[str]:
    if kind.name == "add":
        return ["add", "kind", "act", "labels", "from"]
    # A layer of neurons says how many at its kind's name: `dense = 4`; `units` is for `kind = "dense"`.
    options = [key for key in kind.options if key != "units" or table.has("kind")]
    return [kind.name, *_COMMON, *kind.kept, *options, "kind", *more]


def _names_inputs(table: Table, kind: Kind) -> bool:
    """Whether the kind's own key says what it reads (`add = ["a", "b"]`), having no size to say."""
    value = table.values.get(kind.name)
    return table.has(kind.name) and not kind.sizes and value is not True


def _inputs(table: Table, kind: Kind, key: str) -> tuple[str, ...]:
    """The nodes that a node reads; none where that can't be told."""
    words = table.words(key)
    least, most = kind.inputs
    if least <= len(words) and (not most or len(words) <= most):
        return words
    example = 'from = "x"' if key == "from" and least == 1 else f'{key} = ["h1", "h2"]'
    if not table.has(key):
        table.report.add(table.where, f"a node says what it reads: {example}")
    elif words or not table.values[key]:
        wanted = f"at least {least}" if not most else str(least)
        table.fault(key, f"it reads {wanted}, not {len(words)}: {example}")
    return ()


def _node(table: Table, kind: Kind, key: str, inputs: tuple[str, ...], layout: str) -> Node:
    """All but what a node reads, every key of its kind checked."""
    units = _units(table, kind) if "units" in kind.options else 1
    layout = read_layout(table, layout)
    bias = table.flag("bias", default=True)
    given = {letter: _given(table, letter, key) for letter in kind.kept if letter not in "Wb"}
    labelled = ("W", "b", "out") if kind.name == "dense" else ("out",)
    return Node(
        key,
        inputs,
        units,
        op=kind.name,
        act=table.word("act", "identity"),
        bias=bias,
        W=_weights(table, kind, layout, key),
        b=_biases(table, units, key, bias=bias),
        name=table.word("name"),
        labels=_labels(table, labelled, layout, bias=bias),
        freeze=table.words("freeze"),
        where=table.where,
        given={letter: array for letter, array in given.items() if array is not None},
        options=_options(table, kind),
        init=_init(table),
        shares=table.word("shares"),
    )


def _init(table: Table) -> str:
    text = table.word("init")
    if text and (fault := initial.fault(text)):
        table.fault("init", fault)
        return ""
    return text


def _options(table: Table, kind: Kind) -> dict[str, Any]:
    """What the table says of the kind's options; the first size may stand at the kind's own name."""
    found: dict[str, Any] = {}
    for name, option in kind.options.items():
        if name == "units":
            continue
        key = kind.name if kind.sizes[:1] == (name,) and table.has(kind.name) else name
        if table.has(key):
            listed = as_list(table.values[key])
            value = check_option(option, tuple(listed) if listed is not None else table.values[key])
            if isinstance(value, Fault):
                table.fault(key, f"{key}: {value.why}")
            else:
                found[name] = value
        elif option.needed and name in kind.sizes:
            table.report.add(table.where, f"{kind.name} needs {name}: {name} = …", spoils=table.at(name))
    return found


def _units(table: Table, kind: Kind) -> int:
    """The number of neurons; 0 where it is not known."""
    name = kind.name if table.has(kind.name) else "units"
    if not table.has(name):
        message = f"a layer says how many neurons it has: {kind.name} = 4"
        table.report.add(table.where, message, spoils=table.at(kind.name))
        return 0
    units = table.whole(name, 0, 1)
    if fault := too_large(units):
        table.fault(name, fault)
    return bounded(units)


# Weights


def _weights(table: Table, kind: Kind, layout: str, key: str) -> Array | None:
    """W: a dense layer's as (in, units), whichever way it is written; arrays of files are (in, units) already."""
    if kind.name != "dense" or not isinstance(table.values.get("W"), list):
        return _given(table, "W", key) if table.has("W") else None
    matrix = table.matrix("W")
    if matrix is None or not layout:
        return None
    return np.ascontiguousarray(matrix if layout == "in-out" else matrix.T)


def _given(table: Table, letter: str, key: str) -> Array | None:
    """An array written out, or the name of a file that holds it."""
    if not table.has(letter):
        return None
    if as_list(table.values[letter]) is not None:
        return table.array(letter)
    slot = letter + (key if key.isdigit() else f"_{key}")
    return _from_file(table, letter, slot)


def _from_file(table: Table, letter: str, slot: str) -> Array | None:
    """The array of a file: `W = "w.npz"`, where it is called as the slot, or `{ file = "w.npz", key = "weight" }`."""
    value = as_table(table.values[letter])
    name, key = table.values[letter], slot
    if value is not None:
        inner = table.table(letter, '{ file = "w.npz", key = "W1" }')
        inner.check_keys(("file", "key"), letter)
        name, key = inner.word("file"), inner.word("key", slot)
    if not isinstance(name, str) or not name:
        table.fault(letter, f'{letter} is a list, or the name of a file such as "w.npz", not {quoted(name)}')
        return None
    try:
        return read_array(table.folder / name, key)
    except FileError as error:
        table.fault(letter, str(error))
        return None


def _biases(table: Table, units: int, key: str, *, bias: bool) -> Array | None:
    """The biases: a list, a file, or one number for all neurons."""
    if not table.has("b"):
        return None
    if not bias:
        table.fault("b", "b is given, but bias = false")
        return None
    if as_list(table.values["b"]) is not None:
        return table.numbers("b")
    if isinstance(table.values["b"], str | dict):
        return _given(table, "b", key)
    number = table.number("b", 0.0)
    return np.broadcast_to(np.float64(number), (units,)) if units else None


# Labels


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
