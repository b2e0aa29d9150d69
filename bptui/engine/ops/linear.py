"""Products: of matrices, of layers with their weights, of the windows of a convolution with its kernels.

A layer acts on the last axis of what it reads; more axes before it are gone through as one long batch, so that it is
one product. `x` has the attribute `lead`, the shape before the last axis, where there are more than two.
"""

from __future__ import annotations

import math
from typing import Any

from bptui.engine.ops.row import Attrs, Template, rows


def _flat(name: str, a: Attrs) -> str:
    """The slot x or g as a matrix with one row for every place."""
    return f"{name}.reshape({math.prod(a['lead'])}, -1)" if a["lead"] else name


def _dense(a: Attrs) -> str:
    return f"({_flat('x', a)} @ W).reshape({(*a['lead'], -1)})" if a["lead"] else "x @ W"


def _dense_x(a: Attrs) -> str:
    return f"({_flat('g', a)} @ W.T).reshape({(*a['lead'], -1)})" if a["lead"] else "g @ W.T"


def _dense_b(a: Attrs) -> str:
    return f"g.sum({tuple(range(len(a['lead'])))})" if a["lead"] else "g.sum(0)"


_DENSE: dict[str, Any] = {"attrs": {"lead": None}, "reads": {"W": ("x", "g"), "x": ("g", "W"), "b": ("g",)}}
_DENSE_VJPS: dict[str, Template] = {"W": lambda a: f"{_flat('x', a)}.T @ {_flat('g', a)}", "b": _dense_b, "x": _dense_x}


def _swapped(name: str, rank: int) -> str:
    """A stack of matrices, each transposed."""
    return f"{name}.T" if rank == 2 else f"{name}.swapaxes(-1, -2)"


def _matmul_a(a: Attrs) -> str:
    """The product g @ bᵀ; a vector operand is a matrix of one row or column."""
    ranks = a["ranks"]
    if ranks == (1, 1):
        return "g * b"
    if ranks[1] == 1:
        return "g[..., None] * b"
    if ranks[0] == 1:
        return f"(g[..., None, :] @ {_swapped('b', ranks[1])})[..., 0, :]"
    return f"g @ {_swapped('b', ranks[1])}"


def _matmul_b(a: Attrs) -> str:
    ranks = a["ranks"]
    if ranks == (1, 1):
        return "g * a"
    if ranks[0] == 1:
        return "a[..., None] * g[..., None, :]"
    if ranks[1] == 1:
        return f"({_swapped('a', ranks[0])} @ g[..., None])[..., 0]"
    return f"{_swapped('a', ranks[0])} @ g"


def _conv(a: Attrs) -> str:
    """The windows times the kernels: groups × places × (channels · kernel) by groups × (channels · kernel) × out."""
    places, depth, out = math.prod(a["places"]), math.prod(a["kernel"]), a["out"]
    groups = a["groups"]
    lead = (*a["places"], out) if groups == 1 else (groups, *a["places"], out // groups)
    return f"({_columns(a, places, depth)} @ {_kernels(a, depth)}).reshape({lead}){_to_channels_first(a)}"


def _columns(a: Attrs, places: int, depth: int) -> str:
    if a["groups"] == 1:
        return f"c.reshape({places}, {depth})"
    return f"c.reshape({places}, {a['groups']}, {depth // a['groups']}).transpose(1, 0, 2)"


def _kernels(a: Attrs, depth: int) -> str:
    if a["groups"] == 1:
        return f"W.reshape({a['out']}, {depth}).T"
    return f"W.reshape({a['groups']}, {a['out'] // a['groups']}, {depth // a['groups']}).transpose(0, 2, 1)"


def _to_channels_first(a: Attrs) -> str:
    """(batch, places…, out) as (batch, out, places…); with groups before the batch, these come before out."""
    n = len(a["places"]) - 1
    spatial = tuple(range(1, n + 1))
    if a["groups"] == 1:
        return f".transpose({(0, n + 1, *spatial)})"
    shape = (a["places"][0], a["out"], *a["places"][1:])
    return f".transpose({(1, 0, n + 2, *(k + 1 for k in spatial))}).reshape({shape})"


def _g_rows(a: Attrs) -> str:
    """The gradient (batch, out, places…) as one row for every place (and a matrix for every group)."""
    n, out, groups = len(a["places"]) - 1, a["out"], a["groups"]
    spatial = tuple(range(2, n + 2))
    places = math.prod(a["places"])
    if groups == 1:
        return f"g.transpose({(0, *spatial, 1)}).reshape({places}, {out})"
    grouped = f"g.reshape({(a['places'][0], groups, out // groups, *a['places'][1:])})"
    moved = (1, 0, *(k + 1 for k in spatial), 2)
    return f"{grouped}.transpose({moved}).reshape({groups}, {places}, {out // groups})"


def _conv_w(a: Attrs) -> str:
    depth = math.prod(a["kernel"])
    swapped = ".T" if a["groups"] == 1 else ".transpose(0, 2, 1)"
    return f"({_g_rows(a)}{swapped} @ {_columns(a, math.prod(a['places']), depth)}).reshape({a['of']})"


def _conv_c(a: Attrs) -> str:
    depth, groups = math.prod(a["kernel"]), a["groups"]
    if groups == 1:
        return f"({_g_rows(a)} @ W.reshape({a['out']}, {depth})).reshape({a['of']})"
    weights = f"W.reshape({groups}, {a['out'] // groups}, {depth // groups})"
    return f"({_g_rows(a)} @ {weights}).transpose(1, 0, 2).reshape({a['of']})"


def _channelwise(a: Attrs) -> tuple[int, ...]:
    """The shape in which one number for each channel is added to (batch, channels, places…)."""
    return (a["out"], *(1,) * (len(a["places"]) - 1))


def _conv_b(a: Attrs) -> str:
    return f"g.sum({(0, *range(2, len(a['places']) + 1))})"


def _spread(a: Attrs) -> str:
    """Each place of x (batch, channels, places…) times the kernels: the windows that a transposed convolution folds."""
    return f"({_x_rows(a)} @ W.reshape({a['channels']}, -1)).reshape({a['shape']})"


def _x_rows(a: Attrs) -> str:
    n = len(a["places"]) - 1
    moved = (0, *range(2, n + 2), 1)
    return f"x.transpose({moved}).reshape({math.prod(a['places'])}, {a['channels']})"


def _spread_x(a: Attrs) -> str:
    n, places = len(a["places"]) - 1, math.prod(a["places"])
    back = (0, n + 1, *range(1, n + 1))
    product = f"g.reshape({places}, -1) @ W.reshape({a['channels']}, -1).T"
    return f"({product}).reshape({(*a['places'], a['channels'])}).transpose({back})"


def _spread_w(a: Attrs) -> str:
    return f"({_x_rows(a)}.T @ g.reshape({math.prod(a['places'])}, -1)).reshape({a['of']})"


_CONV = {"places": None, "kernel": None, "out": None, "groups": 1}
_CONV_READS = {"W": ("g", "c"), "c": ("g", "W"), "b": ("g",)}
_SPREAD = {"places": None, "channels": None, "shape": None}

ROWS = [
    *rows("dense", "x W", _dense, vjps={k: v for k, v in _DENSE_VJPS.items() if k != "b"}, **_DENSE),
    *rows("dense+b", "x W b", lambda a: f"{_dense(a)} + b", vjps=_DENSE_VJPS, **_DENSE),
    *rows(
        "matmul",
        "a b",
        "a @ b",
        attrs={"ranks": (2, 2)},
        reads={"a": ("g", "b"), "b": ("a", "g")},
        vjps={"a": _matmul_a, "b": _matmul_b},
    ),
    # c (batch, places…, channels, kernel…) are the windows that unfold gives, W (out, channels/groups, kernel…).
    *rows("conv", "c W", _conv, attrs=_CONV, reads=_CONV_READS, vjps={"W": _conv_w, "c": _conv_c}),
    *rows(
        "conv+b",
        "c W b",
        lambda a: f"{_conv(a)} + b.reshape({_channelwise(a)})",
        attrs=_CONV,
        reads=_CONV_READS,
        vjps={"W": _conv_w, "b": _conv_b, "c": _conv_c},
    ),
    # x (batch, channels, …) plus one number for each channel.
    *rows(
        "bias",
        "x b",
        "x + b.reshape({shape})",
        attrs={"shape": None, "axes": None},
        reads={"x": ("g",), "b": ("g",)},
        vjps={"x": "=copy", "b": "g.sum({axes})"},
    ),
    # W (channels, out, kernel…), as PyTorch's ConvTranspose has it.
    *rows(
        "spread",
        "x W",
        _spread,
        attrs=_SPREAD,
        reads={"W": ("x", "g"), "x": ("g", "W")},
        vjps={"W": _spread_w, "x": _spread_x},
    ),
    *rows(
        "unfold",
        "x",
        "unfold(x, {kernel}, {stride}, {dilation})",
        attrs={"kernel": None, "stride": None, "dilation": None},
        vjps={"x": "fold(g, {of}, {stride}, {dilation})"},
    ),
    *rows(
        "fold",
        "c",
        "fold(c, {shape}, {stride}, {dilation})",
        attrs={"kernel": None, "shape": None, "stride": None, "dilation": None},
        vjps={"c": "unfold(g, {kernel}, {stride}, {dilation})"},
    ),
]
