"""Activations, each with the paper or the source its formula is from."""

from __future__ import annotations

from bptui.engine.ops.row import rows

# √(2/π) and 1/√(2π), to the last bit of a double.
_ROOT_2_PI = 0.7978845608028654
_DENSITY = 0.3989422804014327
_ROOT_HALF = 0.7071067811865476
# Klambauer et al. 2017, "Self-Normalizing Neural Networks": the fixed point of mean 0 and variance 1.
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805

_SIGMOID = "1 / (1 + exp(-z))"
_CUBE = "z + 0.044715 * z * z * z"


def _zero(a: dict[str, object]) -> object:
    return a["z"] == 0


ROWS = [
    # The logistic function. exp(800) overflows to inf on the way, and 1 / inf is the right 0.
    *rows("sigmoid", "z", _SIGMOID, vjps={"z": "g * (out * (1 - out))"}),
    *rows("tanh", "z", "tanh(z)", vjps={"z": "g * (1 - out * out)"}),
    # Nair & Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".
    *rows("relu", "z", "maximum(z, 0)", vjps={"z": "where(z > 0, g, 0)"}, kink=_zero),
    # Maas, Hannun & Ng 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".
    *rows(
        "leaky-relu",
        "z",
        lambda a: f"maximum(z, {a['slope']} * z)" if a["slope"] <= 1 else f"minimum(z, {a['slope']} * z)",
        attrs={"slope": 0.01},
        vjps={"z": "where(z > 0, g, {slope} * g)"},
        kink=_zero,
    ),
    # Clevert, Unterthiner & Hochreiter 2015, "Fast and Accurate Deep Network Learning by Exponential Linear Units".
    *rows(
        "elu",
        "z",
        "where(z > 0, z, {alpha} * expm1(minimum(z, 0)))",
        attrs={"alpha": 1.0},
        vjps={"z": "where(z > 0, g, g * {alpha} * exp(minimum(z, 0)))"},
        kink=lambda a: (a["z"] == 0) & (a["alpha"] != 1),
    ),
    *rows(
        "selu",
        "z",
        f"{_SELU_SCALE} * where(z > 0, z, {_SELU_ALPHA} * expm1(minimum(z, 0)))",
        vjps={"z": f"g * {_SELU_SCALE} * where(z > 0, 1, {_SELU_ALPHA} * exp(minimum(z, 0)))"},
        kink=_zero,
    ),
    # Hendrycks & Gimpel 2016, "Gaussian Error Linear Units": z·Φ(z), and its approximation by tanh.
    *rows(
        "gelu",
        "z",
        f"0.5 * z * (1 + erf({_ROOT_HALF} * z))",
        vjps={"z": f"g * (0.5 * (1 + erf({_ROOT_HALF} * z)) + z * ({_DENSITY} * exp(-0.5 * z * z)))"},
    ),
    *rows(
        "gelu-tanh",
        "z",
        f"0.5 * z * (1 + tanh({_ROOT_2_PI} * ({_CUBE})))",
        vjps={
            "z": f"g * (0.5 * (1 + (t := tanh({_ROOT_2_PI} * ({_CUBE})))) "
            f"+ 0.5 * z * (1 - t * t) * ({_ROOT_2_PI} * (1 + 0.134145 * z * z)))"
        },
    ),
    # Elfwing, Uchibe & Doya 2017, "Sigmoid-Weighted Linear Units"; also called swish.
    *rows("silu", "z", "z / (1 + exp(-z))", vjps={"z": f"g * (s := {_SIGMOID}) * (1 + z * (1 - s))"}),
    # Misra 2019, "Mish: A Self Regularized Non-Monotonic Activation Function": z·tanh(softplus(z)).
    *rows(
        "mish",
        "z",
        "z * tanh(maximum(z, 0) + log1p(exp(-maximum(z, -z))))",
        vjps={"z": f"g * ((t := tanh(maximum(z, 0) + log1p(exp(-maximum(z, -z))))) + z * (1 - t * t) * ({_SIGMOID}))"},
    ),
    # log(1 + exp(z)) in the form that can't overflow; −max(z, −z) is −|z|.
    *rows("softplus", "z", "maximum(z, 0) + log1p(exp(-maximum(z, -z)))", vjps={"z": f"g * ({_SIGMOID})"}),
    *rows("softsign", "z", "z / (1 + maximum(z, -z))", vjps={"z": "g / square(1 + maximum(z, -z))"}),
    # PyTorch's: slope 1/6, 0 below −3 and 1 above 3.
    *rows(
        "hard-sigmoid",
        "z",
        "minimum(maximum({slope} * z + {offset}, 0), 1)",
        attrs={"slope": 0.16666666666666666, "offset": 0.5},
        vjps={"z": "where(((h := {slope} * z + {offset}) > 0) & (h < 1), {slope} * g, 0)"},
        kink=lambda a: (a["slope"] * a["z"] + a["offset"] == 0) | (a["slope"] * a["z"] + a["offset"] == 1),
    ),
    *rows(
        "hard-tanh",
        "z",
        "minimum(maximum(z, -1), 1)",
        vjps={"z": "where((z > -1) & (z < 1), g, 0)"},
        kink=lambda a: (a["z"] == 1) | (a["z"] == -1),
    ),
    # The largest of each group is taken off first: the result is the same, and exp can't overflow.
    *rows(
        "softmax",
        "z",
        "(e := exp(z - z.max({axis}, keepdims=True))) / e.sum({axis}, keepdims=True)",
        attrs={"axis": -1},
        vjps={"z": "out * (g - (g * out).sum({axis}, keepdims=True))"},
    ),
    *rows(
        "log-softmax",
        "z",
        "(d := z - z.max({axis}, keepdims=True)) - log(exp(d).sum({axis}, keepdims=True))",
        attrs={"axis": -1},
        vjps={"z": "g - exp(out) * g.sum({axis}, keepdims=True)"},
    ),
]

# What a person may write after a layer; identity emits no instruction.
ACTIVATIONS: dict[str, str] = {
    "identity": "",
    **{name: name for name in ("sigmoid", "tanh", "relu", "leaky-relu", "softmax")},
    **{op.name: op.name for op in ROWS if "." not in op.name},
}
