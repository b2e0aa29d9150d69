"""A watch over code that is given hostile input: what it costs, and whether it does anything but read and compute."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The engine's own generated code; nothing else may be compiled and run while a file or an expression is looked at.
_GENERATED = "<bptui program>"
# What Python tells of when code is run, loaded or made, when something leaves the process, or when a file is changed.
_DEEDS = (
    "code.", "ctypes.", "marshal.", "os.chdir", "os.chmod", "os.exec", "os.fork", "os.kill", "os.link", "os.mkdir",
    "os.posix_spawn", "os.putenv", "os.remove", "os.rename", "os.rmdir", "os.spawn", "os.symlink", "os.system",
    "os.truncate", "os.unsetenv", "os.utime", "pickle.", "pty.", "shutil.", "socket.", "subprocess.", "sys.set",
    "tempfile.", "urllib.", "webbrowser.", "builtins.input", "import",
)  # fmt: skip
# Asks the system for its own name, and nobody else.
_HARMLESS = ("socket.gethostname",)
_WRITING = re.compile(r"[wax+]")

CLEAR_REFS = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")


@dataclass
class Seen:
    """What a stretch of code took and did.

    seconds    of processor time, so that a busy machine does not look like a slow program
    megabytes  that resident memory grew by at most, for however short a time; 0 where the system does not tell
    deeds      what was run, loaded, sent or changed
    """

    seconds: float = 0.0
    megabytes: float = 0.0
    deeds: list[str] = field(default_factory=list)


_watches: list[Seen] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watches and (deed := _deed(event, arguments)):
        _watches[-1].deeds.append(deed)


def _deed(event: str, arguments: tuple[Any, ...]) -> str:
    """What an audit event tells of, or nothing where it is harmless."""
    if event == "exec":
        name = getattr(arguments[0], "co_filename", "?")
        return "" if name == _GENERATED else f"exec {name}"
    if event == "open":
        path, mode = arguments[:2]
        changes = isinstance(mode, str) and _WRITING.search(mode) and str(path) != str(CLEAR_REFS)
        return f"open {path} {mode}" if changes else ""
    return f"{event} {arguments!r:.300}" if event.startswith(_DEEDS) and event not in _HARMLESS else ""


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[Seen]:
    """Watch what happens within; the answer is complete afterwards."""
    seen = Seen()
    before = _reset_peak()
    _watches.append(seen)
    begun = time.process_time()
    try:
        yield seen
    finally:
        seen.seconds = time.process_time() - begun
        _watches.remove(seen)
        seen.megabytes = max(0.0, (_kilobytes("VmHWM") - before) / 1024)


def _reset_peak() -> int:
    """Resident kilobytes now, from which on the peak is taken; Linux alone can be asked for that."""
    if not CLEAR_REFS.exists():
        return 0
    CLEAR_REFS.write_text("5")
    return _kilobytes("VmRSS")


def _kilobytes(key: str) -> int:
    if not STATUS.exists():
        return 0
    found = re.search(rf"{key}:\s+(\d+)", STATUS.read_text())
    return int(found[1]) if found else 0
