"""The word that asks a what-if question of many variants at once, and the table that answers it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bptui.commands import speaking
from bptui.commands.answer import Answer, Context, Verb
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.commands.wording import number_text, short_value
from bptui.debugger.sweeps.carrying import carry_out
from bptui.debugger.sweeps.sweep import Outcome, plan, refuse
from bptui.debugger.sweeps.variants import read_axes
from bptui.engine.stacks import Watch, nobody
from bptui.engine.timeline import Position, Timeline
from bptui.files.text import safe

_USAGE = "write sweep TARGET=VALUES … [iterations N] [until EXPR], such as sweep lr=0.01,0.1 w5=log:0.01..1:5"
_UNTIL = re.compile(r"(?:^|\s)until\s+(.+)$", re.DOTALL)
_ITERATIONS = re.compile(r"(?:^|\s)iterations\s+(\S+)\s*$")
# A name, with what may index it, and the sign that its values follow.
_TARGET = re.compile(r"(?:^|\s)([^\W\d]\w*(?:\.\w+)*(?:\s*\[[^\]]*\])*)\s*=(?!=)")
_MOST_LINES = 30
Watched = Callable[[int], Watch]
_ENDED = {"nan": "not finite"}


def sweep(
    timeline: Timeline, position: Position, rest: str, digits: int | None = None, begun: Watched = lambda _: nobody
) -> list[str]:
    """`TARGET=VALUES … [iterations N] [until EXPR]`: forks from a position, with every edit; how they ended in lines.

    begun  is told how many iterations all of them are, and gives who watches them

    Raises CommandError, SweepError, or what the command `set` raises; nothing is changed in any case.
    """
    rest, until = _cut(_UNTIL, rest)
    rest, count = _cut(_ITERATIONS, rest)
    axes = read_axes(_axes(rest))
    planned = replace(plan(timeline, position, axes, here=True), until=until)
    if count:
        if not count.isdecimal() or len(count) > 9:
            raise CommandError(f"{count[:40]!r} is no number of iterations")
        planned = replace(planned, iterations=int(count))
    refuse(planned)
    outcomes, how = carry_out(planned, watch=begun(planned.work))
    return [*table(outcomes, digits), summary(outcomes, str(position), how)]


def shortened(lines: list[str]) -> list[str]:
    """The best of many, and what all have in common."""
    left = len(lines) - 1 - _MOST_LINES
    return lines if left <= 0 else [*lines[:_MOST_LINES], f"… {left} more", lines[-1]]


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """The text before what a pattern finds, and what it found."""
    match = pattern.search(text)
    return (text[: match.start()], match[1].strip()) if match else (text, "")


def _axes(text: str) -> list[str]:
    found = list(_TARGET.finditer(text))
    if not found or text[: found[0].start()].strip():
        raise CommandError(_USAGE)
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [f"{match[1]}={text[match.end() : end].strip()}" for match, end in zip(found, ends, strict=True)]


def table(outcomes: Sequence[Outcome], digits: int | None = None) -> list[str]:
    """A line for each fork below a head, the smallest loss first; what is not a number stands last."""
    metrics = list(dict.fromkeys(name for outcome in outcomes for name in outcome.metrics))
    head = [*outcomes[0].settings, "loss", *metrics, "updates", "ended"]
    ranked = sorted(outcomes, key=lambda outcome: (not math.isfinite(outcome.loss), outcome.loss))
    rows = [head, *(_row(outcome, metrics, digits) for outcome in ranked)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    lines = ["  ".join(text.ljust(wide) for text, wide in zip(row, widths, strict=True)).rstrip() for row in rows]
    said = [["the smallest loss first"], *([speaking.row(head, row)] for row in rows[1:])]
    return [Told(line, partial(iter, each)) for line, each in zip(lines, said, strict=True)]


def _row(outcome: Outcome, metrics: Sequence[str], digits: int | None) -> list[str]:
    settings = [str(v) if isinstance(v, int) else short_value(v, digits) for v in outcome.settings.values()]
    measured = [number_text(outcome.metrics[name], digits) if name in outcome.metrics else "" for name in metrics]
    why = f"not finite: {outcome.where}" if outcome.where else _ENDED.get(outcome.reason, outcome.reason)
    row = (*settings, number_text(outcome.loss, digits), *measured, str(outcome.iterations), why)
    return [safe(text) for text in row]


def summary(outcomes: Sequence[Outcome], position: str, how: str) -> str:
    """`1024 forks from 3:12, stacked in one process`; how many did not stay finite is said too."""
    lost = sum(outcome.reason == "nan" for outcome in outcomes)
    said = f", {lost} of them not finite" if lost else ""
    return safe(f"{len(outcomes)} fork{'s' * (len(outcomes) > 1)} from {position}{said}: {how}")


def _sweep(session: Context, rest: str) -> Answer:
    here = session.debugger.timeline, session.debugger.position

    def watch(iterations: int) -> None:
        del iterations
        if session.stopped():
            raise CommandError("interrupted; nothing was changed")

    watch(0)
    return Answer(tuple(shortened(sweep(*here, rest, session.digits, lambda _: watch))))


VERBS: dict[str, Verb] = {"sweep": _sweep}
