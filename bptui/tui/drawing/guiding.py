"""What is said to somebody new: the first three lines, and the words under a tour."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bptui.commands.registry import Command
from bptui.tui.drawing.lines import Line, Run, cut, line, spread, width, wrapped

# Lines under the screen during a tour: two of words, and one of how to go on.
ROWS = 3
# Words, each with the blanks that follow it.
_WORDS = re.compile(r"\S*\s+|\S+")
_PLAYED, _LEFT = "━", "─"


def welcome(commands: Sequence[Command], columns: int) -> list[Line]:
    """What this is, what to press first, and where there is more."""

    def key(verb: str) -> Run:
        return next((command.key for command in commands if command.verb == verb), "") or f":{verb}", "bold"

    lines = (
        line(" A neural network, stopped before the first operation of its training."),
        line(
            " ", key("next"), " does it, ", key("back"), " takes it back, ", key("nudge"), " turns the marked weight, ",
            key("explain"), " says why.",
        ),
        line((" :tour", "bold"), " shows it all in a minute, ", key("help"), " every key, ", key("quit"), " leaves."),
    )  # fmt: skip
    return [part for made in lines for part in _flowed(made, columns)]


def _flowed(runs: Line, columns: int) -> list[Line]:
    """A line over as many as it needs, broken between words."""
    made: list[list[Run]] = [[]]
    for text, style in runs:
        for word in _WORDS.findall(text):
            if made[-1] and width(line(*made[-1])) + len(word.rstrip()) > columns:
                made.append([(" ", "plain")])
            made[-1].append((word, style))
    return [cut(line(*part[:-1], (part[-1][0].rstrip(), part[-1][1])), columns) for part in made]


def caption(words: str, key: str, stop: int, stops: int, columns: int, *, paused: bool) -> list[Line]:
    """The key that led to a stop and what is seen there, how far it is, and what a person may press."""
    head = f" {key}  " if key else " "
    said = wrapped(words, columns - len(head) - 1)[: ROWS - 1]
    lines = [line((head if k == 0 else " " * len(head), "bold"), *part) for k, part in enumerate(said)]
    lines += [()] * (ROWS - 1 - len(lines))
    return [*lines, _progress(stop, stops, columns, paused=paused)]


def _progress(stop: int, stops: int, columns: int, *, paused: bool) -> Line:
    """How far the tour is, as a line, and the keys."""
    keys = f" space {'goes on' if paused else 'pauses'}   → ← on, back   other keys leave "
    right = line((keys if stop < stops else " any key leaves the tour ", "dim"))
    done = line((f" {_PLAYED * stop}", "plain"), (_LEFT * (stops - stop), "faint"), (f" {stop} of {stops}", "dim"))
    return spread(done, right, columns) if width(done) + width(right) < columns else cut(right, columns)
