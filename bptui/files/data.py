"""The data of a spec: built-in by name, or written out as x and y."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptui.engine.network import MAX_PARAMETERS, Array
from bptui.files.report import Report
from bptui.files.text import quoted
from bptui.files.values import Table, as_list, as_table, suggest

_CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
DATASETS: Mapping[str, tuple[float, ...]] = {
    "xor": (0.0, 1.0, 1.0, 0.0),
    "and": (0.0, 0.0, 0.0, 1.0),
    "or": (0.0, 1.0, 1.0, 1.0),
}
_EXAMPLE = 'data = "xor" or data = { x = [[2, 3]], y = [[1]] }'

Data = tuple[Array, Array, int | None]


def read_data(top: Table) -> Data:
    """(x, y, rows drawn for each iteration or None); an array that can't be read has no rows and no columns."""
    value = top.values.get("data")
    written = as_table(value)
    if isinstance(value, str):
        return *_named(value, top, "data"), None
    if written is None:
        what = f"data is {quoted(value)}" if top.has("data") else "data is missing"
        top.fault("data", f"{what}: write {_EXAMPLE}")
        return _nothing(), _nothing(), None
    table = Table(written, top.at("data"), top.report, top.largest)
    table.check_keys(("use", "x", "y", "batch"), "data")
    x, y = _chosen(table)
    return x, y, _batch(table, len(x))


def classes_to_columns(y: Array, width: int, report: Report) -> Array:
    """Targets that are class numbers, as one column of 0 and 1 for each of the `width` classes."""
    numbers = y[:, 0]
    odd = next((i for i, c in enumerate(numbers) if c != int(c) or not 0 <= c < width), None)
    if odd is not None:
        message = f"row {odd} of y is {numbers[odd]}: the classes of {width} outputs are numbered 0 to {width - 1}"
        report.add(("data", "y", odd), message, spoils=("data", "y"))
        return _nothing()
    if len(y) * width > MAX_PARAMETERS:
        report.add(("data", "y"), f"{len(y)} rows of {width} classes are too many numbers")
        return _nothing()
    return np.eye(width)[numbers.astype(int)] if width <= len(y) else _scattered(numbers, width)


def _scattered(numbers: Array, width: int) -> Array:
    """As np.eye(width)[numbers], without the square matrix."""
    result = np.zeros((len(numbers), width))
    result[np.arange(len(numbers)), numbers.astype(int)] = 1.0
    return result


def _nothing() -> Array:
    return np.zeros((0, 0))


def _named(name: str, table: Table, key: str) -> tuple[Array, Array]:
    if name in DATASETS:
        return np.array(_CORNERS), np.array(DATASETS[name])[:, None]
    hint = suggest(name, DATASETS) or f" (it has {', '.join(DATASETS)})"
    table.report.add(table.at(key), f"no data are called {quoted(name)} in this version{hint}", spoils=("data",))
    return _nothing(), _nothing()


def _chosen(table: Table) -> tuple[Array, Array]:
    """The data that a table names or holds."""
    if not table.has("use"):
        x = _matrix(table, "x")
        return x, _targets(table, len(x))
    for key in ("x", "y"):
        if table.has(key):
            table.fault(key, f"data has both use and {key}: only one may stand")
    name = table.word("use")
    return _named(name, table, "use") if isinstance(table.values["use"], str) else _unknown(table)


def _unknown(table: Table) -> tuple[Array, Array]:
    table.report.spoil(table.where)
    return _nothing(), _nothing()


def _matrix(table: Table, key: str) -> Array:
    if not table.has(key):
        table.report.add(table.where, f"data has no {key}: write {_EXAMPLE}", spoils=table.at(key))
        return _nothing()
    matrix = table.matrix(key)
    return _nothing() if matrix is None else matrix


def _targets(table: Table, rows: int) -> Array:
    """Targets as rows; a plain list of numbers is one for each row of x."""
    items = as_list(table.values.get("y"))
    if not items or any(isinstance(item, list) for item in items):
        return _matrix(table, "y")
    column = table.numbers("y")
    if column is None or rows in (0, len(column)):
        return _nothing() if column is None else column[:, None]
    given = ", ".join(quoted(item) for item in items[:4]) + (", …" if len(items) > 4 else "")
    counts = f"{len(column)} targets for {rows} {'row' if rows == 1 else 'rows'} of x"
    table.fault("y", f"{counts}" + (f": write y = [[{given}]] for one row" if rows == 1 else ""))
    return _nothing()


def _batch(table: Table, rows: int) -> int | None:
    """Rows drawn for each iteration; all rows are no draw."""
    if not table.has("batch"):
        return None
    batch = table.whole("batch", 0, 1)
    return None if batch in (0, rows) else batch
