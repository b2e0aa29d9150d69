"""The page of where a number came from: arrows open and close it, and it never takes more than the screen."""

from __future__ import annotations

import networks
import pytest

from bptui.commands import origins
from bptui.files import specs
from bptui.tui.drawing.lines import width
from bptui.tui.drawing.outline import outline
from bptui.tui.screens.tree import TreePage, TreeView


async def opened(reader, position, slot, cell, went=None):
    """The page over the app, on a cell at a position."""
    reader.session.execute(f"goto {position}")
    page = TreePage(f"where {slot} comes from", origins.tree(reader.session, slot, cell))
    reader.app.push_screen(page, went)
    await reader.pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_prediction_is_opened_down_to_the_inputs(app, size):
    async with app("article", size) as reader:
        await opened(reader, "0:2", "z2", 0)
        assert "▾ prediction = 0.191" in reader.text()
        assert "▹ h1·w5 = 0.85·0.14 = 0.119" in reader.line_with("h1·w5 =")
        assert "62.3 %" in reader.line_with("h1·w5 = 0.85·0.14")
        await reader.press("down", "right", "down")
        assert "▹ h1 = 0.85" in reader.text()
        await reader.press("enter")
        assert "▾ h1 = 0.85" in reader.text()
        assert "i1·w1 = 2·0.11 = 0.22" in reader.text()
        assert "h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21" in reader.inside("#tree-view")
        await reader.press("left", "left")
        assert "i1·w1 =" not in reader.line_with("h1·w5 = 0.85")
        await reader.press("left")
        assert "▹ h1 = 0.85" not in reader.text()
        await reader.press("escape")
        assert not isinstance(reader.app.screen, TreePage)


async def test_a_weight_is_its_start_and_every_update_since(app):
    async with app("article") as reader:
        await opened(reader, "3:9", "W2", 0)
        await reader.press("down", "down", "down", "right")
        for text in ("0.14  the weight it began with", "iteration 0: +0.0343825", "iteration 3:"):
            assert text in reader.text()


async def test_o_leaves_for_where_a_number_was_written(app):
    async with app("article") as reader:
        went = []
        await opened(reader, "3:9", "W2", 0, went.append)
        await reader.press("down", "o")
        assert [str(position) for position in went] == ["2:9"]
        await opened(reader, "3:9", "W2", 0, went.append)
        await reader.press("down", "down", "o")
        assert isinstance(reader.app.screen, TreePage)  # a term is no number of its own
        await reader.press("q")
        assert went[-1] is None


async def test_a_long_sum_is_paged_and_stays_within_the_screen(app):
    async with app("digits", (80, 24)) as reader:
        await opened(reader, "0:3", "z1", 0)
        await reader.press("end")
        assert "… 55 more, together" in reader.text()
        await reader.press("right", "end")
        assert "… 45 more, together" in reader.text()
        view = reader.app.screen.query_one(TreeView)
        assert len(view._lines) <= view.size.height <= 24


@pytest.mark.parametrize(("columns", "rows"), [(20, 3), (40, 9), (80, 20), (200, 50)])
def test_the_drawing_fills_its_place_and_no_more(columns, rows):
    from bptui.commands.session import Session

    for network, slot in ((networks.article(), "W2"), (specs.load("digits"), "W1.grad")):
        session = Session(network)
        session.execute("run 2")
        shown = origins.tree(session, slot, 0)
        for _ in range(6):
            shown = shown.deeper().moved(1)
            lines = outline(shown, columns, rows)
            assert len(lines) == rows
            assert all(width(line) <= columns for line in lines)


async def test_o_goes_to_what_wrote_the_number_under_the_cursor_and_on_from_there(app):
    async with app("article") as reader:
        await reader.press("i", "i", "n", "n", "n")
        places = []
        for _ in range(4):
            await reader.press("o")
            places.append((reader.position, reader.inside("#status")))
        assert [place for place, _ in places] == ["1:9", "0:9", "0:0", "0:0"]
        assert "w5 = 0.2087529: written by operation 9 of iteration 1" in places[0][1]
        assert "w5 before 1:9 = 0.1743825" in places[1][1]
        assert "the weight it began with" in places[2][1]
        assert "there is nothing before that" in places[3][1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_x_shows_the_chain_and_the_right_arrow_opens_it_step_by_step(app, size):
    async with app("article", size) as reader:
        await reader.press("n", "n", "x")
        assert "→ open it step by step" in reader.text()
        await reader.press("right")
        assert isinstance(reader.app.screen, TreePage)
        await reader.press("down", "right", "down", "o")
        assert reader.position == "0:1"
        assert len(reader.app.screen_stack) == 2


async def test_x_opens_the_tree_at_once_where_the_chain_is_long(app):
    async with app("digits", (120, 40)) as reader:
        await reader.press("n", "n", "n", "x")
        assert isinstance(reader.app.screen, TreePage)
        assert "more" in reader.text()


async def test_a_colon_closes_a_page_for_the_command_line(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("n", "n", "x")
        await reader.command("print w5")
        assert len(reader.app.screen_stack) == 2
        assert "w5 = 0.14" in reader.text()
