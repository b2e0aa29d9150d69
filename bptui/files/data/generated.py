"""Data that are made up: the gates, and points drawn from (seed, name) by the formulas below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptui.engine.initial import generator
from bptui.engine.network import Array
from bptui.files.data.finishing import MAX_CLASSES, Raw, numbered, whole
from bptui.files.values import Table, as_list

MAX_ROWS = 100_000
MAX_INPUTS = 100

Points = tuple[Array, Array]

_CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
GATES: Mapping[str, tuple[float, ...]] = {
    "xor": (0.0, 1.0, 1.0, 0.0),
    "and": (0.0, 0.0, 0.0, 1.0),
    "or": (0.0, 1.0, 1.0, 1.0),
}


def moons(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """Two half circles, one in the other's mouth: (rows, 2), class numbers (rows, 1).

    As scikit-learn's make_moons, unshuffled: class 0 at (cos t, sin t), class 1 at (1 − cos t, ½ − sin t), t evenly
    from 0 to π, half of the rows each; then normal noise with the deviation `noise`.
    """
    outer, inner = np.linspace(0, np.pi, rows // 2), np.linspace(0, np.pi, rows - rows // 2)
    first = np.column_stack([np.cos(outer), np.sin(outer)])
    second = np.column_stack([1 - np.cos(inner), 1 - np.sin(inner) - 0.5])
    return _noisy(rng, [first, second], noise)


def circles(rng: np.random.Generator, rows: int, noise: float, factor: float = 0.5) -> Points:
    """A circle of radius 1 (class 0) around one of radius `factor` (class 1): (rows, 2), class numbers (rows, 1).

    As scikit-learn's make_circles, unshuffled: angles evenly from 0 to 2π, the end left out; then normal noise.
    """
    parts = []
    for radius, count in ((1.0, rows // 2), (factor, rows - rows // 2)):
        angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
        parts.append(np.column_stack([np.cos(angle) * radius, np.sin(angle) * radius]))
    return _noisy(rng, parts, noise)


def spirals(rng: np.random.Generator, rows: int, noise: float, arms: int = 2) -> Points:
    """Arms that wind once around the middle, a class each: (rows, 2), class numbers (rows, 1).

    Arm k of n at r·(cos t, sin t) with t = 2π(r + k/n), r evenly from 0.1 to 1; then normal noise. Two-spirals is of
    Lang & Witbrock 1988, "Learning to tell two spirals apart"; there each arm goes round three times.
    """
    parts = []
    for k, count in enumerate(_shares(rows, arms)):
        radius = np.linspace(0.1, 1, count)
        angle = 2 * np.pi * (radius + k / arms)
        parts.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    return _noisy(rng, parts, noise)


def blobs(rng: np.random.Generator, rows: int, noise: float, centres: int | Array = 3) -> Points:
    """Round clouds, a class each: (rows, 2), or as many columns as the centres have; class numbers (rows, 1).

    As scikit-learn's make_blobs, unshuffled: centres, where only their number is given, evenly from −10 to 10 on both
    axes; around each, points with the deviation `noise`.
    """
    middle = rng.uniform(-10.0, 10.0, (centres, 2)) if isinstance(centres, int) else centres
    parts = [np.tile(centre, (count, 1)) for centre, count in zip(middle, _shares(rows, len(middle)), strict=True)]
    return _noisy(rng, parts, noise)


def linear(rng: np.random.Generator, rows: int, noise: float, a: Array, b: float = 1.0) -> Points:
    """Points by a plane: x evenly drawn from −1 to 1, (rows, n); y = x·a + b + normal noise, (rows, 1)."""
    x = rng.uniform(-1.0, 1.0, (rows, len(a)))
    return x, (x @ a + b)[:, None] + rng.normal(0.0, noise, (rows, 1))


def sine(rng: np.random.Generator, rows: int, noise: float) -> Points:
    """Points by a curve: x evenly from −π to π, (rows, 1); y = sin x + normal noise, (rows, 1)."""
    x = np.linspace(-np.pi, np.pi, rows)[:, None]
    return x, np.sin(x) + rng.normal(0.0, noise, (rows, 1))


def _noisy(rng: np.random.Generator, parts: list[Array], noise: float) -> Points:
    """The points of every class, one class after the other, each moved by normal noise."""
    x = np.concatenate(parts)
    y = np.repeat(np.arange(float(len(parts))), [len(part) for part in parts])[:, None]
    return x + rng.normal(0.0, noise, x.shape), y


def _shares(rows: int, parts: int) -> list[int]:
    """Rows dealt out evenly, the first parts getting what is over."""
    return [rows // parts + (k < rows % parts) for k in range(parts)]


@dataclass(frozen=True)
class _Kind:
    """draw  makes the points; rows, noise  how many, and with what noise, unless told; options  what else it takes."""

    draw: Callable[..., Points]
    rows: int
    noise: float
    options: Mapping[str, Any]
    classes: bool = True


KINDS: Mapping[str, _Kind] = {
    "moons": _Kind(moons, 200, 0.1, {}),
    "circles": _Kind(circles, 200, 0.05, {"factor": 0.5}),
    "spirals": _Kind(spirals, 200, 0.02, {"arms": 2}),
    "blobs": _Kind(blobs, 150, 1.0, {"centres": 3}),
    "linear": _Kind(linear, 100, 0.1, {"a": 2.0, "b": 1.0}, classes=False),
    "sine": _Kind(sine, 100, 0.1, {}, classes=False),
}


def read_gate(name: str) -> Raw:
    """All four cases of a gate: (4, 2) and (4, 1)."""
    return Raw(np.array(_CORNERS), np.array(GATES[name])[:, None])


def options(name: str) -> tuple[str, ...]:
    """The keys that a kind of made-up data takes besides those of all."""
    return ("rows", "noise", *KINDS[name].options) if name in KINDS else ()


def read_generated(table: Table, name: str, seed: int) -> Raw:
    """Points as the table asks for them; an option that can't be read counts as not given."""
    kind = KINDS[name]
    chosen = {key: _OPTIONS[key](table, default) for key, default in kind.options.items()}
    rows = _rows(table, name, _least(kind, chosen))
    noise = _noise(table, kind.noise)
    with np.errstate(over="ignore", invalid="ignore"):
        x, y = kind.draw(generator(seed, name), rows, noise, **chosen)
    return Raw(x, y, classes=numbered(int(y.max()) + 1) if kind.classes else ())


def _least(kind: _Kind, chosen: Mapping[str, Any]) -> int:
    """The fewest rows: one for each class."""
    parts = [chosen[key] for key in ("arms", "centres") if key in chosen]
    counts = [part if isinstance(part, int) else len(part) for part in parts]
    return max(counts, default=2 if kind.classes else 1)


def _rows(table: Table, name: str, least: int) -> int:
    default = max(KINDS[name].rows, least)
    rows = whole(table, "rows", default, 1, MAX_ROWS)
    if rows >= least:
        return rows
    table.fault("rows", f"rows = {rows} is too few: {name} of {least} classes need at least {least}")
    return default


def _noise(table: Table, default: float) -> float:
    noise = table.number("noise", default)
    if noise >= 0:
        return abs(noise)  # -0.0 is below 0 to NumPy
    table.fault("noise", f"noise = {noise:g}: a deviation is not below 0")
    return default


def _factor(table: Table, default: float) -> float:
    factor = table.number("factor", default)
    if 0 <= factor < 1:
        return factor
    table.fault("factor", f"factor = {factor:g}: the inner circle's radius is from 0 to below 1")
    return default


def _arms(table: Table, default: int) -> int:
    return whole(table, "arms", default, 2, MAX_CLASSES)


def _centres(table: Table, default: int) -> int | Array:
    """A number of centres, or the centres themselves, a row each."""
    if as_list(table.values.get("centres")) is None:
        return whole(table, "centres", default, 2, MAX_CLASSES)
    centres = table.matrix("centres")
    if centres is None:
        return default
    if 2 <= len(centres) <= MAX_CLASSES and centres.shape[1] <= MAX_INPUTS:
        return centres
    table.fault("centres", f"centres is a list of 2 to {MAX_CLASSES} rows of up to {MAX_INPUTS} numbers")
    return default


def _slopes(table: Table, default: float) -> Array:
    """The slope for one input, or a list with one for each."""
    if as_list(table.values.get("a")) is None:
        return np.array([table.number("a", default)])
    slopes = table.numbers("a")
    if slopes is not None and len(slopes) > MAX_INPUTS:
        table.fault("a", f"a is a list of up to {MAX_INPUTS} numbers")
        slopes = None
    return np.array([default]) if slopes is None else slopes


# How each option is read, what stands for one that can't be read being its default.
_OPTIONS: Mapping[str, Callable[[Table, Any], Any]] = {
    "factor": _factor,
    "arms": _arms,
    "centres": _centres,
    "a": _slopes,
    "b": lambda table, default: table.number("b", default),
}
