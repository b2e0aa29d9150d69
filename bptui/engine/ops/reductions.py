"""Sums, means and the like over some axes, or over all (`axis` None).

`keep` is the shape of the result with the axes kept at length 1, `n` how many cells go into one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bptui.engine.ops.row import Attrs, Template, rows

_ATTRS = {"axis": None, "keepdims": False, "keep": None, "n": 1}


def _reduce(name: str) -> Template:
    def line(a: Attrs) -> str:
        return f"x.{name}({_arguments(a)})"

    return line


def _arguments(a: Attrs) -> str:
    keep = "keepdims=True" if a["keepdims"] else ""
    axis = "" if a["axis"] is None else str(a["axis"])
    return ", ".join(part for part in (axis, keep) if part)


def _kept(a: Attrs) -> str:
    """The same reduction's axis argument, the axes kept."""
    axis = "" if a["axis"] is None else f"{a['axis']}, "
    return f"({axis}keepdims=True)"


def _sum_x(a: Attrs) -> str:
    return f"broadcast_to(g.reshape({a['keep']}), {a['of']})"


def _extreme_x(a: Attrs) -> str:
    """Shared between ties, as PyTorch's amax and amin do."""
    return f"(m := x == out.reshape({a['keep']})) * (g.reshape({a['keep']}) / m.sum{_kept(a)})"


def _var(a: Attrs) -> str:
    return f"square(x - x.mean{_kept(a)}).sum({_arguments(a)}) / {a['n'] - a['correction']}"


def _var_x(a: Attrs) -> str:
    return f"g.reshape({a['keep']}) * (2 * (x - x.mean{_kept(a)}) / {a['n'] - a['correction']})"


def _logsumexp(a: Attrs) -> str:
    top = f"(m := x.max{_kept(a)})"
    total = f"exp(x - {top}).sum{_kept(a)}"
    line = f"log({total}) + m"
    return line if a["keepdims"] else f"({line}).reshape({a['shape']})"


def _pooled(a: Attrs) -> str:
    """Windows (batch, places…, channels, kernel…) reduced over the kernel, channels moved to the front."""
    n = len(a["kernel"])
    axes, moved = tuple(range(n + 2, 2 * n + 2)), (0, n + 1, *range(1, n + 1))
    return f"c.{a['by']}({axes}).transpose({moved})"


def _pooled_g(a: Attrs) -> str:
    """The gradient (batch, channels, places…) as (batch, places…, channels, 1…)."""
    n = len(a["kernel"])
    return f"g.transpose({(0, *range(2, n + 2), 1)})"


def _mean_pool_c(a: Attrs) -> str:
    shape = (*a["of"][: len(a["kernel"]) + 2], *(1,) * len(a["kernel"]))
    return f"broadcast_to({_pooled_g(a)}.reshape({shape}) / {a['n']}, {a['of']})"


def _max_pool_c(a: Attrs) -> str:
    """All of it to the first of the largest, as PyTorch does."""
    flat = (*a["of"][: len(a["kernel"]) + 2], -1)
    first = f"arange({a['n']}) == c.reshape({flat}).argmax(-1, keepdims=True)"
    return f"(({first}) * {_pooled_g(a)}[..., None]).reshape({a['of']})"


def _tied(by: str, role: str) -> Callable[[Mapping[str, Any]], Any]:
    """Where the largest (or smallest) of a group is there more than once."""

    def kink(a: Mapping[str, Any]) -> Any:
        x = a[role]
        axes = tuple(range(x.ndim - len(a["kernel"]), x.ndim)) if role == "c" else a["axis"]
        best = x == getattr(x, by)(axis=axes, keepdims=True)
        return best & (best.sum(axis=axes, keepdims=True) > 1)

    return kink


_POOL = {"kernel": None, "n": None}
_KEYS = {"x": ("g",)}

ROWS = [
    *rows("sum", "x", _reduce("sum"), attrs=_ATTRS, reads=_KEYS, vjps={"x": _sum_x}),
    *rows("mean", "x", _reduce("mean"), attrs=_ATTRS, reads=_KEYS, vjps={"x": lambda a: f"{_sum_x(a)} / {a['n']}"}),
    *rows(
        "max",
        "x",
        _reduce("max"),
        attrs=_ATTRS,
        reads={"x": ("x", "out", "g")},
        vjps={"x": _extreme_x},
        kink=_tied("max", "x"),
    ),
    *rows(
        "min",
        "x",
        _reduce("min"),
        attrs=_ATTRS,
        reads={"x": ("x", "out", "g")},
        vjps={"x": _extreme_x},
        kink=_tied("min", "x"),
    ),
    *rows("var", "x", _var, attrs={**_ATTRS, "correction": 0}, reads={"x": ("g", "x")}, vjps={"x": _var_x}),
    *rows(
        "logsumexp",
        "x",
        _logsumexp,
        attrs={**_ATTRS, "shape": None},
        reads={"x": ("g", "x", "out")},
        vjps={"x": lambda a: f"g.reshape({a['keep']}) * exp(x - out.reshape({a['keep']}))"},
    ),
    *rows(
        "max-pool",
        "c",
        _pooled,
        attrs={**_POOL, "by": "max"},
        reads={"c": ("c", "g")},
        vjps={"c": _max_pool_c},
        kink=_tied("max", "c"),
    ),
    *rows("avg-pool", "c", _pooled, attrs={**_POOL, "by": "mean"}, reads={"c": ("g",)}, vjps={"c": _mean_pool_c}),
]
