"""Tables of text (CSV): a line a row, a column an input or a target; every mistake with its line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bptui.engine.network import nearest
from bptui.files.data.cells import Reader, Record, Roles, Sheet, is_number
from bptui.files.data.finishing import COMMON, Raw, first_twice, read_classes, unread
from bptui.files.data.opening import contents, decoded
from bptui.files.report import FileError
from bptui.files.text import quoted
from bptui.files.values import Table, as_list

MAX_BYTES = 128 * 2**20
MAX_COLUMNS = 10_000
KEYS = ("file", "label", "header", "delimiter", "one_hot", "columns", "classes", *COMMON)
_OTHER_DELIMITERS = (";", "\t", "|", ",")


def read_csv(table: Table, path: Path, shown: str) -> Raw:
    """The data of a table of text, its mistakes noted at the spec's `file`."""
    table.check_keys(KEYS, "data")
    try:
        text = decoded(contents(path, shown, MAX_BYTES), shown)
        return from_text(table, text, shown)
    except FileError as error:
        table.report.add(table.at("file"), str(error), spoils=table.where)
    except csv.Error as error:
        table.report.add(table.at("file"), f"{shown}: not CSV: {error}", spoils=table.where)
    return unread()


def from_text(table: Table, text: str, shown: str) -> Raw:
    """The data of a table's text. Raises FileError or csv.Error where it is no table."""
    sheet = _sheet(table, text, shown)
    classes = read_classes(table)
    roles = _roles(table, sheet)
    if roles is None:
        table.report.spoil(table.where)
        return unread()
    return Reader(table, sheet, roles, classes).read()


# Lines and header


def _sheet(table: Table, text: str, shown: str) -> Sheet:
    delimiter = _delimiter(table, shown)
    records = _records(text, delimiter, shown)
    first = next(records, None)
    if first is None:
        raise FileError(f"{shown}: the file is empty")
    line, cells = first
    if len(cells) < 2:
        other = next((d for d in _OTHER_DELIMITERS if d != delimiter and d in cells[0]), "")
        hint = f": write delimiter = {_written(other)}" if other else ": inputs and a target are needed"
        raise FileError(f"{shown}: line {line} has one column only{hint}")
    if len(cells) > MAX_COLUMNS:
        raise FileError(f"{shown}: line {line} has {len(cells):,} columns: the limit is {MAX_COLUMNS:,}")
    if not table.flag("header", default=not any(is_number(cell) for cell in cells)):
        return Sheet(shown, tuple(map(str, range(len(cells)))), False, chain([first], records))
    names = tuple(cell.strip() for cell in cells)
    if (twice := first_twice(filter(None, names))) is not None:
        raise FileError(f"{shown}: line {line}: two columns are called {quoted(twice)}")
    return Sheet(shown, names, True, records)


def _written(delimiter: str) -> str:
    return '"\\t"' if delimiter == "\t" else f'"{delimiter}"'


def _delimiter(table: Table, shown: str) -> str:
    default = "\t" if shown.lower().endswith(".tsv") else ","
    delimiter = table.word("delimiter", default)
    if (len(delimiter) == 1 and delimiter not in '"\r\n\0 ' and delimiter.isprintable()) or delimiter in ("\t", " "):
        return delimiter
    table.fault("delimiter", f'delimiter is one character such as ";", not {quoted(delimiter)}')
    return default


def _records(text: str, delimiter: str, shown: str) -> Iterator[Record]:
    """(line on which it begins, cells) of every record; blank lines are none."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise FileError(f"{shown}: line {before + 1}: not CSV: {error}") from None
        if cells is None:
            return
        line, before = before + 1, reader.line_num
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield line, cells


# Columns


def _roles(table: Table, sheet: Sheet) -> Roles | None:
    """Which columns are inputs and targets; None where that can't be told."""
    labels = _chosen(table, "label", sheet, (len(sheet.names) - 1,))
    inputs = _chosen(table, "columns", sheet, None)
    texts = _chosen(table, "one_hot", sheet, ())
    if labels is None or (inputs is None and table.has("columns")) or texts is None:
        return None
    if inputs is None:
        inputs = tuple(k for k in range(len(sheet.names)) if k not in labels)
    faults = [
        (key, f"{sheet.column(k)} is a target, so it can't be an input")
        for key, chosen in (("columns", inputs), ("one_hot", texts))
        for k in chosen
        if k in labels
    ]
    faults += [
        ("one_hot", f"{sheet.column(k)} is no input by columns") for k in texts if k not in inputs and k not in labels
    ]
    if not inputs:
        faults.append(("label", f"{sheet.shown}: no column is left for the inputs"))
    for key, fault in faults:
        table.fault(key, fault)
    return None if faults else Roles(inputs, frozenset(texts), labels)


def _chosen(table: Table, key: str, sheet: Sheet, default: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The columns that a key names, each once; the default where it is not written, None where it can't be read."""
    if not table.has(key):
        return default
    value = table.values[key]
    items = as_list(value) if isinstance(value, list) else [value]
    if not items:
        table.fault(key, f"{key} is an empty list: name a column")
        return None
    if len(items) > len(sheet.names):
        table.fault(key, f"{key} names {len(items):,} columns: {sheet.shown} has {len(sheet.names):,}")
        return None
    found = [_column(table, key, item, sheet) for item in items]
    if any(index is None for index in found):
        return None
    indices = tuple(index for index in found if index is not None)
    twice = first_twice(map(str, indices))
    if twice is not None:
        table.fault(key, f"{key} names {sheet.column(int(twice))} twice")
        return None
    return indices


def _column(table: Table, key: str, item: object, sheet: Sheet) -> int | None:
    """The number of a column given by its name or number, from 0 on, from −1 backwards."""
    names = sheet.names
    if type(item) is int:
        if -len(names) <= item < len(names):
            return item % len(names)
        message = f"{key} = {quoted(item)}: {sheet.shown} has {len(names)} columns, numbered 0 to {len(names) - 1}"
    elif not isinstance(item, str):
        message = f"{key} is a column's name or number, not {quoted(item)}"
    elif sheet.headed:
        if item.strip() in names:
            return names.index(item.strip())
        hint = nearest(item, names) or f" (it has {', '.join(names[:8])}{', …' if len(names) > 8 else ''})"
        message = f"{sheet.shown} has no column {quoted(item)}{hint}"
    else:
        message = f"{sheet.shown} has no header, so {quoted(item)} is no column: number them from 0 to {len(names) - 1}"
    table.fault(key, message)
    return None
