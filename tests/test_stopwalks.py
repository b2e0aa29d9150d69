"""Stopping: whatever is run to, back to or looked for is where a look at every single moment finds it."""

from __future__ import annotations

import warnings

import networks
import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from naive import history
from stopwalks import ITERATIONS, VERBS, StopWalk, conditions_alone, held
from walks import Action

from bptui.debugger import breakpoints
from bptui.debugger.search import Backward, Forward
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
