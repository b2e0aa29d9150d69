"""What the user described: nodes, data, loss, optimizer; frozen. `bptui.engine.checking` says what is wrong with it."""

from __future__ import annotations

import difflib
import itertools
import keyword
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from bptui.engine.ops.row import Op

Array = npt.NDArray[Any]
Where = tuple[str | int, ...]

# Words that an expression already gives a meaning to, so that no label may take them.
RESERVED = frozenset({*keyword.kwlist, "at"})
LONGEST_NAME = 100


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
    units    of a dense or recurrent layer; 0 where they are not known (only while a faulty description is checked)
    op       its kind: a row of `bptui.engine.kinds.KINDS`, or "own" with the op in `own`
    W        weights that are given, a dense layer's as (in, units); None: drawn from (seed, slot)
    b        (units,) or None: zeros
    given    letter → values of the other parameters that are given
    options  what else the kind can be told: kernel, stride, axis, …; all of them, defaults filled in
    init     the initialiser of its weights, "" for the network's
    shares   the key of the node whose weights it uses as its own, or ""
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
    given: Mapping[str, Array] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    init: str = ""
    shares: str = ""
    own: Op | None = None

    @property
    def suffix(self) -> str:
        """What its slots' names end with: W1 for a layer, W_h1 for a node of a graph."""
        return self.key if self.key.isdigit() else f"_{self.key}"

    @property
    def output(self) -> str:
        """The slot that holds its result: `a…` after an activation, else `z…`."""
        return ("z" if self.act == "identity" else "a") + self.suffix

    @property
    def last_op(self) -> str:
        """What its output comes from last: its activation, or a layer that is one itself."""
        return self.act if self.act != "identity" else self.op

    def weights(self, letter: str) -> Array | None:
        """The values given for one of its parameters, or None."""
        return {"W": self.W, "b": self.b}.get(letter) if letter in "Wb" else self.given.get(letter)


@dataclass(frozen=True)
class Training:
    """How the weights are changed.

    optim      a row of `bptui.engine.optimizers.OPTIMIZERS`, with `options` that differ from its defaults
    schedule   a row of SCHEDULES, with its options
    clip_value, clip_norm   gradients are clipped to −v … v, or scaled so that all of them have no larger norm
    l1, l2     penalties added to the loss: l1·Σ|w| and l2·Σw² / 2, over weights, not biases
    sequential each layer's update is applied before the next gradient is taken: the classic mistake, to be looked at
    """

    optim: str = "sgd"
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule: str = "constant"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    clip_value: float | None = None
    clip_norm: float | None = None
    l1: float = 0.0
    l2: float = 0.0
    sequential: bool = False


@dataclass(frozen=True, eq=False)
class Network:
    """A whole description.

    x, y      (rows, …) inputs and targets; all rows are one batch unless `batch` is smaller
    more      name → further inputs, with as many rows
    test      (x, y) rows that are held out, or None; `test_more` their further inputs
    classes   the names of the classes where targets are classes, as columns of 0 and 1; () where they are not
    batch     rows drawn for each iteration from (seed, epoch), or None
    loss_options  smoothing, class_weights, delta, reduction …
    init      the initialiser of weights where a node names none
    labels    "x", "y" and "loss" → a list of labels for the columns; a string for the loss
    freeze    patterns (`b*`) of parameter slots that are not trained
    narration  a stage (`start`, a phase, or the slot just written) → a sentence for the reader
    layout    how the person writes weight matrices, for saving them the same way; arrays here are always (in, out)
    source    where the data are from, as the spec has it, for saving it again; None where they are written out
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
    more: Mapping[str, Array] = field(default_factory=dict)
    test: tuple[Array, Array] | None = None
    test_more: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    training: Training = field(default_factory=Training)
    init: str = ""
    source: Mapping[str, Any] | None = None

    @property
    def graph(self) -> bool:
        """Whether it was described as a graph (`[net]`) rather than a list of layers."""
        return any(not node.key.isdigit() for node in self.nodes)

    @property
    def drawn(self) -> bool:
        """Whether each iteration has a batch of its own."""
        return self.batch is not None and self.batch != len(self.x)

    def node(self, key: str) -> Node:
        """The node of that key."""
        return next(node for node in self.nodes if node.key == key)


# So many words are looked at, and so many mistakes of one kind get a hint: of thousands it would take seconds.
_MOST_WORDS = 1000
MOST_HINTS = 20


def nearest(word: str, words: Iterable[str]) -> str:
    """` (did you mean …?)` with the nearest of `words`, or nothing."""
    lower = {known.lower(): known for known in itertools.islice(words, _MOST_WORDS)}
    typed = str(word).lower()
    near = difflib.get_close_matches(typed, list(lower), 3, 0.55 if len(word) > 2 else 0.5)
    # Of two as near, the one that begins alike: people mistype the first letter least.
    best = max(near, key=lambda known: (round(_ratio(typed, known), 6), known[:1] == typed[:1]), default="")
    return f" (did you mean {lower[best]}?)" if best else ""


class Hints:
    """Hints for mistakes of one kind: the first few get one."""

    def __init__(self) -> None:
        """None is given so far."""
        self._left = MOST_HINTS

    def nearest(self, word: str, words: Iterable[str]) -> str:
        """` (did you mean …?)`, or nothing, where none is near or enough were given."""
        self._left -= 1
        return nearest(word, sorted(words)) if self._left >= 0 else ""


def _ratio(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, b, a).ratio()


def is_name(text: str) -> bool:
    """Whether expressions and generated code can use it: Python reads names NFKC-normalised, so only those count."""
    return (
        len(text) <= LONGEST_NAME
        and text.isidentifier()
        and unicodedata.normalize("NFKC", text) == text
        and text not in RESERVED
    )
