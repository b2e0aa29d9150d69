"""Copies of what somebody wants elsewhere: in a file that they name, or in one that is known."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from bptui.files.report import FileError
from bptui.files.text import safe
from bptui.files.whole import replace_file

MOST_BYTES = 2**26


def keep(text: str, suffix: str) -> Path:
    """Put a text where the last copy of its kind was: one file for each kind, so that they never grow many.

    Raises FileError.
    """
    path = platformdirs.user_state_path("bptui", appauthor=False) / f"copied{suffix}"
    data = _bounded(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, data)
    except OSError as error:
        raise _failed(path, error) from None
    return path


def write(path: Path, text: str, own: set[Path]) -> None:
    """Write a file that somebody names: a new one, or one that this session has written. Raises FileError."""
    data = _bounded(text)
    try:
        place = path.absolute()
        if place not in own and os.path.lexists(place):
            raise FileError(f"{safe(str(path))}: it exists already, so it is left alone")
        if place in own:
            replace_file(place, data)
        else:
            with place.open("xb") as file:
                file.write(data)
        own.add(place)
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise _failed(path, error) from None


def _bounded(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    data += b"\n" * (not data.endswith(b"\n"))
    if len(data) > MOST_BYTES:
        raise FileError(f"this is too much to copy: {len(data) >> 20} MB, at most {MOST_BYTES >> 20}")
    return data


def _failed(path: Path, error: OSError | ValueError) -> FileError:
    why = error.strerror if isinstance(error, OSError) else None
    return FileError(f"{safe(str(path))}: can't be written: {why or error}")
