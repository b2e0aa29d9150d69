"""The words of branches: timelines side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from bptui.commands import speaking, wording
from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.debugger.branches import Branch
from bptui.debugger.comparing import Comparison, importance
from bptui.engine.build import build
from bptui.engine.network import Network
from bptui.engine.timeline import START, Timeline
from bptui.files import specs

_NAME = re.compile(r"[A-Za-z][\w-]{0,39}")
_MOST = 12


def branches(session: Context, rest: str) -> Answer:
    nothing(rest)
    return Answer(tuple(_listed(session, depth, branch) for depth, branch in session.debugger.branches.tree()))


def branch(session: Context, rest: str) -> Answer:
    if not _NAME.fullmatch(rest):
        raise CommandError("write branch NAME: a letter, then letters, digits, - and _, 40 at most")
    if rest == "all":
        raise CommandError("no branch can be called all: delete all forgets every breakpoint")
    new = rest not in session.debugger.branches.all
    answer = session.where(session.debugger.branch(rest))
    said = f"{'a new branch' if new else 'branch'} {rest}; edits go to it from now on"
    return Answer((*answer.lines, said), answer.watched)


def diff(session: Context, rest: str) -> Answer:
    """Beside another branch, or beside another network: the article's right update and the sequential mistake."""
    return Answer(tuple(comparison_lines(session, compared(session, rest))))


def compared(session: Context, rest: str) -> Comparison:
    """The present timeline beside what a name stands for. Raises CommandError."""
    if not rest:
        raise CommandError("beside what? diff BRANCH, or diff SPEC for another network")
    debugger = session.debugger
    if rest in debugger.branches.all:
        return debugger.diff(rest)
    return debugger.diff(rest, Timeline(build(_network(session, rest))))


def _network(session: Context, rest: str) -> Network:
    session.refuse_opening(rest)
    try:
        return specs.load(rest)
    except (ValueError, OSError) as error:
        known = ", ".join(session.debugger.branches.all)
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CommandError(f"{rest[:40]!r} is no branch ({known}) and no network: {said}") from None


def comparison_lines(session: Context, found: Comparison) -> list[str]:
    """Where they part, and what differs here, the largest difference first."""
    left, right = found.names
    there = "" if found.position == found.other else f" ({right} at {found.other})"
    lines = [f"{left} and {right} at {found.position}{there}", *_parted(session, found)]
    differing = sorted((row for row in found.rows if row.differing), key=importance)
    for row in differing[:_MOST]:
        values = " | ".join(wording.short_value(value, session.digits) for value in (row.left, row.right))
        cells = f" in {row.differing} of {row.left.size} cells" * (row.left.size > 1)
        largest = wording.number_text(row.largest, session.digits or 4)
        line = f"{row.slot}: {values}  largest difference {largest}{cells}"
        lines.append(Told(line, partial(speaking.difference, session.debugger.program, row, session.digits)))
    if len(differing) > _MOST:
        lines.append(f"… {len(differing) - _MOST} more slots differ")
    alike = sum(not row.differing for row in found.rows)
    return [*lines, f"{alike} slots are the same"] if alike else lines


def _parted(session: Context, found: Comparison) -> Iterator[str]:
    parting = found.parting
    if parting is None:
        yield "nothing differs up to here"
        return
    for name, edit in parting.edits[:_MOST]:
        yield f"only {name}: {wording.described(edit)}"
    values = " | ".join(wording.short_value(value, session.digits) for value in (parting.left, parting.right))
    if parting.index < 0:
        where = "at the very start" if parting.position == START else f"by hand at {parting.position}"
        yield f"they part {where}: {parting.slot}: {values}"
        return
    source = session.debugger.program.instructions[parting.index].source
    yield f"they part at {parting.position}, {source}: {values}"


def _listed(session: Context, depth: int, branch: Branch) -> str:
    known = session.debugger.branches
    mark = "▸" if branch.name == known.name else " "
    left = f" left {branch.parent} at {branch.at}," if branch.parent else ""
    own = [edit.text for edit in known.own(branch)]
    edits = f": {'; '.join(own[:3])}{' …' if len(own) > 3 else ''}" if own else ""
    return f"{mark} {'  ' * depth}{branch.name}{left} reached {known.reached[branch.name]}{edits}"


VERBS: dict[str, Verb] = {"branches": branches, "branch": branch, "diff": diff}
