"""Time: any walk, with any edits anywhere, gives the bits of a computation from the very start.

The most important tests of bptui. `walks.Walk` drives a debugger and tells the same to the slow, obvious model of
`slow.py`; after every action both must agree on every bit of every slot, on what is computed and on the losses.
"""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest
import slow
from driving import goto_text, run_back, run_on
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from walks import CHANGES, MOVES, Walk, random_action

from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.engine.build import build
from bptui.engine.machine import Machine
from bptui.engine.network import Training
from bptui.engine.player import Player, state_at
from bptui.engine.timeline import START, Edit, Position, PositionError, Timeline, normal, parse
from bptui.files import specs

DTYPES = ("float64", "float32")
ACTIONS = st.tuples(st.sampled_from(MOVES + CHANGES), *[st.integers(0, 9999)] * 3)
CASES = st.tuples(st.sampled_from(sorted(networks.ALL)), st.sampled_from(DTYPES), st.sampled_from([None, 1]))
PATIENT = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@PATIENT
@given(CASES, st.lists(ACTIONS, min_size=1, max_size=14))
def test_any_walk_is_a_fresh_replay(case, actions):
    name, dtype, memory = case
    walk = Walk.of(networks.ALL[name](dtype=dtype), memory)
    for action in actions:
        walk.act(action)
        walk.check()


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_a_longer_random_walk(name):
    number = sorted(networks.ALL).index(name)
    random = np.random.default_rng(number)
    walk = Walk.of(networks.ALL[name](), memory=[None, 1][number % 2])
    for _ in range(30):
        walk.act(random_action(random))
        walk.check()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(60))
def test_soak(seed):
    random = np.random.default_rng(10_000 + seed)
    names = sorted(networks.ALL)
    name, dtype = names[seed % len(names)], DTYPES[seed // len(names) % 2]
    walk = Walk.of(networks.ALL[name](dtype=dtype), memory=[None, 1][seed % 2])
    for _ in range(400):
        walk.act(random_action(random))
        walk.check()


# Far away


@pytest.mark.parametrize("memory", [None, 2000], ids=["large memory", "small memory"])
def test_thousands_of_iterations_back_and_forth(memory):
    walk = Walk.of(networks.article(iterations=5000), memory)
    for iteration, op in [(2000, 4), (1, 2), (1999, 9), (0, 0), (40, 9)]:
        walk.here = Position(iteration, op)
        walk.debugger.goto(walk.here)
        slow_run = slow.run(walk.program, [], walk.here)
        assert walk.debugger.view().state.same_bits(slow_run.state(walk.here))
        assert list(walk.debugger.view().losses) == slow_run.all_losses()


def test_stepping_back_over_many_iterations_one_operation_at_a_time():
    walk = Walk.of(networks.sigmoid_net())
    walk.debugger.goto(Position(40, 3))
    ahead = [walk.debugger.view().state]
    for _ in range(100):
        walk.debugger.back()
        ahead.append(walk.debugger.view().state)
    for expected in reversed(ahead):
        assert walk.debugger.view().state.same_bits(expected)
        walk.debugger.next()


def test_the_checkpoints_keep_within_their_memory():
    timeline = Timeline(build(networks.article()))
    player = Player(timeline, memory=10 * 256)
    player.goto(timeline, Position(500, 3))
    assert len(player.checkpoints) <= max(4, 10 * 256 // player.machine.vector.nbytes)
    assert player.checkpoints.stride > 1


def test_losses_are_all_there_after_a_jump_over_a_near_checkpoint():
    """Going back leaves checkpoints near; looking far back and coming here again replays none of what lies between."""
    debugger = Walk.of(networks.article()).debugger
    goto_text(debugger, "7:9")
    debugger.back()
    losses = list(debugger.view().losses)
    debugger.look(Position(1, 9))
    assert list(debugger.view().losses) == losses
    assert len(losses) == 8


def test_what_was_there_before_an_update_is_of_this_timeline():
    """The start of an iteration is remembered where one stops in it; an edit before it makes it another."""
    debugger = Walk.of(networks.article(iterations=8)).debugger
    run_on(debugger)
    run_back(debugger)
    debugger.set("x", "x * 0.5")
    view = run_on(debugger)
    assert view.position == Position(7, 9)
    expected = slow.run(debugger.program, [slow.Written(Position(), "x", (0, 1), (1.0, 1.5))], Position(7, 8))
    assert view.moment is not None
    assert view.moment.before.same_bits(expected.state(Position(7, 8)))
    assert view.before["W2"].tobytes() == expected.arrays["W2"].tobytes()


# Examples that a reader can follow


def test_an_edit_at_the_very_start_is_seen_at_once():
    debugger = Walk.of(networks.article()).debugger
    debugger.next(2)
    debugger.set("w5", "0.2", "0:0")
    assert str(debugger.position) == "0:2"
    assert debugger.evaluate("prediction") == pytest.approx(0.242, abs=1e-12)
    debugger.undo()
    assert debugger.evaluate("prediction") == pytest.approx(0.191, abs=1e-12)
    debugger.redo()
    assert debugger.evaluate("prediction") == pytest.approx(0.242, abs=1e-12)


def test_an_edit_from_here_on_leaves_what_was_computed():
    debugger = Walk.of(networks.article()).debugger
    debugger.next(2)
    debugger.set("w5", "0.2")
    assert debugger.evaluate("prediction") == pytest.approx(0.191, abs=1e-12)
    debugger.next(7)
    assert debugger.evaluate("z1.grad")[0, 0] == pytest.approx(-0.809 * 0.2, abs=1e-12)


def test_a_nudge_at_the_end_changes_the_whole_iteration():
    debugger = Walk.of(networks.article()).debugger
    debugger.next(9)
    before = debugger.view().state
    debugger.nudge(debugger.program.targets["w5"])
    after = debugger.view().state
    for slot in ("z2", "loss", "z2.grad", "W2.grad", "z1.grad", "W1.grad", "W1", "W2"):
        assert before.arrays[slot].tobytes() != after.arrays[slot].tobytes(), slot
    assert debugger.undo().nudge
    assert debugger.view().state.same_bits(before)


def test_a_run_of_nudges_is_one_edit_and_one_undo():
    debugger = Walk.of(networks.article()).debugger
    debugger.next(9)
    before = debugger.view().state
    for steps in (1, 1, -1, 1):
        debugger.nudge(debugger.program.targets["w5"], steps)
    assert len(debugger.timeline.edits) == 1
    assert debugger.timeline.edits[0].values[0] == pytest.approx(0.16)
    debugger.undo()
    assert debugger.view().state.same_bits(before)


def test_a_loss_edited_at_the_end_of_its_iteration_stays_so_in_the_plot():
    debugger = Walk.of(networks.article()).debugger
    debugger.next(9)
    debugger.set("loss", "7")
    assert list(debugger.view().losses) == [7.0]
    assert list(debugger.next().losses) == [7.0]
    debugger.undo()
    assert list(debugger.view().losses) == [pytest.approx(0.3272405)]


def test_looking_elsewhere_leaves_the_present_alone():
    debugger = Walk.of(networks.skip_net()).debugger
    goto_text(debugger, "2:5.2")
    debugger.set("z_h1[0, 0]", "3")
    before = debugger.view().state
    for text in ("0:0", "2:5.1", "2:5.2", "2:5", "7:1"):
        assert debugger.look(parse(debugger.program, text)).position == parse(debugger.program, text)
        assert debugger.view().state.same_bits(before)


def test_a_timeline_is_a_pure_function_of_its_edits():
    program = build(networks.article())
    edits = [Edit(Position(0, 9), "W1", (0,), np.array([0.5])), Edit(Position(0, 2), "z1", (1,), np.array([2.0]))]
    timeline = Timeline(program, tuple(edits))
    once = state_at(timeline, Position(3, 4))
    player = Player(Timeline(program))
    for k in (1, 0, 2, 1, 2):
        player.goto(Timeline(program, tuple(edits[:k])), Position(k, 5))
    player.goto(timeline, Position(3, 4))
    assert player.state().same_bits(once)


# Positions


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("0:0", "0:0"),
        ("1:0", "0:9"),
        ("0:9", "0:9"),
        ("0:0.2", "0:1"),
        ("3:1.1", "3:2"),
        ("2:0.1", "2:0.1"),
        (" 7:3 ", "7:3"),
    ],
)
def test_a_moment_is_written_in_one_way(text, means):
    assert str(parse(build(networks.article()), text)) == means


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "0:10",
        "0:9.1",
        "0:0.3",
        "-1:0",
        "a:b",
        "1:2.3.4",
        "0:",
        ":1",
        "0:1.",
        "1e3:0",
        "9999999999999:0",
        "0:1.5 x",
    ],
)
def test_what_is_no_position_is_refused(text):
    with pytest.raises(PositionError):
        parse(build(networks.article()), text)


def test_positions_are_ordered_as_time_is():
    program = build(networks.sigmoid_net())
    clock = slow.Clock(program)
    positions = [clock.position(n) for n in range(3 * clock.each)]
    assert positions == sorted(positions)
    assert len(set(positions)) == len(positions)
    assert all(normal(program, p.iteration, p.op, p.element) == p for p in positions)


def test_a_new_edit_forgets_what_was_undone():
    walk = Walk.of(networks.article())
    for edit in ("set w5 = 1", "set w6 = 1"):
        walk.debugger.set(*edit.removeprefix("set ").split(" = "))
    walk.debugger.undo()
    walk.debugger.set("w1", "1")
    with pytest.raises(DebuggerError, match="nothing to redo"):
        walk.debugger.redo()
    walk.debugger.undo()
    walk.debugger.nudge(walk.program.targets["w2"])
    with pytest.raises(DebuggerError, match="nothing to redo"):
        walk.debugger.redo()


def test_an_iteration_run_through_on_another_timeline_began_as_it_does_there():
    debugger, other = (Debugger(replace(networks.article(), iterations=6)) for _ in range(2))
    goto_text(debugger, "5:3")
    goto_text(debugger, "0:0")
    debugger.set("W1", "W1 * 2")
    assert debugger.branches.name != "main"
    debugger.add_breakpoint("nan")
    view = run_on(debugger)  # it ends where the last stretch does, without a step
    other.set("W1", "W1 * 2")
    expected = other.goto(view.position)
    assert view.moment.before.same_bits(expected.moment.before)
    assert view.before.keys() == expected.before.keys()
    for slot, array in view.before.items():
        assert array.tobytes() == expected.before[slot].tobytes()


@pytest.mark.parametrize("edited", [False, True])
def test_a_weight_that_decays_before_its_step_is_written_twice(edited):
    training = Training(optim="adamw", options={"weight_decay": 0.1})
    debugger = Debugger(replace(networks.article(), training=training, lr=0.01))
    first, last = (k for k, i in enumerate(debugger.program.instructions) if i.writes == "W1")
    if edited:
        debugger.set("x[0, 0]", "2.5", "2:0")
        debugger.set("x[0, 0]", "2", "2:1")
    begun = debugger.look(parse(debugger.program, "2:0")).arrays["W1"]
    view = debugger.goto(Position(2, first + 1))
    decayed = view.state.arrays["W1"]
    assert debugger.writer("W1") == (2, first)
    assert view.before["W1"].tobytes() == begun.tobytes()
    view = debugger.goto(Position(2, last + 1))
    assert debugger.writer("W1") == (2, last)
    assert view.before["W1"].tobytes() == begun.tobytes()
    assert view.moment.before.arrays["W1"].tobytes() == decayed.tobytes() != begun.tobytes()


def test_what_is_broken_off_elsewhere_leaves_one_where_one_was(monkeypatch):
    debugger = Debugger(networks.article())
    goto_text(debugger, "3:4")
    before = debugger.view().state
    edit = Edit(Position(1, 2), "W1", (0,), np.array([9.0]))

    def broken_off(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Player, "state", broken_off)
        with pytest.raises(KeyboardInterrupt):
            debugger.look(Position(1, 5), Timeline(debugger.program, (edit,)))
    assert debugger.view().state.same_bits(before)


@pytest.mark.parametrize("what", ["set", "undo", "redo", "branch"])
def test_what_is_broken_off_while_it_is_computed_again_has_not_been_done(monkeypatch, what):
    debugger = Debugger(networks.article())
    goto_text(debugger, "9:4")
    debugger.set("w5", "0.4", "2:0")
    debugger.set("lr", "0.1", "3:0")
    if what == "redo":
        debugger.undo()
    if what == "branch":
        goto_text(debugger, "12:0")
    deeds = {
        "set": lambda: debugger.set("w6", "0.3", "1:0"), "undo": debugger.undo, "redo": debugger.redo,
        "branch": lambda: debugger.branch("main"),
    }  # fmt: skip
    kept, state, run = debugger.memento(), debugger.view().state, Machine.run

    def broken_off(self, iteration, n, *rest):
        run(self, iteration, min(n, 1), *rest)
        monkeypatch.setattr(Machine, "run", run)
        raise KeyboardInterrupt

    monkeypatch.setattr(Machine, "run", broken_off)
    with pytest.raises(KeyboardInterrupt):
        deeds[what]()
    assert debugger.memento() == kept
    assert debugger.view().state.same_bits(state)
    deeds[what]()
    assert debugger.memento() != kept


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        *(("article", 60), ("moons", 60), ("digits", 30), ("lstm", 20)),
        *(pytest.param(name, 60, marks=pytest.mark.soak) for name in ("digits", "lstm")),
    ],
)
def test_a_copy_that_takes_over_what_is_still_so_is_a_copy(name, steps):
    """Over random steps, within iterations and across them, forward and back, with edits in between."""
    debugger = Debugger(specs.load(name))
    random = np.random.default_rng(1)
    count = len(debugger.program)
    for k in range(steps):
        place = Position(int(random.integers(0, 2)), int(random.integers(0, count + 1)))
        debugger.goto(place if place.op else START)
        for _ in range(int(random.integers(0, 4))):
            debugger.step() if random.random() < 0.4 else debugger.next()
        if k % 9 == 5:
            debugger.set("lr", str(0.01 * k))
        seen, whole = debugger.view().state, debugger._player.state()
        assert seen.computed == whole.computed
        for slot, array in whole.arrays.items():
            assert seen.arrays[slot].tobytes() == array.tobytes(), (slot, debugger.position)
        moment = debugger.view().moment
        if moment is not None:
            instruction = debugger.program.instructions[moment.index]
            read = debugger.look(normal(debugger.program, debugger.position.iteration, moment.index, 0))
            for slot in (*instruction.reads, instruction.writes):
                assert moment.before.arrays[slot].tobytes() == read.arrays[slot].tobytes(), (slot, debugger.position)


@pytest.mark.parametrize("name", ["article", "moons"])
def test_a_glimpse_has_the_losses_that_a_look_has(name):
    """Between the iterations of a run and within one, where later ones are known too, and after an edit."""
    debugger = Debugger(specs.load(name))
    count = len(debugger.program)
    for place in (
        START,
        Position(7, count),
        Position(40, count),
        Position(3, count),
        Position(2, count - 1),
        Position(5, 1),
    ):
        debugger.goto(place)
        assert debugger.glimpse().losses.tobytes() == debugger.view().losses.tobytes(), place
    debugger.set("lr", "0.01")
    for place in (Position(6, count), Position(5, count - 1)):
        debugger.goto(place)
        assert debugger.glimpse().losses.tobytes() == debugger.view().losses.tobytes(), place
