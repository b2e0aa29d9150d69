"""The words that ask where a number came from: origin, uses, explain, why."""

from __future__ import annotations

import math
import re

from bptui.commands import looking, speaking, wording
from bptui.commands.answer import Answer, Context, Verb
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.debugger import expressions
from bptui.debugger.provenance import nonfinite
from bptui.debugger.provenance.history import history
from bptui.debugger.provenance.nonfinite import NonFinite
from bptui.debugger.provenance.origin import origin as origin_of
from bptui.debugger.provenance.origin import then
from bptui.debugger.provenance.uses import Use, Uses
from bptui.debugger.provenance.uses import uses as uses_of
from bptui.debugger.view import View
from bptui.engine.lifeline import Change, Origin
from bptui.engine.program import Program, Target
from bptui.engine.timeline import Position
from bptui.explain.cells import unravelled
from bptui.explain.notation import Names, number
from bptui.explain.reasons import reason
from bptui.explain.solution import origin as beginning
from bptui.explain.spoken.signs import spelled
from bptui.explain.tree.nodes import CellNode, Node
from bptui.explain.tree.outline import Path, Tree, node_at, page
from bptui.explain.tree.reading import Source

MOST_USES = 14
MOST_OPERANDS = 8
# An explanation of more lines is opened step by step, so that it is never more than one screen at once.
MOST_LINES = 18
_STEP = re.compile(r"(\d{1,7})(\+?)")
_TOP: Path = ()


# Origin


def origin(session: Context, rest: str) -> Answer:
    """Go to what gave cells their value; from there to what gave them the one before."""
    debugger = session.debugger
    target = expressions.parse_target(debugger.program, rest)
    if not target.cells:
        raise CommandError("no cell is named: the index picks nothing")
    name = " ".join(rest.split())
    found = origin_of(debugger.timeline, target, debugger.position)
    there = found.there
    if not found.here and there is None:
        return Answer((_unwritten(session, target, name),))
    if there is None:
        return Answer((_no_further(session, target, name, found.here[0]),))
    lasting = there.index is None and there.edit is None
    if lasting and target.slot not in debugger.program.writers and not found.here:
        return Answer((_was(session, target, name, there),))
    view = debugger.goto(there.position)
    before = f" before {found.here[-1].position}" if found.here else ""
    return _arrived(session, view, [_was(session, target, f"{name}{before}", there)])


def _arrived(session: Context, view: View, words: list[str]) -> Answer:
    """The line of a word that moved, and what it found there."""
    answer = session.where(view)
    where, *more = answer.lines
    return Answer((where, *words, *more), answer.watched)


def _unwritten(session: Context, target: Target, name: str) -> str:
    program, state = session.debugger.program, session.debugger.look(session.debugger.position)
    if max(target.cells) >= state.computed[target.slot] and not program.slots[target.slot].given:
        return unwritten(program, target)
    return f"{name}: {beginning(program, target.slot, target.cells[0]).partition(': ')[2]}"


def unwritten(program: Program, target: Target) -> str:
    """`E is not computed yet: operation 3 writes it`."""
    slot, names = target.slot, Names(program)
    alone = len(target.cells) == 1
    name = names.cell(slot, unravelled(target.cells[0], program.slots[slot].shape)) if alone else names.slot(slot)
    return f"{name} is not computed yet: operation {program.writers[slot] + 1} writes it"


def _was(session: Context, target: Target, name: str, there: Origin) -> str:
    """`w5 = 0.14: the weight it began with`."""
    debugger = session.debugger
    value = ""
    if len(target.cells) == 1:
        value = f" = {number(then(debugger.timeline, debugger.look, target, there), session.digits)}"
    if there.edit is not None:
        return f"{name}{value}: set by hand, {wording.described(there.edit)}"
    if there.index is None:
        return f"{name}{value}: {beginning(debugger.program, target.slot, target.cells[0]).partition(': ')[2]}"
    return f"{name}{value}: written by operation {there.index + 1} of iteration {there.position.iteration}"


def _no_further(session: Context, target: Target, name: str, here: Origin) -> str:
    """What there is to say where nothing lies before."""
    debugger = session.debugger
    if here.edit is not None or here.index is None:
        last = "; there is nothing before that" if target.slot in debugger.program.writers else ""
        return f"{_was(session, target, name, here)}{last}"
    root, names = _root(session, target.slot, target.cells[0]), Names(debugger.program)
    made = [root.operand(*cell).name for cell in root.made_of()]
    if len(target.cells) > 1 or len(made) > MOST_OPERANDS:
        made = [names.slot(slot) for slot in root.line.instruction.reads]
    return f"{name} is computed here, anew in each iteration, of {', '.join(made)}"


# Uses


def uses(session: Context, rest: str) -> Answer:
    """The instructions that read the value that cells have here."""
    debugger = session.debugger
    target = expressions.parse_target(debugger.program, rest)
    if not target.cells:
        raise CommandError("no cell is named: the index picks nothing")
    name = " ".join(rest.split())
    found = uses_of(debugger.timeline, target, debugger.position, debugger.look)
    if found is None:
        return Answer((_unwritten(session, target, name),))
    if not found.found:
        return Answer((f"nothing reads {name} {_until(session, found).strip()}",))
    lines = [_use(session, use) for use in found.found[:MOST_USES]]
    more = len(found.found) - MOST_USES
    lines += [f"  … {more} more"] if more > 0 else []
    return Answer((f"{name}, since {found.since.position}, is read at", *lines, _until(session, found)))


def _use(session: Context, use: Use) -> str:
    program, here = session.debugger.program, session.debugger.position
    instruction = program.instructions[use.index]
    shape = program.slots[instruction.writes].shape
    names = [Names(program).cell(instruction.writes, unravelled(cell, shape)) for cell in use.cells[:3]]
    more = f" … ({len(use.cells)} cells)" if len(use.cells) > 3 else ""
    mark = "✓" if use.position <= here else " "
    line = f"{mark} {use.position!s:<8} {instruction.phase:<8}  {instruction.source}  for {', '.join(names)}{more}"
    return Told(line, lambda: speaking.use(program, use, done=use.position <= here, more=bool(more)))


def _until(session: Context, found: Uses) -> str:
    until = found.until
    if until is None:
        drawn = found.again and session.debugger.program.instructions[found.found[0].index].op == "draw"
        again = "and so in every epoch" if drawn else "and so in every iteration"
        return f"  {again if found.again else 'until the next iteration computes it anew'}"
    if until.edit is not None:
        return f"  until {until.position}, where it is set by hand: {until.edit.text}"
    assert until.index is not None
    program, index = session.debugger.program, until.index
    line = f"  until {until.position}, where {program.instructions[index].source} writes it anew"
    return Told(line, lambda: speaking.until(program, until.position, index))


# Explain


def explain(session: Context, rest: str) -> Answer:
    """The whole explanation where it fits, else the tree, opened at a path: `explain w5 > 2 > 1`."""
    name, path, start = _asked(session, rest or _at_hand(session))
    target = expressions.parse_target(session.debugger.program, name)
    if not path and ">" not in rest and start == 1:
        lines = looking.explain(session, name).lines
        if len(lines) <= MOST_LINES and not lines[-1].startswith("…"):
            deeper = len(target.cells) == 1 and _root(session, target.slot, target.cells[0]).openable and len(lines) > 1
            session.explained = (name, path)
            return Answer((*lines, _hint(name)) if deeper else lines)
    if len(target.cells) != 1:
        raise CommandError(f"{name} is {len(target.cells)} cells: name one, such as {_cell(session, target)}")
    node = node_at(_root(session, target.slot, target.cells[0]), path)
    if start > max(1, len(node.children)):
        raise CommandError(f"there is no number {start}: it opens into {len(node.children)}")
    session.explained = (name, path)
    return Answer((*page(node, start), _how_on(" > ".join([name, *map(str, path)]), node, start, back=bool(path))))


def _hint(name: str) -> str:
    """What opens it node by node; said as it is typed."""
    line = f"explain {name} > opens it step by step"
    return Told(line, lambda: [f"to open it step by step: {spelled(f'explain {name} >')}"])


def _at_hand(session: Context) -> str:
    """The first cell that the operation at hand wrote. Raises CommandError."""
    view = session.debugger.view()
    if view.done is None:
        raise CommandError("explain what? nothing is done yet: a cell, such as explain w5, or next first")
    written = view.program.instructions[view.done].writes
    return session.debugger.spell(Target(written, (view.changed.start,)))


def _how_on(whole: str, node: Node, start: int, *, back: bool) -> str:
    """How to open more, from here and from anywhere."""
    first = next((k for k, child in enumerate(node.children[start - 1 :], start) if child.openable), None)
    up = "explain .. goes back" if back else ""
    if first is None:
        return f"there is nothing more to open{'; ' * back}{up}"
    line = f"explain {first} opens number {first}, explain {whole} > {first} does so from anywhere{'; ' * back}{up}"
    said = f"to open number {first}: explain {first}; from anywhere: explain {whole} > {first}"
    return Told(line, lambda: [spelled(said + "; to go back: explain .." * back)])


def _asked(session: Context, rest: str) -> tuple[str, Path, int]:
    """(what, the path into it, the number of the first child shown) of what follows the word."""
    first, *steps = (" ".join(part.split()) for part in rest.split(">"))
    name, path = first, _TOP
    if _STEP.fullmatch(first) or first == ".." or (not first and steps):
        name, path = session.explained
        steps = [first, *steps] if first else steps
        if not name:
            raise CommandError("explain what? a cell, such as explain w5")
    start = 1
    for step in steps:
        match = _STEP.fullmatch(step)
        if step == "..":
            path = path[:-1]
        elif match is not None and match.group(2):
            start = max(1, int(match.group(1)))
        elif match is not None:
            path = (*path, int(match.group(1)))
        elif step:
            raise CommandError(f"{step[:40]!r} is no number to open: explain w5 > 2, or 13+ for number 13 and on")
    return name, path, start


def tree(session: Context, slot: str, cell: int) -> Tree:
    """Where a cell's value here came from, to be opened node by node."""
    return Tree(_root(session, slot, cell))


def opened(session: Context, slot: str, cell: int) -> Tree | None:
    """That tree, or None where there is nothing to open."""
    if cell >= session.debugger.look(session.debugger.position).computed[slot]:
        return None
    return tree(session, slot, cell) if _root(session, slot, cell).openable else None


def _root(session: Context, slot: str, cell: int) -> CellNode:
    """A cell here, as the root of a tree."""
    debugger = session.debugger

    def changes(of: str, one: int, until: Position) -> list[Change]:
        return history(debugger.timeline, of, one, until)

    source = Source(debugger.timeline, debugger.position, debugger.look, changes, session.digits)
    return CellNode(source, (slot, cell), debugger.position, source.value(slot, cell, debugger.position))


def _cell(session: Context, target: Target) -> str:
    shape = session.debugger.program.slots[target.slot].shape
    return f"{target.slot}[{', '.join(map(str, unravelled(target.cells[0], shape)))}]"


# Why nan


def why(session: Context, rest: str) -> Answer:
    """Go to the first instruction that made a value which is not finite, and say of what; of a cell why it is so."""
    if rest.strip() not in ("nan", "inf"):
        return explain(session, rest)
    debugger = session.debugger
    given = nonfinite.given(debugger.timeline)
    found = nonfinite.first(debugger.timeline, debugger.position)
    if found is None:
        words = [_given(session, each) for each in given]
        return Answer(tuple(words) or (f"every number up to {debugger.position} is finite",))
    view = debugger.goto(found.position)
    return _arrived(session, view, _made(session, found))


def _given(session: Context, found: NonFinite) -> str:
    program = session.debugger.program
    value = number(float(program.initial[found.slot].reshape(-1)[found.cells[0]]))
    name, _, what = beginning(program, found.slot, found.cells[0]).partition(": ")
    return f"{name} is {value}: {what}"


def _made(session: Context, found: NonFinite) -> list[str]:
    """The cell, its formula, the step that failed, the operands."""
    program = session.debugger.program
    node = _root(session, found.slot, found.cells[0])
    count, size = len(found.cells), program.slots[found.slot].size
    lines = [] if size == 1 else [f"{count} of {size} cells {'is' if count == 1 else 'are'} not finite, the first:"]
    lines.append(node.formula.short(200))
    lines.append(reason(node.line, unravelled(found.cells[0], program.slots[found.slot].shape), session.digits))
    return [*lines, *_operands(session, node)]


def _operands(session: Context, node: CellNode) -> list[str]:
    operands = [node.operand(*cell) for cell in node.made_of()]
    bad = [each for each in operands if not math.isfinite(each.value)]
    lines = [f"  {each.text}" for each in bad[:MOST_OPERANDS]]
    good = [each for each in operands if math.isfinite(each.value)]
    good.sort(key=lambda each: -abs(each.value))
    shown = ", ".join(f"{each.name} = {each.shown_value}" for each in good[:MOST_OPERANDS])
    more = f" … ({len(good)}, the largest first)" if len(good) > MOST_OPERANDS else ""
    return [*lines, f"  finite: {shown}{more}"] if good else lines


VERBS: dict[str, Verb] = {"origin": origin, "uses": uses, "explain": explain, "why": why}
