"""Pages and dialogs that are closed before they are there, and keys that come before what they are meant for."""

from __future__ import annotations

import gc
import re

import pytest
from keyboard import keys_of
from textual.strip import Strip

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


# The text of a line or a number, and the keys that are no characters, in brackets.
_FORK = "nn:set lr = 1 at 0:0[enter]"
BURSTS = {
    "a dialog by its key": "e0.5[enter]n",
    "a dialog by enter": "2[enter]0.5[enter]n",
    "a dialog left": "e7[escape]n",
    "a later place": "nne[down]0.5[enter]n",
    "a move and a dialog": "2[down][down][up]e2[enter]n",
    "a page": "?[pagedown][end][home][escape]nn",
    "a page by its word": ":help[enter][pageup][down]qnn",
    "a line from a page": "?:goto 0:3[enter]n",
    "a line left": ":nxt[left][left][escape]n",
    "a line": ":goto 0:3[enter]n",
    "a line from the values": "2:goto 0:3[enter][down]n",
    "branches": "nd[down][up][enter]n",
    "a tree": "nnnx[right][down][right][left][escape]n",
    "stops": "b6[enter][delete]n",
    "a row": "[down][down]t[up]Tn",
    "a letter taken back": "e0.57[backspace][enter]n",
    "letters put between": ":oto[home]g[end] 0:34[backspace][enter]n",
    "another line": ":abc[escape]:goto 0:3[enter]n",
    "a line interrupted": ":abc[ctrl+c]:goto 0:3[enter]n",
    "a branch gone to": f"{_FORK}d[up][enter]nn",
    "a branch forgotten": f"{_FORK}d[up][delete][escape]n",
    "a branch compared": f"{_FORK}d[up]=[escape]n",
    "what is not bound": "[f7][backspace]:goto 0:3[enter][f7]n",
    "zoom": "3zn[escape]n",
}


def pressed(text: str) -> list[str]:
    """The keys of a burst."""
    parts = re.split(r"\[([\w+]+)\]", text)
    return [key for k, part in enumerate(parts) for key in ([part] if k % 2 else keys_of(part))]


@pytest.mark.parametrize(
    ("example", "keys"),
    [(("article", "xor")[k % 2], pressed(text)) for k, text in enumerate(BURSTS.values())],
    ids=BURSTS,
)
async def test_keys_that_come_at_once_do_what_they_do_one_by_one(app, keys, example):
    async with app(example) as slow:
        await slow.press(*keys)
        expected = done(slow)
    async with app(example) as fast:
        await fast.burst(*keys)
        assert done(fast) == expected
    assert expected[0] != "0:0"


def done(reader) -> tuple[str, list[str], str]:
    """Where somebody is, what was edited, and what is to be seen."""
    return reader.position, [edit.text for edit in reader.session.debugger.timeline.edits], reader.text()


async def test_after_a_flood_escape_drops_what_waits(app):
    async with app("article") as reader:
        await reader.burst(*["x"] * 100, "escape", "n", "n")
        assert isinstance(reader.app.screen, MainScreen)
        assert reader.position == "0:2"


async def test_what_comes_behind_the_key_that_quits_is_for_nobody(app):
    async with app("article") as reader:
        await reader.burst("x", "q", "q", "pagedown", "e", "0", "enter", "question_mark", "down")
        assert reader.app._exit
        assert reader.app.return_code == 0
        assert reader.app._exception is None


async def test_a_closed_page_leaves_next_to_nothing_that_it_has_drawn(app):
    """It has drawn some 600 strips; Textual's own caches keep some of them for a while."""
    async with app("article") as reader:
        counts = []
        for _ in range(2):
            for _ in range(6):
                await reader.press("question_mark", "escape")
            gc.collect()
            counts.append(sum(isinstance(each, Strip) for each in gc.get_objects()))
        assert counts[1] <= counts[0] + 6 * 150


async def test_an_app_that_leaves_while_a_dialog_opens_leaves_in_order(app):
    async with app("article") as reader:
        reader.app.exit(return_code=143)
        reader.app.push_screen(EditDialog("w5", "0.14", [], lambda *_: None))
    assert reader.app._exception is None
    assert reader.app.return_code == 143


async def test_a_new_line_typed_before_the_app_was_there_is_enter(app):
    async with app("article", (80, 24)) as reader:
        await reader.burst("colon", *keys_of("break 3"), "ctrl+j", "c")
        await reader.arrived()
        assert reader.position == "0:3"
        await reader.burst("e", *keys_of("0.5"), "ctrl+j")
        assert "0.5 at 0:3" in reader.text()
