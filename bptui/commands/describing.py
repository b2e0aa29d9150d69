"""What the panes show, in sentences: the network, a tensor, and how a number went over the iterations."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

import numpy as np

from bptui.commands import speaking
from bptui.commands.answer import Answer, Context, Verb
from bptui.commands.registry import CommandError
from bptui.commands.telling import Told
from bptui.commands.wording import number_text
from bptui.debugger import expressions
from bptui.debugger.debugger import Debugger, spell
from bptui.debugger.rows import NotComputedError
from bptui.debugger.view import View
from bptui.engine.graph import sample_shapes
from bptui.engine.kinds import KINDS, written
from bptui.engine.network import Array, Node
from bptui.engine.program import Program, Target
from bptui.explain.notation import Names

_MOST_LAYERS = 40
# What of a fall or a rise is most of it.
_MOST = 0.8
_POINTS = 8
_PARTS = 8
_DIGITS = 4


def describe(session: Context, rest: str) -> Answer:
    """The network, or one of its tensors."""
    if not rest:
        return Answer(tuple(_network(session)))
    debugger = session.debugger
    target = expressions.parse_target(debugger.program, rest)
    return Answer(tuple(_tensor(debugger, " ".join(rest.split()), target, session.digits or _DIGITS)))


# The network


def _network(session: Context) -> Iterator[str]:
    view = session.debugger.view()
    program, network = view.program, view.program.network
    if network.title:
        yield f"{network.name}: {network.title}"
    yield f"input {_shaped(program, 'x')}, target {_shaped(program, 'y')}"
    shapes = sample_shapes(network, network.nodes)
    for k, node in enumerate(network.nodes[:_MOST_LAYERS], 1):
        yield _layer(program, node, k, written(shapes[node.key] or ()))
    if len(network.nodes) > _MOST_LAYERS:
        yield f"… {len(network.nodes) - _MOST_LAYERS} more layers"
    yield f"loss: {program.name('loss')}, {network.loss}; trained by {network.training.optim}"
    phases = [instruction.phase for instruction in program.instructions]
    counted = ", ".join(f"{phases.count(phase)} {phase}" for phase in dict.fromkeys(phases))
    yield f"one iteration is {len(phases)} operations: {counted}"
    yield from _here(view)


def _shaped(program: Program, slot: str) -> str:
    """A slot with its sizes, and what its cells are called where they have names."""
    names = _names(program, slot)
    labelled = f", {' and '.join(names)}" if names and len(names) <= 4 else ""
    shape = "×".join(map(str, program.slots[slot].shape)) or "one number"
    return f"{Names(program).slot(slot)} {shape}{labelled}"


def _names(program: Program, slot: str) -> list[str]:
    """What its cells are called, weights neuron by neuron."""
    names = np.array(program.cell_names.get(slot, ()))
    shape = program.slots[slot].shape
    return list(map(str, names.reshape(shape).T.reshape(-1) if names.size and len(shape) == 2 else names))


def _layer(program: Program, node: Node, number: int, shape: str) -> str:
    name = f" {node.name or node.key}" if not (node.name or node.key).isdigit() else ""
    act = f" {node.act}" if node.act != "identity" else ""
    reads = f", reads {' and '.join(node.inputs)}" if program.network.graph else ""
    kept = KINDS[node.op].kept if node.op in KINDS else ()
    slots = [letter + node.suffix for letter in kept if letter + node.suffix in program.slots]
    weights = f", weights {'; '.join(_shaped(program, slot) for slot in slots)}" if slots else ", no weights"
    given = Names(program).slot(slot) if (slot := _given(program, node)) else ""
    called = f" as {given}" if given and given != (node.name or node.key) else ""
    return f"layer {number}{name}: {node.op}{act}, gives {shape}{called}{reads}{weights}"


def _given(program: Program, node: Node) -> str:
    """The slot that a layer gives: the last one it writes on the way forward, or "" where it writes none."""
    written = [i.writes for i in program.instructions if i.phase == "forward"]
    return next((slot for slot in reversed(written) if program.owners.get(slot) == node.key), "")


def _here(view: View) -> Iterator[str]:
    """What has just happened, in the spec's own words, and what comes next."""
    program, told = view.program, view.program.network.narration
    done = None if view.done is None else program.instructions[view.done]
    stage = "start" if done is None else done.phase
    text = told.get(done.writes if done else "", "") or told.get(stage, "")
    if text:
        yield text
    upcoming = program.instructions[view.upcoming]
    line = f"at {view.position}, next: operation {view.upcoming + 1}, {upcoming.phase}: {upcoming.source}"
    yield Told(line, partial(speaking.upcoming, program, view.position, view.upcoming))


# A tensor


def _tensor(debugger: Debugger, name: str, target: Target, digits: int) -> Iterator[str]:
    state, slot = debugger.look(debugger.position), debugger.program.slots[target.slot]
    cells = np.array([cell for cell in target.cells if cell < state.computed[target.slot]], np.int64)
    shape = "×".join(map(str, slot.shape)) or "one number"
    part = f", {len(target.cells)} of its {slot.size} cells" if len(target.cells) < slot.size else ""
    yield f"{name}: {slot.kind}, {shape}{part}, {state.arrays[target.slot].dtype}"
    if len(cells) < len(target.cells):
        count, writer = len(cells), debugger.program.writers[target.slot] + 1
        are = "is" if count == 1 else "are"
        yield f"{count or 'none'} of its {len(target.cells)} numbers {are} computed; operation {writer} does"
    values = state.arrays[target.slot].reshape(-1)[cells].astype(float)
    finite = np.isfinite(values)
    if finite.any():
        yield from _extremes(debugger, target.slot, cells[finite], values[finite], digits)
    if len(values) == slot.size:
        yield from _units(target.slot, slot.kind, values.reshape(slot.shape), digits)
    if len(values):
        yield f"zeros: {int((values == 0).sum())}, not finite: {int((~finite).sum())}"
    yield from _histogram(values, digits)


def _units(slot: str, kind: str, values: Array, digits: int) -> Iterator[str]:
    """Of a batch the unit that is most active."""
    if kind != "value" or values.ndim != 2 or min(values.shape) < 2:
        return
    with np.errstate(all="ignore"):
        means = values.mean(0)
    if np.isfinite(means).all():
        k = int(means.argmax())
        mean = number_text(means[k], digits)
        yield f"the most active on average over {len(values)} rows: unit {k} of {slot}, {slot}[:, {k}], mean {mean}"


def _histogram(values: Array, digits: int) -> Iterator[str]:
    """How many of the finite numbers lie where, in equal parts of what they span, a line each."""
    finite = values[np.isfinite(values)]
    if len(finite) < 3:
        return
    with np.errstate(all="ignore"):
        edges = np.linspace(finite.min(), finite.max(), min(_PARTS, len(finite)) + 1)
    if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():  # too wide, or too narrow to be parted
        return
    counts, _ = np.histogram(finite, edges)
    for k, count in enumerate(counts):
        if count:
            low, high = (number_text(edge, min(digits, 3)) for edge in edges[k : k + 2])
            yield f"{count} number{'s' * int(count != 1)} from {low} to {high}"


def _extremes(debugger: Debugger, slot: str, cells: Array, values: Array, digits: int) -> Iterator[str]:
    """The smallest and the largest with the names of their cells; the mean and the norm."""
    named = []
    for word, k in (("smallest", int(values.argmin())), ("largest", int(values.argmax()))):
        cell = spell(debugger.program, Target(slot, (int(cells[k]),)))
        named.append(f"{word} {number_text(values[k], digits)} in {cell}")
    with np.errstate(all="ignore"):
        mean, norm = values.mean(), np.sqrt(np.square(values).sum())
    yield f"{', '.join(named)}, mean {number_text(mean, digits)}, norm {number_text(norm, digits)}"


# A curve


def curve(session: Context, rest: str) -> Answer:
    """The loss, or an expression, at the ends of the iterations so far."""
    debugger, digits = session.debugger, session.digits or _DIGITS
    name = " ".join(rest.split()) or debugger.program.name("loss")
    if rest:
        _refuse_arrays(debugger, rest)
        iterations, values = debugger.over_iterations(expressions.parse(debugger.program, rest))
    else:
        view = debugger.view()
        iterations, values = np.arange(len(view.losses)) * view.every, view.losses
    if not len(values):
        raise CommandError(f"{name} has no value at the end of an iteration yet")
    return Answer(tuple(_curve(name, iterations, values.astype(float), digits)))


def _refuse_arrays(debugger: Debugger, text: str) -> None:
    """Raises CommandError for what is more than one number."""
    with contextlib.suppress(NotComputedError):
        count = np.size(debugger.evaluate(text))
        if count != 1:
            raise CommandError(f"{text[:40]} is {count} numbers: name one cell, or say .mean() or abs(…).max()")


def _curve(name: str, iterations: Array, values: Array, digits: int) -> Iterator[str]:
    def at(k: int) -> str:
        return number_text(values[k], digits)

    first, last = int(iterations[0]), int(iterations[-1])
    yield f"{name} {_trend(iterations, values, digits)}"
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) and len(values) > 2:
        least, most = int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])
        yield (
            f"smallest {at(least)} in iteration {iterations[least]}, largest {at(most)} in iteration {iterations[most]}"
        )
        rises = int((np.diff(values[finite]) > 0).sum())
        yield f"it rose {rises} times and fell {int((np.diff(values[finite]) < 0).sum())} times"
    chosen = np.unique(np.linspace(0, len(values) - 1, min(_POINTS, len(values))).astype(int))
    if last > first:
        yield "; ".join(f"iteration {iterations[k]}: {at(int(k))}" for k in chosen)


def _trend(iterations: Array, values: Array, digits: int) -> str:
    """`fell from 0.327 to 0.0005 in 12 iterations, most in the first 4`."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(values) == 1 or (len(bad) and bad[0] == 0):
        return f"is {number_text(values[-1], digits)} in iteration {iterations[-1]}, the first there is"
    until = int(bad[0]) if len(bad) else len(values)
    first, last = values[0], values[until - 1]
    lost = f", and is not finite from iteration {iterations[until]} on" if len(bad) else ""
    verb = "fell" if last < first else "rose" if last > first else "stayed the same,"
    span = f"{verb} from {number_text(first, digits)} to {number_text(last, digits)}"
    count = int(iterations[until - 1] - iterations[0])
    return f"{span} in {count} iteration{'s' * (count != 1)}{_when(iterations, values[:until])}{lost}"


def _when(iterations: Array, values: Array) -> str:
    """How soon most of it happened, where that is soon."""
    with np.errstate(all="ignore"):
        gone = np.abs(values - values[0]) >= _MOST * abs(values[-1] - values[0])
    soon = int(iterations[int(gone.argmax())] - iterations[0])
    whole = int(iterations[len(values) - 1] - iterations[0])
    return f", most in the first {soon}" if values[0] != values[-1] and 0 < soon <= whole / 2 else ""


VERBS: dict[str, Verb] = {"describe": describe, "curve": curve}
