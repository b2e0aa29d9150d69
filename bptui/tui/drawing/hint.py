"""What stands above the line in which a command is typed: how its word is used, and what may come next."""

from __future__ import annotations

from dataclasses import dataclass, field

from bptui.commands.completion import Completion
from bptui.commands.registry import Command
from bptui.files.text import safe
from bptui.tui.drawing.keys import hints
from bptui.tui.drawing.lines import Line, cut, line, spread, width

_APART = "  "
_ANSWERING = (("enter", "answer; with nothing, show it"), ("esc", "show it"))
_KEYS = (
    ("enter", "carry out"),
    ("tab", "complete"),
    ("→", "take what is dim"),
    ("↑ ↓", "typed before"),
    ("esc", "leave"),
)


@dataclass(frozen=True)
class Hint:
    """What there is to say about a line.

    command   the command that it begins with, or None
    found     what may stand at its end
    chosen    the candidate that Tab has put in, or -1
    question  what is asked for in place of a command, or ""
    error     why the line was refused, or ""
    """

    command: Command | None = None
    found: Completion = field(default_factory=lambda: Completion(0))
    chosen: int = -1
    question: str = ""
    error: str = ""


def hint(shown: Hint, columns: int) -> list[Line]:
    """Two lines: what is wrong, else what is asked for, else the usage; and the candidates."""
    return [cut(_head(shown), columns), _candidates(shown, columns)]


def _head(shown: Hint) -> Line:
    if shown.error:
        return line((" error: ", "dim"), (safe(shown.error), "bold"))
    if shown.question:
        return line((f" {safe(shown.question)}", "bold"))
    if shown.command is not None:
        command = shown.command
        return line((f" {command.verb}", "bold"), (f" {command.usage}" * bool(command.usage), "plain"), _help(command))
    if shown.found.candidates:
        return line(
            (" what is to be done? a word; tab puts in what is offered, ? outside this line has the keys", "dim")
        )
    return line((" no command begins so; help lists them", "dim"))


def _help(command: Command) -> tuple[str, str]:
    return f"   {command.help}", "dim"


def _candidates(shown: Hint, columns: int) -> Line:
    """As many as there is room for, the chosen one among them; what is known of it at the right."""
    candidates = shown.found.candidates
    if not candidates:
        return line("")
    noted = candidates[max(0, shown.chosen)].note if shown.chosen >= 0 or len(candidates) == 1 else ""
    note = cut(line((f" {safe(noted)} " * bool(noted), "dim")), columns // 2)
    texts = [safe(one.text.strip()) for one in candidates]
    first = _first(texts, shown.chosen, columns - width(note) - 2)
    runs = [(" … " if first else " ", "dim")]
    for k, text in enumerate(texts[first:], first):
        runs += [(text, "cursor" if k == shown.chosen else "plain"), (_APART, "plain")]
    return spread(line(*runs), note, columns)


def _first(texts: list[str], chosen: int, columns: int) -> int:
    """The first that is shown, so that the chosen one is in sight with some that follow."""
    left, k = columns - 4, max(0, chosen)
    while k > 0 and left > len(texts[k]):
        left -= len(texts[k]) + len(_APART)
        k -= 1
    return 0 if k == 0 else k + 1


def line_keys(columns: int, *, asked: bool = False) -> Line:
    """The keys that a line that is being typed has, in the place of those of the panes."""
    return line(" ", *hints(_ANSWERING if asked else _KEYS, columns - 1))
