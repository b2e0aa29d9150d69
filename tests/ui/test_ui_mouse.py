"""The mouse: what it clicks at, scrolls, drags and is over."""

from __future__ import annotations

from textual.events import MouseScrollDown


async def test_a_click_goes_to_a_pane_and_breaks_off_what_is_typed(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("colon")
        await reader.pilot.click("#network", offset=(70, 14))
        assert reader.app.screen.focused.id == "network"
        assert "w5 = 0.14" in reader.lines()[-2]  # the status line is there again
        await reader.press("n")
        assert reader.position == "0:1"


async def test_the_wheel_moves_as_the_arrows_do(app):
    async with app("digits", (120, 40)) as reader:
        screen = reader.app.screen
        before = screen._row
        await reader.pilot._post_mouse_events([MouseScrollDown], "#program", (5, 5), button=0)
        await reader.settled()
        assert screen._row > before
