"""The line-oriented front end: commands in, lines out. Everything works without a screen."""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
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
    interrupts = Interrupts()
    if terminal:
        session.stopped = interrupts.listen()
        network = session.debugger.program.network
        _say(safe(f"{network.name}: {network.title or 'a network'}. help lists the commands, quit leaves."))
        _say(where_line(session.debugger.view(), session.digits))
    for line in _typed(interrupts) if terminal else _lines(stream):
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


def _lines(stream: BinaryIO) -> Iterator[str]:
    while line := stream.readline():
        yield _decoded(line)


def _typed(interrupts: Interrupts) -> Iterator[str]:
    """What a person types, who can go back in the line and through those before where Python has readline."""
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    while True:
        try:
            with interrupts.waiting():
                line = input(PROMPT)
        except EOFError:
            return
        interrupts.asked = False
        yield line.strip("\ufeff ")


class Interrupts:
    """Ctrl+C at a terminal: it breaks off what runs; where nothing does, or pressed again, it ends the program.

    asked  whether it was pressed since the last line
    """

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False

    def listen(self) -> Callable[[], bool]:
        """From now on; what says whether it was pressed."""
        if not ending.ignored(signal.SIGINT):
            signal.signal(signal.SIGINT, self._pressed)
        return lambda: self.asked

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While a line is waited for."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def _pressed(self, number: int, _: FrameType | None) -> None:
        del number
        if self._waiting or self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").strip("\r\n\ufeff ")
