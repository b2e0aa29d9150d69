"""A network as blocks: the graph at the left, groups that open, what the mouse and the arrows lead to."""

from __future__ import annotations

from dataclasses import replace

import larger
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptui.commands.session import Session
from bptui.tui.drawing.network.blocks import beside, block_at, blocks, parts
from bptui.tui.drawing.network.rails import _Lanes, rails
from bptui.tui.drawing.network.sight import Sight
from bptui.tui.drawing.network.strips import span, strip
from bptui.tui.screens.helping import scene_of

BLOCKS = ["lenet", "transformer", "lstm", "two_inputs", "wide"]
every_network = pytest.mark.parametrize("name", BLOCKS)


def sight_of(name, op=3, cursor=("x", 0), focused=False):
    session = Session(larger.ALL[name]())
    session.execute(f"goto 0:{min(op, session.debugger.count)}")
    view = session.debugger.view()
    scene = scene_of(session, view, cursor, 0, looked=False, note="", compact=False)
    return Sight(scene, 0, focused, reading=focused)


def text(line):
    return "".join(part for part, _ in line)


@st.composite
def graphs(draw):
    """Each node reads one to three of those before it."""
    count = draw(st.integers(1, 9))
    reads = {"n0": ()}
    for k in range(1, count + 1):
        chosen = draw(st.sets(st.integers(0, k - 1), min_size=1, max_size=3))
        reads[f"n{k}"] = tuple(f"n{j}" for j in sorted(chosen))
    return reads


@given(graphs())
def test_each_value_has_a_lane_from_where_it_is_made_to_what_reads_it_last(reads):
    lanes, rows, below = _Lanes(reads), {}, {}
    for key in reads:
        rows[key], below[key] = lanes.row(key), lanes.below()
    keys = list(reads)
    own = {key: next(k for k, sign in enumerate(rows[key]) if sign.text == "●") for key in keys}
    for reader, values in reads.items():
        for value in values:
            for key in keys[keys.index(value) : keys.index(reader)]:
                there = [k for k, sign in enumerate(below[key]) if (value, reader) in sign.edges]
                assert there == [own[value]]
            sign = rows[reader][own[value]]
            assert own[reader] == own[value] or ((value, reader) in sign.edges and sign.text in "├┤╰╯")
    assert not any(sign.edges for sign in below[keys[-1]])  # nothing is left over


def test_a_transformer_has_its_residual_stream_as_the_trunk():
    drawn = rails(Session(larger.transformer()).debugger.program)
    shown = {key: "".join(sign.text for sign in signs).rstrip() for key, signs in drawn.rows.items()}
    assert shown == {
        "x": "●", "e": "●", "p": "●", "n1": "├─●", "m": "│ ●", "r1": "●─╯", "n2": "├─●", "f1": "│ ●", "f2": "│ ●",
        "r2": "●─╯", "out": "●", "loss": "●",
    }  # fmt: skip


@every_network
def test_shapes_parameters_and_strips_stand_in_columns(name):
    sight = sight_of(name)
    for columns in (60, 74, 120):
        rows = [text(row) for row in blocks(sight, columns, 50) if "more" not in text(row)]
        made, _ = parts(sight, 50)
        ends = set()
        for row, part in zip(rows, made, strict=True):
            shape = "×".join(map(str, sight.scene.view.program.slots[part.slot].shape)) or "1"
            ends.add(row.index(f" {shape}  ") + len(shape))
        assert len(ends) == 1, columns


@every_network
def test_what_is_pointed_at_is_the_row_that_is_drawn_there(name):
    for op in (3, 20):
        sight = sight_of(name, op)
        made, _ = parts(sight, 12)
        for y, row in enumerate(blocks(sight, 74, 12)):
            block = block_at(sight, 74, 12, frozenset(), 12, y)
            if "more" in text(row):
                assert block is None
            else:
                assert block is not None
                assert block[0] in made
                assert block[0].title in text(row) or "…" in text(row)
                last = block_at(sight, 74, 12, frozenset(), 73, y)
                assert last is not None
                assert 0 <= last[1] < sight.scene.view.program.slots[block[0].slot].size


def test_a_strip_is_of_the_row_at_hand_and_shows_what_is_larger_in_it():
    wide = larger.wide()
    x = np.full((8, 784), 0.1)
    for row in range(4):
        x[row, row * 196 : row * 196 + 100] = 0.9  # some of a place's cells
        x[row, 780] = 1.0  # one that is larger than all
    session = Session(replace(wide, x=x))
    scene = scene_of(session, session.debugger.view(), ("lr", 0), 0, looked=False, note="", compact=False)
    for row in range(4):
        shown = "".join(part for part, _ in strip(Sight(scene, row), "x", 4))
        assert shown == "".join("█" if k == row else "░" for k in range(4))
    assert span(Sight(scene, 2), "x") == range(2 * 784, 3 * 784)
    assert span(Sight(scene, 2), "W1") == range(784 * 512)


@every_network
def test_a_group_opens_to_its_slots_and_closes_again(name):
    """Every group but that at hand: its rows are there when it is open, and the others stand still."""
    sight = sight_of(name)
    closed, _ = parts(sight, 0)
    for part in closed:
        if part.group and not part.open:
            opened, _ = parts(sight, 0, frozenset({part.group}))
            more = [one for one in opened if one.slot not in {other.slot for other in closed}]
            assert more
            assert all(one.key == part.key for one in more)


@every_network
def test_down_goes_through_every_row(name):
    sight, seen = sight_of(name, focused=True), []
    for _ in range(300):
        seen.append(sight.scene.cursor)
        cell = beside(sight, 12, frozenset(), 0, 1)
        if cell == seen[-1]:
            break
        sight = sight_of(name, cursor=cell, focused=True)
    assert seen[-1][0] == "loss"
    nodes = [node.output for node in sight.scene.view.program.network.nodes]
    assert [slot for slot, _ in seen if slot in nodes] == nodes


async def test_enter_and_a_click_open_and_close_a_group(app):
    async with app(larger.transformer(), (120, 40)) as reader:
        await reader.press("n", "3", "V")  # from auto to blocks, the last of the views
        row = next(k for k, line in enumerate(reader.lines()) if "● ▹ m  multi-head" in line)
        assert "▹ m  multi-head" in reader.lines()[row]
        await reader.pilot.click("#network", offset=(12, row - reader.app.screen.query_one("#network").region.y))
        await reader.settled()
        assert "▾ m  multi-head" in reader.text()
        assert reader.app.screen._cursor == ("z_m", 0)
        assert "Wq_m" in reader.text()
        await reader.press("down", "down", "up", "up")
        assert reader.app.screen._cursor == ("z_m", 0)
        await reader.press("enter", "down", "down")
        assert reader.app.screen._cursor[0] == "z_n2"
