"""The op table: every operation a program may hold, as text.

A row has the `source` that a reader sees and the `run` form that is executed, both over named arguments. The two
give the same bits (a test evaluates every source with plain NumPy), so what is shown is what ran. `run` writes only
`{out}` and the row's own temporaries, and never reads `{out}` before it wrote it, so that the same text can be aimed
at a scratch array when an instruction is stepped into.

`reach` names which cells of an argument a cell of the result depends on; `bptui.engine.reach` gives it meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Op:
    """A row of the table.

    args     the roles of what is read, in order
    shape    (shapes of the arguments) → shape of the result
    vjps     role of an argument → (backward op, the roles it reads: this op's, `out`, or `g`, the gradient of out)
    single   the `run` form where both operands have one cell: there `dot` may give -0.0 where `@` gives 0.0
    temps    name → the role whose shape it has, `role.row` for one column, `role?` for a boolean of that shape
    scaled   the result is divided by `n`, the size of a mean; the division is left out where n is 1
    wrap     whether the source needs brackets before that division
    in_place the result replaces the first argument; has to be elementwise
    """

    name: str
    args: tuple[str, ...]
    source: str
    run: str
    shape: Callable[..., Shape]
    reach: str = "each"
    vjps: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    temps: Mapping[str, str] = field(default_factory=dict)
    scaled: bool = False
    wrap: bool = False
    in_place: bool = False
    single: str = ""

    def source_text(self, names: Mapping[str, str], n: int = 1) -> str:
        """The right side a reader sees, with the slots' names in it."""
        text = self.source.format(**names)
        if not self.scaled or n == 1:
            return text
        return f"({text}) / {n}" if self.wrap else f"{text} / {n}"

    def run_text(self, names: Mapping[str, str], n: int = 1, *, single: bool = False) -> str:
        """The statements that are executed; `names` has `out` and the temporaries too."""
        text = ((single and self.single) or self.run).format(**names)
        return text if not self.scaled or n == 1 else text + f"; divide({names['out']}, {n}, {names['out']})"


def _same(*shapes: Shape) -> Shape:
    return shapes[0]


def _scalar(*_: Shape) -> Shape:
    return ()


def _matmul(a: Shape, b: Shape, *_: Shape) -> Shape:
    return (a[0], b[1])


def _matmul_tn(a: Shape, b: Shape) -> Shape:
    return (a[1], b[1])


def _matmul_nt(a: Shape, b: Shape) -> Shape:
    return (a[0], b[0])


def _columns(a: Shape) -> Shape:
    return (a[1],)


def _drawn(data: Shape, rows: Shape) -> Shape:
    return (*rows, *data[1:])


_DENSE_VJPS = {"W": ("dense.W", ("x", "g")), "b": ("dense.b", ("g",)), "x": ("dense.x", ("g", "W"))}

_FORWARD = (
    Op("draw", ("X", "rows"), "{X}[{rows}]", '{X}.take({rows}, 0, {out}, "clip")', _drawn, "draw"),
    Op(
        "dense",
        ("x", "W"),
        "{x} @ {W}",
        "{x}.dot({W}, {out})",
        _matmul,
        "matmul",
        _DENSE_VJPS,
        single="matmul({x}, {W}, {out})",
    ),
    Op(
        "dense+b",
        ("x", "W", "b"),
        "{x} @ {W} + {b}",
        "{x}.dot({W}, {out}); add({out}, {b}, {out})",
        _matmul,
        "matmul",
        _DENSE_VJPS,
        single="matmul({x}, {W}, {out}); add({out}, {b}, {out})",
    ),
    Op(
        "add",
        ("a", "b"),
        "{a} + {b}",
        "add({a}, {b}, {out})",
        _same,
        vjps={"a": ("copy", ("g",)), "b": ("copy", ("g",))},
    ),
    # The logistic function. exp(800) overflows to inf on the way, and 1 / inf is the right 0.
    Op(
        "sigmoid",
        ("z",),
        "1 / (1 + exp(-{z}))",
        "negative({z}, {out}); exp({out}, {out}); add(1, {out}, {out}); divide(1, {out}, {out})",
        _same,
        vjps={"z": ("sigmoid.z", ("g", "out"))},
    ),
    Op("tanh", ("z",), "tanh({z})", "tanh({z}, {out})", _same, vjps={"z": ("tanh.z", ("g", "out"))}),
    Op("relu", ("z",), "maximum({z}, 0)", "maximum({z}, 0, out={out})", _same, vjps={"z": ("relu.z", ("g", "z"))}),
    # Slope 0.01 below zero: Maas, Hannun & Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".
    Op(
        "leaky-relu",
        ("z",),
        "maximum({z}, 0.01 * {z})",
        "multiply(0.01, {z}, {out}); maximum({z}, {out}, out={out})",
        _same,
        vjps={"z": ("leaky-relu.z", ("g", "z"))},
    ),
    # The row's maximum is taken off first: the result is the same, and exp can't overflow.
    Op(
        "softmax",
        ("z",),
        "(e := exp({z} - {z}.max(1, keepdims=True))) / e.sum(1, keepdims=True)",
        "{z}.max(1, {r}, True); subtract({z}, {r}, {out}); exp({out}, {out}); "
        "{out}.sum(1, None, {r}, True); divide({out}, {r}, {out})",
        _same,
        "row",
        vjps={"z": ("softmax.z", ("g", "out"))},
        temps={"r": "z.row"},
    ),
)

_BACKWARD = (
    Op("copy", ("g",), "{g}", "copyto({out}, {g})", _same),
    Op(
        "dense.x",
        ("g", "W"),
        "{g} @ {W}.T",
        "{g}.dot({W}.T, {out})",
        _matmul_nt,
        "matmul_nt",
        single="matmul({g}, {W}.T, {out})",
    ),
    Op(
        "dense.W",
        ("x", "g"),
        "{x}.T @ {g}",
        "{x}.T.dot({g}, {out})",
        _matmul_tn,
        "matmul_tn",
        single="matmul({x}.T, {g}, {out})",
    ),
    Op("dense.b", ("g",), "{g}.sum(0)", "{g}.sum(0, None, {out})", _columns, "columns"),
    Op(
        "sigmoid.z",
        ("g", "a"),
        "{g} * ({a} * (1 - {a}))",
        "subtract(1, {a}, {out}); multiply({a}, {out}, {out}); multiply({g}, {out}, {out})",
        _same,
    ),
    Op(
        "tanh.z",
        ("g", "a"),
        "{g} * (1 - {a} * {a})",
        "multiply({a}, {a}, {out}); subtract(1, {out}, {out}); multiply({g}, {out}, {out})",
        _same,
    ),
    Op(
        "relu.z",
        ("g", "z"),
        "where({z} > 0, {g}, 0)",
        "greater({z}, 0, {m}); copyto({out}, 0); copyto({out}, {g}, where={m})",
        _same,
        temps={"m": "z?"},
    ),
    Op(
        "leaky-relu.z",
        ("g", "z"),
        "where({z} > 0, {g}, 0.01 * {g})",
        "greater({z}, 0, {m}); multiply(0.01, {g}, {out}); copyto({out}, {g}, where={m})",
        _same,
        temps={"m": "z?"},
    ),
    Op(
        "softmax.z",
        ("g", "a"),
        "{a} * ({g} - ({g} * {a}).sum(1, keepdims=True))",
        "multiply({g}, {a}, {out}); {out}.sum(1, None, {r}, True); "
        "subtract({g}, {r}, {out}); multiply({a}, {out}, {out})",
        _same,
        "row",
        temps={"r": "g.row"},
    ),
)

_LOSS = (
    Op(
        "half-mse",
        ("p", "y"),
        "0.5 * square({p} - {y}).sum()",
        "subtract({p}, {y}, {s}); square({s}, {s}); {s}.sum(None, None, {out}); multiply(0.5, {out}, {out})",
        _scalar,
        "all",
        vjps={"p": ("half-mse.p", ("p", "y"))},
        temps={"s": "p"},
        scaled=True,
    ),
    Op("half-mse.p", ("p", "y"), "{p} - {y}", "subtract({p}, {y}, {out})", _same, scaled=True, wrap=True),
    Op(
        "mse",
        ("p", "y"),
        "square({p} - {y}).sum()",
        "subtract({p}, {y}, {s}); square({s}, {s}); {s}.sum(None, None, {out})",
        _scalar,
        "all",
        vjps={"p": ("mse.p", ("p", "y"))},
        temps={"s": "p"},
        scaled=True,
    ),
    Op(
        "mse.p",
        ("p", "y"),
        "2 * ({p} - {y})",
        "subtract({p}, {y}, {out}); multiply(2, {out}, {out})",
        _same,
        scaled=True,
    ),
    # Logarithms are clamped at -100, the gradient's denominator at 1e-12, as PyTorch's BCELoss does.
    Op(
        "bce",
        ("p", "y"),
        "-({y} * maximum(log({p}), -100) + (1 - {y}) * maximum(log(1 - {p}), -100)).sum()",
        "log({p}, {s}); maximum({s}, -100, out={s}); multiply({y}, {s}, {s}); "
        "subtract(1, {p}, {u}); log({u}, {u}); maximum({u}, -100, out={u}); "
        "subtract(1, {y}, {v}); multiply({v}, {u}, {u}); add({s}, {u}, {s}); "
        "{s}.sum(None, None, {out}); negative({out}, {out})",
        _scalar,
        "all",
        vjps={"p": ("bce.p", ("p", "y"))},
        temps={"s": "p", "u": "p", "v": "p"},
        scaled=True,
    ),
    Op(
        "bce.p",
        ("p", "y"),
        "({p} - {y}) / maximum({p} * (1 - {p}), 1e-12)",
        "subtract(1, {p}, {out}); multiply({p}, {out}, {out}); maximum({out}, 1e-12, out={out}); "
        "subtract({p}, {y}, {s}); divide({s}, {out}, {out})",
        _same,
        temps={"s": "p"},
        scaled=True,
    ),
    # log(1 + exp(z)) − z·y, in the form that can't overflow: max(z, 0) − z·y + log(1 + exp(−|z|)).
    Op(
        "bce-logits",
        ("z", "y"),
        "(maximum({z}, 0) - {z} * {y} + log1p(exp(-abs({z})))).sum()",
        "maximum({z}, 0, out={s}); multiply({z}, {y}, {u}); subtract({s}, {u}, {s}); "
        "absolute({z}, {u}); negative({u}, {u}); exp({u}, {u}); log1p({u}, {u}); add({s}, {u}, {s}); "
        "{s}.sum(None, None, {out})",
        _scalar,
        "all",
        vjps={"z": ("bce-logits.z", ("z", "y"))},
        temps={"s": "z", "u": "z"},
        scaled=True,
    ),
    Op(
        "bce-logits.z",
        ("z", "y"),
        "1 / (1 + exp(-{z})) - {y}",
        "negative({z}, {out}); exp({out}, {out}); add(1, {out}, {out}); divide(1, {out}, {out}); "
        "subtract({out}, {y}, {out})",
        _same,
        scaled=True,
        wrap=True,
    ),
    Op(
        "softmax-ce",
        ("p", "y"),
        "-({y} * maximum(log({p}), -100)).sum()",
        "log({p}, {s}); maximum({s}, -100, out={s}); multiply({y}, {s}, {s}); "
        "{s}.sum(None, None, {out}); negative({out}, {out})",
        _scalar,
        "all",
        vjps={"p": ("softmax-ce.p", ("p", "y"))},
        temps={"s": "p"},
        scaled=True,
    ),
    Op(
        "softmax-ce.p",
        ("p", "y"),
        "-{y} / maximum({p}, 1e-12)",
        "negative({y}, {s}); maximum({p}, 1e-12, out={out}); divide({s}, {out}, {out})",
        _same,
        temps={"s": "p"},
        scaled=True,
    ),
    Op(
        "softmax-ce-logits",
        ("z", "y"),
        "-({y} * ((d := {z} - {z}.max(1, keepdims=True)) - log(exp(d).sum(1, keepdims=True)))).sum()",
        "{z}.max(1, {r}, True); subtract({z}, {r}, {s}); exp({s}, {u}); {u}.sum(1, None, {r}, True); log({r}, {r}); "
        "subtract({s}, {r}, {s}); multiply({y}, {s}, {s}); {s}.sum(None, None, {out}); negative({out}, {out})",
        _scalar,
        "all",
        vjps={"z": ("softmax-ce-logits.z", ("z", "y"))},
        temps={"r": "z.row", "s": "z", "u": "z"},
        scaled=True,
    ),
    # softmax(z)·Σy − y: the sum is 1 for a class or a distribution, and not after a target was edited.
    Op(
        "softmax-ce-logits.z",
        ("z", "y"),
        "(e := exp({z} - {z}.max(1, keepdims=True))) / e.sum(1, keepdims=True) * {y}.sum(1, keepdims=True) - {y}",
        "{z}.max(1, {r}, True); subtract({z}, {r}, {out}); exp({out}, {out}); {out}.sum(1, None, {r}, True); "
        "divide({out}, {r}, {out}); {y}.sum(1, None, {r}, True); multiply({out}, {r}, {out}); "
        "subtract({out}, {y}, {out})",
        _same,
        "row",
        temps={"r": "z.row"},
        scaled=True,
        wrap=True,
    ),
)

_UPDATE = (
    # Stochastic gradient descent: Robbins & Monro 1951, "A Stochastic Approximation Method".
    Op(
        "sgd",
        ("w", "lr", "g"),
        "{w} - {lr} * {g}",
        "multiply({lr}, {g}, {s}); subtract({w}, {s}, {out})",
        _same,
        temps={"s": "w"},
        in_place=True,
    ),
)

OPS: Mapping[str, Op] = {op.name: op for op in (*_FORWARD, *_BACKWARD, *_LOSS, *_UPDATE)}

# What a person may write → the op; identity emits no instruction.
ACTIVATIONS: Mapping[str, str] = {
    "identity": "",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "leaky-relu": "leaky-relu",
    "softmax": "softmax",
}


@dataclass(frozen=True)
class Loss:
    """A loss a person may name.

    op       the op on what the last layer gives, or on probabilities where `logits` exists
    logits   the fused, stable op for a last layer without the activation that makes probabilities
    made_by  the activations after which the last layer's output counts as probabilities
    mean     what the sum is divided by: the batch (`rows`), or batch × outputs (`cells`)
    """

    op: str
    mean: str
    logits: str = ""
    made_by: tuple[str, ...] = ()


LOSSES: Mapping[str, Loss] = {
    "half-mse": Loss("half-mse", "rows"),
    "mse": Loss("mse", "cells"),
    "bce": Loss("bce", "cells", "bce-logits", ("sigmoid", "softmax")),
    "softmax-ce": Loss("softmax-ce", "rows", "softmax-ce-logits", ("sigmoid", "softmax")),
}
