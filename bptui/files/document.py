"""A spec's text and what it parses to; every way in which a file can be no spec at all ends in one line."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bptui.files.examples import example_names, example_text, suggest_example
from bptui.files.journal import is_journal
from bptui.files.lines import Lines
from bptui.files.report import SpecError, single
from bptui.files.values import as_table

MAX_BYTES = 64 * 2**20
# tomllib takes time by the square of a key's parts; possessive, so that this takes none by the square of anything.
_MANY_PARTS = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){100}""")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Source:
    """The text of a spec, and where it is from.

    shown    the file as the user named it, or an example's name
    name     what its network is called unless it says so itself
    folder   what the names of files in it are relative to
    example  whether it is one of the built-in ones
    """

    shown: str
    name: str
    text: str
    folder: Path = Path()
    is_json: bool = False
    example: bool = False


@dataclass(frozen=True)
class Document:
    """A spec's source with what it parses to, and its lines for messages."""

    source: Source
    values: dict[str, object]
    lines: Lines


def open_source(named: str) -> Source:
    """The source of an example's name or a path. Raises SpecError."""
    if named in example_names():
        return Source(named, named, example_text(named), example=True)
    path = Path(named)
    if is_journal(path):
        raise single(named, f"this is a session and no spec: bptui {named} opens it")
    return Source(named, path.stem, read_text(named), path.parent, is_json=path.suffix.lower() == ".json")


def stamp(path: Path) -> Stamp:
    """What changes when a file is written; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def read_text(source: str, limit: int = MAX_BYTES) -> str:
    """A text file's content, with Unix line ends. Raises SpecError."""
    data = _read_bytes(source, limit)
    if b"\0" in data:
        raise single(source, "this is a binary file, not a spec")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise single(source, f"this is no UTF-8 text: byte 0x{data[error.start]:02x} is none", line) from None
    return text.replace("\r\n", "\n")


def _read_bytes(source: str, limit: int) -> bytes:
    if not source or "\0" in source:
        raise _missing(source)
    data = b""
    try:
        mode = Path(source).stat().st_mode
        if stat.S_ISREG(mode):
            with Path(source).open("rb") as file:
                data = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(source) from None
    except (OSError, UnicodeEncodeError) as error:
        raise single(source, f"can't be read: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(mode):
        raise single(source, "this is a directory, not a spec")
    if not stat.S_ISREG(mode):
        raise single(source, "this is no regular file")
    if len(data) > limit:
        raise single(source, f"the file is too large: the limit for a spec is {limit >> 20} MiB")
    return data


def _missing(source: str) -> SpecError:
    hint = suggest_example(source)
    return single(source, f"no such file or example{hint}; `bptui examples` lists the built-in ones")


def parsed(source: Source) -> Document:
    """What a source says. Raises SpecError."""
    text, shown = source.text, source.shown
    values = _from_json(shown, text) if source.is_json and text.strip() else from_toml(shown, text)
    if not values:
        raise single(shown, "the file is empty: a spec needs data, layers and a loss")
    return Document(source, values, Lines(text, is_json=source.is_json))


def from_toml(shown: str, text: str) -> dict[str, object]:
    """What a TOML text says; `shown` is what its file is called. Raises SpecError."""
    if deep := _MANY_PARTS.search(text):
        raise single(shown, "a key has more than 100 parts", text.count("\n", 0, deep.start()) + 1)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(shown, text, str(error)) from None
    except RecursionError:
        raise single(shown, "brackets are nested too deeply") from None
    except ValueError as error:
        raise single(shown, f"a value can't be read: {error}") from None


def _syntax_error(shown: str, text: str, message: str) -> SpecError:
    """The message of tomllib, with its line where a line belongs."""
    found = _AT.search(message)
    if not found:
        return single(shown, f"not TOML: {message}")
    reason = message[: found.start()]
    if found[1]:
        return single(shown, f"not TOML: {reason} (column {found[2]})", int(found[1]))
    return single(shown, f"not TOML: {reason} at the end of the file", text.rstrip().count("\n") + 1)


def _from_json(shown: str, text: str) -> dict[str, object]:
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise single(shown, f"not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    except RecursionError:
        raise single(shown, "brackets are nested too deeply") from None
    except ValueError as error:
        raise single(shown, f"a value can't be read: {error}") from None
    table = as_table(value)
    if table is None:
        raise single(shown, "a spec is a JSON object: { … }")
    return table


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object as a table; a key that stands twice would hide the first silently."""
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return result
