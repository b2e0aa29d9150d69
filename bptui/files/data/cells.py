"""The cells of a table of text: read in one pass, every mistake with its line and column."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bptui.engine.network import Array, Hints
from bptui.files.data.finishing import MAX_CLASSES, Raw, unread
from bptui.files.data.npy import MAX_NUMBERS
from bptui.files.report import FileError
from bptui.files.text import quoted
from bptui.files.values import Table, finite

# So many mistakes of one column are told one by one; of more, the first and their number.
_SINGLY = 3

Record = tuple[int, list[str]]


@dataclass(frozen=True)
class Sheet:
    """A table's lines after its header.

    names  of the columns; those of a table without a header are numbers
    """

    shown: str
    names: tuple[str, ...]
    headed: bool
    records: Iterator[Record]

    def column(self, index: int) -> str:
        """A column as messages call it."""
        return f"column {quoted(self.names[index])}" if self.headed else f"column {index}"


@dataclass(frozen=True)
class Roles:
    """Which columns are what: inputs in their order, those of them that hold texts, and targets."""

    inputs: tuple[int, ...]
    texts: frozenset[int]
    labels: tuple[int, ...]


def is_number(text: str) -> bool:
    """Whether a cell is one of a column of numbers, be it nan."""
    return not cell_fault(text) or text.strip().lower().lstrip("+-") in ("nan", "inf", "infinity")


def cell_fault(text: str, largest: float = float("inf")) -> str:
    """What is wrong with a cell that should be a number: '' or a reason. Python's 1_000 is none to other people."""
    if not text.strip():
        return "the cell is empty"
    try:
        number = float(text) if "_" not in text else None
    except ValueError:
        number = None
    if number is not None:
        return finite(number, largest)
    point = text.replace(",", ".", 1)
    hint = f": write {quoted(point)[1:-1]}" if "," in text and not cell_fault(point) else ""
    return f"{quoted(text)} is no number{hint}"


@dataclass
class _Texts:
    """A column of texts, each cell as the number of its text; `lines` has the line where each text stands first."""

    codes: array[int] = field(default_factory=lambda: array("q"))
    known: dict[str, int] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)

    def add(self, text: str, line: int) -> None:
        """Take one more cell."""
        code = self.known.setdefault(text, len(self.known))
        if code == len(self.lines):
            self.lines.append(line)
        self.codes.append(code)

    def numbers(self, order: Sequence[str]) -> Array:
        """(rows,) the place of each cell's text in `order`."""
        place = {text: k for k, text in enumerate(order)}
        return np.array([place[text] for text in self.known], dtype=np.float64)[np.array(self.codes, dtype=np.int64)]

    def columns(self) -> Array:
        """(rows, texts) of 0 and 1, the texts in their alphabetical order."""
        order = sorted(self.known)
        return np.equal.outer(self.numbers(order), np.arange(len(order))).astype(np.float64)


class _Faults:
    """Mistakes in cells, gathered by column (−1: of whole lines), so that one bad column is no flood of messages."""

    def __init__(self) -> None:
        self._found: dict[int, list[tuple[int, str]]] = {}
        self._counts: dict[int, int] = {}
        self.rows = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, column: int, message: str) -> None:
        """Note one mistake."""
        self._counts[column] = self._counts.get(column, 0) + 1
        found = self._found.setdefault(column, [])
        if len(found) < _SINGLY:
            found.append((line, message))

    def messages(self, sheet: Sheet) -> Iterator[str]:
        """Every mistake as a line."""
        for column, found in self._found.items():
            where = f", {sheet.column(column)}" if column >= 0 else ""
            (line, message), count = found[0], self._counts[column]
            if where and count == self.rows > _SINGLY:
                hint = "name it in one_hot, or leave it out by columns"
                yield f"{sheet.shown}: {sheet.column(column)} holds no number at all (line {line}: {message}): {hint}"
            elif count > _SINGLY:
                more = f"and {count - 1} more {'in this column' if where else 'such lines'}"
                yield f"{sheet.shown}: line {line}{where}: {message} ({more})"
            else:
                yield from (f"{sheet.shown}: line {line}{where}: {message}" for line, message in found)


class Reader:
    """One pass over the lines: numbers go to one flat array, texts to one of codes a column.

    A single target column is read as texts: whether it holds numbers or names is known at the end.
    """

    def __init__(self, table: Table, sheet: Sheet, roles: Roles, classes: tuple[str, ...]) -> None:
        """Nothing is read yet. classes: the names that the spec gives, or ()."""
        self._table, self._sheet, self._roles, self._classes = table, sheet, roles, classes
        single = roles.labels if len(roles.labels) == 1 else ()
        self._numeric = [k for k in (*roles.inputs, *roles.labels) if k not in roles.texts and k not in single]
        self._texts = {k: _Texts() for k in (*sorted(roles.texts), *single)}
        self._flat: array[float] = array("d")
        self._faults = _Faults()
        self._largest = min(table.largest, float(np.finfo(np.float64).max))

    def read(self) -> Raw:
        """The data; what is wrong with a cell goes to the report. Raises FileError where there are no or too many."""
        for line, cells in self._sheet.records:
            self._take(line, cells)
            if len(self._flat) > MAX_NUMBERS:
                raise FileError(f"{self._sheet.shown}: more than {MAX_NUMBERS:,} numbers are too many")
        if not self._faults.rows and not self._faults:
            raise FileError(f"{self._sheet.shown}: there is no line after the header")
        label = self._roles.labels[0]
        classes = self._named(label) if label in self._texts else ()
        for message in self._faults.messages(self._sheet):
            self._table.report.add(self._table.at("file"), message, spoils=self._table.where)
        return unread() if self._faults else self._joined(classes)

    def _take(self, line: int, cells: list[str]) -> None:
        """One line's cells."""
        if len(cells) != len(self._sheet.names):
            count = f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}"
            self._faults.add(line, -1, f"{count}, the first line has {len(self._sheet.names)}")
            return
        self._faults.rows += 1
        self._flat.extend(self._numbers(line, cells))
        for k, texts in self._texts.items():
            text = cells[k].strip()
            if not text:
                self._faults.add(line, k, "the cell is empty")
            texts.add(text, line)

    def _numbers(self, line: int, cells: list[str]) -> list[float]:
        """The cells that are to be numbers; 0 stands for one that is none."""
        wanted = [cells[k] for k in self._numeric]
        try:
            numbers = list(map(float, wanted))
        except ValueError:
            numbers = []
        if numbers and self._fit(numbers) and "_" not in "".join(wanted):
            return numbers
        faults = [cell_fault(cell, self._largest) for cell in wanted]
        for k, fault in zip(self._numeric, faults, strict=True):
            if fault:
                self._faults.add(line, k, fault)
        return [0.0 if fault else float(cell) for cell, fault in zip(wanted, faults, strict=True)]

    def _fit(self, numbers: list[float]) -> bool:
        """Whether all are finite and none too large, in a way that is fast where they are."""
        return math.isfinite(sum(numbers)) and -self._largest <= min(numbers) and max(numbers) <= self._largest

    def _named(self, label: int) -> tuple[str, ...]:
        """The names of the target's classes; () where it holds numbers, or where something is wrong with it."""
        texts = self._texts[label]
        known = [text for text in texts.known if text]
        if self._classes:
            self._check_known(label, self._classes)
            return self._classes
        if any(is_number(text) for text in known):
            self._check_numbers(label)
            return ()
        if len(known) == 1:
            self._fault(f"{self._sheet.column(label)} holds one class only: {quoted(known[0])}")
        if len(known) > MAX_CLASSES:
            self._fault(f"{self._sheet.column(label)} has {len(known):,} classes: the limit is {MAX_CLASSES:,}")
        return tuple(sorted(known))

    def _fault(self, message: str) -> None:
        raise FileError(f"{self._sheet.shown}: {message}")

    def _check_known(self, label: int, classes: tuple[str, ...]) -> None:
        texts = self._texts[label]
        hints = Hints()
        for text, line in zip(texts.known, texts.lines, strict=True):
            if text and text not in classes:
                hint = hints.nearest(text, classes) or f" ({', '.join(classes[:6])}{', …' if len(classes) > 6 else ''})"
                self._faults.add(line, label, f"{quoted(text)} is none of the classes{hint}")

    def _check_numbers(self, label: int) -> None:
        """A target of numbers with a text among them is a mistake, unless the texts are classes by name."""
        texts = self._texts[label]
        for text, line in zip(texts.known, texts.lines, strict=True):
            if text and (fault := cell_fault(text, self._largest)):
                self._faults.add(line, label, fault)

    def _joined(self, classes: tuple[str, ...]) -> Raw:
        """All columns as x and y; texts become columns of 0 and 1, which are not scaled."""
        roles, rows = self._roles, self._faults.rows
        wide = len(roles.inputs) + sum(len(self._texts[k].known) for k in roles.texts)
        if rows * wide > MAX_NUMBERS:
            raise FileError(f"{self._sheet.shown}: {rows:,} rows of {wide:,} columns are too many numbers")
        numbers = np.array(self._flat, dtype=np.float64).reshape(rows, len(self._numeric))
        place = {k: numbers[:, [i]] for i, k in enumerate(self._numeric)}
        parts = [self._texts[k].columns() if k in roles.texts else place[k] for k in roles.inputs]
        scaled = [np.full(part.shape[1], k not in roles.texts) for k, part in zip(roles.inputs, parts, strict=True)]
        y = [self._target(k, classes)[:, None] if k in self._texts else place[k] for k in roles.labels]
        return Raw(
            np.concatenate(parts, axis=1),
            np.concatenate(y, axis=1),
            classes=classes,
            shown=f"{self._sheet.shown}: ",
            scaled=np.concatenate(scaled),
        )

    def _target(self, label: int, classes: tuple[str, ...]) -> Array:
        """(rows,) class numbers, or the numbers themselves."""
        texts = self._texts[label]
        if classes:
            return texts.numbers(classes)
        values = np.array([float(text) for text in texts.known])
        return values[np.array(texts.codes, dtype=np.int64)]
