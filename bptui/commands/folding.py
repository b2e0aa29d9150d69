"""The word that folds parts of the program."""

from __future__ import annotations

from bptui.commands.answer import Answer, Context, Verb
from bptui.commands.registry import CommandError
from bptui.engine.network import nearest
from bptui.explain.folds import Folds, foldable
from bptui.explain.parts import named, names, path, way


def fold(session: Context, rest: str) -> Answer:
    """All, none, or what is called so; without a name as it was at the beginning."""
    program = session.debugger.program
    if not foldable(program):
        raise CommandError(f"a program of {len(program)} operations is short enough to be seen whole")
    if not rest:
        session.folds = Folds()
        return Answer(("folded but for where one is",))
    if rest in ("all", "none"):
        session.folds = Folds(every=rest == "none")
        return Answer(("all is folded" if rest == "all" else "nothing is folded",))
    found = named(program, rest)
    if not found:
        raise CommandError(f"no part of the program is called {rest[:40]!r}{nearest(rest, names(program))}")
    view = session.debugger.view()
    opened = session.folds.opened(program, view.here)
    closing = any(part.key in opened for part in found)
    changed = found if closing else [outer for part in found for outer in way(program, part)]
    session.folds = session.folds.put({part.key: not closing for part in changed})
    return Answer((f"{'folded' if closing else 'open'}: {', '.join(path(program, part) for part in found)}",))


VERBS: dict[str, Verb] = {"fold": fold}
