"""From an instruction and a cell to mathematics: the lines the issue asks for to the letter, and that they are true."""

from __future__ import annotations

import math
import re

import networks
import numpy as np
import pytest
from driving import goto_text

from bptui.commands import looking
from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger
from bptui.engine.network import Network
from bptui.explain.formulas import Formula, formula
from bptui.explain.matrices import equations
from bptui.explain.solution import update_formulas, update_matrices
from bptui.files import specs


def at(position: str, network: Network | None = None) -> Debugger:
    debugger = Debugger(network or networks.article())
    goto_text(debugger, position)
    return debugger


def explained(debugger: Debugger, op: int, cell: int = 0, digits: int | None = None) -> Formula:
    """The formula of operation `op`, counted from 1."""
    return formula(debugger.program, debugger.moment(op - 1), cell, digits)


ARTICLE = at("0:9")

LINES = {
    (1, 0): "h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85",
    (1, 1): "h2 = i1·w3 + i2·w4 = 2·0.12 + 3·0.08 = 0.24 + 0.24 = 0.48",
    (2, 0): "prediction = h1·w5 + h2·w6 = 0.85·0.14 + 0.48·0.15 = 0.119 + 0.072 = 0.191",
    (3, 0): "E = ½(prediction − target)² = ½(0.191 − 1)² = 0.3272405",
    (4, 0): "∂E/∂prediction = prediction − target = 0.191 − 1 = −0.809",
    (5, 0): "∂E/∂w5 = ∂E/∂prediction · ∂prediction/∂w5 = −0.809 · 0.85 = −0.68765",
    (6, 1): "∂E/∂h2 = ∂E/∂prediction · ∂prediction/∂h2 = −0.809 · 0.15 = −0.12135",
    (7, 0): "∂E/∂w1 = ∂E/∂prediction · ∂prediction/∂h1 · ∂h1/∂w1 = −0.809 · 0.14 · 2 = −0.22652",
    (7, 3): "∂E/∂w4 = ∂E/∂prediction · ∂prediction/∂h2 · ∂h2/∂w4 = −0.809 · 0.15 · 3 = −0.36405",
    (8, 0): "w1 ← w1 − lr·∂E/∂w1 = 0.11 − 0.05·(−0.22652) = 0.121326",
    (9, 1): "w6 ← w6 − lr·∂E/∂w6 = 0.15 − 0.05·(−0.38832) = 0.169416",
}


@pytest.mark.parametrize(("op", "cell"), LINES)
def test_the_article_line_by_line(op, cell):
    assert explained(ARTICLE, op, cell).line == LINES[op, cell]


def test_the_prediction_is_written_out_down_to_inputs_and_weights():
    more = dict(explained(ARTICLE, 2).more)
    assert more["written out"] == "(i1·w1 + i2·w2)·w5 + (i1·w3 + i2·w4)·w6"
    assert more["in numbers"] == "(2·0.11 + 3·0.21)·0.14 + (2·0.12 + 3·0.08)·0.15"


def test_the_table_of_all_six_update_formulas():
    assert update_formulas(ARTICLE.program, ARTICLE.view().state) == [
        "w1 ← w1 − lr · (prediction − target) · w5 · i1",
        "w2 ← w2 − lr · (prediction − target) · w5 · i2",
        "w3 ← w3 − lr · (prediction − target) · w6 · i1",
        "w4 ← w4 − lr · (prediction − target) · w6 · i2",
        "w5 ← w5 − lr · (prediction − target) · h1",
        "w6 ← w6 − lr · (prediction − target) · h2",
    ]


MATRICES = {
    1: ["[h1  h2] = [i1  i2] · [w1  w3; w2  w4]", "[0.85  0.48] = [2  3] · [0.11  0.12; 0.21  0.08]"],
    2: ["[prediction] = [h1  h2] · [w5; w6]", "[0.191] = [0.85  0.48] · [0.14; 0.15]"],
    5: ["[∂E/∂w5; ∂E/∂w6] = [h1; h2] · [∂E/∂prediction]", "[−0.68765; −0.38832] = [0.85; 0.48] · [−0.809]"],
    6: ["[∂E/∂h1  ∂E/∂h2] = [∂E/∂prediction] · [w5  w6]", "[−0.11326  −0.12135] = [−0.809] · [0.14  0.15]"],
    7: ["[∂E/∂w1  ∂E/∂w3; ∂E/∂w2  ∂E/∂w4] = [i1; i2] · [∂E/∂h1  ∂E/∂h2]",
        "[−0.22652  −0.2427; −0.33978  −0.36405] = [2; 3] · [−0.11326  −0.12135]"],
    9: ["[w5; w6] ← [w5; w6] − lr · [∂E/∂w5; ∂E/∂w6]", "[0.1743825; 0.169416] ← [0.14; 0.15] − 0.05 · [−0.68765; −0.38832]"],
}  # fmt: skip


@pytest.mark.parametrize("op", MATRICES)
def test_the_same_as_matrices(op):
    assert [equation.line for equation in equations(ARTICLE.program, ARTICLE.moment(op - 1))] == MATRICES[op]


def test_matrices_are_drawn_with_tall_brackets():
    assert update_matrices(ARTICLE.program, ARTICLE.view().state)[0].draw() == [
        "⎡w1  w3⎤ ← ⎡w1  w3⎤ − lr · ⎡∂E/∂w1  ∂E/∂w3⎤",
        "⎣w2  w4⎦   ⎣w2  w4⎦        ⎣∂E/∂w2  ∂E/∂w4⎦",
    ]


# Mazur's: two paths


def test_two_paths_to_a_weight_of_the_first_layer():
    debugger = at("0:13", specs.load("mazur"))
    op = next(k for k, i in enumerate(debugger.program.instructions, 1) if i.writes == "W1.grad")
    found = explained(debugger, op)
    assert found.left == "∂E/∂w1"
    symbols = found.rows[0]
    for path in ("∂E/∂o1 · ∂o1/∂z_o1 · ∂z_o1/∂h1", "∂E/∂o2 · ∂o2/∂z_o2 · ∂z_o2/∂h1"):
        assert path in symbols
    assert symbols.count(" + ") == 1
    assert symbols.endswith("· ∂h1/∂z_h1 · ∂z_h1/∂w1")
    assert found.rows[-1] == "0.0004385677"
    assert meaning(found.rows[1]) == pytest.approx(0.00043856773447434685, rel=1e-5)


# Half done and by hand


def test_an_element_whose_turn_is_to_come_has_no_result():
    debugger = at("0:0.1")
    assert explained(debugger, 1, 0).rows[-1] == "0.85"
    assert explained(debugger, 1, 1).rows[-1] == "·"
    assert explained(at("0:8.1"), 9, 1).rows[-1] == "·"
    assert explained(at("0:8.1"), 9, 0).rows[-1] == "0.1743825"


def test_what_a_number_was_made_of_is_told_with_the_numbers_of_then():
    """After the updates the weights have moved, but h1 was made of the old ones."""
    session = Session(networks.article())
    session.execute("goto 1:9")
    session.execute("goto 0:9")
    assert "    h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85" in session.execute("explain w5").lines


def test_every_line_of_an_explanation_is_true_after_the_updates():
    for name in ("article", "mazur", "xor"):
        session = Session(specs.load(name))
        session.execute("run 2")
        for slot in session.debugger.program.slots.values():
            if slot.kind != "rows":
                for cell in range(min(slot.size, 4)):
                    for line in looking.explain_cell(session, slot.name, cell):
                        check_line(line)


def test_a_number_set_by_hand_says_so():
    session = Session(networks.article())
    for line in ("next", "set h1 = 1", "next"):
        session.execute(line)
    assert session.execute("explain h1").lines == ("h1 = 1: set by hand, set h1 = 1 at 0:1",)
    assert "  h1 = 1: set by hand, set h1 = 1 at 0:1" in session.execute("explain prediction").lines
    session.execute("goto 1:2")
    assert not any("by hand" in line for line in session.execute("explain h1").lines)


def test_an_edit_given_after_it_was_read_is_not_what_was_read():
    session = Session(networks.article())
    for line in ("goto 0:3", "set h1 = 1"):
        session.execute(line)
    assert "  h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85" in session.execute("explain prediction").lines


# Every formula is true

TOKENS = ((r"\(1 if (\S+) > 0 else 0\.01\)", r"(1 if \1 > 0 else 0.01)"), (r"\[(\S+) > 0\]", r"(\1 > 0)"), (r"½", "0.5*"), (r"·|×", "*"),
          (r"−", "-"), (r"²", "**2"), (r"e\^", "EULER**"), (r"\bln\b", "log"), (r"\[", "("), (r"\]", ")"))  # fmt: skip


def meaning(text: str) -> float:
    """The value of a row of numbers, as mathematics writes them."""
    for mark, python in TOKENS:
        text = re.sub(mark, python, text)
    names = {"EULER": math.e, "log": lambda v: math.log(v) if v > 0 else -math.inf, "tanh": math.tanh, "max": max}
    return float(eval(text, {"__builtins__": {}}, names))


def check_line(line: str) -> None:
    """Rows of numbers have the value of the result, as far as its digits go."""
    parts = re.split(r" = | ← ", line.strip())
    result = parts[-1]
    if not re.fullmatch(r"−?\d+(\.\d+)?(e[−-]?\d+)?", result) or line.strip().startswith(
        ("as matrices", "written", "in numbers", "where", "that is")
    ):
        return
    for row in parts[1:-1]:
        if (
            not re.search(
                r"[A-Za-z_∂…]", re.sub(r"\be\^|\bln\b|\btanh\b|\bmax\b|e[−-]?\d+|\bif\b|\belse\b|softmax", "", row)
            )
            and "softmax" not in row
        ):
            assert meaning(row) == pytest.approx(meaning(result), rel=2e-4, abs=1e-6), line


def random_networks() -> dict[str, Network]:
    return {name: make() for name, make in networks.ALL.items()}


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_the_numbers_of_every_formula_give_its_result(name):
    debugger = Debugger(networks.ALL[name]())
    goto_text(debugger, f"1:{len(debugger.program)}")
    for k, instruction in enumerate(debugger.program.instructions):
        for cell in range(debugger.program.size(k)):
            found = formula(debugger.program, debugger.moment(k), cell, 12)
            assert found.rows[-1] != "·"
            written = debugger.moment(k).after.arrays[instruction.writes].reshape(-1)[cell]
            assert meaning(found.rows[-1]) == pytest.approx(float(written), rel=1e-9, abs=1e-12)
            for row in found.rows[1:-1]:
                if "…" not in row and "softmax" not in row:
                    assert meaning(row) == pytest.approx(float(written), rel=1e-5, abs=1e-9), (
                        f"{instruction.source}: {found.line}"
                    )


@pytest.mark.parametrize("name", sorted(networks.ALL))
def test_no_formula_has_a_hole(name):
    debugger = Debugger(networks.ALL[name]())
    goto_text(debugger, f"0:{len(debugger.program)}")
    for k in range(len(debugger.program)):
        for cell in range(debugger.program.size(k)):
            found = formula(debugger.program, debugger.moment(k), cell)
            text = " ".join([found.line, *(text for _, text in found.more)])
            assert "nan" not in text
            assert "{" not in text
            assert text.count("(") == text.count(")")


@pytest.mark.parametrize("digits", [1, 3, 17])
def test_digits(digits):
    number = explained(at("1:9"), 2, 0, digits).rows[-1]
    assert number == f"{at('1:9').view().number('z2'):.{digits}g}"


def test_a_batch_says_which_row():
    found = explained(at("0:9", specs.load("xor")), 1, 0)
    assert re.match(r"\S+⁽¹⁾", found.left)


def test_the_session_explains_every_cell_of_every_slot_at_every_position():
    session = Session(networks.skip_net())
    program = session.debugger.program
    for op in (5, len(program)):
        session.execute(f"goto 1:{op}")
        for slot in program.slots.values():
            for cell in range(min(2, slot.size)):
                assert looking.explain_cell(session, slot.name, cell)
    assert np.isfinite(session.debugger.view().losses[-1])
