"""A watch over past iterations is what one would see by going there, and looking leaves no trace."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest

from bptui.debugger import series as series_module
from bptui.debugger.debugger import Debugger
from bptui.engine.timeline import Position
from bptui.files.specs import load


def gone_to(debugger, number, t):
    """The value of a watch at the end of an iteration, by a debugger of its own that walks there."""
    other = Debugger(debugger.program.network)
    expression = debugger.watches.all[number]
    return float(np.asarray(expression(other.look(Position(t, other.count), debugger.timeline))).reshape(-1)[0])


@pytest.mark.parametrize("spec", ["article", "mazur", "xor", "moons", "digits"])
def test_every_value_is_that_of_the_iterations_end(spec):
    debugger = Debugger(load(spec))
    parameter = next(name for name in debugger.program.parameters if f"{name}.grad" in debugger.program.slots)
    texts = ["loss", "lr", f"abs({parameter}).max()", f"{parameter}.grad.sum()", "loss < 0.3"]
    numbers = [debugger.watches.add(debugger.program, text) for text in texts]
    debugger.goto(Position(40, 2))
    before = debugger.look(debugger.position)
    for number in numbers:
        iterations, values = debugger.plotted(number)
        assert list(iterations) == list(range(40)), texts[number - 1]
        for t in (0, 1, 17, 39):
            assert values[t] == gone_to(debugger, number, t), (texts[number - 1], t)
        assert list(debugger.recent(number, 12)) == list(values[-12:])
    assert debugger.look(debugger.position).same_bits(before)
    assert debugger.position == Position(40, 2)


def test_edits_are_in_it_and_only_what_they_change_is_computed_anew(monkeypatch):
    debugger = Debugger(load("article"))
    number = debugger.watches.add(debugger.program, "w5")
    debugger.goto(Position(20, 0, 1))
    _, plain = debugger.plotted(number)
    debugger.set("w5", "0.4", "10:9")
    debugger.set("prediction", "0.5", "14:2")
    asked = []
    through = series_module.Series._through
    monkeypatch.setattr(series_module.Series, "_through", lambda *given: asked.append(given[-2:]) or through(*given))
    iterations, values = debugger.plotted(number)
    assert asked == [(10, 20)]
    assert list(values[:10]) == list(plain[:10])
    assert values[10] == 0.4
    assert list(iterations) == list(range(20))
    assert list(values) == [gone_to(debugger, number, t) for t in range(20)]
    debugger.undo()
    debugger.undo()
    assert list(debugger.plotted(number)[1]) == list(plain)


def test_a_step_computes_one_more_iteration_at_most(monkeypatch):
    debugger = Debugger(load("article"))
    number = debugger.watches.add(debugger.program, "w5")
    debugger.goto(Position(20, 3))
    debugger.plotted(number)
    asked = []
    through = series_module.Series._through
    monkeypatch.setattr(series_module.Series, "_through", lambda *given: asked.append(given[-2:]) or through(*given))
    debugger.next()
    debugger.plotted(number)
    assert asked == []
    debugger.iteration()
    debugger.plotted(number)
    debugger.recent(number, 12)
    assert asked == [(20, 21)]
    debugger.iteration_back(5)
    assert len(debugger.plotted(number)[1]) == 16
    assert asked == [(20, 21)]


def test_of_a_long_way_evenly_spread_points_are_computed(monkeypatch):
    monkeypatch.setattr(series_module, "estimated_seconds", lambda _: 1e-3)
    monkeypatch.setattr(series_module.time, "monotonic", iter(np.arange(0, 1e6, 0.01)).__next__)
    debugger = Debugger(replace(load("article"), iterations=2000))
    number = debugger.watches.add(debugger.program, "w5")
    debugger.goto(Position(1000, 4))
    iterations, values = debugger.plotted(number)
    assert 8 <= len(iterations) <= 512
    steps = np.diff(iterations)
    assert len(set(steps[:-2].tolist())) == 1  # but for the one that was measured
    assert [gone_to(debugger, number, int(t)) for t in iterations[::4]] == list(values[::4])


def test_an_array_has_no_curve_and_a_metric_has_one():
    debugger = Debugger(load("moons"))
    array = debugger.watches.add(debugger.program, debugger.program.parameters[0])
    metric = debugger.watches.add(debugger.program, "accuracy")
    debugger.goto(Position(5, 1))
    assert np.isnan(debugger.plotted(array)[1]).all()
    values = debugger.plotted(metric)[1]
    assert list(values) == [gone_to(debugger, metric, t) for t in range(5)]


@pytest.mark.parametrize("network", [networks.drawn_net(), networks.dropout_net(), load("xor")])
def test_it_leaves_no_trace_in_a_run(network):
    """A run that was watched ends where one ends that was not."""
    one, other = Debugger(network), Debugger(network)
    number = one.watches.add(one.program, "loss")
    for k in (3, 9, 10, 30):
        one.goto(Position(k, 1))
        one.plotted(number)
        one.recent(number, 12)
    other.goto(Position(30, 1))
    assert one.look(one.position).same_bits(other.look(other.position))
    assert one.view().losses.tobytes() == other.view().losses.tobytes()


def test_the_losses_of_a_branch_that_was_left_are_kept_as_far_as_one_had_got():
    debugger = Debugger(load("article"))
    debugger.goto(Position(20, 9))
    known = debugger.view().losses
    debugger.goto(Position(5, 9))
    debugger.set("w5", "0.4", "2:9")
    debugger.goto(Position(30, 9))
    assert debugger.branches.name == "edit-1"
    losses, every = debugger.curve("main")
    assert every == 1
    assert losses.tobytes() == known.tobytes()
    debugger.goto(Position(8, 9))
    assert debugger.curve("main")[0].tobytes() == known[:9].tobytes()
    assert debugger.curve("edit-1")[0][3] != known[3]
    debugger.branch("main")
    debugger.branch("edit-1")
    debugger.goto(Position(30, 9))
    assert debugger.curve("main")[0].tobytes() == known.tobytes()


def test_what_is_seen_in_passing_is_no_stop():
    debugger = Debugger(load("article"))
    debugger.watches.add(debugger.program, "w5")
    (begun,) = debugger.watched()
    for k in (1, 2):
        debugger.goto(Position(k, 9))
        (passed,) = debugger.watched(passing=True)
        assert passed.change == passed.value - begun.value
    (stopped,) = debugger.watched()
    assert stopped.change == stopped.value - begun.value
    assert stopped.value == passed.value


def test_regular_checkpoints_are_the_same_on_the_way_back():
    debugger = Debugger(load("mazur"))
    debugger.goto(Position(200, 3))
    known = debugger.checkpoints
    assert known[:3] == (0, 32, 64)
    for _ in range(30):
        debugger.back(5)
        assert debugger.checkpoints == known


def test_the_losses_of_what_was_left_keep_within_their_memory():
    debugger = Debugger(load("article"), memory=2**15)
    debugger.goto(Position(199, 9))
    known = debugger.view().losses
    debugger.branch("other")
    for k in range(20):
        debugger.set("w5", f"0.4{k}")
        debugger.iteration()
    assert debugger.curve("main")[0].tobytes() == known.tobytes()
    assert 0 < debugger._curves.nbytes <= 2**15 / 8
