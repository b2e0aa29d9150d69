"""The terminal's own cursor is where the reader is, in a real terminal: braille lines and screen readers follow it."""

from __future__ import annotations

import pytest
from test_ui_terminal import Terminal


def follows(terminal: Terminal, keys: str, before: str, after: str = "") -> None:
    """After these keys the cursor comes to stand between these two pieces of a line."""
    terminal.send(keys)

    def there(_: str) -> bool:
        at = terminal.screen.cursor
        line = terminal.screen.display[at.y]
        return line[: at.x].endswith(before) and after in line[at.x : at.x + len(after) + 3]

    at = terminal.screen.cursor
    terminal.until(there, f"the cursor between {before!r} and {after!r} after {keys!r}; it was at {at.x}, {at.y}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_cursor_follows_the_reader(size, tmp_path):
    """From pane to pane, along the operations, to a cell, into what is typed, into pages and dialogs, and back."""
    # What was opened lately, by other tests, would stand first in the list of networks.
    with Terminal("article", "--spoken", columns=size[0], rows=size[1], XDG_STATE_HOME=str(tmp_path)) as terminal:
        terminal.until("prediction")
        assert b"\x1b[?25h" in terminal.written
        follows(terminal, "2", " ", "0.14")
        follows(terminal, "\x1b[B", " ", "0.15")
        follows(terminal, "e", "0.15")
        follows(terminal, "12", "12")
        follows(terminal, "\x1b", " ", "0.15")
        follows(terminal, "\x0f\x1b[B", " ", "mazur")
        follows(terminal, "ir", "ir")
        follows(terminal, "\x1b[B", " ", "iris")
        follows(terminal, "\x1b", " ", "0.15")
        follows(terminal, "1", " ", "1 Program")
        follows(terminal, "jj", " ", "prediction = h @ W2")
        follows(terminal, ":branch other", "branch other")
        follows(terminal, "\rd", " ", "▸ ")
        follows(terminal, "\x1b[A", " ", "main")
        follows(terminal, "\x1b", " ", "prediction = h @ W2")
        follows(terminal, "?", "", " Keys that work here")
        follows(terminal, "\x1b", " ", "prediction = h @ W2")
        follows(terminal, "6", " ", "6 Stops")
        terminal.send("nn2")
        terminal.until("op 2 of 9")
        follows(terminal, "e", "0.15")
        follows(terminal, "\x1b[B", "", "● from the very start")
        follows(terminal, "7", "7")
        terminal.send("\x1b")
        terminal.until(lambda text: "from the very start" not in text, "the dialog's end")
        terminal.send("q")
        assert terminal.ended() == 0


def test_without_spoken_the_cursor_moves_unseen():
    with Terminal("article") as terminal:
        terminal.until("prediction")
        follows(terminal, "2", " ", "0.14")
        assert b"\x1b[?25h" not in terminal.written
        terminal.send("q")
        assert terminal.ended() == 0


def test_a_setting_asks_for_it_once_and_for_all(tmp_path):
    """At a terminal both front ends speak as with --spoken; a command is asked for in words."""
    (tmp_path / "bptui").mkdir()
    (tmp_path / "bptui" / "settings.toml").write_text("spoken = true\n")
    with Terminal("article", "--plain", "--no-session", XDG_CONFIG_HOME=str(tmp_path)) as terminal:
        terminal.until("command:")
        terminal.send("next 2\r")
        terminal.until("prediction is h times W2.")
    with Terminal("article", "--no-session", XDG_CONFIG_HOME=str(tmp_path)) as terminal:
        terminal.until("prediction")
        assert b"\x1b[?25h" in terminal.written
