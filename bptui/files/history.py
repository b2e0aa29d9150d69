"""The lines that were typed, kept from one time to the next: a text file, a line each, the last one last."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import platformdirs

from bptui.files.text import safe
from bptui.files.whole import replace_file, write_all

MOST = 500
_LONGEST = 1000
_MOST_BYTES = 2**20
# Not waited for: it might be no file at all, but a pipe that nobody reads.
_HOW = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)


def place() -> Path:
    """Where they are kept, as the system has it."""
    return platformdirs.user_state_path("bptui", appauthor=False) / "history"


class History:
    """Lines typed before; with no path, those of this time alone. What can't be read or written is gone without a word.

    What is lost is only a convenience: it is no reason to bother anybody, let alone to end.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.lines: list[str] = [] if path is None else _read(path)

    def add(self, line: str) -> None:
        """A line that was typed, unless it is the last one again."""
        line = safe(line.strip())
        if not line or len(line) > _LONGEST or line in self.lines[-1:]:
            return
        self.lines.append(line)
        del self.lines[:-MOST]
        if self._path is not None:
            _append(self._path, line)

    def older(self, begun: str, before: int) -> int | None:
        """The place of the last line before another that begins with a text and is more than it."""
        return next((k for k in range(before - 1, -1, -1) if self._fits(k, begun)), None)

    def newer(self, begun: str, after: int) -> int | None:
        """The place of the next one."""
        return next((k for k in range(after + 1, len(self.lines)) if self._fits(k, begun)), None)

    def _fits(self, k: int, begun: str) -> bool:
        return self.lines[k].startswith(begun) and self.lines[k] != begun


def _read(path: Path) -> list[str]:
    """The last lines of a file; of one that has grown long, only they stay in it."""
    with contextlib.suppress(OSError):
        if not path.is_file():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MOST_BYTES))
            data = file.read(_MOST_BYTES)
        every = [safe(line) for line in data.decode("utf-8", errors="replace").splitlines() if line.strip()]
        lines = [line for line in every if len(line) <= _LONGEST][-MOST:]
        if len(every) > 2 * MOST:
            replace_file(path, "".join(f"{line}\n" for line in lines).encode())
        return lines
    return []


def _append(path: Path, line: str) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, _HOW, 0o600)
        try:
            write_all(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)
