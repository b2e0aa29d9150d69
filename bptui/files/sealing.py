"""Lines with a checksum, and what a file of them holds, be it torn or damaged.

bptui session 1
5f0b9a3e numpy "2.4.6"
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from bptui.files.report import FileError

TITLE = b"bptui session "
VERSION = 1
FIRST = TITLE + b"%d\n" % VERSION
MAX_BYTES = 8 * 2**20
MAX_LINE = 4 * 2**20
# What a file may hold so that it is read in about a second and 200 MB at most, whoever made it up. What is written here
# has fewer: a line that repeats others is soon written anew, and a spec of very many lines is not kept in a session.
_MAX_LINES, _MAX_BRACKETS = 200_000, 1_000_000
# A file's name may hold bytes that are no UTF-8, which Python makes surrogates: they come through.
_CODEC = ("utf-8", "surrogatepass")
_SEAL = re.compile(rb"[0-9a-f]{8} ")


class JournalError(FileError):
    """A journal that can't be read or written; one line. Nothing was overwritten."""


class DamagedError(JournalError):
    """A line in the middle is not as it was written.

    before  the lines before it, of which the last is number `last` of the file
    """

    def __init__(self, shown: str, line: int, before: list[str], why: str = "its checksum does not fit") -> None:
        super().__init__(f"{shown}:{line}: this line is damaged ({why}), so nothing is opened")
        self.before = before
        self.last = line - 1


@dataclass(frozen=True)
class Content:
    """What a journal holds: its whole lines, the length of them all in bytes, and what of a torn line comes after."""

    lines: list[str]
    length: int
    torn: bytes = b""


def seal(text: str) -> bytes:
    """A text without line ends as a line with its checksum."""
    data = text.encode(*_CODEC)
    return b"%08x %s\n" % (zlib.crc32(data), data)


def _unseal(line: bytes) -> str | None:
    """The text of a line, or None where it is torn or damaged."""
    text = line[9:-1]
    if not (line.endswith(b"\n") and _SEAL.match(line) and int(line[:8], 16) == zlib.crc32(text)):
        return None
    try:
        return text.decode(*_CODEC)
    except UnicodeDecodeError:
        return None


def content(data: bytes, shown: str) -> Content:
    """What the bytes of a journal hold. Raises JournalError where it is none, or damaged before its last line."""
    if not data.startswith(FIRST):
        raise JournalError(f"{shown}: {_stranger(data)}")
    if data.count(b"\n") > _MAX_LINES or data.count(b"[") + data.count(b"{") > _MAX_BRACKETS:
        raise JournalError(f"{shown}: this is too large for a session")
    lines: list[str] = []
    length = start = len(FIRST)
    behind = False
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        text = _unseal(data[start:end]) if end - start <= MAX_LINE else None
        if text is not None and not behind:
            lines.append(text)
            length = end
        elif text is not None:
            raise DamagedError(shown, len(lines) + 2, lines)
        else:
            behind = True
        start = end
    return Content(lines, length, data[length:])


def _stranger(data: bytes) -> str:
    version = data[len(TITLE) : len(TITLE) + 20].partition(b"\n")[0].decode("ascii", "replace").strip()
    if not data.startswith(TITLE):
        return "this is no session of bptui"
    if not version.isdecimal() or int(version) == VERSION:
        return "this is no session of bptui: its first line is damaged"
    return f"a session of format {version}, made by another version of bptui; this one reads format {VERSION}"
