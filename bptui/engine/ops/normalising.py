"""Normalisation: mean 0 and variance 1 over some axes. What scales and shifts afterwards are `mul` and `add`.

Ioffe & Szegedy 2015, "Batch Normalization"; Ba, Kiros & Hinton 2016, "Layer Normalization"; Wu & He 2018, "Group
Normalization"; Ulyanov, Vedaldi & Lempitsky 2016, "Instance Normalization"; Zhang & Sennrich 2019, "Root Mean Square
Layer Normalization".
"""

from __future__ import annotations

from bptui.engine.ops.row import rows

_D = "(d := x - x.mean({axes}, keepdims=True))"
_ATTRS = {"axes": None, "eps": 1e-5}

ROWS = [
    *rows(
        "standardize",
        "x",
        f"{_D} / sqrt(square(d).mean({{axes}}, keepdims=True) + {{eps}})",
        attrs=_ATTRS,
        reads={"x": ("g", "x", "out")},
        vjps={
            "x": "(g - g.mean({axes}, keepdims=True) - out * (g * out).mean({axes}, keepdims=True)) / "
            "sqrt(square(x - x.mean({axes}, keepdims=True)).mean({axes}, keepdims=True) + {eps})"
        },
    ),
    *rows(
        "rms",
        "x",
        "x / sqrt(square(x).mean({axes}, keepdims=True) + {eps})",
        attrs=_ATTRS,
        reads={"x": ("g", "x", "out")},
        vjps={
            "x": "(g - out * (g * out).mean({axes}, keepdims=True)) / "
            "sqrt(square(x).mean({axes}, keepdims=True) + {eps})"
        },
    ),
    # Scaled by W and shifted by b, one number of each for every channel or feature.
    *rows(
        "affine",
        "x W b",
        "x * W.reshape({shape}) + b.reshape({shape})",
        attrs={"shape": None, "axes": None},
        reads={"x": ("g", "W"), "W": ("g", "x"), "b": ("g",)},
        vjps={
            "W": "(g * x).sum({axes}).reshape({of})",
            "b": "g.sum({axes}).reshape({of})",
            "x": "g * W.reshape({shape})",
        },
    ),
    *rows(
        "scaled",
        "x W",
        "x * W.reshape({shape})",
        attrs={"shape": None, "axes": None},
        reads={"x": ("g", "W"), "W": ("g", "x")},
        vjps={"W": "(g * x).sum({axes}).reshape({of})", "x": "g * W.reshape({shape})"},
    ),
    # With the running mean and variance, in evaluation.
    *rows(
        "normalize",
        "x m v",
        "(x - m) / sqrt(v + {eps})",
        attrs={"eps": 1e-5},
        vjps={"x": "g / sqrt(v + {eps})"},
    ),
    # A running statistic: `rate` of the way from the old value to the new one.
    *rows(
        "running-mean",
        "r x",
        "{keep} * r + {rate} * x.mean({axes})",
        attrs={"keep": None, "rate": None, "axes": None},
        in_place=True,
    ),
    *rows(
        "running-var",
        "r x",
        "{keep} * r + {rate} * (square(x - x.mean({axes}, keepdims=True)).sum({axes}) / {n})",
        attrs={"keep": None, "rate": None, "axes": None, "n": None},
        in_place=True,
    ),
]
