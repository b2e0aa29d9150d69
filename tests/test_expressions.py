"""The expression language: what it can say, and what it must refuse quickly and in one line."""

from __future__ import annotations

import math

import networks
import numpy as np
import pytest

from bptui.debugger.expressions import ExpressionError, parse, parse_target
from bptui.debugger.rows import NotComputedError
from bptui.engine.build import build
from bptui.engine.player import state_at
from bptui.engine.timeline import Position, Timeline

PROGRAM = build(networks.article())
STATE = state_at(Timeline(PROGRAM), Position(0, 9))
EARLY = state_at(Timeline(PROGRAM), Position(0, 0, 1))
BATCH = build(networks.sigmoid_net())
BATCH_STATE = state_at(Timeline(BATCH), Position(0, len(BATCH)))

ALLOWED = {
    "1": 1.0, "1.5e3": 1500.0, "-2": -2.0, "+2": 2.0, "1/3": 1 / 3, "2**10": 1024.0, "7 % 4": 3.0, "7 // 2": 3.0,
    "1 / 0": math.inf, "-1 / 0": -math.inf, "2 + 3 * 4": 14.0, "(2 + 3) * 4": 20.0,
    "i1": 2.0, "target": 1.0, "lr": 0.05, "h1": 0.85, "prediction": 0.191, "E": 0.3272405, "loss": 0.3272405,
    "w5.grad": -0.68765, "h1.grad": -0.11326, "prediction.grad": -0.809, "z2.grad[0, 0]": -0.809, "W1.grad[0,0]": -0.22652,
    "h": [[0.85, 0.48]], "z1": [[0.85, 0.48]], "h.grad": [[-0.11326, -0.12135]], "z1[0]": [0.85, 0.48], "z1[0, -1]": 0.48,
    "z1[:, 1:]": [[0.48]], "z1[0][1]": 0.48, "z1.T": [[0.85], [0.48]], "z1.T[1, 0]": 0.48, "x @ x.T": [[13.0]],
    "abs(W1.grad).max()": 0.36405, "abs(z1 > 0.5).max()": True, "W1.grad.abs().max()": 0.36405, "W1.grad.min()": -0.36405, "max(z1)": 0.85,
    "z1.sum()": 1.33, "sum(z1)": 1.33, "mean(z1)": 0.665, "z1.mean()": 0.665, "z1.std()": 0.185, "norm(x)": math.sqrt(13),
    "z1.norm()": math.hypot(0.85, 0.48), "size(W1)": 4.0, "W1.size()": 4.0, "argmax(z1)": 0, "z1.argmin()": 1, "sqrt(4)": 2.0,
    "exp(0)": 1.0, "log(1)": 0.0, "tanh(0)": 0.0, "sign(-3)": -1.0, "sqrt(-1)": math.nan, "log(0)": -math.inf,
    "loss < 0.5": True, "loss > 0.5": False, "0 < loss < 1": True, "0 < loss < 0.1": False, "loss == loss": True, "i1 != 2": False,
    "i1 >= 2": True, "i1 <= 1": False, "not loss > 0.5": True, "loss < 1 and i1 == 2": True, "loss > 1 or i1 == 2": True,
    "(z1 > 0.5).any()": True, "all(z1 > 0.5)": False, "z1 > 0.5": [[True, False]], "isnan(loss)": False, "isfinite(loss)": True,
    "h1*w5 + h2*w6 - prediction": None, "  h1   ": 0.85, "h\n1" if False else "h1 ": 0.85,
}  # fmt: skip


@pytest.mark.parametrize("text", ALLOWED)
def test_what_it_can_say(text):
    found, expected = parse(PROGRAM, text)(STATE), ALLOWED[text]
    if expected is None:
        assert np.isfinite(found)
    else:
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), rtol=1e-12)


BIG = "9" * 300
HOSTILE = (
    "", "   ", "w5 +", "w5 w6", "(", ")", "w5)", "w9", "W1.grad.grad", "lr.grad", "x.grad", "W1[9, 9]", "W1[0, 0, 0]", "W1[::0]",
    "W1[0.5]", "W1[w5]", "W1[W1]", "W1[None]", "W1[...]", "W1['a']", "W1[True]", "W1[10**9]", "W1[99999999999999999999999]",
    "__import__('os')", "__import__('os').system('true')", "().__class__", "(1).__class__", "w5.__class__", "W1.tofile('x')",
    "W1.dtype", "W1.data", "W1.base", "W1.ctypes", "W1.tobytes()", "W1.__array_interface__", "np", "np.zeros(3)", "numpy.load('x')",
    "open('x')", "eval('1')", "exec('1')", "print(1)", "globals()", "locals()", "vars()", "getattr(W1, 'T')", "type(W1)", "help()",
    "lambda: 1", "(lambda x: x)(1)", "[1, 2]", "{1: 2}", "{1}", "(1, 2)", "[x for x in W1]", "{x for x in W1}", "sum(x for x in W1)",
    "x := 1", "(q := 1)", "1 if w5 else 2", "*W1", "abs(*W1)", "abs(W1, W1)", "max(abs(W1, k=3))", "abs()", "abs(W1, axis=0)", "W1.max(0)", "W1.max(axis=0)",
    "f'{w5}'", "f'{W1!r:>{10**9}}'", "'text'", "b'bytes'", "'a' * 10**9", "None", "True", "...", "1j", "w5 is w6", "w5 in W1",
    "w5 << 3", "w5 >> 3", "w5 & 1", "w5 | 1", "w5 ^ 1", "~w5", "await w5", "yield", "del w5", "w5 = 1", "w5; w6", "import os",
    "W1 and W1", "not W1", "W1 < W2 < W1", "W1 @ W1.T @ y", "W1 + x[0, :1].T @ W2", "x @ x", "W1[5:].max()", "W1[5:].mean()", "-(w5 > 0)",
    "9" * 1999, "1" * 5000, "w5" + "+w5" * 900, "(" * 500 + "1" + ")" * 500, "-" * 1500 + "1", "not " * 450 + "1",
    "abs(" * 90 + "1" + ")" * 90, "[" * 300, "W1" + "[0]" * 200, "W1" + ".T" * 400, "w5" + ".grad" * 300, "a.b.c.d", "\x00", "w5\x00", "\ud800",
    "w5\N{ZERO WIDTH SPACE}", "w5²", "#", "# w5", "\\", "'", '"""', "@", "$w5", "w5?", "!w5", "%run", "w5 if", "0x", "1__0", "08",
    "abs", "max", "abs.T", "abs[0]", "abs + 1", "h1(2)", "W1.max", "W1.grad()", "W1.T()", "(W1 > 0).grad", "1 .grad", "W1.foo", "rows",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_it_refuses(text):
    with pytest.raises(ExpressionError) as refusal:
        parse(PROGRAM, text)(STATE)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 2400


# Each has a value, or is refused; none may hang, take all memory or raise anything else.
HEAVY = (
    "(" * 150 + "1" + ")" * 150, "ｗ5",
    f"{BIG} ** {BIG}", "9 ** 9 ** 9 ** 9 ** 9 ** 9", "size(W1) ** size(W1) ** size(W1) ** size(W1) ** size(W1)",
    "(not not w5) + (not not w5)", "((not not w5) + (not not w5)) ** 64 ** 64 ** 64", "argmax(z1) ** argmax(z1)", "1 // 0", "1 % 0",
    "size(W1) % (size(W1) - size(W1))", "size(W1) // (size(W1) - size(W1))", "argmax(z1) % argmax(z1)", "argmax(z1) // argmax(z1)",
    "(w5 > 0) % (w5 < 0)", "(w5 > 0) / (w5 < 0)", "(0 < w5 < 1) ** (0 < w5 < 1)", "(w5 and w6) * 10**300 * 10**300", "exp(exp(exp(exp(9))))",
    "log(-1)", "sqrt(log(0))", "(0 * W1) / (0 * W1)", "argmax(0 * W1 / 0)", "max(0 * W1 / 0)", "size(size(size(W1)))", "1e999", "-1e999 + 1e999",
    "std(w5)", "norm(w5)", "w5.T", "w5[0]", "W1[()]", "W1[:]", "W1[::-1]", "W1[5:]", "sum(W1[5:])", "W1 == W2", "W1 == x", "W1 @ W2 @ y",
    "(-8) ** (1/3)", "0 ** -1", "argmax(z1) ** -1", "(argmin(z1) + argmin(z1)) ** (-(argmin(z1)))", "W1 ** W1 ** W1 ** 99", "abs(w5 > 0)",
)  # fmt: skip


@pytest.mark.parametrize("text", HEAVY)
def test_what_is_heavy_or_odd_stays_harmless(text):
    try:
        value = parse(PROGRAM, text)(STATE)
    except ExpressionError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert np.size(value) <= 100
        assert isinstance(value, (np.ndarray, np.generic, float))


def test_a_product_that_would_fill_the_memory_is_refused():
    rows = np.zeros((20_000, 1))
    program = build(networks.Network((networks.dense("1", "x", 1),), rows, rows))
    state = state_at(Timeline(program), Position())
    for text in ("x @ x.T", "x * x.T", "x + x.T", "x > x.T", "(x @ x.T) @ (x @ x.T)"):
        with pytest.raises(ExpressionError, match="too many"):
            parse(program, text)(state)
    assert parse(program, "x.T @ x")(state).shape == (1, 1)


@pytest.mark.parametrize(
    "text", ["h2", "h2 + 1", "loss < 1", "not loss", "W1.grad", "h", "z1", "abs(h2)", "z1[0, 1]", "w5 > 1 or h2 > 0"]
)
def test_what_is_not_computed_says_so_and_is_not_true(text):
    expression = parse(PROGRAM, text)
    with pytest.raises(NotComputedError):
        expression(EARLY)
    assert not expression.holds(EARLY)


def test_what_is_half_computed_can_be_read_cell_by_cell():
    assert parse(PROGRAM, "h1")(EARLY) == 0.85
    assert parse(PROGRAM, "z1[0, 0] > 0").holds(EARLY)


def test_a_label_of_a_column_is_a_list_in_a_batch():
    labelled = networks.sigmoid_net().nodes[0]
    nodes = (networks.Node(**{**vars(labelled), "labels": {"out": ["p", "q", "r"]}}), networks.sigmoid_net().nodes[1])
    program = build(networks.Network(**{**vars(networks.sigmoid_net()), "nodes": nodes}))
    state = state_at(Timeline(program), Position(0, 2))
    assert parse(program, "q")(state).tolist() == state.arrays["a1"][:, 1].tolist()
    assert parse(program, "z_q")(state).tolist() == state.arrays["z1"][:, 1].tolist()


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("loss < 0.1", {"loss"}),
        ("w5 + h1", {"W2", "z1"}),
        ("abs(W1.grad).max()", {"W1.grad"}),
        ("1 + 1", set()),
        ("h.grad", {"z1.grad"}),
    ],
)
def test_it_knows_which_slots_it_reads(text, slots):
    assert parse(PROGRAM, text).slots == slots


@pytest.mark.parametrize(
    ("text", "slot", "cells"),
    [("w5", "W2", (0,)), ("W1", "W1", (0, 1, 2, 3)), ("W1[0, 1]", "W1", (1,)), ("W1[1]", "W1", (2, 3)), ("W1[:, 0]", "W1", (0, 2)),
     ("h1.grad", "z1.grad", (0,)), ("h", "z1", (0, 1)), ("E", "loss", (0,)), ("lr", "lr", (0,)), ("W1[-1, -1]", "W1", (3,)), ("w5.grad", "W2.grad", (0,))],
)  # fmt: skip
def test_what_can_be_set(text, slot, cells):
    target = parse_target(PROGRAM, text)
    assert (target.slot, target.cells) == (slot, cells)


@pytest.mark.parametrize(
    "text",
    ["", "3", "w5 + 1", "abs(w5)", "W1.T", "W1.max()", "-w5", "w9", "W1[9]", "w5 > 1", "W1[::0]", "W1[w5]", "(w5, w6)"],
)
def test_what_cannot_be_set(text):
    with pytest.raises(ExpressionError):
        parse_target(PROGRAM, text)


@pytest.mark.parametrize("text", ["h.mean(0)", "h.mean(axis=0)", "h.mean(0).argmax()"])
def test_an_axis_is_refused_with_what_tells_units_apart(text):
    with pytest.raises(ExpressionError, match=r"^h\.mean\(.*0\): no axis here; describe h names the most active unit$"):
        parse(PROGRAM, text)
    with pytest.raises(ExpressionError, match=r"^W1\.max\(0\): no axis here$"):
        parse(PROGRAM, "W1.max(0)")


def test_a_wrong_name_is_told_the_nearest():
    with pytest.raises(ExpressionError, match="did you mean prediction"):
        parse(PROGRAM, "predicton")
