"""The line-oriented front end: commands in, lines out. Everything works without a screen."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from types import FrameType
from typing import BinaryIO, TextIO

from bptui.commands import ending, prompting, telling
from bptui.commands.answer import Answer
from bptui.commands.following import edits, sentence
from bptui.commands.session import Session
from bptui.commands.wording import where_line
from bptui.explain.signs import Signs
from bptui.files.text import safe

PROMPT = "bptui> "
SPOKEN_PROMPT = "command: "


def talk(session: Session) -> int:
    """Carry out what a person types at a terminal; 128 + a signal that ended it."""
    return ending.in_order(session, lambda: _talk(session))


def _talk(session: Session) -> int:
    _note(session)
    session.answering = True
    interrupts = Interrupts()
    session.stopped = interrupts.listen()
    network = session.debugger.program.network
    welcome = f"{network.name}: {network.title or 'a network'}. help lists the commands, quit leaves."
    _tell(session, (welcome, where_line(session.debugger.view(), session.digits)))
    _each(session, _typed(session, interrupts))
    return 0


def pipe(session: Session, stream: BinaryIO) -> int:
    """Carry out the lines of a pipe; 2 if one was bad, 128 + a signal that ended it."""
    return ending.in_order(session, lambda: _pipe(session, stream))


def _pipe(session: Session, stream: BinaryIO) -> int:
    _note(session)
    return 0 if _each(session, (_decoded(line) for line in iter(stream.readline, b""))) else 2


def _each(session: Session, lines: Iterable[str]) -> bool:
    """Carry out lines as far as the one that quits; whether all were good and are saved."""
    good = True
    for line in lines:
        answer = _carry_out(session, line)
        good = good and answer is not None and not session.unsaved
        if answer is not None and answer.quit:
            break
    return good


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
    line = telling.typed(line) if session.spoken else line
    told = edits(line) and (session.spoken or session.answering)
    before = session.debugger.view() if told else None
    try:
        answer = session.execute(line)
    except (ValueError, OSError) as error:
        _complain(session, str(error) or type(error).__name__)
        return None
    said = [sentence(session, before)] if before is not None else []
    _tell(session, (*answer.lines, *filter(None, said), *answer.watched))
    if session.unsaved:
        _complain(session, session.unsaved)
    return answer


def _note(session: Session) -> None:
    """What is to be said about the session, beside what its commands answer."""
    _tell(session, [f"note: {text}" for text in session.notes], sys.stderr)


def _complain(session: Session, text: str) -> None:
    sys.stdout.flush()
    as_seen = (f"error: {safe(line)}" for line in text.splitlines())
    _print(session, _fitted(session, telling.complaints(text)) if session.spoken else as_seen, sys.stderr)


def _tell(session: Session, lines: Sequence[str], stream: TextIO | None = None) -> None:
    """Lines as they are, or each as the sentences that are to be heard; those no terminal breaks within a word."""
    shown = _fitted(session, telling.sentences(lines)) if session.spoken else map(safe, lines)
    _print(session, shown, stream or sys.stdout)


def _print(session: Session, lines: Iterable[str], stream: TextIO) -> None:
    signs = Signs()
    for line in lines:
        print(signs.text(line) if session.ascii else line, file=stream, flush=True)


def _fitted(session: Session, said: Iterable[str]) -> Iterator[str]:
    """Sentences over as many lines as a terminal needs; a pipe has each on one."""
    columns = max(20, shutil.get_terminal_size().columns - 1)
    for line in said:
        yield from wrap(line, columns, break_on_hyphens=False) if session.answering else [line]


def _typed(session: Session, interrupts: Interrupts) -> Iterator[str]:
    """What a person types, with Tab and the lines before where Python has readline."""
    prompting.listen(session)
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    while True:
        try:
            line = input(SPOKEN_PROMPT if session.spoken else PROMPT).strip("\ufeff ")
        except EOFError:
            return
        session.history.add(line)
        interrupts.begin(heeded=session.breakable(line))
        yield line
        interrupts.begin(heeded=False)


class Interrupts:
    """Ctrl+C at a terminal: it breaks off what can be broken off; else, or pressed again, it ends the program.

    asked   whether it was pressed since the last line
    heeded  whether what is carried out looks whether it was
    """

    def __init__(self) -> None:
        self.asked = self.heeded = False

    def listen(self) -> Callable[[], bool]:
        """From now on; what says whether it was pressed."""
        if not ending.ignored(signal.SIGINT):
            signal.signal(signal.SIGINT, self._pressed)
        return lambda: self.asked

    def begin(self, *, heeded: bool) -> None:
        """Something else; what was asked for before was not for that."""
        self.asked, self.heeded = False, heeded

    def _pressed(self, number: int, _: FrameType | None) -> None:
        del number
        if self.asked or not self.heeded:
            raise KeyboardInterrupt
        self.asked = True


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").strip("\r\n\ufeff ")
