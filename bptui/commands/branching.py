"""The words of branches: timelines side by side."""

from __future__ import annotations

import re

from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.registry import CommandError
from bptui.debugger.branches import Branch

_NAME = re.compile(r"[A-Za-z][\w-]{0,39}")


def branches(session: Context, rest: str) -> Answer:
    nothing(rest)
    return Answer(tuple(_listed(session, depth, branch) for depth, branch in session.debugger.branches.tree()))


def branch(session: Context, rest: str) -> Answer:
    if not _NAME.fullmatch(rest):
        raise CommandError("write branch NAME: a letter, then letters, digits, - and _, 40 at most")
    new = rest not in session.debugger.branches.all
    answer = session.where(session.debugger.branch(rest))
    return Answer((*answer.lines, f"{'a new branch' if new else 'branch'} {rest}; edits go to it from now on"))


def _listed(session: Context, depth: int, branch: Branch) -> str:
    known = session.debugger.branches
    mark = "▸" if branch.name == known.name else " "
    left = f" left {branch.parent} at {branch.at}," if branch.parent else ""
    own = [edit.text for edit in branch.timeline.edits if edit not in _inherited(session, branch)]
    edits = f": {'; '.join(own[:3])}{' …' if len(own) > 3 else ''}" if own else ""
    return f"{mark} {'  ' * depth}{branch.name}{left} reached {known.reached[branch.name]}{edits}"


def _inherited(session: Context, branch: Branch) -> tuple[object, ...]:
    parent = session.debugger.branches.all.get(branch.parent)
    return parent.timeline.edits if parent else ()


VERBS: dict[str, Verb] = {"branches": branches, "branch": branch}
