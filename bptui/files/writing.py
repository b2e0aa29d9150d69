"""A network and its present numbers as a spec that reads back to the same bits; files written whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bptui.engine.kinds import KINDS
from bptui.engine.network import Array, Network, Node, Training
from bptui.files.report import FileError
from bptui.files.template import TEMPLATE
from bptui.files.text import safe
from bptui.files.whole import replace_file

MARKER = "# written by bptui save"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100

Pair = tuple[str, str]


def to_toml(network: Network, values: Mapping[str, Array], folder: Path | None = None) -> str:
    """The network as a spec to lie in a folder, with these values of its weights, learning rate and data.

    values: slot → array; a slot that is missing is written as described, or left out where it was to be drawn. nan
    and inf are written as such, and refused by the reader: there is no other honest way to write them.
    """
    parts = [_pairs(_top(network, values)), _data(network, values, folder or Path())]
    parts += [_section(_header(network, node), _node(network, node, values)) for node in network.nodes]
    if network.narration:
        narration = [(_key(key), _text(text)) for key, text in network.narration.items()]
        parts.append(_section("[narration]", narration))
    return MARKER + "\n" + "\n".join(parts)


def save(path: str | Path, text: str) -> None:
    """Write a text that begins with MARKER: whole or not at all, and never over a file of somebody else's making.

    Raises FileError.
    """
    target = Path(path)
    try:
        refusal = _refusal(target)
        if not refusal:
            replace_file(target, text.encode())
    except (OSError, ValueError) as error:
        raise _failed(path, error) from None
    if refusal:
        raise FileError(f"{safe(str(path))}: {refusal}")


def new(path: str | Path) -> None:
    """Write a commented spec to start from. Raises FileError, also where there is a file already."""
    try:
        with Path(path).open("x", encoding="utf-8", newline="\n") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise FileError(f"{safe(str(path))}: it exists already, so it is left alone") from None
    except (OSError, ValueError) as error:
        raise _failed(path, error) from None


def _failed(path: str | Path, error: Exception) -> FileError:
    reason = getattr(error, "strerror", None) or str(error)
    return FileError(safe(f"{path}: can't be written: {reason}"))


def _refusal(path: Path) -> str:
    """Why that file may not be overwritten, or nothing: only one with the marker first was written by save."""
    if path.is_dir():
        return "this is a directory"
    ours = not os.path.lexists(path) or (path.is_file() and _first_line(path) == MARKER)
    return "" if ours else "it exists and was not written by save, so it is left alone"


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.readline(200).decode("utf-8", "replace").strip()


def _top(network: Network, values: Mapping[str, Array]) -> Iterator[Pair]:
    """The keys before the first table."""
    yield "name", _text(network.name)
    if network.title:
        yield "title", _text(network.title)
    yield "seed", str(network.seed)
    yield "dtype", _text(network.dtype)
    if network.loss_options:
        yield "loss", _table([("use", _text(network.loss)), *_settings(network.loss_options)])
    else:
        yield "loss", _text(network.loss)
    yield "lr", _number(values.get("lr0", values.get("lr", np.array(network.lr))))
    yield from _training(network.training)
    yield "iterations", str(network.iterations)
    if network.init:
        yield "init", _text(network.init)
    if network.layout != "out-in":
        yield "layout", _text(network.layout)
    if network.freeze:
        yield "freeze", _nested(network.freeze)
    if network.labels:
        yield "labels", _table((key, _nested(words)) for key, words in network.labels.items())


def _training(training: Training) -> Iterator[Pair]:
    """What of the training differs from the defaults."""
    if training.optim != "sgd" or training.options:
        yield "optim", _table([("use", _text(training.optim)), *_settings(training.options)])
    if training.schedule != "constant":
        yield "schedule", _table([("use", _text(training.schedule)), *_settings(training.schedule_options)])
    clip = {"value": training.clip_value, "norm": training.clip_norm}
    if any(most is not None for most in clip.values()):
        yield "clip", _table(_settings({key: most for key, most in clip.items() if most is not None}))
    for key, penalty in (("l1", training.l1), ("l2", training.l2)):
        if penalty:
            yield key, _number(penalty)
    if training.sequential:
        yield "update", _text("sequential")


def _settings(options: Mapping[str, Any]) -> list[Pair]:
    return [(key, _value(value)) for key, value in options.items()]


def _value(value: Any) -> str:
    """An option as TOML writes it: whole numbers stay whole."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(part) for part in value)}]"
    if isinstance(value, Mapping):
        return _table(_settings(value))
    return _nested(value)


def _data(network: Network, values: Mapping[str, Array], folder: Path) -> str:
    """`[data]`: where they are from, or written out once edited; of batches what they are drawn from."""
    names = {"x": "X", "y": "Y"} if network.drawn else {}
    given = {"x": network.x, **network.more, "y": network.y}
    whole = {key: (names.get(key, f"all_{key}") if network.drawn else key) for key in given}
    arrays = {key: values.get(whole[key], array) for key, array in given.items()}
    if network.source is not None and all(np.array_equal(arrays[key], given[key]) for key in given):
        return _section("[data]", _settings(_seen_from(network.source, folder)))
    if network.test is not None:
        held = {"x_test": network.test[0], "y_test": network.test[1]}
        arrays |= held | {f"{name}_test": array for name, array in network.test_more.items()}
    targets = {key: array for key, array in arrays.items() if key in ("y", "y_test")}
    numbered = bool(network.classes) and all(_is_numbered(network, array) for array in targets.values())
    pairs = [
        (key, _numbers(network, array) if numbered and key in targets else _nested(array))
        for key, array in arrays.items()
    ]
    if numbered:
        pairs.append(("classes", _nested(network.classes)))
    if network.batch is not None:
        pairs.append(("batch", str(network.batch)))
    return _section("[data]", pairs)


def _seen_from(source: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Where the data are from, a file's name as it is from the folder that the spec will lie in."""
    moved = {
        key: os.path.relpath(value, folder) if key in ("file", "text") and Path(str(value)).suffix else value
        for key, value in source.items()
    }
    return {key: value.replace(os.sep, "/") if key in ("file", "text") else value for key, value in moved.items()}


def _is_numbered(network: Network, y: Array) -> bool:
    """Whether targets are classes still: nobody has edited them into something else."""
    if network.loss == "hinge":
        return bool(np.isin(y, (-1, 1)).all())
    zeros_and_ones = bool(np.isin(y, (0, 1)).all())
    return zeros_and_ones and (y.shape[-1] == 1 or bool((y.sum(-1) == 1).all()))


def _numbers(network: Network, y: Array) -> str:
    """Targets by the numbers of their classes, as they are read."""
    if network.loss == "hinge":
        return _nested((y + 1) / 2)
    return _value(y.argmax(-1).tolist()) if y.shape[-1] > 1 else _nested(y)


def _header(network: Network, node: Node) -> str:
    return f"[net.{_key(node.key)}]" if network.graph else "[[layer]]"


def _node(network: Network, node: Node, values: Mapping[str, Array]) -> Iterator[Pair]:
    """The keys of one layer or node."""
    yield from _kind(network, node)
    if node.name:
        yield "name", _text(node.name)
    if node.act != "identity":
        yield "act", _text(node.act)
    if node.init and KINDS[node.op].parameters:
        yield "init", _text(node.init)
    yield from _parameters(network, node, values)
    if node.freeze:
        yield "freeze", _nested(node.freeze)
    if node.labels:
        labels = {key: _written(network, key, np.array(words, object)) for key, words in node.labels.items()}
        yield "labels", _table((key, _nested(words)) for key, words in labels.items())


def _kind(network: Network, node: Node) -> Iterator[Pair]:
    """What kind of node it is, and what it reads. Raises FileError for an op of a person's own."""
    if node.own is not None:
        raise FileError(
            f"{node.own.name} is an op of your own, which no spec can hold: save FILE.npz keeps the weights"
        )
    if node.op == "add":
        yield "add", _nested(node.inputs)
        return
    if node.op == "dense":
        yield "dense", str(node.units)
    else:
        yield "kind", _text(node.op)
        options = KINDS[node.op].options
        if "units" in options:
            yield "units", str(node.units)
        changed = {key: value for key, value in node.options.items() if value != options[key].default}
        yield from _settings(changed)
    if network.graph:
        yield "from", _text(node.inputs[0]) if len(node.inputs) == 1 else _nested(node.inputs)
    if node.shares:
        yield "shares", _text(node.shares)


def _parameters(network: Network, node: Node, values: Mapping[str, Array]) -> Iterator[Pair]:
    if not node.bias and KINDS[node.op].parameters:
        yield "bias", "false"
    if node.shares:
        return
    for letter in KINDS[node.op].kept:
        array = values.get(letter + node.suffix, node.weights(letter))
        if array is not None and (node.bias or letter[0] != "b"):
            dense = node.op == "dense"
            yield letter, _nested(_written(network, letter, np.asarray(array)) if dense else np.asarray(array))


def _written(network: Network, key: str, array: Array) -> Array:
    """A matrix of weights or labels the way round that the person writes it."""
    return array.T if key == "W" and network.layout != "in-out" else array


def _section(header: str, pairs: Iterable[Pair]) -> str:
    return f"{header}\n{_pairs(pairs)}"


def _pairs(pairs: Iterable[Pair]) -> str:
    return "".join(f"{key} = {value}\n" for key, value in pairs)


def _table(pairs: Iterable[Pair]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in pairs) + " }"


def _nested(value: Any) -> str:
    """A number, a text, or nested lists of them; a long matrix a row a line."""
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, np.ndarray | Sequence) or np.shape(value) == ():
        return _number(value)
    items = [_nested(item) for item in value]
    line = f"[{', '.join(items)}]"
    if len(line) <= _WIDTH or not items or not items[0].startswith("["):
        return line
    return "[\n" + "".join(f"  {item},\n" for item in items) + "]"


def _number(value: Any) -> str:
    """A float that reads back to the same bits; Python writes nan, inf and exponents as TOML does."""
    return repr(float(value))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """A TOML basic string: JSON's escapes, and one for the DEL that JSON lets through."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
