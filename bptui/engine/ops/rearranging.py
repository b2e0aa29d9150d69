"""Ops that move cells about without computing: each copies."""

from __future__ import annotations

from bptui.engine.ops.row import Attrs, rows


def _index(a: Attrs) -> str:
    """A tuple of slices as it is written between brackets."""
    return ", ".join(_slice(part) for part in a["index"])


def _slice(part: int | tuple[int | None, int | None, int | None]) -> str:
    """One place of an index: a number, or (start, stop, step)."""
    if isinstance(part, int):
        return str(part)
    start, stop, step = part
    text = f"{'' if start is None else start}:{'' if stop is None else stop}"
    return text if step in (None, 1) else f"{text}:{step}"


def _as_index(a: Attrs) -> str:
    """The same index as an expression that a function takes."""
    parts = [f"slice({p[0]}, {p[1]}, {p[2]})" if isinstance(p, tuple) else str(p) for p in a["index"]]
    return f"({', '.join(parts)},)"


def _unpadded(a: Attrs) -> str:
    """The part of g that is not padding; a width below 0 had cut something off, which gets 0."""
    index = ", ".join(f"{before}:{before + n}" for (before, _), n in zip(a["widths"], a["of"], strict=True))
    return f"g[{index}]"


def _inverse(a: Attrs) -> str:
    back = tuple(sorted(range(len(a["axes"])), key=lambda k: a["axes"][k]))
    return f"g.transpose({back})"


def _concatenated(a: Attrs) -> str:
    names = ", ".join(f"a{k}" for k in range(1, len(a["sizes"]) + 1))
    return f"concatenate(({names},), {a['axis']})"


def _part(a: Attrs) -> str:
    """The part of g that belongs to the argument number `number`."""
    start = sum(a["sizes"][: a["number"] - 1])
    index = ", ".join([":"] * a["axis"] + [f"{start}:{start + a['sizes'][a['number'] - 1]}"])
    return f"g[{index}]"


def _untiled(a: Attrs) -> str:
    """The gradient seen as repetitions × length on every axis, summed over the repetitions."""
    shape = tuple(n for pair in zip(a["reps"], a["of"], strict=True) for n in pair)
    return f"g.reshape({shape}).sum({tuple(range(0, 2 * len(a['of']), 2))})"


ROWS = [
    *rows(
        "reshape", "x", "x.reshape({shape})", attrs={"shape": None}, reads={"x": ("g",)}, vjps={"x": "g.reshape({of})"}
    ),
    *rows("transpose", "x", "x.transpose({axes})", attrs={"axes": None}, reads={"x": ("g",)}, vjps={"x": _inverse}),
    *rows(
        "slice",
        "x",
        lambda a: f"x[{_index(a)}]",
        attrs={"index": None},
        reads={"x": ("g",)},
        vjps={"x": lambda a: f"place(g, {a['of']}, {_as_index(a)})"},
    ),
    *rows(
        "pad",
        "x",
        lambda a: (
            f"pad(x, {a['widths']})" if not a["value"] else f"pad(x, {a['widths']}, constant_values={a['value']})"
        ),
        attrs={"widths": None, "value": 0},
        reads={"x": ("g",)},
        vjps={"x": _unpadded},
    ),
    *rows(
        "concat",
        "a",
        _concatenated,
        attrs={"axis": None, "sizes": None},
        variadic=True,
        reads={"a": ("g",)},
        vjps={"a": _part},
    ),
    *rows("tile", "x", "tile(x, {reps})", attrs={"reps": None}, reads={"x": ("g",)}, vjps={"x": _untiled}),
    *rows("expand", "x", "broadcast_to(x, {shape})", attrs={"shape": None}, vjps={"x": "=copy"}),
    # Rows of a table; a number outside it counts as the nearest row.
    *rows(
        "gather",
        "W x",
        'W.take(x.astype(int), 0, mode="clip")',
        reads={"W": ("g", "x")},
        vjps={"W": "scatter(g, x.astype(int), {of})"},
    ),
    *rows("tril", "x", "tril(x, {k})", attrs={"k": 0}, vjps={"x": "tril(g, {k})"}),
    *rows("triu", "x", "triu(x, {k})", attrs={"k": 0}, vjps={"x": "triu(g, {k})"}),
    # What lies above the diagonal is set to a value: the future that causal attention may not look at.
    *rows(
        "causal",
        "x",
        "where(tri({rows}, {columns}) != 0, x, {value})",
        attrs={"rows": None, "columns": None, "value": -1e9},
        reads={"x": ("g",)},
        vjps={"x": "where(tri({rows}, {columns}) != 0, g, 0)"},
    ),
    *rows("draw", "X rows", "X[rows]"),
    # A gradient summed over the axes along which its operand was broadcast.
    *rows(
        "unbroadcast",
        "g",
        lambda a: f"g.sum({a['axes']}).reshape({a['shape']})" if a["axes"] else f"g.reshape({a['shape']})",
        attrs={"axes": None, "shape": None},
    ),
]
