"""The words that look at what is there and change nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial

import numpy as np

from bptui.commands import finding, registry, speaking, wording
from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.debugger import expressions
from bptui.debugger.metrics import Metrics
from bptui.debugger.rows import NotComputedError
from bptui.debugger.view import View
from bptui.engine import gradcheck
from bptui.engine.graph import sample_shapes
from bptui.engine.kinds import KINDS, written
from bptui.engine.network import Network
from bptui.engine.player import Moment
from bptui.engine.program import Program, Target
from bptui.engine.timeline import normal
from bptui.explain import solution
from bptui.explain.folds import unfolded
from bptui.explain.matrices import Equation
from bptui.explain.parts import Part, path
from bptui.explain.spoken.signs import words


def print_(session: Context, rest: str) -> Answer:
    text = " ".join(rest.split())
    expression = expressions.parse(session.debugger.program, text)
    state, digits = session.debugger.look(session.debugger.position), session.digits
    try:
        value = expression(state)
        return Answer((Told(f"{text} = {session.text(value)}", lambda: speaking.value(words(text), value, digits)),))
    except NotComputedError as missing:
        slot = missing.slot
        whole = state.computed[slot] and text in (slot, session.debugger.program.name(slot))
        if not whole:
            return Answer((f"{text} = not computed",))
        said = f"{text} = {wording.slot_text(state, slot, digits)}"
        array, there = state.arrays[slot], state.computed[slot]
        return Answer((Told(said, lambda: speaking.value(words(text), array, digits, there)),))


def list_(session: Context, rest: str) -> Answer:
    nothing(rest)
    view = session.debugger.view()
    lines: list[str] = [
        _folded(view, entry) if isinstance(entry, Part) else _listed(session, view, entry)
        for entry in _unfolded(session, view)
    ]
    lines += [f"  edit {edit.position}  {edit.text}" for edit in view.timeline.ordered]
    return Answer(tuple(lines))


def _unfolded(session: Context, view: View) -> Iterator[int | Part]:
    """Every operation, but for those of parts that a person has folded, which have a line each."""
    folds = session.folds if session.folds.every is not None else replace(session.folds, every=True)
    opened = folds.opened(view.program, view.here)
    shown = unfolded(view.program, opened).entries
    return (entry for entry in shown if isinstance(entry, int) or entry.key not in opened)


def _listed(session: Context, view: View, k: int) -> Told:
    instruction = view.program.instructions[k]
    there = bool(view.state.computed[instruction.writes]) and (
        instruction.phase != "update" or (view.done is not None and k <= view.done)
    )
    value = wording.short_text(view.state, instruction.writes, session.digits) if there else wording.UNSET
    text = f"{_mark(view, range(k, k + 1))} {k + 1:>2} {instruction.phase:<8}  {instruction.source}  {value}"
    say = partial(speaking.operation, view, k, session.digits, there=there, stale=_stale(view, k))
    return Told(f"{text}{_stale(view, k)}", say)


def _folded(view: View, part: Part) -> Told:
    ops = part.ops
    which = f"{ops.start + 1} to {ops.stop}" if len(ops) > 1 else str(ops.stop)
    text = f"{_mark(view, ops)} {path(view.program, part)}: operation{'s' * (len(ops) > 1)} {which}"
    return Told(text, partial(speaking.folded, view, part))


def _mark(view: View, ops: range) -> str:
    return "▸" if view.done in ops else "›" if view.upcoming in ops else " "


def _operation(view: View, k: int) -> Told:
    """A line about an operation that was looked for."""
    instruction = view.program.instructions[k]
    text = f"{_mark(view, range(k, k + 1))} {k + 1:>2} {instruction.phase:<8}  {instruction.source}"
    return Told(text, partial(speaking.sought, view, k))


def info(session: Context, rest: str) -> Answer:
    nothing(rest)
    view, network = session.debugger.view(), session.debugger.program.network
    each = layer_sizes(network)
    sizes = "-".join(each)
    cells = sum(session.debugger.program.slots[name].size for name in session.debugger.program.parameters)
    rate = session.text(view.state.arrays["lr0" if "lr0" in view.state.arrays else "lr"][()])
    optim = network.training.optim
    loss = session.text(view.losses[-1]) if view.state.computed["loss"] else "not computed"
    what = f"{network.loss}, {optim}, lr {rate}, {cells} parameters, {network.dtype}"
    return Answer((
        Told(f"{network.name}: {sizes}, {what}", lambda: [words(f"{network.name}: sizes {', '.join(each)}; {what}")]),
        f"at {view.position}, {len(view.program)} operations an iteration, loss {loss}",
        *(f"{name} {value:.4f}" for name, value in _metrics(view).items()),
        *(f"edit at {edit.position}: {edit.text}" for edit in view.timeline.edits),
    ))  # fmt: skip


def explain(session: Context, rest: str) -> Answer:
    target = expressions.parse_target(session.debugger.program, rest)
    lines: list[str] = []
    for cell in target.cells[:4]:
        lines += [line for line in explain_cell(session, target.slot, cell) if line not in lines]
        if len(lines) > solution.MOST_LINES:
            break
    if len(target.cells) > 4:
        lines = lines[: solution.MOST_LINES]
        lines.append(
            f"… {len(target.cells) - 1} more cells: name one, such as {_first(session.debugger.program, target)}"
        )
    return Answer(tuple(lines))


def formulas(session: Context, rest: str) -> Answer:
    nothing(rest)
    debugger, program = session.debugger, session.debugger.program
    state = debugger.look(debugger.position)
    lines = ["every weight, its gradient written out:", *solution.update_formulas(program, state)]
    drawn = [line for equation in solution.update_matrices(program, state) for line in _drawn(equation)]
    lines += ["", "as matrices:", *drawn] if drawn else []
    numbers = [
        line for moment in _updates(session) for line in solution.update_numbers(program, moment, session.digits)
    ]
    return Answer((*lines, "", f"in iteration {debugger.position.iteration}:", *numbers) if numbers else tuple(lines))


def _drawn(equation: Equation) -> Iterator[str]:
    """An equation in several lines, which is said once."""
    first, *more = equation.draw()
    yield Told(first, lambda: [words(equation.line)])
    yield from (Told(line, tuple) for line in more)


def check(session: Context, rest: str) -> Answer:
    nothing(rest)
    program, here = session.debugger.program, session.debugger.position
    start = session.debugger.look(normal(program, here.iteration, 0, 0))
    values = {name: start.arrays[name] for name, slot in program.slots.items() if slot.persistent}
    result = gradcheck.check(program, here.iteration, values, each=True)
    return Answer(tuple(wording.gradcheck_lines(program, result, session.digits)))


def find(session: Context, rest: str) -> Answer:
    """Cells that show as a number, or operations that hold a text; without one what was looked for last."""
    text = " ".join(rest.split()) or session.sought
    if not text:
        raise CommandError("find what? a number, such as 0.174, or a name: find W1, find relu")
    if finding.is_number(text):
        lines = finding.find(session.debugger, text)
        session.sought = text
        return Answer(tuple(lines))
    found = finding.operations(session.debugger.program, text)
    session.sought = text
    view = session.debugger.view()
    shown = [_operation(view, k) for k in found[: finding.MOST]]
    more = [f"… {len(found) - finding.MOST} more"] if len(found) > finding.MOST else []
    said = f"{len(found)} operation{'s' * (len(found) != 1)}: {text}"
    return Answer((said, *shown, *more), ops=found)


def help_(session: Context, rest: str) -> Answer:
    if session.answering and not session.spoken:
        return Answer(tuple(registry.help_wrapped(rest, shutil.get_terminal_size().columns)))
    lines = zip(registry.help_lines(rest), registry.rows(rest), strict=True)
    return Answer(tuple(Told(line, partial(speaking.command, row)) for line, row in lines))


def _metrics(view: View) -> dict[str, float]:
    """Accuracy and held-out loss of the weights of this moment, where they make sense."""
    return Metrics(view.program).all(view.state.arrays)


def explain_cell(session: Context, slot: str, cell: int) -> list[str]:
    """The formula of what wrote a cell, opened down to inputs and weights."""
    program, state = session.debugger.program, session.debugger.look(session.debugger.position)
    if cell >= state.computed[slot]:
        return [f"{slot} is not computed here: {session.debugger.writing(slot)}"]
    value = wording.number_text(state.arrays[slot].reshape(-1)[cell], session.digits or 7)
    by_hand = session.debugger.set_by_hand(slot, cell)
    if by_hand is not None:
        return [f"{session.debugger.spell(Target(slot, (cell,)))} = {value}: set by hand, {wording.described(by_hand)}"]
    writer = session.debugger.writer(slot, cell)
    if writer is None:
        return [f"{solution.origin(program, slot, cell)}, {value}"]
    moments = cache(session.debugger.moments(writer[0]))

    def set_by_hand(read: str, part: int, reader: int) -> str:
        edit = session.debugger.set_before(read, part, reader, writer[0])
        if edit is None:
            return ""
        name = solution.origin(program, read, part).partition(":")[0]
        number = moments(reader).before.arrays[read].reshape(-1)[part]
        return f"{name} = {wording.number_text(number, session.digits or 7)}: set by hand, {wording.described(edit)}"

    return solution.explanation(program, writer[1], cell, moments, set_by_hand, session.digits)


def _updates(session: Context) -> list[Moment]:
    """The updates of this iteration that have been carried out."""
    done = range(session.debugger.position.op)
    return [session.debugger.moment(k) for k in done if session.debugger.program.instructions[k].phase == "update"]


def layer_sizes(network: Network) -> list[str]:
    """The shapes of what the layers with weights give, the input's first: 2, 3, 1 or 1×8×8, 6×8×8, 10."""
    shapes = sample_shapes(network, network.nodes)
    weighted = [node.key for node in network.nodes if node.op in KINDS and KINDS[node.op].parameters]
    return [written(shape) for key in ("x", *weighted) if (shape := shapes[key])]


def _stale(view: View, index: int) -> str:
    slot = view.program.instructions[index].writes
    if slot in view.stale.causes:
        return f"  ~ computed before {view.stale.causes[slot].text}"
    return "  (of the old weights)" if slot in view.stale.old else ""


def _first(program: Program, target: Target) -> str:
    """The first cell of several, as one writes it."""
    index = np.unravel_index(target.cells[0], program.slots[target.slot].shape)
    return f"{target.slot}[{', '.join(str(int(k)) for k in index)}]"


VERBS: dict[str, Verb] = {
    "print": print_,
    "list": list_,
    "info": info,
    "formulas": formulas,
    "check": check,
    "find": find,
    "help": help_,
}
