"""Sessions begun, opened again and found again; and what a person should know about one that was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bptui.commands.recording import Recorder, keys_of
from bptui.commands.session import Session
from bptui.engine.checkpoints import MEMORY
from bptui.engine.fingerprint import differences, digest, fingerprint, listing
from bptui.engine.network import Network
from bptui.engine.timeline import PositionError, parse
from bptui.files import journal, origins, sessions, shelf
from bptui.files.examples import example_names
from bptui.files.origins import Origin
from bptui.files.report import SpecError
from bptui.files.sealing import JournalError
from bptui.files.sessions import DIGEST, MACHINE, OPENED, PROGRAM, SPEC, SessionFile
from bptui.files.text import safe

DEFAULT = "article"


@dataclass(frozen=True)
class Manner:
    """How a session is worked in, whatever is in it.

    digits  those that are shown (None: all)
    memory  bytes for checkpoints and losses
    spoken  answers are heard, not seen
    ascii   plain mode prints no sign but ASCII
    files   commands may touch files
    """

    digits: int | None = None
    memory: int = MEMORY
    spoken: bool = False
    ascii: bool = False
    files: bool = True

    def session(self, origin: Origin) -> Session:
        """A session that is not kept yet."""
        session = Session(origin.network, self.digits, self.memory)
        session.origin = origin
        session.spoken, session.ascii, session.files = self.spoken, self.ascii, self.files
        return session


USUAL = Manner()


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    named     an example, a spec or a session's file; "" where none is said
    file      where the session is to be kept, or "" for no place in particular
    keep      whether it is kept then, among those without a name
    resume    the last session is wanted
    remember  whether a session with a name is to be found again as the last one
    """

    named: str = ""
    file: str = ""
    keep: bool = False
    resume: bool = False
    manner: Manner = USUAL
    remember: bool = False

    @property
    def is_session(self) -> bool:
        """Whether what is named is a session's file."""
        return self.named not in example_names() and journal.is_journal(self.named)


def check(request: Request) -> None:
    """Find what is wrong with the spec, without opening anything. Raises SpecError."""
    if not request.resume and not request.is_session:
        origins.load(request.named or DEFAULT)


def opened(request: Request) -> Session:
    """The session that was asked for. Raises JournalError, SpecError; then nothing was written."""
    session = _opened(request)
    if request.remember and session.recorder is not None and session.recorder.place:
        shelf.remember(Path(session.recorder.place))
    if request.remember and session.origin.path:
        shelf.note_opened(Path(session.origin.path))
    return session


def _opened(request: Request) -> Session:
    if not request.manner.files and (request.resume or request.file or request.is_session):
        raise JournalError("what is served is a network, no session")
    if request.resume:
        return resume(request.manner)
    if request.is_session:
        if request.file:
            raise JournalError(
                f"{safe(request.named)}: it is a session already, and is kept where it is: leave --session out"
            )
        return reopen(Path(request.named), request.manner)
    if request.file and journal.is_journal(request.file):
        return _continued(request)
    origin = origins.load(request.named or DEFAULT)
    if request.file:
        return begin(origin, Path(request.file), request.manner)
    return unnamed(origin, request.manner) if request.keep else request.manner.session(origin)


def begin(origin: Origin, path: Path, manner: Manner = USUAL, *, named: bool = True) -> Session:
    """A new session in a new file. Raises JournalError."""
    session = manner.session(origin)
    keys = keys_of(session.debugger, origin, path.absolute().parent)
    session.recorder = Recorder(sessions.create(path, keys), session.debugger, named=named)
    return session


def reopen(path: Path, manner: Manner = USUAL) -> Session:
    """A session as it was, at the same position with the same bits. Raises JournalError, SpecError."""
    file = sessions.reopen(path)
    try:
        return _restored(file, path, manner)
    except BaseException:
        file.leave()
        raise


def resume(manner: Manner = USUAL) -> Session:
    """The session written last that nobody has open. Raises JournalError where there is none."""
    passed: list[str] = []
    for path in shelf.latest():
        left = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        try:
            session = reopen(path, manner)
        except journal.BusyError:
            continue
        except (JournalError, SpecError) as error:
            passed.append(f"passed over: {str(error).splitlines()[0]}")
            continue
        session.notes[:0] = [_resumed(session, path, left), *passed]
        return session
    raise JournalError("\n".join(["there is no session to resume", *passed]))


def _resumed(session: Session, path: Path, left: datetime) -> str:
    """What it is, where it goes on and when it was left; at last its file, which may be long."""
    debugger = session.debugger
    today = left.date() == datetime.now(left.tzinfo).date()
    when = f"{left:%H:%M}" if today else f"{left:%Y-%m-%d %H:%M}"
    name = safe(debugger.program.network.name)
    return f"resumed {name} at {debugger.position}, left {when}: {safe(str(path))}"


def _continued(request: Request) -> Session:
    """A session that is there already, if it is one of the spec that was named. Raises JournalError."""
    path, shown = Path(request.file), safe(request.file)
    told = sessions.look(path).keys[SPEC]
    if request.named and not origins.is_of(told, request.named, path.absolute().parent):
        what = safe(str(told.get("path")))
        raise JournalError(f"{shown}: it is a session of {what}, so it is left alone; bptui {shown} opens it")
    return reopen(path, request.manner)


def of_network(network: Network) -> Session:
    """The session of a network made in Python, kept among those without a name if a spec can say what it is."""
    origin = origins.written(network)
    if origin is not None:
        return unnamed(origin)
    session = Session(network)
    session.notes.append("not saved: no spec that is short enough says what this network is")
    return session


def unnamed(origin: Origin, manner: Manner = USUAL) -> Session:
    """A session kept among those without a name, or where that can't be, one that is not kept."""
    try:
        return begin(origin, shelf.fresh(origin.network.name), manner, named=False)
    except JournalError as error:
        session = manner.session(origin)
        session.notes.append(f"not saved: {error}")
        return session


def _restored(file: SessionFile, path: Path, manner: Manner) -> Session:
    keys, shown = file.folded.keys, safe(str(path))
    origin, notes = origins.restored(keys[SPEC], path.absolute().parent, shown)
    session = manner.session(origin)
    program = listing(session.debugger.program)
    other = "this version of bptui makes other operations of its network" if keys.get(PROGRAM) != program else ""
    try:
        session.debugger.restore(file.folded.debugger)
    except ValueError as error:
        raise JournalError(
            f"{shown}: it can't be restored: {safe(str(error))}" + (f" ({other})" if other else "")
        ) from None
    session.recorder = Recorder(file, session.debugger)
    same = _same_bits(session, keys.get(DIGEST))
    session.notes = [*file.notes, *notes, *([other] if other else []), *_bits(keys, same=same)]
    _take_over(file, session, same=same is not False)
    return session


def _bits(keys: Mapping[str, Any], *, same: bool | None) -> list[str]:
    """What differs from where the session was, and whether the bits do; nothing if nothing does."""
    there = {key.removeprefix(MACHINE): str(value) for key, value in keys.items() if key.startswith(MACHINE)}
    elsewhere = differences(there, fingerprint())
    if same is None:
        return [*elsewhere, "the bits could not be compared"] if elsewhere else []
    if not same:
        return ["THE NUMBERS ARE NOT THOSE OF BEFORE: the replay gave other bits", *elsewhere]
    return [*elsewhere, "the replay gave the same bits"] if elsewhere else []


def _same_bits(session: Session, kept: Any) -> bool | None:
    """Whether a state that was kept by its digest came out the same, or None where that can't be told."""
    if not isinstance(kept, dict):
        return None
    try:
        place = parse(session.debugger.program, str(kept.get("at")))
    except PositionError:
        return None
    return digest(session.debugger.look(place)) == kept.get("bits")


def _take_over(file: SessionFile, session: Session, *, same: bool) -> None:
    """Note in the file that it is this process's and this machine's now."""
    if not file.writable:
        return
    here = {MACHINE + key: value for key, value in fingerprint().items()}
    now = {key: value for key, value in here.items() if file.folded.keys.get(key) != value}
    changes: dict[str, Any] = {OPENED: sessions.opened(), PROGRAM: listing(session.debugger.program), **now}
    if not same:
        changes[DIGEST] = None
    try:
        file.append("", changes)
    except JournalError as error:
        session.notes.append(f"not saved: {error}")
