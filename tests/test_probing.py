"""What the loss would be elsewhere is what one gets by going there, to the bit; and looking leaves no trace."""

from __future__ import annotations

import math

import networks
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptui.debugger.debugger import Debugger
from bptui.debugger.probing.knobs import ProbeError, knob, turned
from bptui.debugger.probing.planes import Plane, inputs
from bptui.debugger.probing.probe import Probe
from bptui.debugger.probing.ranges import downhill, window
from bptui.debugger.probing.slopes import sliced, surface
from bptui.debugger.probing.tracks import QUANTILES, Norms, Path, Spread, quantiles, trained
from bptui.debugger.probing.work import Work
from bptui.debugger.rows import Rows
from bptui.debugger.series import Series
from bptui.engine.network import Training
from bptui.engine.program import Target
from bptui.engine.timeline import Position
from bptui.files.examples import example_names
from bptui.files.specs import load


def along(debugger, slot, cell):
    start = debugger.begun()
    return done(sliced(Probe(debugger.program), start, knob(start, slot, cell)))


def done(steps):
    work = Work(steps)
    assert work.go_on(100)
    return work.result


def probed(debugger, slot, cell, *values):
    """The cell's value in this iteration, and the loss at others."""
    probe, start = Probe(debugger.program), debugger.begun()
    here = probe.begin(start, [knob(start, slot, cell)])
    return here[0], [probe.loss(value) for value in values]


def seen(debugger):
    return float(debugger.look(debugger.position).arrays["loss"])


def to_the_loss(debugger, iteration=0):
    debugger.goto(Position(iteration, debugger.program.loss_index + 1))


def some_cells(program):
    """A weight and a bias of the first layer and the last, an input, and a value on the way."""
    slots = [program.parameters[0], program.parameters[-1], "x" if program.slots["x"].editable else "", "z1"]
    return [(slot, program.slots[slot].size // 2) for slot in slots if slot in program.slots]


# The article: https://hmkcode.com/ai/backpropagation-step-by-step/


def test_the_article_s_loss_over_w5_is_its_parabola():
    debugger = Debugger(load("article"))
    found = along(debugger, "W2", 0)
    expected = 0.5 * ((0.85 * found.values + 0.48 * 0.15) - 1) ** 2
    np.testing.assert_allclose(found.losses, expected, rtol=1e-13)
    assert found.here == (0.14, pytest.approx(0.5 * (0.191 - 1) ** 2, rel=1e-13))
    assert found.lowest[0] == pytest.approx((1 - 0.48 * 0.15) / 0.85, rel=1e-7)
    assert found.values[0] < 0.14 < found.lowest[0] < found.values[-1]
    # The published new value, 0.17 (rounded there), of the published gradient −0.809 · 0.85.
    assert found.updated == pytest.approx(0.14 + 0.05 * 0.809 * 0.85, rel=1e-13)


def test_the_article_s_surface_is_that_of_a_loop():
    debugger = Debugger(load("article"))
    start = debugger.begun()
    knobs = knob(start, "W2", 0), knob(start, "W1", 0)
    found = done(surface(Probe(debugger.program), start, knobs, (0, 0)))
    for k, w1 in enumerate(found.ys):
        for j, w5 in enumerate(found.xs):
            prediction = (2 * w1 + 3 * 0.21) * w5 + (2 * 0.12 + 3 * 0.08) * 0.15
            assert found.losses[k, j] == pytest.approx(0.5 * (prediction - 1) ** 2, rel=1e-12, abs=1e-30)
    assert found.here[2] == pytest.approx(0.5 * 0.809**2, rel=1e-12)


# Every example


@pytest.mark.parametrize("spec", example_names())
def test_at_the_present_value_it_is_the_loss_that_is_shown(spec):
    debugger = Debugger(load(spec))
    to_the_loss(debugger, 2)
    before = debugger.look(debugger.position)
    for slot, cell in some_cells(debugger.program):
        value, losses = probed(debugger, slot, cell, 0.0)
        value, losses = probed(debugger, slot, cell, value)
        assert value == float(before.arrays[slot].reshape(-1)[cell]), slot
        assert losses == [seen(debugger)], slot
    assert debugger.look(debugger.position).same_bits(before)


@pytest.mark.parametrize("spec", example_names())
def test_elsewhere_it_is_what_one_gets_by_nudging(spec):
    debugger = Debugger(load(spec))
    to_the_loss(debugger, 1)
    for slot, cell in some_cells(debugger.program):
        value, losses = probed(debugger, slot, cell, 0.25)
        debugger.nudge(Target(slot, (cell,)), amount=0.25 - value)
        there = float(debugger.look(debugger.position).arrays[slot].reshape(-1)[cell])
        assert probed(debugger, slot, cell, there) == (there, [seen(debugger)]), slot
        if there == 0.25:
            assert losses == [seen(debugger)], slot
        debugger.undo()


def slopes(debugger, slot):
    """(by central differences, as the program has it) at the cell with the largest gradient of a slot."""
    gradients = debugger.look(debugger.position).arrays[f"{slot}.grad"].reshape(-1)
    cell, start, probe, apart = int(np.abs(gradients).argmax()), debugger.begun(), Probe(debugger.program), 1e-6
    (value,) = probe.begin(start, [knob(start, slot, cell)])
    return (probe.loss(value + apart) - probe.loss(value - apart)) / (2 * apart), gradients[cell]


@pytest.mark.parametrize("spec", [spec for spec in example_names() if spec != "sequential"])
def test_its_slope_is_the_gradient(spec):
    debugger = Debugger(load(spec))
    debugger.goto(Position(1, debugger.count))
    trained = [slot for slot in debugger.program.parameters if f"{slot}.grad" in debugger.program.slots]
    assert trained
    for slot in trained:
        measured, given = slopes(debugger, slot)
        assert measured == pytest.approx(given, rel=1e-4, abs=1e-8), slot


def test_where_a_gradient_is_taken_at_new_weights_it_is_no_slope():
    debugger = Debugger(load("sequential"))
    debugger.goto(Position(1, debugger.count))
    measured, given = slopes(debugger, "W2")
    assert measured == pytest.approx(given, rel=1e-6)
    measured, given = slopes(debugger, "W1")
    assert abs(measured - given) > 0.05 * abs(given)


@pytest.mark.parametrize("spec", ["article", "iris", "digits", "sequential"])
def test_the_update_is_foretold(spec):
    debugger = Debugger(load(spec))
    to_the_loss(debugger, 2)
    start, probe = debugger.begun(), Probe(debugger.program)
    slot = debugger.program.parameters[-1]
    foretold = probe.updated(probe.begin(start, [knob(start, slot, 0)]))
    debugger.goto(Position(2, debugger.count))
    assert foretold == (debugger.look(debugger.position).arrays[slot].reshape(-1)[0],)
    # And known afterwards.
    start = debugger.begun()
    assert probe.updated(probe.begin(start, [knob(start, slot, 0)])) == foretold


# What is special


def test_of_a_rate_it_is_the_loss_after_the_update():
    for network in (load("article"), networks.sigmoid_net(training=Training(optim="adam"))):
        debugger = Debugger(network)
        to_the_loss(debugger, 3)
        value, losses = probed(debugger, "lr", 0, 0.3, 0.01)
        debugger.set("lr", "0.3", "2:" + str(debugger.count))
        to_the_loss(debugger, 4)
        assert losses[0] == seen(debugger) != losses[1]
        debugger.undo()
        assert value == debugger.look(debugger.position).arrays["lr"]


def test_what_was_tried_before_leaves_nothing_behind():
    debugger = Debugger(load("article"))
    to_the_loss(debugger, 2)
    start, probe = debugger.begun(), Probe(debugger.program)
    for slot in ("lr", "x", "W1"):
        (value,) = probe.begin(start, [knob(start, slot, 0)])
        first = [probe.loss(value), probe.loss(0.3)]
        assert [probe.loss(value), probe.loss(0.3)] == first, slot
    (value,) = probe.begin(start, [knob(start, "W2", 0)])
    assert probe.loss(value) == seen(debugger)


def test_edits_within_the_iteration_hold():
    debugger = Debugger(load("mazur"))
    debugger.set("h1", "0.9", "0:2")
    debugger.set("w5", "0.7", "0:1")
    to_the_loss(debugger)
    for slot, cell in [("W1", 0), ("W2", 0), ("W2", 1), ("a1", 0), ("a1", 1), ("z2", 0)]:
        value, losses = probed(debugger, slot, cell, 0.3)
        value, losses = probed(debugger, slot, cell, value)
        assert value == debugger.look(debugger.position).arrays[slot].reshape(-1)[cell], slot
        assert losses == [seen(debugger)], slot
    assert probed(debugger, "W2", 0, 0.2)[0] == 0.7
    assert probed(debugger, "a1", 0, 0.2)[0] == 0.9


def test_an_edit_that_comes_too_late_changes_nothing():
    debugger = Debugger(load("article"))
    to_the_loss(debugger)
    debugger.set("w5", "0.9")
    assert probed(debugger, "W2", 0, 0.14) == (0.14, [seen(debugger)])


def test_between_elements_too():
    debugger = Debugger(load("article"))
    debugger.set("w1", "0.5", "0:0.1")
    debugger.set("w4", "0.5", "0:0.1")
    to_the_loss(debugger)
    assert probed(debugger, "W1", 1, 0.12)[1] == [seen(debugger)]
    assert probed(debugger, "W1", 3, 0.5) == (0.5, [seen(debugger)])


def test_what_the_loss_does_not_depend_on_says_so():
    debugger = Debugger(load("moons"))
    start = debugger.begun()
    for slot, said in [("loss", "itself"), ("t", "follows from the iteration")]:
        with pytest.raises(ProbeError, match=said):
            knob(start, slot, 0)
    assert turned(debugger.program, "W1.grad", 3) == ("W1", 3)
    assert turned(debugger.program, "W1", 3) == ("W1", 3)


def test_what_is_not_finite_is_told_as_it_is():
    debugger = Debugger(load("article"))
    found = along(debugger, "x", 0)
    assert np.isfinite(found.losses).all()
    debugger.set("w5", "1e300", "0:0")
    debugger.set("w1", "1e300", "0:0")
    found = along(debugger, "W2", 0)
    assert not np.isfinite(found.losses).all()
    assert found.here == (1e300, math.inf)


# Ranges

sizes = st.floats(1e-6, 1e12)
numbers = st.floats(-1e6, 1e6)


@given(numbers, sizes, st.floats(0, 1e6))
def test_a_value_lies_in_the_middle_of_its_range(value, scale, reach):
    low, high = window(value, scale, reach)
    quarter = (high - low) / 4
    assert low + quarter <= value + 1e-9 * (high - low)
    assert value - 1e-9 * (high - low) <= high - quarter
    if reach <= 20 * scale:
        assert low <= value - reach * (1 - 1e-9)
        assert value + reach * (1 - 1e-9) <= high


@given(st.floats(0.1, 100), st.floats(-100, 100), st.floats(-10, 10))
def test_the_lowest_point_of_a_parabola_is_found(bend, lowest, height):
    def loss(v):
        return 0.5 * bend * (v - lowest) ** 2 + height

    assert downhill(loss(-1.0), loss(0.0), loss(1.0), 1.0) == pytest.approx(lowest, abs=1e-8 * (1 + abs(lowest)))
    assert downhill(-loss(-1.0), -loss(0.0), -loss(1.0), 1.0) == 0
    assert downhill(math.nan, 0.0, math.inf, 1.0) == 0


# Other inputs


def forward(network, arrays, x):
    """A plain forward pass of dense layers."""
    acts = {
        "identity": lambda z: z,
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: z * (z > 0),
    }
    for node in network.nodes:
        x = x @ arrays[f"W{node.suffix}"] + (arrays[f"b{node.suffix}"] if node.bias else 0)
        x = acts[node.act](x)
    return x


@pytest.mark.parametrize("spec", ["article", "mazur", "xor", "moons"])
def test_a_plane_is_what_a_plain_forward_pass_gives(spec):
    debugger = Debugger(load(spec))
    debugger.goto(Position(5, 3))
    arrays, network = debugger.look(debugger.position).arrays, debugger.program.network
    found = done(Plane(debugger.program).over(network.x, arrays))
    xs, ys = found.axes
    places = np.array([[x, y] for y in ys for x in xs])
    np.testing.assert_allclose(
        found.outputs.reshape(len(places), -1), forward(network, arrays, places), rtol=1e-12, atol=1e-14
    )
    for k, axis in enumerate(found.axes):
        assert axis[0] < network.x[:, k].min() <= network.x[:, k].max() < axis[-1]
    assert found.outputs.shape[:2] == (len(ys), len(xs))
    assert found.middle == (0.5 if spec in ("xor", "moons") else None)


def test_with_one_input_it_is_a_line():
    network = networks.line()
    debugger = Debugger(network)
    found = done(Plane(debugger.program).over(network.x, debugger.look(debugger.position).arrays))
    (xs,) = found.axes
    expected = forward(network, debugger.look(debugger.position).arrays, xs[:, None])
    np.testing.assert_allclose(found.outputs, expected, rtol=1e-12, atol=1e-14)
    assert inputs(network) == 1
    assert inputs(load("iris")) == 0


# The last iterations


def tracked(debugger, quantity, width, count):
    series = Series(quantity, width)
    t = debugger.position.iteration
    while not debugger.lately(series, t, count):
        pass
    return series.until(debugger.timeline, t)


@pytest.mark.parametrize("spec", ["article", "moons", "digits"])
def test_norms_spreads_and_paths_are_those_of_the_iterations(spec):
    debugger = Debugger(load(spec))
    debugger.goto(Position(20, 2))
    before, program = debugger.look(debugger.position), debugger.program
    names, last = trained(program), program.parameters[-1]
    cells = [(last, 0), (program.parameters[0], 1)]
    norms = tracked(debugger, Norms(program, names), len(names), 12)
    spreads = tracked(debugger, Spread(program, last), QUANTILES, 12)
    path = tracked(debugger, Path(cells), 2, 12)
    assert debugger.look(debugger.position).same_bits(before)
    for iterations, _ in (norms, spreads, path):
        assert list(iterations) == list(range(8, 20))
    for k in (0, 5, 11):
        there = debugger.look(Position(8 + k, debugger.count)).arrays
        np.testing.assert_allclose(norms[1][k], [np.linalg.norm(there[f"{name}.grad"]) for name in names], rtol=1e-12)
        assert list(path[1][k]) == [there[slot].reshape(-1)[cell] for slot, cell in cells]
        assert (spreads[1][k][0], spreads[1][k][-1]) == (there[last].min(), there[last].max())


def test_what_is_noted_on_the_way_is_not_computed_again():
    debugger = Debugger(load("article"))
    series = Series(Path([("W2", 0)]), 1)
    for t in range(6):
        debugger.goto(Position(t, debugger.count))
        series.note(debugger.timeline, t, Rows.of(debugger.look(debugger.position)))
    assert not series.missing(debugger.timeline, 6, 6).size
    noted = series.until(debugger.timeline, 6)[1]
    assert noted.tolist() == tracked(debugger, Path([("W2", 0)]), 1, 6)[1].tolist() + noted[5:].tolist()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_quantiles_are_cells_in_order(cells):
    found = quantiles(np.array(cells))
    assert set(found) <= set(cells)
    assert (np.diff(found) >= 0).all()
    assert (found[0], found[-1]) == (min(cells), max(cells))


def test_quantiles_of_nothing_finite_are_none():
    assert np.isnan(quantiles(np.array([np.nan, np.inf]))).all()
    assert quantiles(np.array([np.nan, 2.0, -np.inf])).tolist() == [2.0] * QUANTILES
