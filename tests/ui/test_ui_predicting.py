"""`p`: what the next operation gives is a question mark in every pane, until somebody has said what it is."""

from __future__ import annotations

import pytest
from keyboard import keys_of

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_hidden_until_it_is_said(app, size):
    async with app("article", size) as reader:
        await reader.press("n", "p")
        assert "what is prediction?   prediction = h1·w5 + h2·w6" in reader.lines()[-4]
        assert "0.191" not in reader.text()
        assert reader.line_with("prediction = h @ W2").split("│")[0].split("3 ")[0].rstrip().find("?") > 0
        # In the listing, in the figure (in the values where they are in sight), and in what is asked itself.
        assert reader.text().count("?") == (3 if size[0] == 80 else 4)
        assert reader.position == "0:1"
        await reader.type("0.19")
        await reader.press("enter")
        assert reader.position == "0:2"
        await reader.until("prediction = 0.191; 0.19 is right to 2 digits: it is 0.001 too low (0.52 %)")
        assert "+0.1910" in reader.text()
        assert not reader.session.history.lines


async def test_escape_and_enter_with_nothing_show_it(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("p", "escape")
        assert reader.position == "0:1"
        await reader.press("p", "enter")
        assert reader.position == "0:2"
        assert "what is" not in reader.text()
        assert "?" not in reader.line_with("prediction = h @ W2")


async def test_what_is_no_number_stays_to_be_mended_and_nothing_is_shown(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("n", "p")
        await reader.type("quickly")
        await reader.press("enter")
        assert "error: " in reader.lines()[-4]
        assert "0.191" not in reader.text()
        await reader.press(*["backspace"] * 7)
        assert "what is prediction?" in reader.lines()[-4]
        await reader.type("prediction = 0.85*0.14 + 0.48*0.15")
        await reader.press("tab", "up", "enter")
        assert "0.191 is right" in reader.lines()[-2]


async def test_the_cell_under_the_cursor_is_asked_for_and_keys_typed_ahead_are_its_answer(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("i", "I", *["n"] * 8)
        await reader.press("2", *["down"] * 9, "1")
        await reader.burst("p", *keys_of("0.17"), "enter", "N", "p", *keys_of("x"), "escape", "N")
        assert reader.position == "0:8"
        await reader.burst("colon", *keys_of("predict"), "enter", *keys_of("0.5"), "enter")
        assert reader.position == "0:9"
        await reader.until("0.5 has the right sign")
        assert reader.session.history.lines == ["predict"]


async def test_nothing_is_asked_where_a_batch_is_drawn(app):
    async with app("digits", (80, 24)) as reader:
        await reader.press("p")
        assert "draws the rows of a batch" in reader.lines()[-2]
        assert reader.position == "0:0"
