"""A number is asked for before it is shown; what was said of it is judged."""

from __future__ import annotations

import math

import pytest
from conftest import run_bptui
from hypothesis import given
from hypothesis import strategies as st

from bptui.commands.predicting import judged, question
from bptui.commands.session import Session
from bptui.files import specs

# The article's own numbers: what a pencil gives, and what is said of it.
JUDGED = [
    (0.191, 0.191, "0.191 is right"),
    (0.19099999, 0.191, "0.191 is right"),
    (0.174, 0.191, "0.174 has the right sign: it is 0.017 too low (8.9 %)"),
    (0.19, 0.191, "0.19 is right to 2 digits: it is 0.001 too low (0.52 %)"),
    (-0.8, -0.809, "-0.8 has the right sign: it is 0.009 too high (1.1 %)"),
    (0.809, -0.809, "0.809 has the wrong sign: it is 1.62 too high"),
    (1, 0, "1 is not right: it is 1 too high"),
    (0, 0, "0 is right"),
    (1, math.nan, "1 was guessed"),
    (1, math.inf, "1 was guessed"),
    (1e308, -1e308, "1e+308 has the wrong sign: it is inf too high"),
]


@pytest.mark.parametrize("guess, value, said", JUDGED)
def test_how_near_it_came(guess: float, value: float, said: str) -> None:
    assert judged(guess, value) == said


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.none() | st.integers(1, 17))
def test_any_two_numbers_are_judged(guess: float, value: float, digits: int | None) -> None:
    said = judged(guess, value, digits)
    assert "\n" not in said
    if guess == value and math.isfinite(value):
        assert said.endswith(" is right")


def test_plain_mode_asks_and_an_answer_makes_the_step() -> None:
    lines = "predict\npredict 2*0.11 + 3*0.21\npredict 0.2\np w5\npredict E = 0.33\n"
    done = run_bptui("article", "--plain", stdin=lines)
    assert done.stdout.splitlines() == [
        "what is h1 at 0:1? h1 = i1·w1 + i2·w2",
        "predict NUMBER answers, and makes the step",
        "0:1 forward  z1 = x @ W1  [[0.85, 0.48]]",
        "h1 = 0.85; 0.85 is right",
        "0:2 forward  z2 = z1 @ W2  [[0.191]]",
        "prediction = 0.191; 0.2 has the right sign: it is 0.009 too high (4.7 %)",
        "w5 = 0.14",
        "0:3 loss  loss = 0.5 * square(z2 - y).sum()  0.32724049999999993",
        "E = 0.32724049999999993; 0.33 is right to 2 digits: it is 0.00276 too high (0.84 %)",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize(
    "rest", ["x", "h1", "h2 = ", "w5 = 1", "h = 1", "h1 == 1", "W1", "1 +", "nan", "h1 = h2 = 1", "0.1 0.2"]
)
def test_what_is_no_answer_changes_nothing(rest: str) -> None:
    session = Session(specs.load("article"))
    with pytest.raises(ValueError):
        session.execute(f"predict {rest}")
    assert str(session.debugger.position) == "0:0"


def test_what_is_asked_for_is_what_the_next_operation_writes_and_the_question_does_not_say_it() -> None:
    """Through a whole iteration, inside an operation too."""
    session = Session(specs.load("mazur"))
    for k in range(session.debugger.count):
        asked = question(session)
        instruction = session.debugger.program.instructions[k]
        assert (asked.slot, asked.cell) == (instruction.writes, 0)
        answer = session.execute("predict 12345")
        value = answer.lines[1].partition(" = ")[2].partition(";")[0]
        assert value not in asked.text
        assert str(session.debugger.position) == f"0:{k + 1}"
    session.execute("goto 0:0")
    session.execute("step")
    asked = question(session)
    assert asked.cell == 1
    with pytest.raises(ValueError, match=f"{asked.name} is one"):
        session.execute(f"predict {asked.slot}[0, 0] = 1")


def test_the_rows_of_a_batch_are_nothing_to_be_worked_out() -> None:
    session = Session(specs.load("digits"))
    with pytest.raises(ValueError, match="draws the rows of a batch"):
        session.execute("predict")
