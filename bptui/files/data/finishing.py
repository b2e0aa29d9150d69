"""What is done to data of every kind once they are read: rows held out, columns scaled, rows shaped, a batch chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from bptui.engine.initial import generator
from bptui.engine.network import Array
from bptui.files.text import quoted
from bptui.files.values import Table, as_list, finite, suggest

COMMON = ("batch", "test", "seed", "scale", "shape")
# The largest number of classes that whole numbers are taken for.
MAX_CLASSES = 1000

Rows = tuple[Array, Array, Mapping[str, Array]]


@dataclass(frozen=True, eq=False)
class Data:
    """The data of a spec.

    x        (rows, …) inputs, float64
    y        (rows, …) targets; class numbers as (rows, 1) or (rows, places) where `classes` is not empty
    more     name → further inputs, (rows, …)
    batch    rows drawn for each iteration; None for all
    test     (x, y) of the rows held out, or None; test_more  their further inputs
    classes  the names of the classes where targets are classes, in the order of their numbers; else ()
    source   the table that the data were read by if they come from a name or a file, for writing it again; None if
             they are written out. `data = "moons"` stands here as {"use": "moons"}
    """

    x: Array
    y: Array
    more: Mapping[str, Array] = field(default_factory=dict)
    batch: int | None = None
    test: tuple[Array, Array] | None = None
    test_more: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    source: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Raw:
    """Data as they were read, before the options that all kinds share.

    test    rows held out already, which leaves none to be drawn
    shown   the file as messages call it, or ""
    scale   how columns are scaled unless the table says otherwise
    scaled  (columns,) which columns of x are scaled; None: all
    """

    x: Array
    y: Array
    more: Mapping[str, Array] = field(default_factory=dict)
    test: tuple[Array, Array] | None = None
    test_more: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    shown: str = ""
    scale: str = "none"
    scaled: Array | None = None


def nothing() -> Array:
    """What stands for an array that can't be read: no rows, no columns."""
    return np.zeros((0, 0))


def unread() -> Raw:
    """Data that can't be read."""
    return Raw(nothing(), nothing())


def finished(raw: Raw, table: Table, seed: int) -> Data:
    """The data with every shared option applied; what is wrong with one leaves the data as they were."""
    scale, shape = read_scale(table, raw.scale), _read_shape(table)
    raw = _finite(raw, table)
    if raw.x.size:
        raw = _held_out(raw, table, seed)
        raw = _scaled(raw, table, scale)
        raw = _shaped(raw, table, shape)
    batch = _batch(table, len(raw.x))
    return Data(raw.x, raw.y, raw.more, batch, raw.test, raw.test_more, raw.classes)


def whole(table: Table, key: str, default: int, least: int, most: int) -> int:
    """A whole number within limits."""
    number = table.whole(key, default, least)
    if number <= most:
        return number
    table.fault(key, f"{key} = {number} is too large: the limit is {most:,}")
    return default


def _batch(table: Table, rows: int) -> int | None:
    """Rows drawn for each iteration; all rows are no draw. Whether there are as many, the engine checks."""
    if not table.has("batch"):
        return None
    batch = table.whole("batch", 0, 1)
    return None if batch in (0, rows) else batch


# Numbers that can't be used


def _finite(raw: Raw, table: Table) -> Raw:
    """The data, unless a number in them is not finite or too large for the spec's dtype."""
    named = {"x": raw.x, "y": raw.y, **raw.more}
    if raw.test:
        named |= {"x_test": raw.test[0], "y_test": raw.test[1]}
    named |= {f"{name}_test": array for name, array in raw.test_more.items()}
    faults = [
        f"{raw.shown}{name} holds a wrong value{fault}"
        for name, array in named.items()
        if (fault := _odd(array, table))
    ]
    for fault in faults:
        table.report.add(table.where, fault)
    return unread() if faults else raw


def _odd(array: Array, table: Table) -> str:
    """The first number that is not finite or too large, with its row; or nothing."""
    largest = min(table.largest, float(np.finfo(np.float64).max))
    # nan is neither; asked first without an array as large as this one.
    if array.size == 0 or (array.min() >= -largest and array.max() <= largest):
        return ""
    place = tuple(np.argwhere(~(np.abs(array) <= largest))[0])
    return f" in row {place[0]}: {finite(float(array[place]), table.largest)}"


# Rows held out


def count_held_out(table: Table, rows: int, what: str = "rows") -> int:
    """How many rows `test` holds out: a share below 1, or a number of rows. 0 where there is no test, or a mistake."""
    value = table.values.get("test")
    if value is None and not table.has("test"):
        return 0
    if fault := finite(value):
        table.fault("test", f"test = 0.2, a share or a number of {what}, is expected: {fault}")
        return 0
    number = float(cast("float", value))
    share = number < 1
    if number <= 0 or not (share or number.is_integer()):
        table.fault(
            "test", f"test = {quoted(value)}: a share between 0 and 1, or a whole number of {what}, is expected"
        )
        return 0
    held = round(number * rows) if share else int(number)
    if not 0 < held < rows:
        left = "to test with" if held == 0 else "to train with"
        table.fault("test", f"test = {quoted(value)} of {rows} {what} leaves none {left}")
        return 0
    return held


def _held_out(raw: Raw, table: Table, seed: int) -> Raw:
    """The data with rows held out: which ones, the seed says. Both parts keep the order of the rows."""
    rows = len(raw.x)
    arrays = {"x": raw.x, "y": raw.y, **raw.more}
    if raw.test is not None or any(len(array) != rows for array in arrays.values()):
        return raw
    held = count_held_out(table, rows)
    if not held:
        return raw
    order = generator(seed, "test").permutation(rows)
    test, train = np.sort(order[:held]), np.sort(order[held:])
    parts = [{name: array[chosen] for name, array in arrays.items()} for chosen in (train, test)]
    mores = [{name: part[name] for name in raw.more} for part in parts]
    return replace(
        raw,
        x=parts[0]["x"],
        y=parts[0]["y"],
        more=mores[0],
        test=(parts[1]["x"], parts[1]["y"]),
        test_more=mores[1],
    )


# Scaling


def _standard(x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (of the population) of each column."""
    return x.mean(axis=0), x.std(axis=0)


def _minmax(x: Array) -> tuple[Array, Array]:
    """Smallest value and range of each column, which then goes from 0 to 1."""
    return x.min(axis=0), x.max(axis=0) - x.min(axis=0)


def _max(x: Array) -> tuple[Array, Array]:
    """The largest size of any number: one factor for all columns, so that the pixels of a picture keep their ratio."""
    return np.zeros(x.shape[1:]), np.full(x.shape[1:], np.abs(x).max())


# What is taken off a column of x, and what the rest is divided by, both taken from the rows trained on.
SCALES: Mapping[str, Callable[[Array], tuple[Array, Array]]] = {"standard": _standard, "minmax": _minmax, "max": _max}


def read_scale(table: Table, default: str) -> str:
    """The word of `scale`."""
    scale = table.word("scale", default)
    if scale != "none" and scale not in SCALES:
        known = ("none", *SCALES)
        hint = suggest(scale, known) or f" (one of {', '.join(known)})"
        table.fault("scale", f"scale = {quoted(scale)}{hint}")
        return "none"
    return scale


def _scaled(raw: Raw, table: Table, scale: str) -> Raw:
    """The data with the columns of x scaled, the rows held out by the numbers of those that are trained on.

    A column of one value only becomes 0 (by "standard" and "minmax").
    """
    if scale == "none":
        return raw
    with np.errstate(over="ignore", invalid="ignore"):
        offset, divisor = SCALES[scale](raw.x)
        fixed = divisor == 0
        if raw.scaled is not None:
            offset, fixed = np.where(raw.scaled, offset, 0.0), fixed | ~raw.scaled
        divisor = np.where(fixed, 1.0, divisor)
        x = (raw.x - offset) / divisor
        test = None if raw.test is None else ((raw.test[0] - offset) / divisor, raw.test[1])
    if any(_odd(part, table) for part in (offset, divisor, x, *((test[0],) if test else ()))):
        table.fault(
            "scale" if table.has("scale") else "use", f"scale = {quoted(scale)}: the numbers of x are too large"
        )
        return raw
    return replace(raw, x=x, test=test)


# Shapes


def _read_shape(table: Table) -> tuple[int, ...]:
    """The sides of `shape`; () where there is none."""
    if not table.has("shape"):
        return ()
    sides = as_list(table.values["shape"])
    if not sides or any(type(side) is not int or side < 1 for side in sides):
        table.fault("shape", f"shape is a list of whole numbers such as [1, 8, 8], not {table.shown('shape')}")
        return ()
    return tuple(cast("list[int]", sides))


def _shaped(raw: Raw, table: Table, shape: tuple[int, ...]) -> Raw:
    """The data with each row of x in the shape asked for."""
    columns = math.prod(raw.x.shape[1:])
    if not shape:
        return raw
    if math.prod(shape) != columns:
        sides = " × ".join(map(str, shape[:6]))
        table.fault("shape", f"shape = {sides} holds {quoted(math.prod(shape))} numbers, a row of x has {columns}")
        return raw
    test = None if raw.test is None else (raw.test[0].reshape(-1, *shape), raw.test[1])
    return replace(raw, x=raw.x.reshape(-1, *shape), test=test)


# Classes


def odd_class(y: Array, classes: int) -> tuple[int, str]:
    """The first row whose target is no number from 0 to classes − 1, and words for it; (−1, "") if there is none."""
    bad = (y != np.floor(y)) | (y < 0) | (y >= classes)
    if not bad.any():
        return -1, ""
    place = tuple(map(int, np.argwhere(bad)[0]))
    where = "" if y.shape[1:] == (1,) else f" at place {', '.join(map(str, place[1:]))}"
    return place[0], f"row {place[0]} of y is {y[place]}{where}"


def numbered(count: int) -> tuple[str, ...]:
    """The names of classes that have none: their numbers."""
    return tuple(str(k) for k in range(count))


def read_classes(table: Table) -> tuple[str, ...]:
    """The names that the table gives; each may stand once, and one alone is no choice."""
    names = table.words("classes")
    if not names:
        return ()
    twice = first_twice(names)
    if twice is not None:
        table.fault("classes", f"classes names {quoted(twice)} twice")
    elif len(names) == 1:
        table.fault("classes", f"classes names one class only: {quoted(names[0])}")
    else:
        return names
    return ()


def first_twice(words: Iterable[str]) -> str | None:
    """The first word that stands there again."""
    seen: set[str] = set()
    for word in words:
        if word in seen:
            return word
        seen.add(word)
    return None
