"""The tree of explain as a reader opens it, in lines and as rows with a cursor; and the words that show it."""

from __future__ import annotations

import re

import networks
import numpy as np
import pytest
from driving import goto_text
from hypothesis import given, settings
from hypothesis import strategies as st

from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger
from bptui.debugger.expressions import parse_target
from bptui.debugger.provenance.history import history
from bptui.engine.network import Network
from bptui.explain.tree.nodes import CellNode
from bptui.explain.tree.outline import PAGE, PathError, Tree, node_at, page
from bptui.explain.tree.reading import Source
from bptui.files import specs
from bptui.files.examples import example_names


def tree(position: str, text: str, network: Network | None = None) -> Tree:
    debugger = Debugger(network or networks.article())
    goto_text(debugger, position)
    target = parse_target(debugger.program, text)
    changes = lambda slot, cell, until: history(debugger.timeline, slot, cell, until)  # noqa: E731 - one line says it
    source = Source(debugger.timeline, debugger.position, debugger.look, changes)
    value = source.value(target.slot, target.cells[0], debugger.position)
    return Tree(CellNode(source, (target.slot, target.cells[0]), debugger.position, value))


def texts(shown: Tree) -> list[str]:
    return ["  " * row.depth + row.text for row in shown.rows()]


# Rows and a cursor


def test_the_prediction_opened_down_to_inputs_and_weights():
    shown = tree("0:2", "prediction")
    assert texts(shown) == [
        "prediction = 0.191  written at 0:2",
        "  h1·w5 = 0.85·0.14 = 0.119",
        "  h2·w6 = 0.48·0.15 = 0.072",
    ]
    shown = shown.deeper().deeper().deeper().deeper()
    assert texts(shown)[1:6] == [
        "  h1·w5 = 0.85·0.14 = 0.119",
        "    h1 = 0.85  written at 0:1",
        "      i1·w1 = 2·0.11 = 0.22",
        "      i2·w2 = 3·0.21 = 0.63",
        "    w5 = 0.14  the weight it began with",
    ]
    assert shown.cursor == (1, 1)
    assert shown.node.heading[0] == "h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85"
    shown = shown.back()
    assert texts(shown)[2:4] == ["    h1 = 0.85  written at 0:1", "    w5 = 0.14  the weight it began with"]
    assert shown.back().cursor == (1,)
    assert shown.back().back().back().cursor == ()


def test_only_what_is_opened_is_computed():
    shown = tree("2:9", "w5")
    shown.rows()
    assert all("children" not in vars(child) for child in shown.root.children if isinstance(child, CellNode))
    history_node = shown.root.children[-1]
    assert "children" not in vars(history_node)
    assert "_changes" not in vars(history_node)


def test_a_long_sum_shows_its_largest_terms_and_pages():
    shown = tree("0:3", "z1[0, 0]", specs.load("digits"))
    rows = shown.rows()
    assert len(rows) == 1 + PAGE + 1
    assert re.fullmatch(rf"… {65 - PAGE} more, together \d+\.\d %", rows[-1].text)
    sizes = [row.share for row in rows[1:-1]]
    assert sizes == sorted(sizes, reverse=True)
    for _ in range(PAGE + 1):
        shown = shown.moved(1)
    assert shown.cursor == (0,)
    shown = shown.deeper()
    assert shown.cursor == (PAGE + 1,)
    assert len(shown.rows()) == 1 + 2 * PAGE + 1
    for _ in range(10):
        shown = shown.moved(100).deeper()
    assert len(shown.root.children) == 65
    assert not any(row.path[-1:] == (0,) for row in shown.rows())


def test_terms_that_are_0_are_told_together():
    shown = tree("0:12", "W1.grad[20, 3]", specs.load("digits"))
    values = [child.value for child in shown.root.children]
    nonzero = sum(value != 0 for value in values)
    assert 0 < nonzero < PAGE
    assert shown.rows()[-1].text == f"… {64 - nonzero} more, all 0"


NETWORKS = {"article": networks.article, "skip": networks.skip_net, "digits": lambda: specs.load("digits")}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["article", "skip", "digits"]),
    st.lists(st.sampled_from("ududrlrlDU"), max_size=40),
    st.integers(1, 30),
)
def test_whatever_is_pressed_the_cursor_is_on_a_row_of_one_screen(name, keys, height):
    network = NETWORKS[name]()
    shown = tree(f"1:{len(Debugger(network).program)}", "W2[0, 0]" if name != "skip" else "W_h1[0, 0]", network)
    for key in keys:
        shown = {
            "u": lambda s: s.moved(-1), "d": lambda s: s.moved(1), "U": lambda s: s.moved(-7), "D": lambda s: s.moved(7),
            "r": Tree.deeper, "l": Tree.back,
        }[key](shown)  # fmt: skip
        rows = shown.rows()
        paths = [row.path for row in rows]
        assert shown.cursor in paths
        assert len(set(paths)) == len(paths)
        window, at, (above, below) = shown.window(height)
        assert window == rows[above : len(rows) - below]
        assert len(window) == min(height, len(rows))
        assert window[at].path == shown.cursor
        for row in rows:
            assert row.opened == (row.path in shown.opened)
            assert row.openable or not row.opened


# Lines


def run(network: str, *lines: str) -> list[tuple[str, ...]]:
    session = Session(specs.load(network))
    return [session.execute(line).lines for line in lines]


def test_explain_goes_on_from_what_was_opened_last():
    said = run(
        "article",
        "run 2",
        "explain w5 >",
        "explain 2",
        "explain 2",
        "explain ..",
        "explain w5 > 2 > 2",
        "explain .. > .. > 3",
        "explain 2",
    )
    assert said[1][0] == "w5 ← w5 − lr·∂E/∂w5 = 0.1743825 − 0.05·(−0.6874073) = 0.2087529"
    assert said[2][0] == said[4][0] == "−lr·∂E/∂w5 = −0.05·(−0.6874073) = 0.03437037"
    assert said[3] == said[5]
    assert said[3][0].startswith("∂E/∂w5 = ∂E/∂prediction · ∂prediction/∂w5")
    assert said[6][0] == "w5 = start + 2 updates = 0.14 + (0.06875287) = 0.2087529"
    assert said[7][0] == "w5 ← w5 − lr·∂E/∂w5 = 0.14 − 0.05·(−0.68765) = 0.1743825"


def test_what_fits_is_told_at_once_and_says_how_to_go_deeper():
    (_, lines) = run("article", "goto 0:9", "explain w5")
    assert "    h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85" in lines
    assert lines[-1] == "explain w5 > opens it step by step"
    (_, lines) = run("article", "goto 0:9", "explain i1")
    assert lines == ("i1: given by the data, 2",)


def test_a_page_further():
    session = Session(specs.load("digits"))
    session.execute("goto 0:3")
    first = session.execute("explain z1[0, 0]").lines
    second = session.execute(f"explain {PAGE + 1}+").lines
    assert [int(line.split()[0]) for line in first if re.match(r" +\d+ ", line)] == list(range(1, PAGE + 1))
    assert [int(line.split()[0]) for line in second if re.match(r" +\d+ ", line)] == list(range(PAGE + 1, 2 * PAGE + 1))
    assert session.execute(f"explain z1[0, 0] > {PAGE + 1}+").lines == second
    assert session.execute(f"explain {PAGE + 2}").lines[0] in second[4]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("explain 2", "explain what"), ("explain ..", "explain what"), ("explain >", "explain what"), ("explain w5 > 9", "no number 9"),
        ("explain w5 > x", "'x' is no number to open"), ("explain w5 > 9+", "no number 9"), ("explain W2 > 1", "W2 is 2 cells"),
        ("explain i1 > 1", "nothing to open below i1"), ("explain w5 > 2 > 1 > 1", "nothing to open below lr"),
        ("explain w5 > 0", "no number 0"), ("explain w5 > -1", "is no number to open"), ("explain w5 > 99999999", "is no number to open"),
        ("explain w9", "no slot or label"), ("origin", "which number"), ("uses", "which number"),
        ("origin W1[2:2]", "picks nothing"), ("uses W1[2:2]", "picks nothing"), ("origin w5 + 1", "names no cell"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_in_one_line(line, message):
    session = Session(specs.load("article"))
    session.execute("goto 0:9")
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        session.execute(line)
    assert "\n" not in str(refused.value)
    assert str(session.debugger.position) == "0:9"
    with pytest.raises(ValueError, match="explain what"):
        session.execute("explain 1")  # what was refused is not what was opened last


def test_a_path_that_leads_nowhere():
    with pytest.raises(PathError):
        node_at(tree("0:2", "prediction").root, (3,))


@pytest.mark.parametrize("name", example_names())
def test_no_answer_is_more_than_a_screen(name):
    """Random cells, and a random way into each."""
    session, random = Session(specs.load(name)), np.random.default_rng(4)
    program = session.debugger.program
    session.execute("run 2")
    slots = list(program.slots.values())
    for k in random.permutation(len(slots))[:8]:
        slot = slots[k]
        index = ", ".join(str(int(random.integers(n))) for n in slot.shape)
        lines = session.execute(f"explain {slot.name}{f'[{index}]' if index else ''} >").lines
        for _ in range(4):
            assert 1 <= len(lines) <= 19
            assert max(map(len, lines)) <= 240
            numbers = [int(found.group(1)) for line in lines if (found := re.match(r" {1,3}(\d+) {2,}", line))]
            try:
                lines = session.execute(f"explain {random.choice(numbers)}").lines if numbers else lines
            except PathError as error:
                assert "nothing to open" in str(error)


def test_a_cell_that_is_not_computed():
    (lines,) = run("article", "explain prediction >")
    assert lines[0] == "prediction is not computed here"
    assert page(tree("0:0", "w5").root) == ["w5 = 0.14  the weight it began with"]


def test_numbers_are_shown_to_so_many_digits():
    session = Session(networks.article(), digits=3)
    session.execute("goto 0:9")
    assert session.execute("explain w5 >").lines[3 + 1].strip().startswith("1   80.3 %  w5 = 0.14")
    assert session.execute("origin w5").lines[1].startswith("w5 before 0:9 = 0.14")
