"""What the optimizers' update instructions do, and the schedules' (papers: `bptui.engine.optimizers`).

Those for a parameter are elementwise but for the norms, so that they may run fused. Where a line has `t`, that is the
number of the update, from 1 on: corrections are functions of it, never accumulated.
"""

from __future__ import annotations

from typing import Any

from bptui.engine.ops.row import Op, rows


def _updates(name: str, args: str, line: str, *attrs: str) -> list[Op]:
    """An update in place of its first argument."""
    return rows(name, args, line, attrs=dict.fromkeys(attrs), in_place=True)


def _values(name: str, args: str, line: str, *attrs: str) -> list[Op]:
    """A value that an update needs on the way."""
    return rows(name, args, line, attrs=dict.fromkeys(attrs))


_PI = "3.141592653589793"
_I = "(t - 1)"


def _cosine(start: str, end: str, share: str) -> str:
    """Half a cosine's way from one rate to another."""
    return f"{end} + ({start} - {end}) * (1 + cos({_PI} * {share})) / 2"


def _one_cycle(attrs: Any) -> str:
    """Up and then down; one of the two alone where there is no way to go in the other."""
    low, end = f"{attrs['low']} * lr0", f"{attrs['end']} * lr0"
    share = f"{_I} / {attrs['up']}"
    down = _cosine("lr0", end, f"minimum(({_I} - {attrs['up']}) / {attrs['down']}, 1)")
    if attrs["up"] <= 0:
        return down if attrs["down"] > 0 else "lr0"
    if attrs["down"] <= 0:
        return _cosine(low, "lr0", f"minimum({share}, 1)")
    return f"where({_I} <= {attrs['up']}, {_cosine(low, 'lr0', share)}, {down})"


ROWS: list[Any] = [
    *_updates("sgd", "w lr g", "w - lr * g"),
    *_values("decayed", "g w", "g + {decay} * w", "decay"),
    *_updates("shrink", "w lr", "w - lr * {decay} * w", "decay"),
    *_updates("average", "m g", "{keep} * m + {take} * g", "keep", "take"),
    *_updates("average-square", "v g", "{keep} * v + {take} * square(g)", "keep", "take"),
    *_updates("momentum", "m g t", "{momentum} * m + where(t == 1, g, {take} * g)", "momentum", "take"),
    *_values("lookahead", "g m", "g + {momentum} * m", "momentum"),
    *_updates("accumulate", "v g", "v + square(g)"),
    *_values("decayed-rate", "lr t", "lr / (1 + (t - 1) * {decay})", "decay"),
    # Kingma & Ba 2014: averages that begin at 0 are too small at first, by this factor.
    *_values("correction", "t", "1 - power({beta}, t)", "beta"),
    *_values("corrected", "m c", "m / c"),
    *_values("centred", "v m", "v - square(m)"),
    *_values("over-root", "g v", "g / (sqrt(v) + {eps})", "eps"),
    *_values("adadelta", "g v u", "g * (sqrt(u + {eps}) / sqrt(v + {eps}))", "eps"),
    *_updates("adam", "w lr m v", "w - lr * (m / (sqrt(v) + {eps}))", "eps"),
    *_updates("infinity", "u g", "maximum({keep} * u, maximum(g, -g) + {eps})", "keep", "eps"),
    *_values("nadam-mu", "t", "{beta} * (1 - 0.5 * power(0.96, t * {psi}))", "beta", "psi"),
    *_values("nadam-mu-next", "t", "{beta} * (1 - 0.5 * power(0.96, (t + 1) * {psi}))", "beta", "psi"),
    *_values(
        "nadam-step", "g m now after product", "(1 - now) / (1 - product) * g + after / (1 - product * after) * m"
    ),
    *_values("radam-rho", "t", "{most} - 2 * t * (p := power({beta}, t)) / (1 - p)", "most", "beta"),
    *_values(
        "radam-rectify",
        "rho t",
        "sqrt(maximum((rho - 4) * (rho - 2) * {share} / rho, 0) * (1 - power({beta}, t)))",
        "share",
        "beta",
    ),
    *_values("radam-step", "m v rho rectify", "where(rho > 5, m * rectify / (sqrt(v) + {eps}), m)", "eps"),
    *_values("lion", "m g", "sign({keep} * m + {take} * g)", "keep", "take"),
    # Pascanu, Mikolov & Bengio 2013, "On the Difficulty of Training Recurrent Neural Networks", algorithm 1, with
    # PyTorch's 1e-6 in the denominator.
    *_values("clip-value", "g", "minimum(maximum(g, {low}), {high})", "low", "high"),
    *_values("square-norm", "g", "square(g).sum()"),
    *_values("clip-norm", "g n", "g * minimum({most} / (sqrt(n) + 1e-06), 1)", "most"),
    # The learning rate as a function of the update's number.
    *_values("lr-step", "lr0 t", f"lr0 * power({{gamma}}, floor({_I} / {{every}}))", "gamma", "every"),
    *_values("lr-exponential", "lr0 t", f"lr0 * power({{gamma}}, {_I})", "gamma"),
    *_values("lr-cosine", "lr0 t", _cosine("lr0", "{least}", f"minimum({_I} / {{steps}}, 1)"), "least", "steps"),
    *_values(
        "lr-warm-up", "lr0 t", f"lr0 * ({{start}} + (1 - {{start}}) * minimum({_I} / {{steps}}, 1))", "start", "steps"
    ),
    *rows("lr-one-cycle", "lr0 t", _one_cycle, attrs=dict.fromkeys(("up", "down", "low", "end"))),
]
