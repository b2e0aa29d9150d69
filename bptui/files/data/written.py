"""Data by the name of their array: written out in the spec, or lying in a .npz or .npy file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bptui.engine.network import Array, is_name, nearest
from bptui.files.data.finishing import (
    COMMON,
    MAX_CLASSES,
    Raw,
    nothing,
    numbered,
    odd_class,
    read_classes,
    unread,
)
from bptui.files.data.npy import read_arrays, read_bytes
from bptui.files.report import FileError
from bptui.files.text import quoted
from bptui.files.values import Table, as_list

EXAMPLE = 'data = "xor" or data = { x = [[2, 3]], y = [[1]] }'
_TEST = "_test"
_MAIN = ("x", "y", "x_test", "y_test")
# Slots that exist already; further inputs may not take their names.
_TAKEN = frozenset({"x", "y", "X", "Y", "lr", "loss"})
# What other libraries call them.
_CALLED = {"x_train": "x", "y_train": "y", "X": "x", "X_train": "x", "X_test": "x_test", "Y": "y", "Y_test": "y_test"}
# The arrays of a file and what each is called there.
Arrays = Mapping[str, Array]


# Written out


def read_written(table: Table) -> Raw:
    """x, y and further inputs as lists; whatever has no rows and no columns could not be read."""
    inputs = _input_names(table)
    table.check_keys((*_MAIN, "classes", *COMMON, *inputs), "data")
    x = _block(table, "x", required=True)
    arrays: dict[str, Array] = {"x": x, "y": _targets(table, "y", len(x))}
    if table.has("x_test"):
        arrays["x_test"] = _block(table, "x_test")
    if table.has("y_test"):
        arrays["y_test"] = _targets(table, "y_test", len(arrays.get("x_test", ())))
    arrays |= {name: _block(table, name) for name in inputs}
    if any(not array.size for array in arrays.values()):
        return Raw(x, arrays["y"], {name: arrays[name] for name in inputs if not name.endswith(_TEST)})
    return assembled(arrays, table, "")


def _input_names(table: Table) -> tuple[str, ...]:
    """Keys that hold rows and are no option: further inputs."""
    known = (*_MAIN, "classes", *COMMON)
    rows = [key for key, value in table.values.items() if key not in known and _holds_lists(value)]
    return tuple(rows)


def _holds_lists(value: object) -> bool:
    items = as_list(value)
    return bool(items) and isinstance(items[0] if items else None, list)


def _block(table: Table, key: str, *, required: bool = False) -> Array:
    """Rows of any one shape, as (rows, …)."""
    if required and not table.has(key):
        table.report.add(table.where, f"data has no {key}: write {EXAMPLE}", spoils=table.at(key))
        return nothing()
    block = table.array(key) if _deep(table.values.get(key)) else table.matrix(key)
    return nothing() if block is None else block


def _deep(value: object) -> bool:
    """Whether rows are more than lists of numbers."""
    rows = as_list(value)
    row = as_list(rows[0]) if rows else None
    return bool(row) and isinstance(row[0] if row else None, list)


def _targets(table: Table, key: str, rows: int) -> Array:
    """Targets as rows; a plain list of numbers is one for each row of x."""
    items = as_list(table.values.get(key))
    if not items or any(isinstance(item, list) for item in items):
        return _block(table, key, required=True)
    column = table.numbers(key)
    if column is None or rows in (0, len(column)):
        return nothing() if column is None else column[:, None]
    given = ", ".join(quoted(item) for item in items[:4]) + (", …" if len(items) > 4 else "")
    inputs = "x_test" if key.endswith(_TEST) else "x"
    counts = f"{len(column)} targets for {rows} {'row' if rows == 1 else 'rows'} of {inputs}"
    table.fault(key, f"{counts}" + (f": write {key} = [[{given}]] for one row" if rows == 1 else ""))
    return nothing()


# In a file


def read_array_file(table: Table, path: Path, shown: str) -> Raw:
    """The arrays of a .npz, called as they would be in the spec; of a .npy, whose last column is the target."""
    table.check_keys(("file", "classes", *COMMON), "data")
    try:
        arrays = read_arrays(path, shown)
    except FileError as error:
        table.report.add(table.at("file"), str(error), spoils=table.where)
        return unread()
    return from_arrays(arrays, table, shown)


def from_arrays(arrays: Arrays, table: Table, shown: str) -> Raw:
    """Data of the arrays of a file."""
    fault = ""
    if "" in arrays:
        arrays, fault = _split(arrays[""])
    named = {_CALLED.get(name, name): array for name, array in arrays.items()}
    fault = fault or _file_fault(named, arrays)
    if fault:
        table.report.add(table.at("file"), f"{shown}: {fault}", spoils=table.where)
        return unread()
    columns = {name: array[:, None] if array.ndim == 1 else array for name, array in named.items()}
    return assembled(columns, table, shown)


def package_arrays(data: bytes, table: Table, shown: str) -> Raw:
    """Data of a .npz that lies in the package."""
    return from_arrays(read_bytes(data, shown), table, shown)


def _split(array: Array) -> tuple[Arrays, str]:
    if array.ndim != 2 or array.shape[1] < 2:
        sides = " × ".join(map(str, array.shape)) or "one number"
        return {}, f"the array is {sides}: (rows, columns) are needed, the last column being the target"
    return {"x": array[:, :-1], "y": array[:, -1:]}, ""


def _file_fault(named: Arrays, arrays: Arrays) -> str:
    """What a file's arrays lack, or nothing."""
    if len(named) < len(arrays):
        return "two arrays mean the same: " + ", ".join(quoted(name) for name in arrays if name in _CALLED)
    for name in ("x", "y"):
        if name not in named:
            has = ", ".join(quoted(found) for found in list(arrays)[:6])
            return f"it has no array {quoted(name)}{nearest(name, arrays)}: it holds {has}"
    for name, array in named.items():
        if array.ndim == 0 or (array.ndim == 1 and not name.startswith("y")):
            return f"{quoted(name)} has {array.ndim} dimensions: (rows, …) is needed"
    return ""


# Both


def assembled(arrays: Arrays, table: Table, shown: str) -> Raw:
    """Arrays by name as data; those with `_test` at the end of their name are held out."""
    faults = [*_name_faults(arrays), *_test_faults(arrays)]
    if table.has("test") and "x_test" in arrays:
        faults.append("data has both test and x_test: only one may stand")
    for fault in faults:
        table.report.add(_place(table, shown), f"{shown}: {fault}" if shown else fault, spoils=table.where)
    if faults:
        return unread()
    classes, y = _classes(arrays, table, shown)
    numbers = {name: np.asarray(array, np.float64) for name, array in {**arrays, **y}.items()}
    more = {name: array for name, array in numbers.items() if not name.endswith(_TEST) and name not in _MAIN}
    test_more = {name: numbers[name + _TEST] for name in more if name + _TEST in numbers}
    test = (numbers["x_test"], numbers["y_test"]) if "x_test" in numbers else None
    prefix = f"{shown}: " if shown else ""
    return Raw(numbers["x"], numbers["y"], more, test, test_more, classes, prefix)


def _place(table: Table, shown: str) -> tuple[str | int, ...]:
    return table.at("file") if shown else table.where


def _name_faults(arrays: Arrays) -> list[str]:
    """Names that can't be an input's."""
    faults = []
    for name in arrays:
        base = name.removesuffix(_TEST)
        if not is_name(base):
            faults.append(f"{quoted(name)} is no name for an input: letters, digits and _, not a digit first")
        elif base in _TAKEN and name not in _MAIN:
            faults.append(f"{quoted(name)} is no name for an input: it has a meaning already")
    return faults


def _test_faults(arrays: Arrays) -> list[str]:
    """What the held-out rows lack: each array trained on needs its own, of the same shape, all with as many rows."""
    held = {name: array for name, array in arrays.items() if name.endswith(_TEST)}
    if not held:
        return []
    names = [name for name in arrays if name not in held]
    faults = [f"{name} has no {name}{_TEST}, though others have" for name in names if name + _TEST not in held]
    faults += [
        f"{name} belongs to no {quoted(name.removesuffix(_TEST))}"
        for name in held
        if name.removesuffix(_TEST) not in names
    ]
    for name in names:
        own, other = arrays[name], held.get(name + _TEST)
        if other is not None and own.shape[1:] != other.shape[1:]:
            faults.append(f"a row of {name}{_TEST} is {_sides(other)}, a row of {name} {_sides(own)}")
    counts = {name: len(array) for name, array in held.items()}
    if len(set(counts.values())) > 1:
        faults.append("held-out rows: " + ", ".join(f"{name} has {count}" for name, count in counts.items()))
    return faults


def _sides(array: Array) -> str:
    return " × ".join(map(str, array.shape[1:]))


def _classes(arrays: Arrays, table: Table, shown: str) -> tuple[tuple[str, ...], dict[str, Array]]:
    """The names of the classes, and targets as their numbers where they stood as columns of 0 and 1.

    Names that are given make classes of any whole numbers; a file's y does so by its type.
    """
    names = read_classes(table)
    if not names:
        return _counted(arrays, table, shown) if shown else ((), {})
    keys = [key for key in ("y", "y_test") if key in arrays]
    targets = {key: _column_numbers(arrays[key], len(names)) for key in keys}
    for key, y in targets.items():
        row, fault = odd_class(y, len(names))
        if fault:
            words = fault.replace(" of y ", f" of {key} ")
            message = f"{words}: the {len(names)} classes are numbered 0 to {len(names) - 1}"
            where = (*table.at(key), row) if not shown else table.at("file")
            table.report.add(where, f"{shown}: {message}" if shown else message, spoils=table.where)
            return (), {}
    return names, targets


def _column_numbers(y: Array, classes: int) -> Array:
    """(rows, classes) of 0 and a single 1 as (rows, 1) of class numbers; anything else as it is."""
    if y.shape[1:] != (classes,) or not ((y == 0) | (y == 1)).all() or not (y.sum(axis=1) == 1).all():
        return y
    numbers: Array = np.argmax(y, axis=1)[:, None]
    return numbers


def _counted(arrays: Arrays, table: Table, shown: str) -> tuple[tuple[str, ...], dict[str, Array]]:
    """The classes that a file's y counts by its type: one column of whole numbers from 0 on, few for so many rows, or
    columns of 0 with a single 1.
    """
    keys = [key for key in ("y", "y_test") if key in arrays]
    y = arrays["y"]
    if any(arrays[key].dtype.kind not in "biu" or arrays[key].ndim != 2 for key in keys):
        return (), {}
    width = y.shape[1]
    targets = {key: _column_numbers(arrays[key], width) if width > 1 else arrays[key] for key in keys}
    most = max(int(column.max()) for column in targets.values())
    least = min(int(column.min()) for column in targets.values())
    if any(column.shape[1] > 1 for column in targets.values()) or least < 0 or most >= min(MAX_CLASSES, max(2, len(y))):
        return (), {}
    if targets["y"].min() == targets["y"].max():
        only = int(targets["y"].max())
        table.report.add(table.at("file"), f"{shown}: y holds one class only: {only}", spoils=table.where)
        return (), {}
    return numbered(max(most + 1, width)), targets
