"""The pane of time: gone through by keys and the mouse, and what lies ahead where one has been."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual import events

from bptui.tui.drawing.plot import Course


@given(st.integers(20, 300), st.integers(0, 10**6), st.data())
def test_what_is_clicked_at_is_what_is_drawn_there(columns, last, data):
    """Within a column, whichever way; the ends exactly."""
    course = Course(columns, last)
    t = data.draw(st.integers(0, last))
    assert abs(course.column(course.iteration(int(course.column(t)))) - course.column(t)) <= 1
    x = data.draw(st.integers(0, columns))
    assert 0 <= course.iteration(x) <= last
    assert course.iteration(x) <= course.iteration(x + 1)
    assert (course.iteration(0), course.iteration(columns)) == (0, last)


async def test_keys_go_through_the_iterations_and_back_to_as_far_as_one_has_been(app):
    """What one has been at stays on the axis, faint, with its loss and the mark of where one is."""
    async with app("article", (120, 40)) as reader:
        await reader.command("run 40")
        await reader.press("5", "left", "pageup")
        assert reader.position == "28:9"
        assert "╌" in reader.inside("#loss")
        assert "▲" in reader.inside("#loss")
        for key, position in [
            ("home", "0:0"),
            ("end", "39:9"),
            ("home", "0:0"),
            ("pagedown", "9:9"),
            ("right", "10:9"),
        ]:
            await reader.press(key)
            assert reader.position == position, key
        assert reader.inside("#loss").endswith("39")


async def test_an_arrow_back_says_where_one_is_and_what_leads_on(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("n", "n", "n", "n", "5", "left")
        assert reader.position == "0:0"
        assert "back to 0:0; → goes on" in reader.text()
        await reader.press("left")
        assert "this is the very start" in reader.text()
        await reader.press("right")
        assert "goes on" not in reader.text()
        await reader.press("2", "I")  # elsewhere the arrows do something else
        assert "→ goes on" not in reader.text()


async def test_the_mouse_scrubs_and_says_what_is_where(app):
    async with app("article", (120, 40)) as reader:
        await reader.command("run 40")
        pane = reader.app.screen.query_one("#loss")
        columns = Course(pane.size.width - 1, 39)
        await reader.pilot.mouse_down("#loss", offset=(int(columns.column(20)), 3))
        await reader.settled()
        assert reader.position == "20:9"
        for t in (18, 12, 7):
            x, y = pane.region.x + int(columns.column(t)), pane.region.y + 3
            pane.post_message(events.MouseMove(pane, x - pane.region.x, 3, 0, 0, 1, False, False, False, x, y))
        await reader.settled()
        assert reader.position == "7:9"
        await reader.pilot.mouse_up("#loss", offset=(int(columns.column(7)), 3))
        await reader.pilot.hover("#loss", offset=(int(columns.column(30)), 3))
        await reader.settled()
        assert "iteration 30   E 5.50" in reader.lines()[-2]
        steps = reader.lines()[pane.region.y + 1]
        await reader.pilot.click(offset=(steps.index("■") + 1, pane.region.y + 1))
        await reader.settled()
        assert reader.position == "7:2"
