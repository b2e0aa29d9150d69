"""Where a number came from: held against a slow scan of everything, and against the arithmetic itself."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import networks
import numpy as np
import pytest
from driving import goto_text
from networks import dense
from test_formulas import NETWORKS

from bptui.commands.session import Session
from bptui.debugger.branches import Branches
from bptui.debugger.debugger import Debugger
from bptui.debugger.expressions import parse_target
from bptui.debugger.provenance import nonfinite
from bptui.debugger.provenance.history import history
from bptui.debugger.provenance.origin import origin
from bptui.debugger.provenance.uses import uses
from bptui.engine.build import build
from bptui.engine.lifeline import past
from bptui.engine.network import Network, Node, Training
from bptui.engine.ops.functions import FUNCTIONS
from bptui.engine.player import Player, state_at
from bptui.engine.program import Program, Target
from bptui.engine.reach import operands, spread
from bptui.engine.timeline import START, Edit, Position, Timeline, normal
from bptui.explain.tree.changes import HistoryNode
from bptui.explain.tree.nodes import CellNode
from bptui.explain.tree.nodes import Node as TreeNode
from bptui.explain.tree.reading import Source
from bptui.explain.tree.samples import SamplesNode
from bptui.files import specs
from bptui.files.examples import example_names

OPTIMS: dict[str, Training] = {
    "sgd": Training(),
    "momentum": Training("sgd", {"momentum": 0.9}),
    "adam": Training("adam"),
    "adamw": Training("adamw", {"weight_decay": 0.1}),
    "rmsprop": Training("rmsprop"),
}


def at(position: str, network: Network | None = None, *edits: str) -> Debugger:
    """A debugger at a position, after edits such as `w5 = 0.2 at 0:4`."""
    debugger = Debugger(network or networks.article())
    for edit in edits:
        target, value = edit.split(" = ")
        debugger.set(target, *value.split(" at "))
    goto_text(debugger, position)
    return debugger


def root(debugger: Debugger, slot: str, cell: int) -> CellNode:
    """A cell as the root of a tree."""
    source = Source(
        debugger.timeline, debugger.position, debugger.look, lambda s, c, p: history(debugger.timeline, s, c, p)
    )
    return CellNode(source, (slot, cell), debugger.position, source.value(slot, cell, debugger.position))


def named(debugger: Debugger, text: str) -> CellNode:
    target = parse_target(debugger.program, text)
    return root(debugger, target.slot, target.cells[0])


# Origins

Told = tuple[int, int] | Edit | None


def slow_past(timeline: Timeline, slot: str, cell: int, position: Position) -> list[Told]:
    """The same by writing down everything that happens, element by element, from the start."""
    program, found = timeline.program, []
    lasting = program.slots[slot].persistent
    moments: list[tuple[Position, int, Told]] = [
        (e.position, e.serial, e) for e in timeline.edits if e.slot == slot and cell in e.cells
    ]
    for t in range(position.iteration + 1):
        moments += [
            (normal(program, t, k, cell + 1), 0, (t, k)) for k, i in enumerate(program.instructions) if i.writes == slot
        ]
    for when, _, what in sorted(moments, key=lambda moment: moment[:2]):
        if when <= position and (lasting or when.iteration == position.iteration):
            found.append(what)
    return [*([None] if lasting else []), *found][::-1]


def told(timeline: Timeline, slot: str, cell: int, position: Position) -> list[Told]:
    return [
        each.edit if each.edit is not None else None if each.index is None else (each.position.iteration, each.index)
        for each in past(timeline, slot, (cell,), position)
    ]


@pytest.mark.parametrize("name", ["article", "skip", "drawn", "adamw"])
def test_every_origin_is_what_happened_last(name):
    """Random edits, positions and cells, inside operations too."""
    network = networks.sigmoid_net(training=OPTIMS["adamw"]) if name == "adamw" else networks.ALL[name]()
    program, random = build(network), np.random.default_rng(5)
    slots = [slot for slot in program.slots.values() if not slot.given]

    def somewhere() -> Position:
        k = int(random.integers(len(program)))
        return normal(program, int(random.integers(4)), k, int(random.integers(program.size(k) + 1)))

    for _ in range(150):
        edits = []
        for _ in range(int(random.integers(4))):
            slot, place = slots[random.integers(len(slots))], somewhere()
            k = program.writers.get(slot.name)
            if slot.persistent or (k is not None and place.op > k):
                edits.append(Edit(place, slot.name, (int(random.integers(slot.size)),), np.array([0.5])))
        timeline, here = Timeline(program, tuple(edits)), somewhere()
        edited = [(edit.slot, edit.cells[0]) for edit in edits] or [("x", 0)]
        slot = slots[random.integers(len(slots))]
        for name_, cell in [*edited, (slot.name, int(random.integers(slot.size)))]:
            assert told(timeline, name_, cell, here) == slow_past(timeline, name_, cell, here)


def walk(debugger: Debugger, text: str) -> list[str]:
    """The positions that asking again and again leads to."""
    target, places = parse_target(debugger.program, text), []
    while (there := origin(debugger.timeline, target, debugger.position).there) is not None:
        debugger.goto(there.position)
        places.append(str(there.position))
    return places


def test_a_weight_is_followed_back_through_every_update():
    assert walk(at("3:4"), "w5") == ["2:9", "1:9", "0:9", "0:0"]
    assert walk(at("0:8.1"), "w5") == ["0:0"]
    assert walk(at("0:8.1"), "w6") == ["0:0"]


def test_an_edit_is_an_origin_too():
    debugger = at("2:9", None, "w5 = 0.2 at 1:4")
    assert walk(debugger, "w5") == ["1:9", "1:4", "0:9", "0:0"]
    # An edit just after the update: standing there one is told of both.
    found = origin(at("0:9", None, "w5 = 0.2 at 0:9").timeline, Target("W2", (0,)), Position(0, 9))
    assert [each.edit is not None for each in found.here] == [True, False]
    assert found.there is not None
    assert found.there.position == START


def test_a_weight_that_decays_and_steps_has_two_origins_in_an_iteration():
    debugger = at("1:0", networks.sigmoid_net(training=OPTIMS["adamw"]))
    written = [k + 1 for k, i in enumerate(debugger.program.instructions) if i.writes == "W1"]
    assert len(written) == 2
    assert walk(debugger, "W1[0, 0]") == [f"0:{written[1]}", f"0:{written[0]}", "0:0"]


def test_a_value_is_computed_anew_in_each_iteration():
    assert walk(at("2:9"), "h1") == ["2:1"]
    assert walk(at("2:1"), "h1") == []
    assert walk(at("2:9"), "h1.grad") == ["2:6"]


def answers(network: str, *lines: str) -> list[tuple[str, ...]]:
    session = Session(specs.load(network))
    return [session.execute(line).lines for line in lines]


def test_what_origin_says():
    said = answers(
        "article", "run 2", "origin w5", "origin w5", "origin w5", "origin w5", "origin i1", "origin lr", "origin h1"
    )
    assert said[1][1] == "w5 before 1:9 = 0.1743825: written by operation 9 of iteration 0"
    assert said[2] == ("0:0 start", "w5 before 0:9 = 0.14: the weight it began with")
    assert said[3] == ("w5 = 0.14: the weight it began with; there is nothing before that",)
    assert said[5] == ("i1 = 2: given by the data",)
    assert said[6] == ("lr = 0.05: the learning rate",)
    assert said[7] == ("h1 is not computed yet: operation 1 writes it",)
    said = answers(
        "article", "set w5 = 0.2 at 0:4", "goto 0:8", "origin w5", "origin h1", "origin h1", "origin W1", "origin w2"
    )
    assert said[2] == (
        "0:4 backward  z2.grad = z2 - y  [[-0.8089999999999999]]",
        "w5 = 0.2: set by hand, set w5 = 0.2 at 0:4",
    )
    assert said[3][1] == "h1 = 0.85: written by operation 1 of iteration 0"
    assert said[4] == ("h1 is computed here, anew in each iteration, of i1, i2, w1, w2",)
    assert said[6] == ("w2 = 0.21: the weight it began with; there is nothing before that",)


# Uses


def reads(timeline: Timeline, target: Target, position: Position, look: Callable) -> list[tuple[str, tuple[int, ...]]]:
    found = uses(timeline, target, position, look)
    assert found is not None
    return [(str(use.position), use.cells) for use in found.found]


def test_a_weight_is_used_by_the_next_iteration():
    debugger = at("0:9")
    w5, w3 = Target("W2", (0,)), Target("W1", (1,))
    assert reads(debugger.timeline, w5, debugger.position, debugger.look) == [
        ("1:2", (0,)),
        ("1:6", (0,)),
        ("1:9", (0,)),
    ]
    assert reads(debugger.timeline, w3, debugger.position, debugger.look) == [("1:1", (1,)), ("1:8", (1,))]


def test_a_value_is_used_until_the_next_iteration_computes_it_anew():
    debugger = at("0:9")
    assert reads(debugger.timeline, Target("z1", (1,)), debugger.position, debugger.look) == [
        ("0:2", (0,)),
        ("0:5", (1,)),
    ]


def test_an_edit_ends_the_uses_of_what_it_replaced_and_has_its_own():
    debugger = at("0:3", None, "w5 = 0.2 at 0:4")
    w5 = Target("W2", (0,))
    assert reads(debugger.timeline, w5, Position(0, 3), debugger.look) == [("0:2", (0,))]
    assert reads(debugger.timeline, w5, Position(0, 4), debugger.look) == [("0:6", (0,)), ("0:9", (0,))]


def test_an_edit_inside_an_operation_is_used_by_the_elements_after_it():
    debugger = at("0:1", None, "i1 = 5 at 0:0.1")
    i1 = Target("x", (0,))
    assert reads(debugger.timeline, i1, START, debugger.look) == [("0:1", (0,))]
    lasting = uses(debugger.timeline, Target("x", (0,)), Position(0, 0, 1), debugger.look)
    assert lasting is not None
    assert [(str(use.position), use.cells) for use in lasting.found] == [("0:1", (1,)), ("0:7", (0, 1))]


def test_the_data_of_a_row_are_used_when_it_is_drawn():
    debugger = Debugger(networks.drawn_net())
    for row in range(5):
        target = Target("X", (2 * row,))
        found = uses(debugger.timeline, target, START, debugger.look)
        assert found is not None
        assert found.again
        (use,) = found.found
        rows = debugger.look(use.position).arrays["rows"]
        assert row in rows
        assert use.cells == tuple(2 * k for k, drawn in enumerate(rows) if drawn == row)
        for t in range(use.position.iteration):
            assert row not in debugger.look(Position(t, 1)).arrays["rows"]


@pytest.mark.parametrize("name", ["article", "skip", "softmax", "drawn"])
def test_uses_are_all_the_cells_whose_operands_have_the_cell(name):
    """Every cell of every instruction from the value's birth to its end, the other way round."""
    debugger = at("0:0", networks.ALL[name]())
    program, timeline = debugger.program, debugger.timeline
    end = Position(1, len(program))
    debugger.goto(end)
    for slot in program.slots.values():
        if slot.given or (slot.persistent and slot.name not in program.writers):
            continue
        for cell in range(slot.size):
            birth = next(past(timeline, slot.name, (cell,), end))
            found = reads(timeline, Target(slot.name, (cell,)), end, debugger.look)
            slow = []
            for t in (1, 2):
                for k, instruction in enumerate(program.instructions):
                    if (
                        Position(t, k) < birth.position
                        or (t == 2 and not slot.persistent)
                        or slot.name not in instruction.reads
                    ):
                        continue
                    cells = tuple(
                        out for out in range(program.size(k))
                        if (slot.name, cell) in made_of(program, k, out, debugger.look(normal(program, t, k + 1, 0)).arrays)
                    )  # fmt: skip
                    slow += [(str(normal(program, t, k + 1, 0)), cells)] if cells else []
            assert found == slow, (slot.name, cell)


def made_of(program: Program, k: int, cell: int, arrays: dict[str, np.ndarray]) -> set[tuple[str, int]]:
    instruction = program.instructions[k]
    mask = np.zeros(program.slots[instruction.writes].shape, bool)
    mask.reshape(-1)[cell] = True
    values = {role: arrays[slot] for role, slot in instruction.roles.items()}
    found = operands(instruction.text, program.shapes(k), mask, values)
    return {(slot, int(i)) for role, slot in instruction.roles.items() for i in np.flatnonzero(found[role])}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_operands_and_spread_are_inverse(name):
    """Of every operation there is: a cell of an argument feeds a cell of the result just if that is made of it."""
    debugger = Debugger(NETWORKS[name]())
    program, random = debugger.program, np.random.default_rng(2)
    arrays = debugger.look(Position(0, len(program))).arrays
    for k, instruction in enumerate(program.instructions):
        shapes = program.shapes(k)
        for values in ({role: arrays[slot] for role, slot in instruction.roles.items()}, {}):
            out = int(random.integers(program.size(k)))
            mask = np.zeros(program.slots[instruction.writes].shape, bool)
            mask.reshape(-1)[out] = True
            found = operands(instruction.text, shapes, mask, values)
            for role, marks in found.items():
                if not values and "scatter" in instruction.text and role != "g":
                    continue  # which row a number names is not known then
                for cell in {int(random.integers(marks.size)), *map(int, np.flatnonzero(marks)[:3])}:
                    one = np.zeros(marks.shape, bool)
                    one.reshape(-1)[cell] = True
                    fed = spread(instruction.text, shapes, {role: one}, values)
                    assert fed.shape == mask.shape
                    assert bool(fed.reshape(-1)[out]) == bool(marks.reshape(-1)[cell]), (
                        instruction.source,
                        role,
                        cell,
                        out,
                    )


# The tree


def shown(node: TreeNode) -> Iterator[CellNode]:
    """The cells that a node's page shows, those in its terms and groups too."""
    for child in node.children:
        if isinstance(child, HistoryNode | SamplesNode):
            continue
        if isinstance(child, CellNode):
            yield child
        else:
            yield from shown(child)


def evaluate(program: Program, k: int, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """An instruction's shown line, by plain NumPy."""
    instruction = program.instructions[k]
    names = {
        "abs": np.abs,
        **{name: getattr(np, name) for name in dir(np) if not name.startswith("_") and name != "abs"},
    }
    names |= {**FUNCTIONS, **instruction.row.functions, "slice": slice, "int": int}
    given = {role: arrays[slot] for role, slot in instruction.roles.items()}
    with np.errstate(all="ignore"):
        return np.asarray(eval(instruction.text, names, given))


def cells(program: Program, count: int, seed: int = 0) -> Iterator[tuple[str, int]]:
    """Random cells, of as many different slots as there are."""
    random = np.random.default_rng(seed)
    slots = [slot for slot in program.slots.values() if slot.name in program.writers]
    for k in random.permutation(len(slots))[:count]:
        yield slots[k].name, int(random.integers(slots[k].size))


@cache
def ended(name: str) -> Debugger:
    """At the end of the second iteration, for those that only look."""
    debugger = Debugger(NETWORKS[name]() if name in NETWORKS else specs.load(name))
    debugger.goto(Position(1, len(debugger.program)))
    return debugger


@pytest.mark.parametrize("name", [*example_names(), *sorted(NETWORKS)])
def test_a_number_is_what_its_operands_in_the_tree_make_of_it(name):
    """Everything that the tree does not show is made nan: the element must come out all the same."""
    debugger = ended(name)
    for slot, cell in cells(debugger.program, 8):
        node = root(debugger, slot, cell)
        assert node.origin is not None
        k = node.origin.index
        assert k is not None
        arrays = {}
        for read in debugger.program.instructions[k].reads:
            found = debugger.program.slots[read]
            arrays[read] = np.full(found.shape, np.nan) if found.kind != "rows" else np.zeros(found.shape, int)
        accumulated = {each.slot for each in shown(node)} - set(arrays)
        if accumulated:  # the sums of two on the way are left out
            assert math.fsum(each.value for each in shown(node) if each.share is not None) == pytest.approx(
                node.value, rel=1e-9
            )
            continue
        for each in shown(node):
            arrays[each.slot].reshape(-1)[each.cell] = each.value
        with np.errstate(all="ignore"):
            value = float(evaluate(debugger.program, k, arrays).reshape(-1)[cell])
        assert value == pytest.approx(node.value, rel=1e-6, abs=1e-12), (slot, cell)


@pytest.mark.parametrize("name", [*example_names(), *sorted(NETWORKS)])
def test_terms_come_to_the_sum_and_shares_to_one(name):
    debugger = ended(name)
    for slot, cell in cells(debugger.program, 8, 1):
        node = root(debugger, slot, cell)
        for group in (node, *node.children[:3]):
            parts = [child for child in group.children if child.share is not None]
            if not parts or isinstance(group, HistoryNode):
                continue
            assert math.fsum(part.share for part in parts) == pytest.approx(1)
            size = math.fsum(abs(part.value) for part in parts)
            assert math.fsum(part.value for part in parts) == pytest.approx(group.value, rel=1e-7, abs=1e-9 * size)
            for part in parts:
                assert part.share == pytest.approx(abs(part.value) / size)
            if len(parts) > 6:
                assert [abs(part.value) for part in parts] == sorted((abs(part.value) for part in parts), reverse=True)


def test_the_article_by_hand():
    node = named(at("0:9"), "w5.grad")
    assert [(each.name, each.value) for each in shown(node)] == [
        ("h1", 0.85),
        ("∂E/∂prediction", pytest.approx(-0.809)),
    ]
    step = named(at("0:9"), "w5")
    assert [child.text.partition("  ")[0] for child in step.children[:2]] == [
        "w5 = 0.14",
        "−lr·∂E/∂w5 = −0.05·(−0.68765) = 0.0343825",
    ]
    (start, update) = step.children[2].children
    assert (start.value, update.value) == (0.14, pytest.approx(0.0343825))
    prediction = named(at("0:9"), "prediction")
    assert [(child.text, child.share) for child in prediction.children] == [
        ("h1·w5 = 0.85·0.14 = 0.119", pytest.approx(0.119 / 0.191)),
        ("h2·w6 = 0.48·0.15 = 0.072", pytest.approx(0.072 / 0.191)),
    ]  # fmt: skip


@pytest.mark.parametrize("edits", [(), ("b1 = 0.5 at 1:2",)])
def test_a_drawn_value_is_of_the_row_that_this_iteration_drew(edits):
    """With an edit in the iteration the rows have to be read after it has begun: before, they are the last one's."""
    debugger = at("1:4", networks.drawn_net(), *edits)
    rows = debugger.look(debugger.position).arrays["rows"]
    assert list(rows) != list(debugger.look(Position(0, 1)).arrays["rows"])
    for cell in range(4):
        node = root(debugger, "x", cell)
        drawn, number = node.children
        assert (drawn.slot, drawn.cell) == ("X", 2 * rows[cell // 2] + cell % 2)
        assert (drawn.value, number.value) == (node.value, rows[cell // 2])


# Samples and ways


def alone(network: Network, sample: int) -> Network:
    """The same network with one sample of its data, which then is the whole batch."""
    return replace(network, x=network.x[sample : sample + 1], y=network.y[sample : sample + 1])


def sequence() -> Network:
    nodes = (Node("1", ("x",), 3, op="lstm", options={"last": True}), dense("2", "1", 2))
    return Network(nodes, networks.numbers(4, 5, 2), networks.numbers(4, 2, seed=1), loss="mse", seed=1)


def samples_of(node: CellNode) -> list[TreeNode]:
    """The nodes of a gradient's samples, in their order."""
    group = next((c for c in node.children if c.text.endswith("by the samples of the batch")), node)
    found = [c for c in group.children if (c.label + c.text).startswith("sample ")]
    return sorted(found, key=lambda c: int((c.label + c.text).split()[1].strip(":")))


@pytest.mark.parametrize(
    "network",
    [networks.sigmoid_net(), networks.softmax_net(), networks.skip_net(), sequence()],
    ids=["dense", "softmax", "skip", "lstm"],
)
def test_a_samples_part_of_a_gradient_is_its_gradient_alone_over_the_batch(network):
    debugger = at("0:0", network)
    debugger.goto(Position(0, len(debugger.program)))
    program, n = debugger.program, len(network.x)
    ones = [build(alone(network, k)) for k in range(n)]
    states = [state_at(Timeline(one), Position(0, len(one))) for one in ones]
    random = np.random.default_rng(0)
    for slot in program.slots.values():
        if slot.kind != "gradient" or not slot.name.endswith(".grad") or program.slots[slot.of].kind != "parameter":
            continue
        for cell in random.permutation(slot.size)[:3]:
            node = root(debugger, slot.name, int(cell))
            found = samples_of(node)
            assert len(found) == n, slot.name
            for k, part in enumerate(found):
                expected = states[k].arrays[slot.name].reshape(-1)[cell] / n
                assert part.value == pytest.approx(float(expected), rel=1e-9, abs=1e-15)
            assert math.fsum(part.value for part in found) == pytest.approx(node.value, rel=1e-9, abs=1e-15)


def test_a_gradient_that_came_on_several_ways_names_them():
    debugger = at("0:0", networks.skip_net())
    debugger.goto(Position(0, len(debugger.program)))
    node = root(debugger, "a_h1.grad", 0)
    assert [child.label for child in node.children] == ["through s: ", "through z_h2: "]
    assert math.fsum(child.value for child in node.children) == pytest.approx(node.value)


def test_a_weights_row_is_no_sample_though_it_is_as_long_as_the_batch():
    training = Training(clip_value=0.5, clip_norm=1.0)
    network = Network(
        (dense("1", "x", 2, "tanh"), dense("2", "1", 2)),
        networks.numbers(3, 3),
        networks.numbers(3, 2, seed=1),
        training=training,
    )
    debugger = at("0:0", network)
    debugger.goto(Position(0, len(debugger.program)))
    node = root(debugger, "W1.norm2", 0)
    assert len(node.children) == 6
    assert not any(child.label for child in node.children)
    assert all(child.label.startswith("sample ") for child in root(debugger, "W1.grad", 0).children)


# Histories


@pytest.mark.parametrize("optim", sorted(OPTIMS))
def test_a_weight_is_its_start_and_every_change_since(optim):
    debugger = at(
        "300:3",
        networks.sigmoid_net(training=OPTIMS[optim], lr=0.01),
        "W1[0, 0] = 0.7 at 20:4",
        "W1[0, 0] = 0.8 at 20:4",
        "W1 = 0.3 at 100:0",
    )
    program = debugger.program
    end = f"{program.writers['W1'] + 1}"
    debugger.set("W1[0, 0]", "-0.2", f"120:{end}")
    slot, cell = "W1", 0
    changes = history(debugger.timeline, slot, cell, debugger.position)
    start = float(program.initial[slot].reshape(-1)[cell])
    value = debugger.look(debugger.position).arrays[slot].reshape(-1)[cell]
    assert start + math.fsum(change.by for change in changes) == pytest.approx(value, rel=1e-12)
    each = sum(i.writes == slot for i in program.instructions)
    assert sum(change.origin.index is not None for change in changes) == 300 * each
    assert [change.origin.edit.text for change in changes if change.origin.edit] == [
        "set W1[0, 0] = 0.7",
        "set W1[0, 0] = 0.8",
        "set W1 = 0.3",
        "set W1[0, 0] = -0.2",
    ]
    assert changes[-1].after == value
    for change in changes:
        if (edit := change.origin.edit) is not None:
            earlier = [e for e in debugger.timeline.edits if e.position != edit.position or e.serial < edit.serial]
            without = debugger.look(edit.position, Timeline(program, tuple(earlier))).arrays[slot].reshape(-1)[cell]
            assert (change.before, change.after) == (without, edit.values[edit.cells.index(cell)])
    for before, after in itertools.pairwise(changes):
        assert before.after == after.before
        assert before.origin.position <= after.origin.position
    for change in changes[::97]:
        if change.origin.edit is None:
            k = change.origin.index
            assert k is not None
            look = debugger.look(normal(program, change.origin.position.iteration, k, 0)).arrays[slot].reshape(-1)[cell]
            assert change.before == look


def test_the_tree_tells_the_largest_updates_first():
    debugger = at("50:0", networks.sigmoid_net())
    group = next(child for child in root(debugger, "W1", 2).children if isinstance(child, HistoryNode))
    start, *updates = group.children
    assert len(updates) == 50
    assert start.value + math.fsum(update.value for update in updates) == pytest.approx(group.value, rel=1e-12)
    assert math.fsum(update.share for update in updates) == pytest.approx(1)
    assert [abs(u.value) for u in updates] == sorted((abs(u.value) for u in updates), reverse=True)
    step = updates[0].children[1]
    assert step.value == pytest.approx(updates[0].value, rel=1e-9)


# Why nan


def slow_first(timeline: Timeline, until: Position) -> tuple[Position, int] | None:
    """The same by looking at what every operation wrote, from the start."""
    player = Player(timeline)
    program = timeline.program
    for t in range(until.iteration + 1):
        for k in range(len(program)):
            place = min(Position(t, k + 1), until)
            slot = program.instructions[k].writes
            kept = tuple(edit for edit in timeline.edits if (edit.position, edit.slot) != (place, slot))
            player.goto(Timeline(program, kept), place)
            there = program.size(k) if place.element == 0 else place.element
            if not np.isfinite(player.machine.arrays[slot].reshape(-1)[:there]).all():
                return place, k
            if place == until:
                return None
    return None


def exploding(**changes: object) -> Network:
    return networks.article(**({"lr": 5.0} | changes))


def graph(*nodes: Node, x: object, **changes: object) -> Network:
    data = np.array(x, float)
    return Network(nodes, data, np.ones((len(data), 1)), **({"loss": "mse", "lr": 0.1, "seed": 2} | changes))


def of(key: str, op: str, reads: str) -> Node:
    return Node(key, (reads,), 0, op=op)


CASES: dict[str, Callable[[], Network]] = {
    "loss": exploding,
    "float32": lambda: exploding(dtype="float32"),
    "exp": lambda: graph(of("e", "exp", "x"), dense("out", "e", 1), x=[[1.0, 2.0], [800.0, 3.0]]),
    "log": lambda: graph(dense("h", "x", 2, "relu"), of("l", "log", "h"), dense("out", "l", 1), x=[[1.0, 2.0], [-3.0, -1.0]]),
    "growing": lambda: graph(dense("h", "x", 3), of("e", "exp", "h"), dense("out", "e", 1), x=[[1.0, 2.0], [2.0, 3.0]], lr=2.0),
    "product": lambda: graph(dense("h", "x", 2), dense("out", "h", 1), x=[[1e200, 1.0], [1.0, 1e180]], lr=1e-300),
    # The gradient of h is too large, and is thrown away by the relu: neither loss nor weights ever show it.
    "hidden": lambda: Network(
        (dense("1", "x", 2, "relu", W=np.array([[-1.0, -1.0]]), b=np.zeros(2)), dense("2", "1", 1, W=np.full((2, 1), 1e200), b=np.array([1e140]))),
        np.array([[1.0]]), np.array([[-1e120]]), loss="half-mse", lr=0.0),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_first_that_is_not_finite_is_found_where_a_slow_scan_finds_it(case):
    timeline = Timeline(build(CASES[case]()))
    count = len(timeline.program)
    random = np.random.default_rng(1)
    for until in [
        Position(40, count),
        Position(0, count),
        *(Position(int(random.integers(12)), int(random.integers(1, count + 1))) for _ in range(6)),
    ]:
        found = nonfinite.first(timeline, until)
        assert (found and (found.position, found.index)) == slow_first(timeline, until), until
    assert slow_first(timeline, Position(40, count)) is not None or case == "hidden"


def test_an_edit_that_hides_what_was_not_finite_does_not_mislead():
    debugger = at("0:0", CASES["exp"]())
    debugger.goto(Position(0, 1))
    debugger.set("z_e", "1")
    debugger.goto(Position(2, 3))
    found = nonfinite.first(debugger.timeline, debugger.position)
    assert found is not None
    assert (found.position, found.index, found.slot) == (Position(0, 1), 0, "z_e")
    assert slow_first(debugger.timeline, debugger.position) == (Position(0, 1), 0)


def test_why_nan_goes_there_and_says_why():
    session = Session(CASES["exp"]())
    assert session.execute("why nan").lines == ("every number up to 0:0 is finite",)
    session.execute("run 3")
    lines = session.execute("why nan").lines
    assert session.debugger.position == Position(0, 1)
    assert lines[0].startswith("0:1 forward  z_e = exp(x)")
    assert "e^800 is too large for float64" in lines
    assert lines[-1] == "  finite: x[1,0] = 800"


@pytest.mark.parametrize(
    ("case", "words"),
    [("loss", "is too large for float64"), ("float32", "is too large for float32"), ("log", "ln(0) is −∞: the logarithm of 0"),
     ("product", "is too large for float64")],
)  # fmt: skip
def test_the_reason_is_the_step_that_failed(case, words):
    session = Session(CASES[case]())
    session.execute("run 40")
    assert any(words in line for line in session.execute("why nan").lines)


def test_the_step_is_the_innermost():
    """Half the mean of squares: it is neither the half nor the mean that is too large, but a square."""
    session = Session(squares())
    session.execute("run 40")
    reason = next(line for line in session.execute("why nan").lines if "too large" in line)
    assert re.fullmatch(r"\(.+\)² is too large for float64", reason), reason


def squares() -> Network:
    nodes = (dense("1", "x", 1, bias=False, W=np.array([[1e200]])),)
    return Network(nodes, np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]]), loss="half-mse", lr=0.0)


def test_nan_in_the_data_is_named_as_such():
    debugger = at("0:0", networks.article())
    program = debugger.program
    initial = {**program.initial, "x": np.array([[np.nan, 3.0]])}
    session = Session(networks.article())
    session.debugger.branches = Branches(Timeline(replace(program, initial=initial)))
    session.debugger._player = Player(session.debugger.timeline)
    assert session.execute("why nan").lines == ("i1 is nan: given by the data",)
    session.execute("run 2")
    lines = session.execute("why nan").lines
    assert session.debugger.position == Position(0, 1)
    assert "  i1 = nan  given by the data" in lines
    assert "an operand is nan already" in lines


def test_nothing_moves_where_all_is_finite():
    session = Session(networks.sigmoid_net())
    session.execute("run 30")
    here = session.debugger.position
    assert session.execute("why nan").lines == (f"every number up to {here} is finite",)
    assert session.debugger.position == here
    assert session.execute("why W1[0, 0]").lines == session.execute("explain W1[0, 0]").lines
