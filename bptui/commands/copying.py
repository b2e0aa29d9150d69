"""The word that gives values, formulas and the session as text for elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bptui.commands import formats, speaking
from bptui.commands.answer import Answer, Context, Verb
from bptui.commands.recording import keys_of
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.debugger import expressions
from bptui.debugger.rows import NotComputedError
from bptui.engine.network import nearest
from bptui.engine.player import Moment
from bptui.explain.formulas import Formula, formula
from bptui.explain.latex import aligned
from bptui.explain.spoken.signs import words
from bptui.files import copies, sessions

FORMULA, SESSION, SCREEN = "formula", "session", "screen"
_ASKED = re.compile(r"(?P<what>.*?)(?:\s+as\s+(?P<form>\S+))?(?:\s+to\s+(?P<file>\S.*))?", re.DOTALL)
_SUFFIXES = {suffix: form for form, suffix in formats.FORMATS.items()}
# What else can be copied, in which formats, the first unless another is wanted.
_OTHERS = {FORMULA: ("latex", "value"), SESSION: ("session",), SCREEN: ("svg",)}
SUFFIXES = {**formats.FORMATS, "session": ".session", "svg": ".svg"}


@dataclass(frozen=True)
class Asked:
    """What somebody wants copied, in which format, and the file that they name, or ""."""

    what: str
    form: str
    file: str

    @property
    def words(self) -> str:
        """How it is called when it is told where it went."""
        return self.what if self.form in ("value", "svg", "session") else f"{self.what} as {self.form}"


def asked(session: Context, rest: str) -> Asked:
    """`W1 as csv to FILE`, read. Raises CommandError."""
    found = _ASKED.fullmatch(f" {rest}")
    what, form, file = (part.strip() for part in found.groups("")) if found else ("", "", "")
    if not what:
        raise CommandError("copy what? copy W1 as csv, copy formula, copy session")
    forms = _forms(session, what)
    form = {"repr": "value", "text": forms[0]}.get(form, form)
    if form and form not in forms:
        hint = f"{nearest(form, forms)}: {', '.join(forms)}"
        raise CommandError(f"{what[:40]} can't be copied as {form[:40]!r}{hint}")
    ending = _SUFFIXES.get(Path(file).suffix, "")
    return Asked(what, form or (ending if ending in forms else forms[0]), file)


def _forms(session: Context, what: str) -> tuple[str, ...]:
    """The formats that there are; a label goes before a word."""
    known = what in session.debugger.program.targets
    return tuple(formats.FORMATS) if known else _OTHERS.get(what.split(maxsplit=1)[0], tuple(formats.FORMATS))


def text_of(session: Context, wanted: Asked) -> str:
    """The text. Raises ValueError with one line."""
    if wanted.form == "session":
        if session.origin.source is None:
            raise CommandError("this network was made by a program: only one that has a spec can be kept as a session")
        return sessions.text(keys_of(session.debugger, session.origin, Path(wanted.file).absolute().parent))
    if _forms(session, wanted.what) == _OTHERS[FORMULA]:
        return formula_text(_formula(session, wanted.what.partition(" ")[2]), wanted.form)
    if wanted.form == "svg":
        raise CommandError("only the app has a screen to copy")
    return formats.written(_value(session, wanted.what), wanted.form)


def formula_text(made: Formula, form: str) -> str:
    """A formula as LaTeX, or on a line."""
    return aligned(made) if form == "latex" else made.line


def shown_formula(session: Context, moment: Moment, cell: int) -> Formula:
    """The formula of a cell as it was computed."""
    return formula(session.debugger.program, moment, cell, session.digits)


def _formula(session: Context, name: str) -> Formula:
    """The formula of what wrote a cell, or of what was done last."""
    debugger = session.debugger
    if not name:
        view = debugger.view()
        if view.moment is None:
            raise CommandError("nothing has been done yet: next does the first operation")
        return shown_formula(session, view.moment, view.changed.start)
    target = expressions.parse_target(debugger.program, name)
    state = debugger.look(debugger.position)
    there = target.cells[0] < state.computed[target.slot] if target.cells else False
    writer = debugger.writer(target.slot, target.cells[0]) if there else None
    if writer is None:
        raise CommandError(f"no operation has written {name[:40]} yet")
    return shown_formula(session, debugger.moment(writer[1], writer[0]), target.cells[0])


def _value(session: Context, what: str) -> object:
    try:
        return session.debugger.evaluate(what)
    except NotComputedError as missing:
        raise CommandError(f"{missing.slot} is not computed here: {session.debugger.writing(missing.slot)}") from None


def written(session: Context, wanted: Asked, text: str) -> str:
    """Put the text in the file that was named; where it is, in words. Raises CommandError, FileError."""
    session.refuse_files(f"copy {wanted.words} without `to FILE` puts it on the clipboard")
    copies.write(Path(wanted.file), text, session.copied)
    return f"{wanted.words} is in {wanted.file}"


def copy(session: Context, rest: str) -> Answer:
    """A text, or the file that it was written to."""
    wanted = asked(session, rest)
    text = text_of(session, wanted)
    if wanted.file:
        return Answer((written(session, wanted, text),))
    first, *more = text.splitlines()
    return Answer((Told(first, lambda: _said(session, wanted)), *(Told(line, tuple) for line in more)))


def _said(session: Context, wanted: Asked) -> Iterator[str]:
    """Who hears it has no use for the signs of a format."""
    if wanted.form == "session":
        yield "A session is a file to open: copy session to FILE writes it"
    elif _forms(session, wanted.what) == _OTHERS[FORMULA]:
        yield words(_formula(session, wanted.what.partition(" ")[2]).line)
    else:
        yield from speaking.value(words(wanted.what), np.asarray(_value(session, wanted.what)), session.digits)


VERBS: dict[str, Verb] = {"copy": copy}
