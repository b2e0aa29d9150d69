"""Where sessions without a name of their own are kept, how the last one is found again, and what was opened lately."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import platformdirs

from bptui.files import journal
from bptui.files.sealing import JournalError
from bptui.files.text import safe
from bptui.files.whole import replace_file

MOST = 50
# So many specs are remembered as opened lately, and no more bytes of that list are read.
_LATELY, _BYTES = 20, 2**16
_SESSION, _NAMED = ".session", ".named"


def folder() -> Path:
    """The folder of unnamed sessions, as the system has it: $XDG_STATE_HOME, ~/.local/state and the like."""
    return platformdirs.user_state_path("bptui", appauthor=False) / "sessions"


def fresh(name: str) -> Path:
    """A path for a new session of a network of that name; of the old ones only so many are kept.

    Raises JournalError where there can be no such folder.
    """
    home = folder()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _thin_out(home)
    except OSError as error:
        raise JournalError(f"{safe(str(home))}: can't be written: {error.strerror}") from None
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:30] or "session"
    now = datetime.now().astimezone()
    return home / f"{now:%Y-%m-%d-%H%M%S}-{slug}-{secrets.token_hex(2)}{_SESSION}"


def remember(path: Path) -> None:
    """Note where a session with a name of its own was open, for who asks for the last one."""
    home = folder()
    if path.parent == home:
        return
    mark = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / f"{mark}{_NAMED}").write_bytes(os.fsencode(path.absolute()))


def note_opened(path: Path) -> None:
    """Note that a spec's file was opened; where that can't be written, nobody is told."""
    known = [path.absolute(), *(other for other in lately() if other != path.absolute())]
    with contextlib.suppress(OSError, ValueError):
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(_list(), b"\n".join(os.fsencode(one) for one in known[:_LATELY]))


def lately() -> list[Path]:
    """The specs opened lately that are still there, the last first."""
    with contextlib.suppress(OSError, ValueError):
        with _list().open("rb") as file:
            lines = file.read(_BYTES).split(b"\n")
        return [path for path in (Path(os.fsdecode(line)) for line in lines[:_LATELY] if line) if path.is_file()]
    return []


def _list() -> Path:
    return folder().parent / "opened"


def latest() -> Iterator[Path]:
    """All sessions that are known, the one written last first."""
    home = folder()
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        for path in home.iterdir():
            session = path if path.suffix == _SESSION else _pointed(path)
            if session is not None and journal.is_journal(session):
                with contextlib.suppress(OSError):  # it may have gone since
                    found.append((session.stat().st_mtime, session))
    return (path for _, path in sorted(found, reverse=True))


def _pointed(path: Path) -> Path | None:
    """The session that a note names."""
    if path.suffix != _NAMED:
        return None
    with contextlib.suppress(OSError, ValueError):
        return Path(os.fsdecode(path.read_bytes()[:5000]))
    return None


def _thin_out(home: Path) -> None:
    """Remove the oldest sessions and notes beyond the number kept, but none that is open."""
    for suffix in (_SESSION, _NAMED):
        with_times = [(path.stat().st_mtime, path) for path in home.iterdir() if path.suffix == suffix]
        for _, path in sorted(with_times, reverse=True)[MOST - 1 :]:
            if suffix == _NAMED:
                path.unlink(missing_ok=True)
            else:
                _remove(path)


def _remove(path: Path) -> None:
    """Remove a session unless somebody has it open; one that can't be read is left for a person to look at."""
    with contextlib.suppress(JournalError, OSError):
        kept = journal.reopen(path)
        path.unlink(missing_ok=True)
        kept.close()
