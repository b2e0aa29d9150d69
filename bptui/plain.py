"""The line-oriented front end: commands in, lines out. Everything works without a screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bptui.commands import ending
from bptui.commands.answer import Answer
from bptui.commands.session import Session
from bptui.commands.wording import where_line
from bptui.files.text import safe

PROMPT = "bptui> "


def talk(session: Session, stream: BinaryIO, *, terminal: bool) -> int:
    """Carry out the lines of a terminal or a pipe; 2 if a piped command was bad, 128 + a signal that ended it."""
    return ending.in_order(session, lambda: _talk(session, stream, terminal=terminal))


def _talk(session: Session, stream: BinaryIO, *, terminal: bool) -> int:
    status = 0
    _note(session)
    if terminal:
        network = session.debugger.program.network
        _say(safe(f"{network.name}: {network.title or 'a network'}. help lists the commands, quit leaves."))
        _say(where_line(session.debugger.view(), session.digits))
    for line in _lines(stream, PROMPT if terminal else ""):
        answer = _carry_out(session, line)
        if answer is None or session.unsaved:
            status = 0 if terminal else 2
        if answer is not None and answer.quit:
            break
    return status


def script(session: Session, path: str) -> int:
    """Carry out the lines of a file; the first bad one ends it with 2. Raises OSError if it can't be read."""
    return ending.in_order(session, lambda: _script(session, path))


def _script(session: Session, path: str) -> int:
    _note(session)
    for line in Path(path).read_bytes().splitlines():
        answer = _carry_out(session, _decoded(line))
        if answer is None or session.unsaved:
            return 2
        if answer.quit:
            break
    return 0


def _carry_out(session: Session, line: str) -> Answer | None:
    """One line's answer, printed; None if it was a bad command, which is said on standard error."""
    try:
        answer = session.execute(line)
    except (ValueError, OSError) as error:
        _complain(str(error) or type(error).__name__)
        return None
    for text in (*answer.lines, *answer.watched):
        _say(safe(text))
    if session.unsaved:
        _complain(session.unsaved)
    return answer


def _note(session: Session) -> None:
    """What is to be said about the session, beside what its commands answer."""
    for text in session.notes:
        print(f"note: {safe(text)}", file=sys.stderr, flush=True)


def _complain(text: str) -> None:
    sys.stdout.flush()
    for line in text.splitlines():
        print(f"error: {safe(line)}", file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(text, flush=True)


def _lines(stream: BinaryIO, prompt: str) -> Iterator[str]:
    while True:
        if prompt:
            print(prompt, end="", flush=True)
        line = stream.readline()
        if not line:
            return
        yield _decoded(line)


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").strip("\r\n\ufeff ")
