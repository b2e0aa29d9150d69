"""What every word has in common: what it is given, what it answers, how a count or a number is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bptui.commands import wording
from bptui.commands.recording import Recorder
from bptui.commands.registry import CommandError
from bptui.debugger.debugger import Debugger
from bptui.debugger.rows import NotComputedError
from bptui.debugger.view import View
from bptui.engine.checkpoints import MEMORY
from bptui.engine.network import Network
from bptui.explain.folds import Folds
from bptui.files.examples import example_names
from bptui.files.origins import Origin


@dataclass(frozen=True)
class Answer:
    """What a command has to say, line by line; `quit` asks the front end to end, `loaded` that all is new.

    watched  a line for each watch, after a word that moved; a screen shows them elsewhere
    ops      operations that were looked for: a screen goes to the next of them
    """

    lines: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    quit: bool = False
    loaded: bool = False
    ops: tuple[int, ...] = ()


class Context:
    """What words work on: a debugger, and how many digits are shown (None: all).

    origin    what the network was made of
    memory    bytes that checkpoints and losses may take
    recorder  what keeps it in a session's file, or None
    notes     what a person should be told at the beginning
    stopped   whether a person wants what runs to be broken off
    spoken    whether answers are heard rather than seen
    ascii     whether answers are printed without signs that are not ASCII
    answering whether a person sits there, who is told more than a script asks for
    files     whether commands may touch files; where not, only the built-in networks can be opened
    """

    def __init__(self, network: Network, digits: int | None = None, memory: int = MEMORY) -> None:
        self.debugger = Debugger(network, memory)
        self.origin = Origin(network)
        self.digits = digits
        self.recorder: Recorder | None = None
        self.notes: list[str] = []
        self.spoken = False
        self.ascii = False
        self.answering = False
        self.files = True
        self.stopped: Callable[[], bool] = lambda: False
        # What was opened last, and the path into it: `explain 2` goes on from there.
        self.explained: tuple[str, tuple[int, ...]] = ("", ())
        # What was looked for last: `find` alone looks for it again.
        self.sought = ""
        self.folds = Folds()
        # The files that copies were written to: no other is written over.
        self.copied: set[Path] = set()

    def adopt(self, origin: Origin) -> None:
        """The debugger has another network now."""
        self.origin = origin
        if self.recorder is not None:
            self.recorder.loaded(origin)

    def refuse_opening(self, named: str = "") -> None:
        """Raises CommandError where no files may be touched, unless a built-in network is named."""
        if named not in example_names():
            self.refuse_files("of networks only the built-in ones can be opened (open lists them)")

    def refuse_files(self, instead: str) -> None:
        """Raises CommandError where no files may be touched, which says what can be done instead."""
        if not self.files:
            raise CommandError(f"no files here: {instead}")

    @property
    def folder(self) -> Path | None:
        """Where files are looked for, or None where none may be touched."""
        return Path() if self.files else None

    def where(self, view: View) -> Answer:
        """The line of a word that moved, and what there is to say beside."""
        line = wording.where_line(view, self.digits)
        said = [view.message] if view.message else []
        watched = [wording.watch_line(one, self.digits) for one in self.debugger.watched()]
        return Answer((line, *said), tuple(watched))

    def text(self, value: object) -> str:
        """A value as it is printed."""
        return wording.value_text(value, self.digits)


Verb = Callable[[Context, str], Answer]


def count(rest: str) -> int:
    """How often: a whole number from 1 on, 1 where nothing is said. Raises CommandError."""
    if not rest:
        return 1
    if not rest.isdecimal() or len(rest) > 8 or not 1 <= int(rest) <= 10**7:
        raise CommandError(f"{rest[:40]!r} is no count: a whole number from 1 to 10000000")
    return int(rest)


def number(session: Context, text: str) -> float:
    """One number, or an expression of what is there already. Raises CommandError, ExpressionError."""
    try:
        value = np.asarray(session.debugger.evaluate(text))
    except NotComputedError as missing:
        raise CommandError(f"{missing.slot} is not computed here") from None
    if value.size != 1:
        raise CommandError(f"{text[:40]} is not one number")
    return float(value.reshape(()))


def nothing(rest: str) -> None:
    """Refuse what follows a word that takes nothing. Raises CommandError."""
    if rest:
        raise CommandError(f"nothing may follow: {rest[:40]!r}")
