"""Text for sequence models: every row a stretch of characters, its targets the characters that follow."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from bptui.engine.network import Array, nearest
from bptui.files.data.finishing import Raw, count_held_out, unread, whole
from bptui.files.data.opening import contents, decoded
from bptui.files.report import FileError
from bptui.files.text import quoted
from bptui.files.values import Table, suggest

TEXTS = ("tale",)
KEYS = ("text", "length", "targets", "one_hot", "stride", "batch", "test")
MAX_BYTES = 16 * 2**20
MAX_LENGTH = 10_000
DEFAULT_LENGTH = 16
_TARGETS = ("next", "last")
# Fewer than a file of arrays may hold: a short text makes these.
_MOST_NUMBERS = 20_000_000


def read_text(table: Table, folder: Path) -> Raw:
    """Stretches of `length` characters, each begun `stride` characters after the one before.

    x        (rows, length) character numbers, or (rows, length, characters) of 0 and 1 with one_hot
    y        "next": (rows, length) the number of the character after each place; "last": (rows, 1) of the one after
             the stretch
    classes  the characters, in the order of their code points
    Held out is the end of the text, from which no character is trained on.
    """
    table.check_keys(KEYS, "data")
    length = _length(table)
    targets = _targets(table)
    # Each place has a target with "next", so stretches need not overlap; with "last" most characters would have none.
    stride = whole(table, "stride", length if targets == "next" else 1, 1, MAX_LENGTH)
    one_hot = table.flag("one_hot", default=False)
    name = table.word("text")
    try:
        text = _text(name, folder)
        characters = _characters(text, name, length)
        windows = _windows(text, characters, length, stride)
        _weigh(windows, len(characters) if one_hot else 1, name)
    except FileError as error:
        table.report.add(table.at("text"), str(error), spoils=table.where)
        return unread()
    x, y = windows[:, :-1], windows[:, 1:] if targets == "next" else windows[:, -1:]
    return _parted(table, _columns(x, len(characters)) if one_hot else x, y, characters, stride)


def _length(table: Table) -> int:
    """Places of a row; where that can't be read the fewest, so that no text seems too short."""
    length = whole(table, "length", DEFAULT_LENGTH, 2, MAX_LENGTH)
    return length if table.values.get("length", length) == length else 2


def _targets(table: Table) -> str:
    targets = table.word("targets", "next")
    if targets in _TARGETS:
        return targets
    table.fault("targets", f"targets = {quoted(targets)}{suggest(targets, _TARGETS) or ' (next or last)'}")
    return "next"


def _text(name: str, folder: Path) -> str:
    """A built-in text, or a file's, with Unix line ends. Raises FileError."""
    if name in TEXTS:
        return files("bptui").joinpath("datasets", f"{name}.txt").read_text("utf-8")
    if not name:
        raise FileError(f"text is the name of a file or a built-in text: {', '.join(TEXTS)}")
    try:
        text = decoded(contents(folder / name, name, MAX_BYTES), name)
    except FileError as error:
        raise FileError(f"{error}{nearest(name, TEXTS) if 'no such file' in str(error) else ''}") from None
    return text.replace("\r\n", "\n")


def _characters(text: str, name: str, length: int) -> tuple[str, ...]:
    """Every character that stands in the text. Raises FileError where the text is too short or too simple."""
    if not text:
        raise FileError(f"{name}: the file is empty")
    if len(text) <= length:
        raise FileError(f"{name}: the text has {len(text)} characters: length = {length} needs at least {length + 1}")
    characters = tuple(sorted(set(text)))
    if len(characters) == 1:
        raise FileError(f"{name}: the text has one character only: {quoted(text[0])}")
    return characters


def _windows(text: str, characters: tuple[str, ...], length: int, stride: int) -> Array:
    """(rows, length + 1) character numbers, a view of the text's: each stretch, and the character after it."""
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    codes = np.searchsorted(np.array([ord(c) for c in characters]), points)
    return np.lib.stride_tricks.sliding_window_view(codes, length + 1)[::stride]


def _weigh(windows: Array, width: int, name: str) -> None:
    rows, places = windows.shape
    if rows * (places - 1) * width > _MOST_NUMBERS:
        numbers = f"{rows:,} rows of {places - 1:,} places" + (f" of {width:,} characters" if width > 1 else "")
        raise FileError(f"{name}: {numbers} are too many numbers: choose a larger stride")


def _columns(x: Array, width: int) -> Array:
    """(rows, length) numbers as (rows, length, width) of 0 and 1."""
    return np.equal.outer(x, np.arange(width))


def _parted(table: Table, x: Array, y: Array, characters: tuple[str, ...], stride: int) -> Raw:
    """The last rows held out, and those left out that share a character with them."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    held = count_held_out(table, len(x))
    if not held:
        return Raw(x, y, classes=characters)
    places = x.shape[1]
    # A stretch and the character after it take places + 1 characters; the next row begins `stride` after its start.
    shared = places // stride
    kept = len(x) - held - shared
    if kept < 1:
        table.fault("test", f"test = {quoted(table.values['test'])} of {len(x)} rows leaves none to train with")
        return Raw(x, y, classes=characters)
    return Raw(x[:kept], y[:kept], test=(x[-held:], y[-held:]), classes=characters)
