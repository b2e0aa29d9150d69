"""The same in Python: networks described with the words of a spec, run, checked and opened in the app.

    import bptui as bp
    net = bp.Net(bp.Dense(32, "relu"), bp.Dense(10), seed=0)
    bp.debug(net, x, y, loss="softmax-ce", lr=0.1)          # opens the app
    bp.check(net, x, y, loss="softmax-ce")                  # a gradient check
    bp.train(net, x, y, loss="softmax-ce", lr=0.1, iterations=100).loss

Layers are called as kinds are, in Python's way: `max-pool` is `MaxPool`, `layer-norm` `LayerNorm`. A graph names its
nodes: `bp.Net(h=bp.Dense(8, "tanh", reads="x"), out=bp.Dense(1, reads="h"))`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bptui.engine import gradcheck
from bptui.engine.build import build
from bptui.engine.kinds import KINDS
from bptui.engine.network import Array, Network, NetworkError, Node, Training, is_name, nearest
from bptui.engine.ops.row import Op as Row
from bptui.engine.optimizers import OPTIMIZERS
from bptui.engine.program import Program
from bptui.engine.terms import is_known
from bptui.files.layer_lines import Fault, check_option
from bptui.files.targets import with_classes

_NODE = ("name", "bias", "init", "labels", "freeze", "shares")


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer before it has its place in a network: a kind's name, what it was told, an activation."""

    kind: str
    sizes: tuple[Any, ...] = ()
    act: str = "identity"
    reads: str | tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    own: Row | None = None

    def _told(self, name: str, value: Any) -> Any:
        """The value of an option of its kind. Raises ValueError."""
        found = check_option(KINDS[self.kind].options[name], tuple(value) if isinstance(value, list) else value)
        if isinstance(found, Fault):
            raise ValueError(f"{camel(self.kind)}: {name}: {found.why}")
        return found

    def node(self, key: str, inputs: tuple[str, ...]) -> Node:
        """The node that it becomes. Raises ValueError where it was told what its kind does not know."""
        if self.own is not None:
            return Node(key, inputs, op="own", act=self.act, own=self.own, bias=False, where=("layers", key))
        kind = KINDS[self.kind]
        told = dict(zip(kind.sizes, self.sizes, strict=False))
        if len(self.sizes) > len(kind.sizes):
            raise ValueError(f"{self.kind} takes {len(kind.sizes)} sizes, not {len(self.sizes)}")
        given: dict[str, Array] = {}
        common: dict[str, Any] = {}
        for name, value in self.settings.items():
            if name in kind.options:
                told[name] = value
            elif name in _NODE:
                common[name] = value
            elif name in kind.letters:
                given[name] = np.asarray(value, dtype=np.float64)
            else:
                known = [*kind.options, *_NODE, *kind.letters]
                raise ValueError(f"{self.kind} has no setting {name!r}{nearest(name, known)}")
        told = {name: self._told(name, value) for name, value in told.items()}
        for name, option in kind.options.items():
            if option.needed and name not in told:
                raise ValueError(f"{camel(self.kind)} needs {name}, as in the line {kind.example!r} of a spec")
        units = told.pop("units", 1)
        node = Node(key, inputs, units, self.kind, self.act, options=told, where=("layers", key), **common)
        weights, bias = given.pop("W", None), given.pop("b", None)
        return replace(node, W=weights, b=bias, given=given)


def _number(settings: Mapping[str, Any], name: str) -> float:
    """A setting that is a number. Raises ValueError."""
    value = settings[name]
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} is {value!r}: a number is needed")
    return float(value)


def layer(kind: str) -> Callable[..., Layer]:
    """What makes a layer of a kind: `Dense(32, "relu", bias=False)`, `Conv(6, 5, "tanh", pad=2)`."""

    def make(*words: Any, reads: str | tuple[str, ...] | list[str] = (), act: str = "", **settings: Any) -> Layer:
        sizes = tuple(word for word in words if not isinstance(word, str))
        acts = [word for word in words if isinstance(word, str)]
        read = reads if isinstance(reads, str) else tuple(reads)
        return Layer(kind, sizes, act or (acts[0] if acts else "identity"), read, settings)

    make.__name__ = make.__qualname__ = camel(kind)
    make.__doc__ = f"A layer as in the line {KINDS[kind].example!r} of a spec."
    return make


def camel(kind: str) -> str:
    """`MaxPool` of `max-pool`."""
    return "".join(word.capitalize() for word in kind.split("-"))


LAYERS: Mapping[str, str] = {camel(kind): kind for kind in KINDS}


class Op:
    """An op of one's own: a class with `forward`, `vjp` and, for the reader, `formula`.

        class Cube(bp.Op):
            formula = "x³"
            def forward(self, x): return x * x * x
            def vjp(self, g, out, x): return (g * 3 * x * x,)

    `forward` takes arrays and gives one of the shape of the first; `vjp` takes the gradient of the result, the result
    and what was read, and gives the gradient of each of what was read.
    """

    formula = ""

    def forward(self, *read: Array) -> Array:
        """The result. To be written by the subclass."""
        raise NotImplementedError

    def vjp(self, g: Array, out: Array, *read: Array) -> tuple[Array, ...]:
        """The gradient of each of what was read. To be written by the subclass."""
        raise NotImplementedError

    def __call__(self, reads: str | tuple[str, ...] | list[str] = (), act: str = "identity") -> Layer:
        """The op as a layer."""
        read = reads if isinstance(reads, str) else tuple(reads)
        return Layer(self.row.name, act=act, reads=read, own=self.row)

    @property
    def row(self) -> Row:
        """The op as a row of the op table."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        if is_known(name):
            name = f"own_{name}"
        roles = tuple(inspect.signature(self.forward).parameters)
        if not roles or any(not is_name(role) or role in ("g", "out") for role in roles):
            raise ValueError(f"{type(self).__name__}.forward names what it reads, such as x (not g, not out)")
        for needed in ("forward", "vjp"):
            if getattr(type(self), needed) is getattr(Op, needed):
                raise ValueError(f"{type(self).__name__} needs a {needed}: see bptui.api.Op")
        gradients = {role: self._gradient(k) for k, role in enumerate(roles)}
        functions = {name: self.forward, **{f"{name}_vjp_{role}": made for role, made in gradients.items()}}
        read = ("g", "out", *roles)
        backward = {
            f"{name}.{role}": Row(f"{name}.{role}", read, f"{name}_vjp_{role}({', '.join(read)})", functions=functions)
            for role in roles
        }
        vjps = {role: (f"{name}.{role}", read) for role in roles}
        return Row(
            name,
            roles,
            f"{name}({', '.join(roles)})",
            vjps,
            functions=functions,
            backward=backward,
            formula=self.formula,
        )

    def _gradient(self, k: int) -> Callable[..., Array]:
        def gradient(g: Array, out: Array, *read: Array) -> Array:
            given = self.vjp(g, out, *read)
            found = np.asarray(given[k] if isinstance(given, tuple) else given)
            if found.shape != read[k].shape:
                shapes = f"{found.shape}, what it is of {read[k].shape}"
                raise ValueError(f"{type(self).__name__}.vjp gives a gradient of shape {shapes}")
            return found

        return gradient


class Net:
    """Layers, in a row or named as a graph; without data it is only a plan."""

    def __init__(self, *layers: Layer | Op, seed: int = 0, dtype: str = "float64", **nodes: Layer | Op) -> None:
        if layers and nodes:
            raise ValueError("layers in a row or named nodes: only one of both")
        self.layers = tuple(item() if isinstance(item, Op) else item for item in layers)
        self.nodes = {key: item() if isinstance(item, Op) else item for key, item in nodes.items()}
        self.seed = seed
        self.dtype = dtype

    def network(self, x: Any, y: Any, **settings: Any) -> Network:
        """The network with its data. Raises NetworkError with every mistake."""
        inputs, targets = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        training, rest = _training(settings)
        for name in rest.keys() - _SETTINGS:
            raise ValueError(f"no setting is called {name!r}{nearest(name, [*_SETTINGS, *_TRAINING, 'optim'])}")
        rest["lr"] = _number(rest, "lr")
        more = {name: np.asarray(array, dtype=np.float64) for name, array in rest.pop("inputs", {}).items()}
        network = Network(
            tuple(self._nodes()),
            inputs[:, None] if inputs.ndim == 1 else inputs,
            targets[:, None] if targets.ndim == 1 else targets,
            seed=self.seed,
            dtype=self.dtype,
            more=more,
            training=training,
            **rest,
        )
        return with_classes(network)

    def _nodes(self) -> list[Node]:
        if self.nodes:
            return [made.node(key, _read(key, made)) for key, made in self.nodes.items()]
        before = ["x", *(str(k) for k in range(1, len(self.layers)))]
        return [made.node(str(k), (read,)) for k, (made, read) in enumerate(zip(self.layers, before, strict=True), 1)]


def _read(key: str, made: Layer) -> tuple[str, ...]:
    if not made.reads:
        raise ValueError(f'{key} says what it reads: reads="x"')
    return (made.reads,) if isinstance(made.reads, str) else made.reads


# What of a network is told beside its data, its layers and how it is trained.
_SETTINGS = frozenset({*Network.__dataclass_fields__, "inputs"} - {"nodes", "x", "y", "more", "training"})
_TRAINING = ("schedule", "clip_value", "clip_norm", "l1", "l2", "sequential")


def _training(settings: Mapping[str, Any]) -> tuple[Training, dict[str, Any]]:
    """(how it is trained, the other settings): optim="adam" or {"use": "adam", "beta1": 0.8}, lr, schedule."""
    rest = dict(settings)
    optim = rest.pop("optim", "sgd")
    words = dict(optim) if isinstance(optim, Mapping) else {"use": optim}
    name = words.pop("use", "sgd")
    if "lr" in words:
        rest["lr"] = words.pop("lr")
    rest.setdefault("lr", OPTIMIZERS[name].lr if name in OPTIMIZERS else 0.1)
    chosen = {key: rest.pop(key) for key in _TRAINING if key in rest}
    schedule = chosen.pop("schedule", "constant")
    plan = dict(schedule) if isinstance(schedule, Mapping) else {"use": schedule}
    training = Training(name, words, plan.pop("use", "constant"), plan, **chosen)
    loss = rest.get("loss")
    if isinstance(loss, Mapping):
        rest["loss"] = loss.get("use", "half-mse")
        rest["loss_options"] = {key: value for key, value in loss.items() if key != "use"}
    return training, rest


def program(net: Net, x: Any, y: Any, **settings: Any) -> Program:
    """The program of one training iteration; `print` of it is the listing."""
    return build(net.network(x, y, **settings))


def check(net: Net, x: Any, y: Any, **settings: Any) -> gradcheck.GradientCheck:
    """A gradient check of the first iteration: `.passed`, and `print` says it in a sentence."""
    made = program(net, x, y, **settings)
    return replace(gradcheck.check(made, each=True), program=made)


def train(net: Net, x: Any, y: Any, iterations: int = 1000, until: str | None = None, **settings: Any) -> Any:
    """Train; `.iterations`, `.loss`, `.reason` and `.parameters` say how it ended."""
    from bptui.debugger import expressions, training

    made = program(net, x, y, iterations=max(1, iterations), **settings)
    condition = None if until is None else expressions.parse(made, until)
    return training.train(made, iterations, condition)


def debug(net: Net, x: Any, y: Any, **settings: Any) -> int:
    """Open the app on the network; its exit code, once it was left."""
    from bptui.cli import refuse_without_terminal
    from bptui.commands import opening
    from bptui.tui.app import run

    refuse_without_terminal()
    return run(opening.of_network(net.network(x, y, **settings)))


__all__ = ["LAYERS", "Layer", "Net", "NetworkError", "Op", "check", "debug", "layer", "program", "train"]
