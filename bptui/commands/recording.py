"""Every command that was carried out goes into the session's file, with what it changed, before its answer is shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bptui.debugger.debugger import Debugger
from bptui.engine.fingerprint import digest, fingerprint, listing
from bptui.engine.program import Program
from bptui.engine.timeline import Edit
from bptui.files import origins, sessions
from bptui.files.origins import Origin
from bptui.files.sealing import JournalError
from bptui.files.sessions import DIGEST, MACHINE, PROGRAM, SPEC, SessionFile

# A state of more bytes than this is not digested after every command, but every so many seconds and at the end.
MOST_BYTES = 2**20
SECONDS = 5.0


class Recorder:
    """Keeps one debugger in one session's file, which may be one that can only be read.

    place    the file, or ""
    kept     whether what is done goes there
    trouble  why the last command is not on the disk, or ""
    """

    def __init__(self, file: SessionFile, debugger: Debugger, *, named: bool = True) -> None:
        self._file = file
        self._debugger = debugger
        self._named = named
        self._own: dict[str, Any] = {key: file.folded.keys.get(key) for key in (SPEC, PROGRAM)}
        self._known = file.folded.debugger
        self._first = self._worth()
        self._edits: tuple[Edit, ...] | None = debugger.timeline.edits
        self._due = 0.0
        self.trouble = ""
        self.place = "" if file.path is None else str(file.path)
        self.kept = file.writable

    def loaded(self, origin: Origin) -> None:
        """Another network is debugged from now on."""
        if self._file.path is not None:
            self._own[SPEC] = origins.described(origin, self._file.path.parent)
        self._own[PROGRAM] = listing(self._debugger.program)
        self._edits = None

    def acknowledge(self, text: str) -> None:
        """Put a command on the disk; where that fails, what it did stands and goes there with the next one that can."""
        if not self._file.writable:
            return
        memento = self._debugger.memento()
        changes = self._changes(memento)
        try:
            self._file.append(text, changes)
        except JournalError as error:
            self.trouble = f"not saved: {error}"
        else:
            self.trouble = ""
            self._known = memento
            if changes.get(DIGEST):
                self._edits = self._debugger.timeline.edits

    def close(self, *, in_order: bool = True) -> None:
        """The session is at its end, and its file is left to others; an unnamed one where nothing was done is removed.

        in_order  whether the debugger stands where the last command left it, and not in the middle of one
        """
        if self._file.fresh and not self._named and self._worth() == self._first:
            self._file.abandon()
            self.place = self.trouble = ""
            self.kept = False
            return
        self._due = 0.0
        trouble = self._file.close(self._changes(self._debugger.memento()) if in_order else None)
        if in_order:
            self.trouble = f"not saved: {trouble}" if trouble else ""

    def _changes(self, memento: Mapping[str, Any]) -> dict[str, Any]:
        """What is not on the disk yet."""
        kept = self._file.folded.keys
        own = {key: value for key, value in self._own.items() if value != kept.get(key)}
        return sessions.changed(self._known, memento) | own | self._digest(kept)

    def _worth(self) -> tuple[Any, dict[str, Any]]:
        """What makes a session worth keeping: how far it once went does not."""
        return self._own[SPEC], {key: value for key, value in self._known.items() if not key.startswith("reached/")}

    def _digest(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """The digest's change: taken anew, or gone where it is no longer one of this timeline."""
        if self._is_digested():
            return {}
        now = time.monotonic()
        if _bytes(self._debugger.program) <= MOST_BYTES or now >= self._due:
            place = self._debugger.position
            self._due = now + SECONDS
            return {DIGEST: {"at": str(place), "bits": digest(self._debugger.look(place))}}
        gone = self._edits != self._debugger.timeline.edits and DIGEST in kept
        return {DIGEST: None} if gone else {}

    def _is_digested(self) -> bool:
        """Whether the digest that is kept is that of the present moment."""
        kept = self._file.folded.keys.get(DIGEST)
        here = isinstance(kept, dict) and kept.get("at") == str(self._debugger.position)
        return here and self._edits == self._debugger.timeline.edits


def keys_of(debugger: Debugger, origin: Origin, folder: Path) -> dict[str, Any]:
    """What a session's file begins with; `folder` is where that is to lie."""
    return {
        **{MACHINE + key: value for key, value in fingerprint().items()},
        PROGRAM: listing(debugger.program),
        SPEC: origins.described(origin, folder),
        **debugger.memento(),
    }


def _bytes(program: Program) -> int:
    """The bytes of all slots, roughly."""
    return 8 * sum(slot.size for slot in program.slots.values())
