"""Pages and dialogs that are closed before they are there."""

from __future__ import annotations

import pytest

from bptui.tui.screens.dialogs import EditDialog, TextPage
from bptui.tui.screens.main import MainScreen


@pytest.mark.parametrize("make", [
    lambda: EditDialog("w5", "0.14", [], lambda *_: None),
    lambda: TextPage("a page", ["a line"]),
], ids=["a dialog", "a page"])  # fmt: skip
async def test_what_is_closed_at_once_is_gone_and_nobody_waits_for_it(app, make):
    async with app("article") as reader:
        opened = make()
        waiting = reader.app.push_screen(opened)
        opened.dismiss(None)
        await waiting
        await reader.press("n")
        assert isinstance(reader.app.screen, MainScreen)
        assert reader.app._exception is None
        await reader.press("n")
        assert reader.position != "0:0"
