"""The branches of a session as a tree."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.debugger.branches import Branch, Branches
from bptui.files.text import safe
from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.lines import Line, cut, line, width


def branches(known: Branches, chosen: int, columns: int, rows: int) -> list[Line]:
    """A line for each branch under its parent: where it left that, how far one has got on it, its own edits."""
    tree = list(known.tree())
    stems = _stems([depth for depth, _ in tree])
    facts = [_facts(known, branch, stem) for stem, (_, branch) in zip(stems, tree, strict=True)]
    wide = [max(map(len, column)) for column in list(zip(*facts, strict=True))[:-1]]
    lines = [
        _row(known, branch, fact, wide, columns - 1, here=k == chosen)
        for k, (fact, (_, branch)) in enumerate(zip(facts, tree, strict=True))
    ]
    top = max(0, min(chosen - rows // 2, len(lines) - rows))
    shown = lines[top : top + rows]
    return barred(shown, top, len(lines) - top - len(shown), columns)


def _facts(known: Branches, branch: Branch, stem: str) -> tuple[str, ...]:
    """The name, where it left its parent, how far it was walked, its own edits."""
    left = f"left {safe(branch.parent)} at {branch.at}" if branch.parent else ""
    edits = "; ".join(safe(edit.text) for edit in known.own(branch))
    return f"{stem}{safe(branch.name)}", left, f"reached {known.reached[branch.name]}", edits


def _row(
    known: Branches, branch: Branch, facts: Sequence[str], wide: Sequence[int], columns: int, *, here: bool
) -> Line:
    current = branch.name == known.name
    name, left, reached, edits = (text.ljust(room) for text, room in zip(facts, [*wide, 0], strict=True))
    made = line(
        (f" {'▸' if current else ' '} ", "now"),
        (f"{name}   ", "now+bold" if current else "plain"),
        (f"{left}   ", "dim"),
        (f"{reached}   ", "dim"),
        (edits, "plain"),
    )
    if not here:
        return made
    padded = (*made, (" " * max(0, columns - width(made)), "plain"))
    return tuple((text, f"{style}+cursor") for text, style in cut(padded, columns))


def _stems(depths: Sequence[int]) -> list[str]:
    """What stands before each name of a tree that is given by how deep each row lies."""
    return ["".join(_piece(depths, k, level) for level in range(1, depth + 1)) for k, depth in enumerate(depths)]


def _piece(depths: Sequence[int], k: int, level: int) -> str:
    """The piece of a row's stem at a level: whether a later row belongs to the same parent there."""
    later = next((depth for depth in depths[k + 1 :] if depth <= level), 0)
    goes_on = later == level
    if level == depths[k]:
        return "├─ " if goes_on else "└─ "
    return "│  " if goes_on else "   "
