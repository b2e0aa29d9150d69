"""Arithmetic, element by element; operands are broadcast, and the builder sums a gradient back to its shape."""

from __future__ import annotations

from bptui.engine.ops.row import rows

ROWS = [
    *rows("copy", "g", "g", vjps={"g": "=copy"}),
    *rows("add", "a b", "a + b", vjps={"a": "=copy", "b": "=copy"}),
    *rows("sub", "a b", "a - b", vjps={"a": "=copy", "b": "-g"}),
    *rows("mul", "a b", "a * b", vjps={"a": "g * b", "b": "g * a"}),
    *rows("div", "a b", "a / b", vjps={"a": "g / b", "b": "-g * out / b"}),
    *rows("neg", "x", "-x", vjps={"x": "-g"}),
    *rows("scale", "x", "{by} * x", attrs={"by": None}, vjps={"x": "{by} * g"}),
    *rows("shift", "x", "x + {by}", attrs={"by": None}, vjps={"x": "=copy"}),
    # 0 ** b has the derivative 0 by b where b ≥ 0, as PyTorch has it; log(0) is not to make it nan.
    *rows(
        "pow",
        "a b",
        "power(a, b)",
        vjps={
            "a": "where(b == 0, 0, g * b * power(a, b - 1))",
            "b": "where((a == 0) & (b >= 0), 0, g * out * log(a))",
        },
    ),
    *rows("square", "x", "square(x)", vjps={"x": "2 * g * x"}),
    *rows("exp", "x", "exp(x)", vjps={"x": "g * out"}),
    *rows("log", "x", "log(x)", vjps={"x": "g / x"}),
    *rows("sqrt", "x", "sqrt(x)", vjps={"x": "g / (2 * out)"}),
    *rows("abs", "x", "abs(x)", vjps={"x": "g * sign(x)"}, kink=lambda a: a["x"] == 0),
    # A tie shares the gradient, as PyTorch has it.
    *rows(
        "minimum",
        "a b",
        "minimum(a, b)",
        vjps={"a": "g * ((a < b) + 0.5 * (a == b))", "b": "g * ((b < a) + 0.5 * (a == b))"},
        kink=lambda a: a["a"] == a["b"],
    ),
    *rows(
        "maximum",
        "a b",
        "maximum(a, b)",
        vjps={"a": "g * ((a > b) + 0.5 * (a == b))", "b": "g * ((b > a) + 0.5 * (a == b))"},
        kink=lambda a: a["a"] == a["b"],
    ),
    # A condition is a number here: true where it is not 0.
    *rows("where", "c a b", "where(c != 0, a, b)", vjps={"a": "where(c != 0, g, 0)", "b": "where(c != 0, 0, g)"}),
    *rows(
        "clip",
        "x",
        "minimum(maximum(x, {low}), {high})",
        attrs={"low": None, "high": None},
        vjps={"x": "where((x >= {low}) & (x <= {high}), g, 0)"},
        kink=lambda a: (a["x"] == a["low"]) | (a["x"] == a["high"]),
    ),
    # The cell of an LSTM: what is kept of the old, and what is taken of the new.
    *rows(
        "lstm-cell",
        "f c i n",
        "f * c + i * n",
        vjps={"f": "g * c", "c": "g * f", "i": "g * n", "n": "g * i"},
    ),
    # A GRU's candidate, and the mix of the old state and the new one; its first old state is 0.
    *rows("gru-new", "x r h", "x + r * h", vjps={"x": "=copy", "r": "g * h", "h": "g * r"}),
    *rows("gru-mix", "u h n", "(1 - u) * n + u * h", vjps={"u": "g * (h - n)", "h": "g * u", "n": "g * (1 - u)"}),
    *rows("gru-start", "u n", "(1 - u) * n", vjps={"u": "-g * n", "n": "g * (1 - u)"}),
]
