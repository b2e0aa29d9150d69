"""Recurrent layers over (places, features), unrolled: each place has instructions of its own.

Gates lie side by side in the weights, in PyTorch's order; `W` acts on the input, `U` on the state before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bptui.engine.initial import Weight
from bptui.engine.kinds.kind import Described, Emitter, Kind, MisfitError, Option, written
from bptui.engine.kinds.simple import slice_of
from bptui.engine.ops.row import Shape

MOST_PLACES = 500


def _shape(node: Described, shapes: list[Shape]) -> Shape:
    if len(shapes[0]) != 2:
        raise MisfitError(f"a recurrent layer reads places × features, not {written(shapes[0])}")
    if shapes[0][0] > MOST_PLACES:
        raise MisfitError(f"{shapes[0][0]} places are too many to unroll: the limit is {MOST_PLACES}")
    return (node.units,) if node.options["last"] else (shapes[0][0], node.units)


def _weights(gates: int) -> Callable[[Described, list[Shape]], Mapping[str, Weight]]:
    def parameters(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
        inputs, units = shapes[0][-1], node.units
        found = {
            "W": Weight((inputs, gates * units), inputs, units, "glorot-uniform"),
            "U": Weight((units, gates * units), units, units, "orthogonal"),
        }
        return {**found, "b": Weight((gates * units,), default="zeros")} if node.bias else found

    return parameters


class _Steps:
    """What is the same at every place: the product of the input, and of the state before, with their weights."""

    def __init__(self, to: Emitter, node: Described, slot: str, writes: str) -> None:
        self.to, self.node, self.slot, self.writes = to, node, slot, writes
        self.units = node.units
        self.places = to.shape(slot)[1]
        self.step = 0

    def name(self, word: str) -> str:
        return self.to.name(word, self.step)

    def op(self, op: str, reads: list[str], word: str, **attrs: object) -> str:
        return self.to.op(op, reads, self.name(word), **attrs)

    def gate(self, slot: str, k: int, word: str, act: str) -> str:
        """Gate number k of what lies side by side, through its activation."""
        part = slice_of(self.to, slot, self.name(f"{word}z"), 1, (k * self.units, (k + 1) * self.units, 1))
        return self.op(act, [part], word)

    def input(self) -> str:
        """The input at this place times W, plus b."""
        index = ((None, None, None), self.step)
        x = self.to.op("slice", [self.slot], self.name("x"), index=index)
        weights = [self.to.parameter("W"), *([self.to.parameter("b")] if self.node.bias else [])]
        return self.op("dense+b" if self.node.bias else "dense", [x, *weights], "xW")

    def state(self, h: str) -> str:
        """The state before times U."""
        return self.op("dense", [h, self.to.parameter("U")], "hU")

    def hidden(self, op: str, reads: list[str], **attrs: object) -> str:
        """The state at this place; the last one is what the layer gives, where it gives no other."""
        ends = self.node.options["last"] and self.step == self.places - 1
        return self.to.op(op, reads, self.writes if ends else self.name("h"), **attrs)

    def sum(self, h: str) -> str:
        """Both together; the first state is 0 and adds nothing."""
        x = self.input()
        return self.op("add", [x, self.state(h)], "g") if h else x


def _rnn(steps: _Steps, h: str, c: str) -> tuple[str, str]:
    """Elman 1990, "Finding Structure in Time"."""
    gate, total = str(steps.node.options["gate"]), steps.sum(h)
    if gate == "identity":
        return steps.hidden("reshape", [total], shape=steps.to.shape(total)), c
    return steps.hidden(gate, [total]), c


def _lstm(steps: _Steps, h: str, c: str) -> tuple[str, str]:
    """Hochreiter & Schmidhuber 1997, "Long Short-Term Memory", with the forget gate of Gers et al. 2000."""
    gates = steps.sum(h)
    i = steps.gate(gates, 0, "i", "sigmoid")
    f = steps.gate(gates, 1, "f", "sigmoid") if c else ""
    g = steps.gate(gates, 2, "n", "tanh")
    o = steps.gate(gates, 3, "o", "sigmoid")
    c = steps.op("lstm-cell", [f, c, i, g], "c") if c else steps.op("mul", [i, g], "c")
    return steps.hidden("mul", [o, steps.op("tanh", [c], "ct")]), c


def _gru(steps: _Steps, h: str, c: str) -> tuple[str, str]:
    """Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder".

    The reset comes after the product, as cuDNN and PyTorch have it.
    """
    x = steps.input()
    n = steps.units
    if not h:
        z = steps.gate(x, 1, "u", "sigmoid")
        new = steps.gate(x, 2, "n", "tanh")
        return steps.hidden("gru-start", [z, new]), c
    u = steps.state(h)
    cut = {word: (k * n, (k + 1) * n, 1) for k, word in enumerate(("r", "u", "n"))}
    xs = {w: slice_of(steps.to, x, steps.name(f"x{w}"), 1, part) for w, part in cut.items()}
    hs = {w: slice_of(steps.to, u, steps.name(f"h{w}"), 1, part) for w, part in cut.items()}
    r = steps.op("sigmoid", [steps.op("add", [xs["r"], hs["r"]], "rz")], "r")
    z = steps.op("sigmoid", [steps.op("add", [xs["u"], hs["u"]], "uz")], "u")
    new = steps.op("tanh", [steps.op("gru-new", [xs["n"], r, hs["n"]], "nz")], "n")
    return steps.hidden("gru-mix", [z, h, new]), c


def _unrolled(
    cell: Callable[[_Steps, str, str], tuple[str, str]],
) -> Callable[[Emitter, Described, list[str], str], str]:
    def emit(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
        steps, h, c, states = _Steps(to, node, reads[0], writes), "", "", []
        for step in range(steps.places):
            steps.step = step
            h, c = cell(steps, h, c)
            states.append(h)
        if node.options["last"]:
            return h
        batch, units = to.shape(h)
        rows = [to.op("reshape", [s], to.name("y", k), shape=(batch, 1, units)) for k, s in enumerate(states)]
        return to.op("concat", rows, writes, axis=1, sizes=(1,) * len(rows))

    return emit


_OPTIONS = {"units": Option(None, int, 1), "last": Option(True, bool)}
_LETTERS = ("W", "U", "b")

KINDS = [
    Kind(
        "rnn",
        ("units",),
        _shape,
        _unrolled(_rnn),
        options={**_OPTIONS, "gate": Option("tanh", "activation")},
        parameters=_weights(1),
        letters=_LETTERS,
        example="rnn 8 (x)",
    ),
    Kind(
        "lstm",
        ("units",),
        _shape,
        _unrolled(_lstm),
        options=_OPTIONS,
        parameters=_weights(4),
        letters=_LETTERS,
        example="lstm 8 (x)",
    ),
    Kind(
        "gru",
        ("units",),
        _shape,
        _unrolled(_gru),
        options=_OPTIONS,
        parameters=_weights(3),
        letters=_LETTERS,
        example="gru 8 (x)",
    ),
]
