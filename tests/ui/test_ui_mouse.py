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


async def test_a_view_is_shown_by_a_click_at_its_name_in_the_title(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("5")
        title = reader.line_with("5 Time and loss")
        x = title.index("norms") - reader.app.screen.query_one("#loss").region.x
        await reader.pilot.click("#loss", offset=(x, 0))
        assert "5 Norms of" in reader.text()


async def test_the_wheel_moves_as_the_arrows_do(app):
    async with app("digits", (120, 40)) as reader:
        screen = reader.app.screen
        before = screen._row
        await reader.pilot._post_mouse_events([MouseScrollDown], "#program", (5, 5), button=0)
        await reader.settled()
        assert screen._row > before


async def test_rows_of_the_palette_and_of_the_picker_are_clicked_at_and_the_wheel_goes_along_them(app):
    """What the mouse is over is underlined; typing goes on after the wheel was turned; a heading does nothing."""
    async with app("article", (120, 40)) as reader:
        await reader.press("ctrl+p")
        view = "#find-view"
        await reader.pilot._post_mouse_events([MouseScrollDown], view, (5, 5), button=0)
        await reader.settled()
        assert reader.app.screen._chosen == 3
        await reader.pilot.click(view, offset=(20, 0))
        await reader.type("zoom")
        await reader.pilot.hover(view, offset=(20, 0))
        await reader.settled()
        row = next(k for k, line in enumerate(reader.lines()) if " zoom " in line and "zoom" not in line[:16])
        assert any("underline" in style and c == "t" for c, style in reader.cells()[row])
        await reader.pilot.click(view, offset=(20, 0))
        await reader.settled()
        assert "z shows all panes again" in reader.text()
        await reader.press("z", "ctrl+o")
        place = next(k for k, line in enumerate(reader.lines()) if line.startswith("   ", 7) and " mazur " in line)
        await reader.pilot.click(offset=(20, place))
        await reader.settled()
        assert reader.lines()[0].startswith(" mazur")
