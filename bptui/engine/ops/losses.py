"""Losses, and which of them a person may name.

Each gives a sum, which the builder has divided: by the batch, by batch × outputs, or by nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bptui.engine.ops.row import rows

_SHIFTED = "(e := exp(z - z.max(-1, keepdims=True))) / e.sum(-1, keepdims=True)"
_LOG_SOFTMAX = "((d := z - z.max(-1, keepdims=True)) - log(exp(d).sum(-1, keepdims=True)))"


def _loss(name: str, args: str, line: str, by: dict[str, str], **settings: Any) -> list[Any]:
    return rows(name, args, line, vjps=by, scaled=True, **settings)


def _weighted(name: str, role: str, line: str, gradient: str) -> list[Any]:
    return rows(f"{name}/n", f"{role} y n", f"{line} / n", vjps={role: f"{gradient} / n"})


ROWS = [
    *_loss("half-mse", "p y", "0.5 * square(p - y).sum()", {"p": "p - y"}, wrapped=("p",)),
    *_loss("mse", "p y", "square(p - y).sum()", {"p": "2 * (p - y)"}),
    *_loss(
        "mae",
        "p y",
        "abs(p - y).sum()",
        {"p": "sign(p - y)"},
        kink=lambda a: a["p"] == a["y"],
    ),
    # Huber 1964, "Robust Estimation of a Location Parameter": quadratic near 0, linear beyond delta.
    *_loss(
        "huber",
        "p y",
        "where(maximum((d := p - y), -d) <= {delta}, 0.5 * square(d), {delta} * (maximum(d, -d) - {half})).sum()",
        {"p": "minimum(maximum(p - y, -{delta}), {delta})"},
        attrs={"delta": 1.0, "half": 0.5},
    ),
    # Girshick 2015, "Fast R-CNN": Huber's divided by delta.
    *_loss(
        "smooth-l1",
        "p y",
        "where(maximum((d := p - y), -d) < {delta}, {curve} * square(d), maximum(d, -d) - {half}).sum()",
        {"p": "minimum(maximum((p - y) / {delta}, -1), 1)"},
        attrs={"delta": 1.0, "half": 0.5, "curve": 0.5},
    ),
    # Targets are −1 and 1.
    *_loss(
        "hinge",
        "p y",
        "maximum({margin} - y * p, 0).sum()",
        {"p": "where(y * p < {margin}, -y, 0)"},
        attrs={"margin": 1.0},
        kink=lambda a: a["y"] * a["p"] == a["margin"],
    ),
    # Logarithms are clamped at -100, the gradient's denominator at 1e-12, as PyTorch's BCELoss does.
    *_loss(
        "bce",
        "p y",
        "-(y * maximum(log(p), -100) + (1 - y) * maximum(log(1 - p), -100)).sum()",
        {"p": "(p - y) / maximum(p * (1 - p), 1e-12)"},
    ),
    # log(1 + exp(z)) − z·y, in the form that can't overflow: max(z, 0) − z·y + log(1 + exp(−|z|)).
    *_loss(
        "bce-logits",
        "z y",
        "(maximum(z, 0) - z * y + log1p(exp(-maximum(z, -z)))).sum()",
        {"z": "1 / (1 + exp(-z)) - y"},
        wrapped=("z",),
    ),
    *_loss("softmax-ce", "p y", "-(y * maximum(log(p), -100)).sum()", {"p": "-y / maximum(p, 1e-12)"}),
    # softmax(z)·Σy − y: the sum is 1 for a class or a distribution, and not after a target was edited.
    *_loss(
        "softmax-ce-logits",
        "z y",
        f"-(y * {_LOG_SOFTMAX}).sum()",
        {"z": f"{_SHIFTED} * y.sum(-1, keepdims=True) - y"},
        wrapped=("z",),
    ),
    # On logarithms of probabilities.
    *_loss("nll", "p y", "-(y * p).sum()", {"p": "-y"}),
    # Kullback & Leibler 1951: Σ y·(log y − p), p being logarithms; 0·log 0 is 0.
    *_loss(
        "kl-div",
        "p y",
        "where(y > 0, y * (log(where(y > 0, y, 1)) - p), 0).sum()",
        {"p": "-y"},
    ),
    # The same divided by the weight of the targets' classes, where classes have weights.
    *_weighted("softmax-ce", "p", "-(y * maximum(log(p), -100)).sum()", "-y / maximum(p, 1e-12)"),
    *_weighted(
        "softmax-ce-logits",
        "z",
        f"-(y * {_LOG_SOFTMAX}).sum()",
        f"({_SHIFTED} * y.sum(-1, keepdims=True) - y)",
    ),
    *_weighted("nll", "p", "-(y * p).sum()", "-y"),
    *rows("weight-of", "y w", "(y * w).sum()"),
    # Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", section 7.
    *rows("smooth", "y", "{keep} * y + {add}", attrs={"keep": None, "add": None}),
    *rows(
        "total",
        "a",
        lambda a: " + ".join(f"a{k}" for k in range(1, a["count"] + 1)),
        attrs={"count": None},
        variadic=True,
    ),
    *rows("l2", "W", "{by} * square(W).sum()", attrs={"by": None, "slope": None}, vjps={"W": "{slope} * W"}),
    *rows(
        "l1",
        "W",
        "{by} * abs(W).sum()",
        attrs={"by": None},
        vjps={"W": "{by} * sign(W)"},
        kink=lambda a: a["W"] == 0,
    ),
]


@dataclass(frozen=True)
class Loss:
    """A loss a person may name.

    op       the op on what the last layer gives, or on probabilities where `logits` exists
    logits   the fused, stable op for a last layer without the activation that makes probabilities
    made_by  the activations after which the last layer's output counts as probabilities
    mean     what the sum is divided by: the batch (`rows`), its `places`, or all `cells`
    classes  whether targets are classes or distributions over the outputs
    options  what may be set, with what it is where nothing is said
    """

    op: str
    mean: str
    logits: str = ""
    made_by: tuple[str, ...] = ()
    classes: bool = False
    options: Mapping[str, float] = field(default_factory=dict)


_CE = {"smoothing": 0.0}
LOSSES: Mapping[str, Loss] = {
    "half-mse": Loss("half-mse", "rows"),
    "mse": Loss("mse", "cells"),
    "mae": Loss("mae", "cells"),
    "huber": Loss("huber", "cells", options={"delta": 1.0}),
    "smooth-l1": Loss("smooth-l1", "cells", options={"delta": 1.0}),
    "hinge": Loss("hinge", "cells", options={"margin": 1.0}),
    "bce": Loss("bce", "cells", "bce-logits", ("sigmoid", "softmax")),
    "softmax-ce": Loss("softmax-ce", "places", "softmax-ce-logits", ("sigmoid", "softmax"), classes=True, options=_CE),
    "nll": Loss("nll", "places", classes=True, options=_CE),
    "kl-div": Loss("kl-div", "rows", classes=True),
}
