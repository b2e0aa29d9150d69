"""Files that data lie in: opened only if they are regular files, and told by the name the spec gives them."""

from __future__ import annotations

import contextlib
import hashlib
import stat
from collections.abc import Iterator
from contextvars import ContextVar
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bptui.engine.network import nearest
from bptui.files.report import FileError
from bptui.files.text import safe

# How many names of a folder are looked at for what a missing file may have meant.
_NAMES = 1000
_noted: ContextVar[dict[Path, str] | None] = ContextVar("noted", default=None)


@contextlib.contextmanager
def noting() -> Iterator[dict[Path, str]]:
    """Gathers path → SHA-256 of every file opened meanwhile, so that one can tell later whether it is the same."""
    found: dict[Path, str] = {}
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def opened(path: Path, shown: str) -> tuple[BinaryIO, int]:
    """A file to be read, and its size in bytes. Raises FileError, one line that begins with `shown`."""
    name = safe(shown) or "''"
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            file = path.open("rb")
            _note(path, file)
            return file, status.st_size
    except (FileNotFoundError, NotADirectoryError):
        raise FileError(f"{name}: no such file{safe(_hint(path))}") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{name}: can't be read: {safe(getattr(error, 'strerror', None) or str(error))}") from None
    raise FileError(f"{name}: this is {'a directory' if stat.S_ISDIR(status.st_mode) else 'no regular file'}")


def _note(path: Path, file: BufferedReader) -> None:
    noted = _noted.get()
    if noted is not None and path not in noted:
        noted[path] = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)


def contents(path: Path, shown: str, limit: int) -> bytes:
    """All bytes of a file of no more than `limit` bytes. Raises FileError."""
    file, _ = opened(path, shown)
    with file:
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise FileError(f"{safe(shown)}: can't be read: {error.strerror}") from None
    if len(data) > limit:
        raise FileError(f"{safe(shown)}: the file is too large: the limit is {limit >> 20} MiB")
    return data


def decoded(data: bytes, shown: str) -> str:
    """UTF-8 bytes as a text, without a byte order mark; line ends stay as they are. Raises FileError."""
    if b"\0" in data:
        raise FileError(f"{safe(shown)}: this is a binary file, not a text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = f"this is no UTF-8 text: byte 0x{data[error.start]:02x} is none"
        raise FileError(f"{safe(shown)}: line {line}: {fault}") from None


def _hint(path: Path) -> str:
    try:
        return nearest(path.name, [item.name for item in islice(path.parent.iterdir(), _NAMES)])
    except (OSError, ValueError):
        return ""
