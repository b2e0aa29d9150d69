"""Tab and the arrows at a terminal's prompt, where Python has readline: the same words as in the app's line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from bptui.commands.completion import complete
from bptui.commands.session import Session

# What ends a word for readline: it puts in whole words only, and a name within an expression is to be one.
_BETWEEN = " \t()[]{}=,+-*/%<>@"


def listen(session: Session) -> None:
    """From now on Tab completes, and what was typed before is behind the arrows."""
    with contextlib.suppress(ImportError):
        import readline

        readline.set_completer_delims(_BETWEEN)
        readline.set_completer(_completer(session, lambda: _typed(readline)))
        libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
        for line in session.history.lines:
            readline.add_history(line)


def _typed(readline: object) -> tuple[str, int]:
    """The line as far as the cursor, and where readline's word begins in it."""
    line: str = readline.get_line_buffer()  # type: ignore[attr-defined]
    return line[: readline.get_endidx()], readline.get_begidx()  # type: ignore[attr-defined]


def _completer(session: Session, typed: Callable[[], tuple[str, int]]) -> Callable[[str, int], str | None]:
    """What readline asks for one after the other; it is worked out when the first is asked for."""
    offered: list[str] = []

    def completer(text: str, k: int) -> str | None:
        del text
        if k == 0:
            line, begun = typed()
            found = complete(session, line)
            # Its word may begin before or behind ours: what counts is what the line would be.
            offered[:] = [found.line(line, one)[begun:] for one in range(len(found.candidates))]
        return offered[k] if k < len(offered) else None

    return completer
