"""Stopping: whatever is run to, back to or looked for is where a look at every single moment finds it."""

from __future__ import annotations

import tracemalloc
import warnings

import networks
import numpy as np
import pytest
from driving import goto_text, run_back, run_on
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from naive import history
from stopwalks import ITERATIONS, VERBS, StopWalk, conditions_alone, held
from walks import Action

from bptui.debugger import breakpoints
from bptui.debugger.debugger import Debugger
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.search import Backward, Forward
from bptui.engine.network import Network
from bptui.engine.player import Player
from bptui.engine.timeline import START, Position, Timeline

DTYPES = ("float64", "float32")
ACTIONS = st.tuples(st.sampled_from(VERBS), *[st.integers(0, 9999)] * 3)
CASES = st.tuples(st.sampled_from(sorted(networks.MORE)), st.sampled_from(DTYPES), st.sampled_from([None, 1]))
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def walk_of(case: tuple[str, str, int | None]) -> StopWalk:
    name, dtype, memory = case
    with warnings.catch_warnings():
        # A learning rate that float32 has no number for is what the network is made for.
        warnings.simplefilter("ignore", RuntimeWarning)
        return StopWalk.of(networks.MORE[name](dtype=dtype, iterations=ITERATIONS), memory)


def follow(walk: StopWalk, actions: list[Action]) -> None:
    for action in actions:
        walk.act(action)
        walk.check()


@PATIENT
@given(CASES, st.lists(ACTIONS, min_size=1, max_size=14))
def test_any_walk_stops_where_it_should(case, actions):
    follow(walk_of(case), actions)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(120))
def test_soak(number):
    """120 times 100 sequences, each shrunk by itself where it fails."""

    @seed(number)
    @settings(PATIENT, max_examples=100, derandomize=False, database=None)
    @given(CASES, st.lists(ACTIONS, min_size=5, max_size=30))
    def sequences(case, actions):
        follow(walk_of(case), actions)

    sequences()


@pytest.mark.parametrize("name", sorted(networks.MORE))
def test_a_longer_walk_with_breakpoints(name):
    number = sorted(networks.MORE).index(name)
    random = np.random.default_rng(100 + number)
    walk = walk_of((name, DTYPES[number % 2], [None, 1][number // 2 % 2]))
    for _ in range(40):
        verb, *numbers = str(random.choice(VERBS)), *random.integers(0, 9999, 3)
        follow(walk, [(verb, *map(int, numbers))])
    assert walk.found


@pytest.mark.parametrize("name", sorted(networks.MORE))
def test_a_search_finds_all_in_both_directions(name):
    number = sorted(networks.MORE).index(name)
    random = np.random.default_rng(200 + number)
    program = walk_of((name, "float64", None)).program
    moments = history(program, [], ITERATIONS)
    pairs = [conditions_alone(program, moments, random) for _ in range(40)]
    found = [breakpoints.parse(program, text) for text, _ in pairs]
    expected = {text: held(moments, holds) for text, holds in pairs}
    end = Position(ITERATIONS - 1, len(program))
    for search, backwards in ((Forward, False), (Backward, True)):
        timeline = Timeline(program)
        player = Player(timeline)
        player.goto(timeline, end if backwards else START)
        one = Backward(player, timeline, found) if backwards else Forward(player, timeline, found, end)
        hits = []
        while not one.over:
            hits += one.advance()
        for k, (text, _) in enumerate(pairs):
            mine = [hit.position for hit in hits if k in hit.conditions]
            wanted = expected[text][::-1] if backwards else expected[text]
            assert mine == [p for p in wanted if not backwards or p < end], (text, search)


# Examples that a reader can follow


def debugger_at(text: str, network: Network | None = None) -> Debugger:
    debugger = Debugger(network or networks.article(iterations=20))
    goto_text(debugger, text)
    return debugger


def stops(debugger: Debugger, text: str, *, most: int = 5) -> list[str]:
    """The positions at which `continue` stops from here on, as far as the end."""
    debugger.breakpoints.all.clear()
    debugger.add_breakpoint(text)
    found = []
    while len(found) < most:
        view = run_on(debugger)
        if not view.message.startswith("stopped at breakpoint"):
            break
        found.append(str(view.position))
    return found


def test_on_what_lasts_stops_where_an_instruction_changed_it():
    debugger = debugger_at("0:0", networks.article(iterations=4, lr=0.0))
    assert stops(debugger, "on w5") == []
    goto_text(debugger, "1:3")
    debugger.set("w5", "0.5")
    goto_text(debugger, "0:0")
    # At the edit, and not at the update after it, which changed nothing.
    assert stops(debugger, "on w5") == ["1:3"]
    # A slot as a whole: wherever it is written.
    goto_text(debugger, "2:9")
    assert stops(debugger, "on W2") == ["3:9"]


def test_an_edit_is_no_update():
    """The size of an update is beside the weights just before it, not beside those of an iteration before."""
    debugger = debugger_at("1:3", networks.article(iterations=4, lr=1e-6))
    debugger.set("W1", "[[7, 8], [9, 1]]")
    goto_text(debugger, "0:0")
    assert stops(debugger, "ratio 0 0.1") == []


def test_nan_sees_what_a_product_made_infinite_and_nothing_told_of():
    """No flag is raised by a product, and tanh of it is finite, as are the loss and all that lasts."""
    network = Network(
        (networks.dense("1", "x", 2, "tanh", bias=False), networks.dense("2", "1", 1)),
        np.full((2, 2), 1e200), np.ones((2, 1)), iterations=3, lr=0.0,
    )  # fmt: skip
    debugger = debugger_at("0:0", network)
    debugger.set("W1", "1e150")
    assert stops(debugger, "nan") == ["0:1", "1:1", "2:1"]
    assert np.isfinite(debugger.view().losses).all()
    assert [str(run_back(debugger).position) for _ in range(4)] == ["2:1", "1:1", "0:1", "0:0"]


def test_nan_is_as_patient_after_many_false_alarms():
    """exp overflows in every iteration on the way to a right 0; then a product overflows without a word."""
    nodes = (networks.dense("1", "x", 2, "sigmoid", bias=False), networks.dense("2", "1", 1))
    debugger = debugger_at("0:0", Network(nodes, np.full((2, 2), 1e10), np.ones((2, 1)), iterations=60, lr=0.0))
    debugger.set("W1", "-1")
    debugger.set("W1", "-1e300", "40:1")
    assert stops(debugger, "nan") == [f"{t}:1" for t in range(41, 46)]
    assert not np.isfinite(debugger.evaluate("z1")).any()


def test_gradients_that_are_all_zero_neither_vanish_nor_explode():
    debugger = debugger_at("0:0", networks.article(iterations=3))
    debugger.set("y", "0.191")
    debugger.set("z2", "0.191", "0:2")
    assert stops(debugger, "exploding") == []
    assert stops(debugger, "vanishing") == []


def test_nothing_is_said_on_the_way_through_what_is_not_finite():
    debugger = debugger_at("0:0", networks.exploding_net(iterations=9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("flat 2", "rising 2", "ratio", "vanishing", "exploding", "saturated", "nan"):
            goto_text(debugger, "0:0")
            stops(debugger, kind)


def test_an_expression_without_a_value_is_an_error_and_one_stays_where_one_was():
    debugger = debugger_at("0:4", networks.softmax_net(iterations=9))
    before = debugger.view().state
    # Whole numbers: 2 to the power of −1 is none. With all numbers alike, as it was asked first, it is 0 to the power 0.
    debugger.add_breakpoint("if (argmax(W1) + argmax(W2)) ** -argmax(W1.T @ W1) > 9")
    with pytest.raises(ExpressionError):
        run_on(debugger)
    assert debugger.view().state.same_bits(before)


def test_a_breakpoint_may_be_deleted_while_a_run_is_on_its_way():
    debugger = debugger_at("0:0")
    for text in ("on W1", "7"):
        debugger.add_breakpoint(text)
    debugger.breakpoints.change(1, ignore=100)
    run = debugger.run()
    debugger.breakpoints.delete(2)
    while (ended := run.portion(1)) is None:
        pass
    assert ended.position == debugger.end
    assert debugger.breakpoints.all[1].hits == 20


@pytest.mark.parametrize("text", ["ratio", "dead", "on norm(W1)", "on W1[0:30] + W1[30:60]", "on a1[:, :50]", "nan"])
def test_what_is_large_is_not_kept_for_every_iteration(text):
    """However long a stretch, what is kept of it stays small."""
    nodes = (networks.dense("1", "x", 100, "relu"), networks.dense("2", "1", 1))
    network = Network(nodes, networks.numbers(100, 60), networks.numbers(100, 1), iterations=1000, lr=1e-6)
    debugger = Debugger(network, memory=2**20)
    stops(debugger, text, most=1)
    goto_text(debugger, "0:0")
    debugger.breakpoints.change(next(iter(debugger.breakpoints.all)), ignore=10**6)
    tracemalloc.start()
    run_on(debugger)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20
