"""An expression over many moments at once has the bits that it has at each alone."""

from __future__ import annotations

import warnings
from functools import cache

import networks
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bptui.debugger import expressions
from bptui.debugger.expressions import ExpressionError
from bptui.debugger.rows import NotComputedError, Rows, UnstackableError
from bptui.engine.build import build
from bptui.engine.player import Player, State, computed_cells
from bptui.engine.program import Program
from bptui.engine.timeline import Position, Timeline

ITERATIONS = 9
PATIENT = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
NAMES = ("W", "A", "a", "L", "W.grad", "W[0, 0]", "W[:, 0]", "A[0]", "A[-1, -1]", "A[:, ::-1]", "W[::-1]", "lr", "loss")
NUMBERS = ("0", "1", "2.5", "-3", "1e30", "0.1")
METHODS = [name for name in expressions.METHODS if name != "abs"]


@cache
def made(name: str, dtype: str) -> tuple[Program, dict[str, str], list[list[State]]]:
    """A network, what the names stand for in it, and its states: by place, by iteration."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        program = build(networks.MORE[name](dtype=dtype))
    weights = [slot.name for slot in program.slots.values() if slot.kind == "parameter" and len(slot.shape) == 2]
    values = [i.writes for i in program.instructions if i.phase == "forward"]
    meaning = {"W": weights[0], "A": values[0], "a": values[-1], "L": weights[-1]}
    timeline = Timeline(program)
    player = Player(timeline)
    states = []
    for place in range(len(program)):
        states.append([])
        for t in range(ITERATIONS):
            player.goto(timeline, Position(t, place + 1))
            states[-1].append(player.state())
    return program, meaning, states


def spelt(text: str, meaning: dict[str, str]) -> str:
    """`A[0] + loss` with the network's own names."""
    return "".join(meaning.get(word, word) if not word.startswith("lo") else word for word in _words(text))


def _words(text: str) -> list[str]:
    """Names apart from all else."""
    words, word = [], ""
    for letter in text:
        if letter.isalpha():
            word += letter
            continue
        words += [word, letter]
        word = ""
    return [*words, word]


def grown(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    unary = st.sampled_from([name for name in expressions.FUNCTIONS if name not in METHODS])
    binary = st.sampled_from(["+", "-", "*", "/", "**", "%", "//", "<", ">=", "==", "!=", "@"])
    return st.one_of(
        st.builds(lambda f, x: f"{f}({x})", unary, part),
        st.builds(lambda f, x: f"({x}).{f}()", st.sampled_from(METHODS), part),
        st.builds(lambda op, x, y: f"({x} {op} {y})", binary, part, part),
        st.builds(lambda x: f"({x}).T", part),
        st.builds(lambda x: f"({x})[0]", part),
        st.builds(lambda x, y, z: f"({x} < {y} <= {z})", part, part, part),
        st.builds(lambda x, y: f"(max(abs({x})) > 1 and {y} > 0)", part, part),
        st.builds(lambda x, y: f"({x} < 1 or not ({y}).any())", part, part),
    )


TEXTS = st.recursive(st.sampled_from(NAMES + NUMBERS), grown, max_leaves=6)
CASES = st.tuples(
    st.sampled_from(["article", "softmax", "drawn", "dying", "exploding"]), st.sampled_from(["float64", "float32"])
)


def together(program: Program, states: list[State]) -> Rows:
    computed = computed_cells(program, states[0].position)

    def flat(slot: str, start: int, stop: int) -> np.ndarray:
        return np.array([state.arrays[slot].reshape(-1)[start:stop] for state in states])

    return Rows(len(states), computed, flat)


def bits(value: np.ndarray) -> bytes:
    """The sign of a nan aside, which is that of whichever operand the processor takes it from."""
    return np.where(np.isnan(value), np.nan, value).astype(value.dtype).tobytes()


def alone(expression: expressions.Expression, state: State) -> object:
    try:
        return np.asarray(expression(state))
    except (ExpressionError, NotComputedError) as error:
        return type(error)


@PATIENT
@given(CASES, TEXTS, st.integers(0, 10_000))
def test_many_moments_at_once_are_each_alone(case, text, number):
    program, meaning, states = made(*case)
    moments = states[number % len(program)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expression = expressions.parse(program, spelt(text, meaning))
        except ExpressionError:
            return
        singly = [alone(expression, state) for state in moments]
        try:
            found = expression.over(together(program, moments))
        except UnstackableError:
            return
        except (ExpressionError, NotComputedError) as error:
            assert type(error) in singly, text
            return
    assert len(found) == len(moments)
    for one, other in zip(found, singly, strict=True):
        assert not isinstance(other, type), text
        assert (one.shape, one.dtype) == (other.shape, other.dtype), text
        assert bits(one) == bits(other), text


@pytest.mark.parametrize(
    "text", ["norm(A)", "A.sum()", "A.mean()", "std(A)", "max(abs(A))", "(A * 0.1 / 3).sum()", "A[:, ::-1].sum()"]
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_long_sums_are_in_one_order(text, dtype):
    """Far more numbers than NumPy adds up in one go, for as many moments as NumPy might rather add up side by side."""
    nodes = (networks.dense("1", "x", 60), networks.dense("2", "1", 1))
    network = networks.Network(nodes, networks.numbers(40, 2), networks.numbers(40, 1), dtype=dtype)
    program = build(network)
    slot, n = program.slots["z1"], 300
    values = np.random.default_rng(3).normal(0, 1, (n, slot.size)).astype(dtype)
    computed = {name: one.size for name, one in program.slots.items()}
    expression = expressions.parse(program, text.replace("A", "z1"))
    whole = expression.over(Rows(n, computed, lambda _, start, stop: values[:, start:stop]))
    strided = np.ones((n, slot.size + 7), dtype)
    strided[:, 3:-4] = values
    aside = expression.over(Rows(n, computed, lambda _, start, stop: strided[:, 3 + start : 3 + stop]))
    for k in range(n):
        state = State(Position(0, len(program)), {"z1": values[k].reshape(slot.shape)}, computed)
        assert expression(state).tobytes() == whole[k].tobytes() == aside[k].tobytes()
