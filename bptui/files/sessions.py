"""A session's file: the spec, the machine it ran on, and what the debugger has to remember, one key a line.

Behind these stand the commands carried out since, each with the keys that it changed, as a journal; reading is folding
the lines. Closing the session writes the keys anew, so that what is left is small and can be compared.

    machine/numpy "2.4.6"
    spec {"named": "my.toml", …}
    | lr = 0.05
    position "0:2"
    edit/1 {"at": "0:2", "slot": "W2", "cells": [0], "values": [0.2], "text": "set w5 = 0.2"}
    saved {"lines": 5, "commands": 17}
    18 "next" {"position": "0:3"}
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bptui.files import journal
from bptui.files.journal import Journal
from bptui.files.sealing import FIRST, MAX_BYTES, Content, DamagedError, JournalError, seal
from bptui.files.text import safe

# Keys of the file itself; all others are the debugger's.
OPENED, SPEC, MACHINE, DIGEST, PROGRAM = "opened", "spec", "machine/", "digest", "program"
_OWN = (OPENED, SPEC, DIGEST, PROGRAM)
_SAVED, _TEXT = "saved", "|"
# A journal is written anew when it has grown by this, and to so many times what it was; or by so many commands.
_GROWN, _TIMES, _COMMANDS = 2**20, 8, 20_000
_DECODER = json.JSONDecoder()
_KEY = re.compile(r"[^\W\d]\S*")
_NUMBERS = re.compile(r"(\d+)")

Keys = dict[str, Any]


class MalformedError(JournalError):
    """Lines that are whole, and yet no session."""


@dataclass
class Folded:
    """What the lines of a session come to: its keys, and how many commands were carried out."""

    keys: Keys = field(default_factory=dict)
    commands: int = 0

    @property
    def debugger(self) -> Keys:
        """The keys that are the debugger's."""
        return {key: value for key, value in self.keys.items() if not _is_own(key)}

    def take(self, changes: Mapping[str, Any]) -> None:
        """Take over changed keys; None means that a key is gone."""
        for key, value in changes.items():
            if value is None:
                self.keys.pop(key, None)
            else:
                self.keys[key] = value


def _is_key(text: str) -> bool:
    """Whether a text can stand at the beginning of a line and be told from all else that does."""
    return bool(_KEY.fullmatch(text)) and text != _SAVED


def _is_own(key: str) -> bool:
    return key in _OWN or key.startswith(MACHINE)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Keys:
    """The keys that are not as before, with their values, those that are gone with None."""
    gone = dict.fromkeys(before.keys() - after.keys())
    return {key: value for key, value in after.items() if key not in before or not _same(before[key], value)} | gone


def _same(a: Any, b: Any) -> bool:
    """Whether two values are written in the same way: 0.0 and -0.0 are equal and not the same."""
    return a is b or (a == b and repr(a) == repr(b))


# Lines


def lines_of(folded: Folded) -> list[str]:
    """The lines of a session with no commands to come: the same keys give the same lines."""
    keys = dict(folded.keys)
    spec = dict(keys.pop(SPEC, {}))
    text = spec.pop("text", None)
    first = [key for key in sorted(keys, key=_natural) if _is_own(key)]
    rest = [key for key in sorted(keys, key=_natural) if not _is_own(key)]
    lines = [f"{key} {_json(keys[key])}" for key in first]
    lines.append(f"{SPEC} {_json(spec)}")
    lines += [f"{_TEXT} {line}" for line in ([] if text is None else text.split("\n"))]
    lines += [f"{key} {_json(keys[key])}" for key in rest]
    return [*lines, f"{_SAVED} {_json({'lines': len(lines), 'commands': folded.commands})}"]


def text(keys: Mapping[str, Any]) -> str:
    """A session of these keys as the text of a file that can be opened."""
    lines = lines_of(Folded(dict(keys)))
    return b"".join([FIRST, *map(seal, lines)]).decode("utf-8", "surrogatepass")


def command_line(number: int, text: str, changes: Mapping[str, Any]) -> str:
    """The line of a command that was carried out."""
    return f"{number} {_json(text)} {_json(changes)}"


def fold(held: Content, shown: str) -> Folded:
    """What the lines come to. Raises JournalError where they are no session."""
    folded, text = Folded(), []
    lines = iter(enumerate(held.lines, 2))
    for number, line in lines:
        key, _, rest = line.partition(" ")
        if key == _TEXT:
            text.append(rest)
        elif key == _SAVED:
            _check_count(rest, number, folded, shown)
            break
        elif not _is_key(key) or key in folded.keys:
            raise _malformed(shown, number)
        else:
            folded.keys[key] = _value(rest, number, shown)
    else:
        raise MalformedError(f"{shown}: this session ends before it has begun: its first lines are missing")
    if text and isinstance(folded.keys.get(SPEC), dict):
        folded.keys[SPEC]["text"] = "\n".join(text)
    for number, line in lines:
        _take_command(folded, line, number, shown)
    if not isinstance(folded.keys.get(SPEC), dict):
        raise MalformedError(f"{shown}: this session does not say what it is a session of")
    return folded


def _check_count(rest: str, number: int, folded: Folded, shown: str) -> None:
    """That no line before `saved` is missing."""
    saved = _value(rest, number, shown)
    lines, commands = (saved.get("lines"), saved.get("commands")) if isinstance(saved, dict) else (None, None)
    if type(lines) is not int or type(commands) is not int or commands < 0:
        raise _malformed(shown, number)
    if lines != number - 2:
        raise MalformedError(f"{shown}:{number}: {lines} lines should stand before this one, not {number - 2}")
    folded.commands = commands


def _take_command(folded: Folded, line: str, number: int, shown: str) -> None:
    serial, _, rest = line.partition(" ")
    if serial != str(folded.commands + 1):
        raise MalformedError(f"{shown}:{number}: command {folded.commands + 1} is missing here")
    try:
        text, end = _DECODER.raw_decode(rest)
        changes = json.loads(rest[end:])
    except (ValueError, RecursionError):
        raise _malformed(shown, number) from None
    if not isinstance(text, str) or not isinstance(changes, dict) or not all(map(_is_key, changes)):
        raise _malformed(shown, number)
    folded.take(changes)
    folded.commands += 1


def _value(text: str, number: int, shown: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _malformed(shown, number) from None


def _malformed(shown: str, number: int) -> MalformedError:
    return MalformedError(f"{shown}:{number}: this is no line of a session")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _natural(key: str) -> list[tuple[int, str]]:
    """`edit/2` before `edit/10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(key)]


# Files


class SessionFile:
    """A session's file that this process has open.

    notes  what a person should be told about it
    fresh  whether it was made by this process
    """

    def __init__(self, kept: Journal | None, folded: Folded, notes: Iterable[str] = (), *, fresh: bool = False) -> None:
        self._journal = kept
        self.folded = folded
        self.fresh = fresh
        self.notes = list(notes)
        self._due = self._due_command = 0
        self._set_due()

    @property
    def writable(self) -> bool:
        """Whether commands are kept; a session that may only be read is opened all the same."""
        return self._journal is not None

    @property
    def path(self) -> Path | None:
        """Where it is kept."""
        return None if self._journal is None else self._journal.path

    def append(self, text: str, changes: Mapping[str, Any]) -> None:
        """Put a command on the disk with what it has changed. Raises JournalError; then nothing is kept of it."""
        assert self._journal is not None
        self._journal.append(command_line(self.folded.commands + 1, text, changes))
        self.folded.commands += 1
        self.folded.take(changes)
        if self._journal.length > self._due or self.folded.commands >= self._due_command:
            self._compact()
            self._set_due()

    def close(self, changes: Mapping[str, Any] | None = None) -> str:
        """Write the keys anew, some changed, without the commands that led to them, and leave the file to others.

        "", or why the changes could not be kept; all that was acknowledged is kept in any case.
        """
        trouble = ""
        if self._journal is not None:
            try:
                if changes:
                    self.append("", changes)
            except JournalError as error:
                trouble = str(error)
                self.folded.take(changes or {})  # they may fit where a line more did not
            self.folded.keys.pop(OPENED, None)
            trouble = "" if self._compact() else trouble
        self.leave()
        return trouble

    def leave(self) -> None:
        """Leave the file to others as it is."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def abandon(self) -> None:
        """Take the file away."""
        if self._journal is not None:
            with contextlib.suppress(OSError):
                self._journal.path.unlink()
        self.leave()

    def _compact(self) -> bool:
        """Whether the keys could be written anew; if not, as on a full disk, the lines that are there say the same."""
        assert self._journal is not None
        try:
            self._journal.replace(lines_of(self.folded))
        except JournalError:
            return False
        return True

    def _set_due(self) -> None:
        """At what length the journal is to be written anew: far off, but before it is too large."""
        length = 0 if self._journal is None else self._journal.length
        self._due_command = self.folded.commands + _COMMANDS
        self._due = length + min(max(_GROWN, _TIMES * length), (MAX_BYTES - length) // 2)


def create(path: Path, keys: Mapping[str, Any]) -> SessionFile:
    """A new session's file. Raises JournalError, also where there is a file already."""
    folded = Folded({**keys, OPENED: opened()})
    return SessionFile(journal.create(path, lines_of(folded)), folded, fresh=True)


def reopen(path: Path) -> SessionFile:
    """A session's file with all that was acknowledged. Raises JournalError; then nothing was changed."""
    shown = safe(str(path))
    try:
        return _reopened(path, shown)
    except journal.ReadOnlyError:
        held = journal.look(path)
        notes = ["this session can only be read: what you do here is not saved"]
        if held.torn:
            notes.append(f"its last line is torn ({len(held.torn)} bytes); everything before it is here")
        return SessionFile(None, fold(held, shown), notes)
    except journal.BusyError as busy:
        raise journal.BusyError(f"{busy}{_who(path)}") from None
    except DamagedError as damage:
        raise JournalError(f"{damage}{_mend(damage, path)}") from None


def _reopened(path: Path, shown: str) -> SessionFile:
    kept = journal.reopen(path)
    try:
        folded = fold(kept.held, shown)
        torn = kept.put_aside()
    except JournalError:
        kept.close()
        raise
    notes = []
    if torn:
        notes.append(f"its last line was torn, and is kept in {safe(torn)}; everything before it is here")
    if OPENED in folded.keys:
        notes.append("it was not closed in order; every command that was answered is here")
    return SessionFile(kept, folded, notes)


def look(path: Path) -> Folded:
    """What a session's file comes to, which another process may have open. Raises JournalError."""
    return fold(journal.look(path), safe(str(path)))


def _mend(damage: DamagedError, path: Path) -> str:
    """How to open what came before the damage, where that is a session."""
    with contextlib.suppress(JournalError):
        fold(Content(damage.before, 0), "")
        return f"; what came before can be opened: head -n {damage.last} {shlex.quote(safe(str(path)))} > mended"
    return ""


def opened() -> dict[str, Any]:
    """Who has the file open, for those who find it locked: the value of OPENED."""
    now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    return {"process": os.getpid(), "host": socket.gethostname(), "since": now}


def _who(path: Path) -> str:
    with contextlib.suppress(JournalError):
        who = look(path).keys.get(OPENED)
        if isinstance(who, dict):
            return safe(f": process {who.get('process')} on {who.get('host')}, since {who.get('since')}")
    return ""
