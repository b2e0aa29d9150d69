"""The words that read and write files, and the one that leaves."""

from __future__ import annotations

from pathlib import Path

from bptui.commands import wording
from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.registry import CommandError
from bptui.explain.folds import Folds
from bptui.files import origins, shelf, weights, writing
from bptui.files.choices import choices
from bptui.files.report import blamed


def save(session: Context, rest: str) -> Answer:
    if not rest:
        raise CommandError("save where? save FILE")
    session.refuse_files("nothing is saved from a browser; copy session puts all that was done on the clipboard")
    state = session.debugger.look(session.debugger.position)
    slots = session.debugger.program.slots
    kept = {name: state.arrays[name] for name, slot in slots.items() if slot.persistent}
    if rest.endswith(".npz"):
        lasting = {name: kept[name] for name in kept if slots[name].kind in ("parameter", "statistic")}
        weights.save_npz(Path(rest), lasting)
        return Answer((f"saved {rest}",))
    writing.save(Path(rest), writing.to_toml(session.debugger.program.network, kept, Path(rest).parent))
    return Answer((f"saved {rest}",))


def load(session: Context, rest: str) -> Answer:
    if not rest:
        raise CommandError("load what? load SPEC")
    return _opened(session, rest)


def open_(session: Context, rest: str) -> Answer:
    if rest:
        return _opened(session, rest)
    found = choices(session.folder)
    wide = max(len(choice.named) for choice in found)
    return Answer(tuple(f"{choice.named:<{wide}}  {choice.title or choice.group}".rstrip() for choice in found))


def _opened(session: Context, rest: str) -> Answer:
    session.refuse_opening(rest)
    origin = origins.load(rest)
    with blamed(rest):
        view = session.debugger.load(origin.network)
        session.folds = Folds()
    session.adopt(origin)
    if session.recorder is not None and origin.path:
        shelf.note_opened(Path(origin.path))
    return Answer((f"loaded {origin.network.name}", wording.where_line(view, session.digits)), loaded=True)


def quit_(session: Context, rest: str) -> Answer:
    nothing(rest)
    return Answer(quit=True)


VERBS: dict[str, Verb] = {
    "save": save,
    "load": load,
    "open": open_,
    "quit": quit_,
}
