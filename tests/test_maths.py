"""Formulas in two dimensions: as a computer algebra sets them, every name in its place, every row as wide as the box."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import networks
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from test_pieces import EXAMPLES, begin

from bptui.commands.session import Session
from bptui.engine.network import Network
from bptui.explain.formulas import Formula, formula
from bptui.explain.notation import applied, difference, negative, power, product, quotient, summed, times, total
from bptui.explain.pieces import Piece, piece
from bptui.tui.drawing import maths
from bptui.tui.drawing.formula import page
from bptui.tui.drawing.maths import Box
from bptui.tui.drawing.setting import VIEWS
from bptui.tui.scene import Scene
from bptui.tui.screens.helping import scene_of

NETWORKS = (
    *EXAMPLES,
    "optim adam",
    "loss huber",
    "act gelu",
    "layer-norm",
    "attention",
    "conv",
    "own",
    "logsumexp (1,) False",
)


def rows(box: Box) -> list[str]:
    return ["".join(text for text, _ in line) for line in box.lines(lambda _: "plain")]


# As sympy 1.14 prints them with pretty(…); it has other signs for · − e and puts its terms in an order of its own.
SYMPY = {
    "a/b": (quotient("a", "b"), ["a", "─", "b"]),
    "1/(1 + exp(-z))": (
        quotient("1", total(["1", power("e", negative("z"))])),
        ["   1", "───────", "     −z", "1 + e"],
    ),
    "(p - y)/(p*(1 - p))": (
        quotient(difference("p", "y"), product(["p", difference("1", "p")])),
        ["  p − y", "─────────", "p·(1 − p)"],
    ),
    "(a/b + 1)/c": (quotient(total([quotient("a", "b"), "1"]), "c"), ["a", "─ + 1", "b", "─────", "  c"]),
}


@pytest.mark.parametrize("written", SYMPY)
def test_fractions_stand_as_a_computer_algebra_sets_them(written):
    made, expected = SYMPY[written]
    shown, width = rows(maths.tall(made)), max(map(len, expected))
    if len(shown[0]) > width:  # where a fraction holds more than a line, our bar goes further by one at either end
        shown = [row[1:-1] for row in shown]
    assert shown == [row.ljust(width) for row in expected]


TOLD_APART = {
    "c·(a/b)²": (product(["c", power(quotient("a", "b"), "2")]), ["  ⎛a⎞²", "c·⎜─⎟", "  ⎝b⎠"]),
    "c·(a/b)": (times("c", quotient("a", "b")), ["  a", "c·─", "  b"]),
    "ln(a/b)": (applied("log", [quotient("a", "b")]), ["  ⎛a⎞", "ln⎜─⎟", "  ⎝b⎠"]),
    "a/b − (c − d)": (difference(quotient("a", "b"), difference("c", "d")), ["a", "─ − (c − d)", "b"]),
    "2 − −3": (difference("2", "−3"), ["2 − (−3)"]),
    "√v + ε": (total([applied("sqrt", ["v + w"]), "ε"]), [" _____", "√v + w + ε"]),
}  # fmt: skip


@pytest.mark.parametrize("written", TOLD_APART)
def test_nothing_can_be_read_in_two_ways(written):
    made, expected = TOLD_APART[written]
    assert [row.rstrip() for row in rows(maths.tall(made))] == expected


def check(box: Box, leaves: list[Piece]) -> None:
    """Rows as wide as the box, texts apart, and each name and number once and found where it stands."""
    assert 0 <= box.baseline < box.height
    shown = rows(box)
    assert [cell_len(row) for row in shown] == [box.width] * box.height
    placed = box.placed()
    for (y, x, width, _), (below, right, _, _) in pairwise(placed):
        assert y < below or x + width <= right
    for y, x, width, ink in placed:
        assert box.at(x, y) is ink.of
        assert box.at(x + width - 1, y) is ink.of
    wanted, texts = Counter(map(id, leaves)), Counter(id(ink.of) for *_, ink in placed)
    for leaf in leaves:
        each_has = texts[id(leaf)] / wanted[id(leaf)]
        assert each_has == 1 or (leaf.kind == "derivative" and each_has in (3, 4))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_name_and_number_is_placed_once(name):
    for *_, found in begin(name).shown:
        head, *shown = found.rows
        for setter in (maths.flat, maths.tall):
            for row in found.rows:
                check(setter(row), [leaf for leaf in row.leaves() if leaf.cell is not None])
            boxes = maths.aligned([head, *shown], setter)
            assert len({box.width for box in boxes}) == 1
            for row, box in zip(found.rows, boxes, strict=True):
                check(box, [leaf for leaf in row.leaves() if leaf.cell is not None])
        assert [rows(maths.flat(row)) for row in found.rows] == [[str(row)] for row in found.rows]
        assert not re.search(r"[−+·] ?−", found.line), "two signs beside each other"


def test_a_number_stands_under_its_name():
    for *_, found in (shown for name in ("article", "mazur", "optim adam") for shown in begin(name).shown):
        for setter in (maths.flat, maths.tall):
            above, below = maths.aligned(found.rows[:2], setter) if len(found.rows) > 2 else (None, None)
            names, numbers = ([] if box is None else columns(box) for box in (above, below))
            for name, number in zip(names, numbers, strict=len(names) == len(numbers)):
                assert len(names) != len(numbers) or (name[0] <= number[1] and number[0] <= name[1]), found.line


def columns(box: Box) -> list[tuple[int, int]]:
    """From where to where each name or number reaches, from left to right."""
    found: dict[int, tuple[int, int]] = {}
    for _, x, width, ink in box.placed():
        if ink.of.cell is not None or ink.of.kind == "derivative":
            start, end = found.get(id(ink.of), (x, x + width))
            found[id(ink.of)] = min(start, x), max(end, x + width)
    return sorted(found.values())


@pytest.fixture(scope="module")
def long() -> Formula:
    return next(found for *_, found in begin("transformer").shown if len(found.line) > 200)


@given(width=st.integers(8, 130))
def test_what_is_too_long_goes_on_below_and_nothing_is_lost(long, width):
    for row in long.rows:
        box = maths.flowing(row, width)
        assert box.width <= width
        assert "".join("".join(rows(box)).split()) == "".join(row.split())
        broken = maths.broken(row, maths.tall, width)
        if broken is not None:
            check(broken, [leaf for leaf in row.leaves() if leaf.cell is not None])


SERIES = {
    ("transformer", "q_att"): "Σ n1[15,15,k]·Wq_att[k,15] + bq_att[15]",
    ("transformer", "p_att"): "e^m_att[15,1,15,15] / Σ e^m_att[15,1,15,k]",
    ("lenet", "z6"): "Σ z5[63,k]·W6[k,63] + b6[63]",
    ("lenet", "a7.grad"): "Σ ∂loss/∂z8[63,k] · ∂z8[63,k]/∂a7[63,31]",
    ("lenet", "z1"): None,  # a window has rows and columns: no single letter goes through it
}


@pytest.mark.parametrize(("name", "writes"), SERIES)
def test_a_long_sum_is_told_by_what_its_terms_have_in_common(name, writes):
    debugger = begin(name).debugger
    index = debugger.program.writers[writes]
    found = formula(debugger.program, debugger.moment(index), debugger.program.size(index) - 1)
    assert maths.brief(found.rows[0]) == SERIES[name, writes]


def test_a_series_says_from_where_to_where():
    made = summed(9, lambda k: product([Piece(f"{s}[{k}]", "symbol", cell=(s, (k,))) for s in "xw"]))
    short = maths.brief(made)
    assert short is not None
    assert rows(maths.tall(short)) == [" 8           ", " Σ  x[k]·w[k]", "k=0          "]


# The pane


def scene(session: Session, cursor: tuple[str, int] = ("x", 0)) -> Scene:
    return scene_of(session, session.debugger.view(), cursor, 0, looked=False, note="", compact=False)


@pytest.mark.parametrize("name", ["article", "mazur", "lstm", "transformer"])
def test_the_pane_keeps_within_its_room_and_finds_what_it_shows(name):
    session = Session(begin(name).debugger.program.network)
    session.execute("next")
    while session.debugger.position.iteration == 0 and session.debugger.position.op < len(session.debugger.program):
        shown = scene(session)
        for view in VIEWS:
            for width, height in ((40, 5), (80, 5), (73, 13), (120, 21)):
                made = page(shown, width, height, view)
                assert made.box.width <= width
                if view == "auto":
                    found = [made.hit(x, y) for y in range(made.box.height) for x in range(made.box.width)]
                    hit = {(h.slot, h.cell) for h in found if h is not None and h.slot}
                    assert made.cells()[0] in hit
        session.execute("next 23" if name in ("lstm", "transformer") else "next")


# What is no word of letters is refused as a label; these are not.
HOSTILE = ("a" * 99, "漢字" * 49, "e", "k", "ln", "Σ", "é" * 30)


@pytest.mark.parametrize("label", HOSTILE)
def test_no_name_of_a_persons_breaks_it(label):
    session = Session(networks.article(labels={"x": ["i1", label], "y": ["target"], "loss": f"E{label}"}))
    for _ in range(9):
        session.execute("next")
        for view in VIEWS:
            for width in (40, 73, 120):
                made = page(scene(session), width, 13, view)
                assert len(made.lines) < 60
                assert all(sum(cell_len(part) for part, _ in line) <= max(width, made.box.width) for line in made.lines)


def test_numbers_that_are_none_are_set_too():
    nodes = (networks.dense("1", "x", 2), networks.dense("2", "1", 1))
    nan = Network(nodes, np.array([[1e308, -0.0]]), np.array([[0.0]]), loss="mse", lr=1e300)
    session = Session(nan)
    seen = ""
    for _ in range(24):
        session.execute("next")
        for view in VIEWS:
            seen += str(page(scene(session), 80, 13, view).lines)
    assert "inf" in seen
    assert "nan" in seen
    assert rows(maths.tall(difference(piece("nan"), "−inf"))) == ["nan − (−inf)"]
