"""Copies from the app: to the terminal's clipboard, which never answers, and to a file beside."""

from __future__ import annotations

import platformdirs

from bptui.files import origins


def kept(suffix):
    return platformdirs.user_state_path("bptui", appauthor=False) / f"copied{suffix}"


async def test_y_copies_the_number_under_the_cursor_in_full(app):
    async with app("article") as reader:
        await reader.press("i", "y")
        assert reader.app.clipboard == repr(float(reader.session.debugger.evaluate("w5")))
        assert "w5 sent to the terminal's clipboard; also in " in reader.text()
        assert "copied to" not in reader.text()
        assert kept(".txt").read_text().strip() == reader.app.clipboard
        await reader.command("copy W1 as latex")
        assert reader.app.clipboard.startswith("\\begin{bmatrix}")
        await reader.command("copy formula")
        assert reader.app.clipboard.startswith("\\begin{aligned}\n  w_{5} &\\leftarrow")
        await reader.command("copy session")
        assert "made by a program" in reader.text()
        await reader.press("escape")
        reader.session.origin = origins.load("article")
        await reader.command("copy session")
        assert reader.app.clipboard.startswith("bptui session 1\n")
        await reader.command("copy W1 as xml")
        assert "can't be copied as 'xml'" in reader.text()


async def test_what_is_too_long_for_a_terminal_goes_to_a_file_alone(app):
    async with app("article", (120, 40)) as reader:
        await reader.command("copy screen")
        await reader.until("too long for a terminal's clipboard")
        assert reader.app.clipboard == ""
        picture = kept(".svg").read_text()
        assert picture.startswith("<svg") and "prediction" in picture and "copy&#160;screen" not in picture
        reader.session.files = False
        kept(".svg").unlink()
        await reader.command("copy screen")
        await reader.until("there are no files here")
        await reader.press("y")
        assert "w5 sent to the terminal's clipboard" in reader.text() and "also in" not in reader.text()
        assert not kept(".svg").exists()


async def test_what_is_not_computed_is_not_copied(app):
    async with app("article") as reader:
        await reader.press("2", "right", "y")
        assert "not computed yet" in reader.text()
        assert reader.app.clipboard == ""
