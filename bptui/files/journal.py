"""A file of lines that only grows; each is on the disk before anybody is told of it, and one process alone writes it.

What the lines say is no business of this file. A line that was not written whole (a crash, a full disk) is cut off and
its bytes kept aside; nothing is written to a file that was damaged in another way, or changed by somebody else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bptui.files.locks import lock
from bptui.files.sealing import FIRST, MAX_BYTES, MAX_LINE, TITLE, Content, JournalError, content, seal
from bptui.files.text import safe
from bptui.files.whole import remove_left_aside, sync_folder, write_all, write_aside

_BINARY = getattr(os, "O_BINARY", 0)
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class BusyError(JournalError):
    """Another process has the journal open."""


class ReadOnlyError(JournalError):
    """The journal may be read and not written."""


def is_journal(path: str | Path) -> bool:
    """Whether a file begins as a journal does, of whatever version."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return False
        with Path(path).open("rb") as file:
            return file.read(len(TITLE)) == TITLE
    except (OSError, ValueError):
        return False


def look(path: Path) -> Content:
    """What a journal holds, which may be another process's. Raises JournalError."""
    shown = safe(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise JournalError(f"{shown}: can't be read: {error.strerror or error}") from None
    return content(_bounded(data, shown), shown)


class Journal:
    """A journal that this process alone has open. `held` is what it held when it was opened."""

    def __init__(self, path: Path, descriptor: int, held: Content) -> None:
        self.path = path
        self.held = held
        self.length = held.length
        self._descriptor = descriptor
        self._shown = safe(str(path))
        self._littered = bool(held.torn)

    def put_aside(self) -> str:
        """Keep a torn last line in a file that was not there before, and cut it off; that file's name, or "".

        Raises ReadOnlyError; then nothing was changed.
        """
        if not self.held.torn:
            return ""
        try:
            aside = _kept_aside(self.path, self.held.torn)
            self._cut()
            os.fsync(self._descriptor)
        except OSError as error:
            raise ReadOnlyError(f"{self._shown}: its torn last line can't be put aside: {error.strerror}") from None
        return str(aside)

    def append(self, text: str) -> None:
        """Write a line and wait until it is on the disk. Raises JournalError; then the file is as it was."""
        data = seal(text)
        if len(data) > MAX_LINE or self.length + len(data) > MAX_BYTES:
            raise JournalError(f"{self._shown}: this is too large for a session")
        try:
            self._refuse_changed()
            self._write(data)
        except OSError as error:
            raise _failed(self._shown, error) from None
        self.length += len(data)

    def replace(self, lines: Iterable[str]) -> None:
        """Put other lines in place of all that is there, in one go: a crash leaves the old ones or the new ones.

        Raises JournalError; then the file is as it was.
        """
        data = _bounded(b"".join([FIRST, *map(seal, lines)]), self._shown)
        try:
            self._refuse_changed()
            temporary, descriptor = write_aside(self.path, data)
            try:
                temporary.chmod(stat.S_IMODE(os.fstat(self._descriptor).st_mode))
                self._take_place(temporary, descriptor)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(self._shown, error) from None
        self.length = len(data)

    def close(self) -> None:
        """Leave the file to others."""
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        """Write at the end; what was written of it is cut off again where that fails or is interrupted."""
        if self._littered:
            self._cut()
        try:
            os.lseek(self._descriptor, self.length, os.SEEK_SET)
            write_all(self._descriptor, data)
            os.fsync(self._descriptor)
        except BaseException:
            self._littered = True
            with contextlib.suppress(OSError):
                self._cut()
            raise

    def _cut(self) -> None:
        os.ftruncate(self._descriptor, self.length)
        self._littered = False

    def _refuse_changed(self) -> None:
        """Raises JournalError where somebody has put another file there, or changed this one."""
        try:
            there, mine = self.path.stat(), os.fstat(self._descriptor)
        except FileNotFoundError:
            raise JournalError(f"{self._shown}: somebody has moved or removed it") from None
        if not os.path.samestat(there, mine) or (mine.st_size != self.length and not self._littered):
            raise JournalError(f"{self._shown}: another program has changed it, so nothing is written over that")

    def _take_place(self, temporary: Path, descriptor: int) -> None:
        """The new file where the old one was, locked before anybody can open it."""
        if os.name == "nt":  # where an open file can't be replaced
            os.close(descriptor)
            os.close(self._descriptor)
            temporary.replace(self.path)
            self._descriptor = _locked(self.path)
            return
        lock(descriptor)
        temporary.replace(self.path)
        os.close(self._descriptor)
        self._descriptor = descriptor
        sync_folder(self.path)


def create(path: Path, lines: Iterable[str]) -> Journal:
    """A new journal of these lines: whole or not at all. Raises JournalError, also where there is a file already."""
    shown, path = safe(str(path)), path.absolute()
    data = _bounded(b"".join([FIRST, *map(seal, lines)]), shown)
    try:
        temporary, descriptor = write_aside(path, data)
        try:
            descriptor = _placed(temporary, path, descriptor)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise JournalError(f"{shown}: it exists already, so it is left alone") from None
    except OSError as error:
        raise _failed(shown, error) from None
    return Journal(path, descriptor, Content([], len(data)))


def reopen(path: Path) -> Journal:
    """A journal to be gone on with, once a torn last line was put aside.

    Raises BusyError where another process has it, ReadOnlyError where it can't be written, else JournalError.
    """
    shown = safe(str(path))
    try:
        descriptor = _locked(path)
    except OSError as error:
        kind = ReadOnlyError if error.errno in _READ_ONLY else JournalError
        raise kind(f"{shown}: can't be opened: {error.strerror or error}") from None
    try:
        held = content(_all_of(descriptor, shown), shown)
    except JournalError:
        os.close(descriptor)
        raise
    remove_left_aside(path)
    return Journal(path.absolute(), descriptor, held)


def _failed(shown: str, error: OSError) -> JournalError:
    return JournalError(f"{shown}: can't be written: {error.strerror or error}")


def _bounded(data: bytes, shown: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise JournalError(f"{shown}: this is too large for a session: the limit is {MAX_BYTES >> 20} MiB")
    return data


def _locked(path: Path) -> int:
    """A descriptor of the file, which is locked. Raises BusyError, OSError."""
    while True:
        descriptor = os.open(path, os.O_RDWR | _BINARY)
        if not lock(descriptor):
            os.close(descriptor)
            raise BusyError(f"{safe(str(path))}: another process has this session open")
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
        os.close(descriptor)  # it was replaced between opening and locking: once more


def _all_of(descriptor: int, shown: str) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return _bounded(file.read(MAX_BYTES + 1), shown)


def _kept_aside(path: Path, torn: bytes) -> Path:
    """Write the torn bytes to a new file beside the journal. Raises OSError."""
    aside = path.with_name(f"{path.name}.torn")
    for k in range(2, 1000):
        if not os.path.lexists(aside):
            break
        aside = path.with_name(f"{path.name}.torn{k}")
    with aside.open("xb") as file:
        file.write(torn)
        file.flush()
        os.fsync(file.fileno())
    return aside


def _placed(temporary: Path, path: Path, descriptor: int) -> int:
    """The file under its name, which must be free, and locked; its descriptor. Raises OSError, then it is closed."""
    try:
        lock(descriptor)
        linked = _linked(temporary, path)
    except OSError:
        os.close(descriptor)
        raise
    if not linked:
        os.close(descriptor)
        if os.path.lexists(path):
            raise FileExistsError
        temporary.rename(path)
        descriptor = _locked(path)
    sync_folder(path)
    return descriptor


def _linked(temporary: Path, path: Path) -> bool:
    """Give the file its name as well: unlike a rename that notices a file which is there. Raises FileExistsError.

    False where files can't have two names, or an open one can't be moved.
    """
    if os.name == "nt":
        return False
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True
