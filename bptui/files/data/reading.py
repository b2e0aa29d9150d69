"""`data = …` of a spec: which of its forms it is, and class numbers made into columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bptui.engine.network import Array
from bptui.files.data.builtin import BUILTIN, read_builtin
from bptui.files.data.csvfile import read_csv
from bptui.files.data.finishing import COMMON, Data, Raw, finished, nothing, odd_class, unread
from bptui.files.data.generated import GATES, KINDS, options, read_gate, read_generated
from bptui.files.data.npy import MAX_NUMBERS
from bptui.files.data.sequences import read_text
from bptui.files.data.written import EXAMPLE, read_array_file, read_written
from bptui.files.report import Report
from bptui.files.text import quoted
from bptui.files.values import Table, as_table, suggest

NAMES = (*GATES, *KINDS, *BUILTIN)
_ARRAYS = (".npz", ".npy")
# The key that says which form it is; where none stands, data are written out.
_FORMS = ("use", "file", "text")
_WRITTEN = ("x", "y", "x_test", "y_test")


def read_data(top: Table, folder: Path, seed: int) -> Data:
    """The data of a spec; whatever can't be read has no rows and no columns, and a line in the report.

    folder  the names of files are relative to it
    seed    rows are made up and held out by it, unless the data have a seed of their own
    """
    table = _table(top)
    if table is None:
        what = f"data is {quoted(top.values['data'])}" if top.has("data") else "data is missing"
        top.fault("data", f"{what}: write {EXAMPLE}")
        return Data(nothing(), nothing())
    form = next((key for key in _FORMS if table.has(key)), "")
    table = _one_form(table, form)
    seed = table.whole("seed", seed, 0)
    data = finished(_read(table, form, folder, seed), table, seed)
    return replace(data, source=dict(table.values)) if form else data


def _table(top: Table) -> Table | None:
    """The data as a table: a text alone is a name, or a file where it looks like one."""
    value = top.values.get("data")
    if isinstance(value, str):
        form = "file" if value not in NAMES and (Path(value).suffix or "/" in value) else "use"
        return top.inner({form: value}, top.at("data"))
    written = as_table(value)
    return None if written is None else top.inner(written, top.at("data"))


def _one_form(table: Table, form: str) -> Table:
    """The table without the keys of other forms, each of which is a mistake."""
    others = [key for key in (*_FORMS, *_WRITTEN) if key != form and table.has(key)] if form else []
    for key in others:
        table.fault(key, f"data has both {form} and {key}: only one may stand")
    return table.inner({key: value for key, value in table.values.items() if key not in others}, table.where)


def _read(table: Table, form: str, folder: Path, seed: int) -> Raw:
    if not form:
        return read_written(table)
    name = table.word(form)
    if not isinstance(table.values[form], str):
        table.report.spoil(table.where)
        return unread()
    if form == "text":
        return read_text(table, folder)
    if form == "use":
        return _named(table, name, seed)
    if Path(name).suffix.lower() in _ARRAYS:
        return read_array_file(table, folder / name, name)
    return read_csv(table, folder / name, name)


def _named(table: Table, name: str, seed: int) -> Raw:
    if name not in NAMES:
        hint = suggest(name, NAMES) or f" (there are {', '.join(NAMES)})"
        table.report.add(table.at("use"), f"no data are called {quoted(name)}{hint}", spoils=table.where)
        return unread()
    table.check_keys(("use", *options(name), *COMMON), "data")
    if name in GATES:
        return read_gate(name)
    return read_generated(table, name, seed) if name in KINDS else read_builtin(table, name)


def classes_to_columns(y: Array, width: int, report: Report) -> Array:
    """Class numbers as columns of 0 and 1, one for each of `width` classes.

    y  (rows, 1) becomes (rows, width); (rows, places) becomes (rows, places, width), and so on
    """
    row, fault = odd_class(y, width)
    if fault:
        message = f"{fault}: the classes of {width} outputs are numbered 0 to {width - 1}"
        report.add(("data", "y", row), message, spoils=("data", "y"))
        return nothing()
    if y.size * width > MAX_NUMBERS:
        places = "" if y.shape[1:] == (1,) else f" of {y[:1].size} places"
        report.add(("data", "y"), f"{len(y)} rows{places} of {width} classes are too many numbers")
        return nothing()
    numbers = y[:, 0] if y.shape[1:] == (1,) else y
    result = np.zeros((*numbers.shape, width))
    np.put_along_axis(result, numbers.astype(np.int64)[..., None], 1.0, axis=-1)
    return result
