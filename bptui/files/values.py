"""Single values of a spec, checked one by one: numbers, words, lists, matrices.

Each reader notes what is wrong in the report and gives None, so that reading goes on to the next mistake. A TOML or
JSON true is no number here, and neither is nan or inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from bptui.engine.network import MOST_HINTS, Array, Where, nearest
from bptui.files.report import Report
from bptui.files.text import quoted

T = TypeVar("T")
LARGEST = 2**63 - 1
_HUGE = float(np.finfo(np.float64).max)
_NUMBERS = {int, float}
# What other tools call these keys; too far from ours to be found by likeness.
_CALLED = {
    "learning_rate": "lr",
    "learning-rate": "lr",
    "epochs": "iterations",
    "steps": "iterations",
    "batch_size": "batch",
    "optimizer": "optim",
    "learning_rate_schedule": "schedule",
    "betas": "beta1",
    "epsilon": "eps",
    "l2_penalty": "l2",
    "activation": "act",
    "kernel_size": "kernel",
    "filters": "out",
    "channels": "out",
    "padding": "pad",
    "strides": "stride",
    "num_heads": "heads",
    "hidden": "units",
    "p": "rate",
    "label_smoothing": "smoothing",
    "weight": "class_weights",
    "units": "dense",
    "neurons": "dense",
    "weights": "W",
    "biases": "b",
    "inputs": "x",
    "targets": "y",
    "reads": "from",
}


def as_list(value: object) -> list[object] | None:
    """The value if it is a list."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_table(value: object) -> dict[str, object] | None:
    """The value if it is a table."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def suggest(word: str, words: Iterable[str]) -> str:
    """` (did you mean …?)` with the word of `words` that is meant most likely, or nothing."""
    words = list(words)
    called = _CALLED.get(word.lower())
    return f" (did you mean {called}?)" if called in words else nearest(word, words)


def finite(value: object, largest: float = math.inf) -> str:
    """What is wrong with a number: '' or a reason."""
    if type(value) not in _NUMBERS:
        return f"{quoted(value)} is no number"
    try:
        number = float(cast("float", value))
    except OverflowError:
        return f"{quoted(value)} is too large for a number here"
    if not math.isfinite(number):
        return f"{number} is no finite number"
    return f"{quoted(value)} is too large for float32" if abs(number) > largest else ""


def flawless(value: object) -> str:
    """What is wrong with a text: '' or a reason. JSON can hold halves of characters, which no file can."""
    if not isinstance(value, str):
        return f"{quoted(value)} is no text"
    return f"{quoted(value)} holds half a character" if any("\ud800" <= c <= "\udfff" for c in value) else ""


@dataclass(frozen=True)
class Table:
    """A table of the document, its place, and the report that its mistakes go to.

    largest  the largest number that the spec's dtype holds
    folder   the folder that the spec lies in: names of files are relative to it
    """

    values: Mapping[str, object]
    where: Where
    report: Report
    largest: float = math.inf
    folder: Path = field(default_factory=Path)

    def inner(self, values: Mapping[str, object], where: Where) -> Table:
        """A table of the same document at another place."""
        return Table(values, where, self.report, self.largest, self.folder)

    def at(self, key: str) -> Where:
        """The place of a key."""
        return (*self.where, key)

    def has(self, key: str) -> bool:
        """Whether the key is written."""
        return key in self.values

    def fault(self, key: str, message: str) -> None:
        """Note a mistake at a key."""
        self.report.add(self.at(key), message)

    def check_keys(self, known: Iterable[str], what: str) -> None:
        """Every key has to be one of `known`."""
        known = list(known)
        for number, key in enumerate([key for key in self.values if key not in known]):
            hint = (suggest(key, known) or f" (one of {', '.join(known)})") if number < MOST_HINTS else ""
            self.report.add(self.at(key), f"unknown key {quoted(key)} in {what}{hint}")

    def table(self, key: str, what: str) -> Table:
        """The table at a key; empty where there is none or something else."""
        value = as_table(self.values.get(key, {}))
        if value is None:
            self.fault(key, f"{key} is a table such as {what}, not {quoted(self.values[key])}")
        return self.inner(value or {}, self.at(key))

    def read(self, key: str, default: T, wrong: Callable[[object], str], example: str) -> T:
        """The value at a key, unless `wrong` has something against it."""
        if key not in self.values:
            return default
        fault = wrong(self.values[key])
        if fault:
            self.fault(key, f"{key} = {example} is expected: {fault}")
            return default
        return cast("T", self.values[key])

    def number(self, key: str, default: float) -> float:
        """A finite number."""
        return float(self.read(key, default, lambda value: finite(value, self.largest), "a number"))

    def whole(self, key: str, default: int, least: int) -> int:
        """A whole number, no less than `least`."""
        return self.read(key, default, lambda value: _whole(value, least), "a whole number")

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        return self.read(key, default, _no_flag, "true or false")

    def word(self, key: str, default: str = "") -> str:
        """A text."""
        return self.read(key, default, flawless, "a text")

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts; one text alone counts as a list of one."""
        value = self.values.get(key, [])
        items = [value] if isinstance(value, str) else as_list(value)
        fault = f"{quoted(value)} is no list" if items is None else next(filter(None, map(flawless, items)), "")
        if fault:
            self.fault(key, f"{key} is a list of texts: {fault}")
            return ()
        return tuple(str(item) for item in items or [])

    def numbers(self, key: str) -> Array | None:
        """A list of numbers."""
        items = as_list(self.values.get(key))
        if not items:
            self.fault(key, f"{key} is a list of numbers, not {self.shown(key)}")
            return None
        return self._row(items, self.at(key), key)

    def matrix(self, key: str) -> Array | None:
        """A list of rows of numbers, all of one length, as (rows, columns).

        Cells that are no numbers are noted and read as 0, so that the shape is known; without a shape, None.
        """
        rows = as_list(self.values.get(key))
        if not rows or rows == [[]]:
            self.fault(key, f"{key} is a list of rows such as [[1, 2], [3, 4]], not {self.shown(key)}")
            return None
        result: list[Array] = []
        for i, value in enumerate(rows):
            row = as_list(value)
            where = (*self.at(key), i)
            if row is None:
                message = f"row {i} of {key} is a list of numbers such as [1, 2], not {quoted(value)}"
                self.report.add(where, message, spoils=self.at(key))
                return None
            result.append(self._row(row, where, f"row {i} of {key}"))
        return self._stack(key, result)

    def array(self, key: str) -> Array | None:
        """Nested lists of numbers, of any depth and of one shape; None where they are none."""
        items = as_list(self.values.get(key))
        if not items or not isinstance(items[0], list):
            return self.numbers(key)
        if not isinstance(items[0][:1] and items[0][0], list):
            return self.matrix(key)
        parts = [self._part(key, item, (*self.at(key), i)) for i, item in enumerate(items)]
        if any(part is None for part in parts):
            return None
        shapes = {part.shape for part in parts if part is not None}
        if len(shapes) > 1:
            self.fault(key, f"{key} holds parts of different shapes: {' and '.join(map(str, sorted(shapes)[:2]))}")
            return None
        return np.stack([part for part in parts if part is not None])

    def _part(self, key: str, item: object, where: Where) -> Array | None:
        """One part of a deeper list."""
        if as_list(item) is None:
            self.report.add(where, f"{key} holds {quoted(item)} among its lists")
            return None
        return self.inner({key: item}, self.where).array(key)

    def shown(self, key: str) -> str:
        """The value at a key as messages show it."""
        value = self.values.get(key)
        return "an empty list" if value in ([], [[]]) else quoted(value)

    def _row(self, items: list[object], where: Where, what: str) -> Array:
        """Numbers as an array, 0 for a cell that is none."""
        if set(map(type, items)) <= _NUMBERS:
            row = _array(items)
            if row is not None and bool((np.abs(row) <= min(self.largest, _HUGE)).all()):
                return row
        faults = [finite(item, self.largest) for item in items]
        first = next(k for k, fault in enumerate(faults) if fault)
        nested = any(isinstance(item, list | dict) for item in items)
        spoils = where[: len(self.where) + 1] if nested else None
        self.report.add((*where, first), f"{what} holds a wrong value: {faults[first]}", spoils=spoils)
        good = [0.0 if fault else float(cast("float", item)) for item, fault in zip(items, faults, strict=True)]
        return np.array(good, dtype=np.float64)

    def _stack(self, key: str, rows: list[Array]) -> Array | None:
        """Rows as a matrix, if they are of one length."""
        first = len(rows[0])
        odd = next((i for i, row in enumerate(rows) if len(row) != first), None)
        if odd is None:
            return np.stack(rows)
        message = f"row {odd} of {key} is {len(rows[odd])} long, row 0 is {first}"
        self.report.add((*self.at(key), odd), message, spoils=self.at(key))
        return None


def _array(items: list[object]) -> Array | None:
    """Numbers as an array; None where one is too large."""
    try:
        return np.array(items, dtype=np.float64)
    except OverflowError:
        return None


def _no_flag(value: object) -> str:
    return "" if isinstance(value, bool) else f"{quoted(value)} is neither"


def _whole(value: object, least: int) -> str:
    """What is wrong with a whole number: '' or a reason."""
    if type(value) is not int:
        return f"{quoted(value)} is none"
    if value < least:
        return f"{quoted(value)} is less than {least}"
    return f"{quoted(value)} is too large" if value > LARGEST else ""
