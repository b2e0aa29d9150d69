"""How a session ends, by whatever: its file is saved and left to others, and the exit code says what ended it."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from bptui.commands.session import Session
from bptui.files.text import safe

# What asks a program to end; Windows has not all of them.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class EndedError(BaseException):
    """A signal has asked the program to end; no error that a command's own handling may catch."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


def in_order(session: Session, work: Callable[[], int]) -> int:
    """Work on a session and save it, however that ends; the exit code, 128 + the number of a signal."""
    done = False
    try:
        with _signals():
            status = work()
        # Only now: a signal that came just before the input's end is still to be acted on there.
        done = True
    except EndedError as ended:
        status = ended.code
    finally:
        leave(session, in_order=done)
    return status


def leave(session: Session, *, in_order: bool) -> None:
    """Save a session; where it did not end in order, say how it is found again."""
    session.close(in_order=in_order)
    place = "" if session.recorder is None else session.recorder.place
    said = session.unsaved
    if place and not in_order and not said:
        said = f"the session is saved; bptui {place} opens it again"
    if said:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(f"bptui: {safe(said)}", file=sys.stderr, flush=True)


def say_way_back(session: Session) -> None:
    """After a session was left in order: how it is gone on with, where it was kept."""
    if session.recorder is not None and session.recorder.kept and not session.unsaved:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("bptui --resume goes on here", flush=True)


def ignored(number: int) -> bool:
    """Whether whoever started the program wants that signal to be ignored, as nohup does."""
    return signal.getsignal(number) == signal.SIG_IGN


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Raise EndedError where the program is asked to end."""

    def end(number: int, _: FrameType | None) -> None:
        raise EndedError(number)

    before = {number: signal.signal(number, end) for number in SIGNALS if not ignored(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
