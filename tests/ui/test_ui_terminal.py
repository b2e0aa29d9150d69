"""The app in a real terminal: bytes go in through a pty, and a terminal emulator shows what came out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pexpect
import pyte
import pytest
from forking import Spawned

import bptui

SECONDS = 20

# What the app turns on, and has to turn off when it leaves: alternate screen, mouse, focus reports, bracketed paste.
MODES = [1049, 1000, 1003, 1015, 1006, 1004, 2004]


class Terminal:
    """A pty with the app in it; waits for what is to be seen, never for a time.

    With settings of its own it is started by Python anew, which may read them before anything else.
    """

    def __init__(
        self, *arguments: str, columns: int = 80, rows: int = 24, command: Sequence[str] = (), **env: str
    ) -> None:
        settings = {
            k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "TERM", "COLUMNS", "LINES")
        }
        settings |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONIOENCODING": "utf-8"} | env
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        options = {"dimensions": (rows, columns), "env": settings, "timeout": SECONDS}
        program, *anew = command or (sys.executable, "-m", "bptui", *arguments)
        self.child = pexpect.spawn(program, anew, **options) if env or command else Spawned(arguments, **options)
        self.child.delaybeforesend = None
        self.written = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)

    def read(self) -> bool:
        """Take in what has come; False at the end."""
        try:
            part = self.child.read_nonblocking(65536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += part
        # pyte prints the end of Kitty's sequences (CSI > 1 u) as text: they are no part of the picture.
        self.stream.feed(part.replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        return True

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def until(self, condition, what: str = "") -> None:
        """Read until the screen is so."""
        wanted = (lambda text: condition in text) if isinstance(condition, str) else condition
        deadline = time.monotonic() + SECONDS
        while not wanted(self.text()):
            assert time.monotonic() < deadline, f"waited for {what or condition!r}:\n{self.text()}"
            assert self.read(), f"ended while waiting for {what or condition!r}:\n{self.text()}"

    def send(self, data: bytes | str) -> None:
        self.child.send(data)

    def ended(self) -> int:
        """Its exit code, once it has left."""
        deadline = time.monotonic() + SECONDS
        while self.read():
            assert time.monotonic() < deadline, f"still there:\n{self.text()}"
        self.child.wait()
        assert self.child.signalstatus is None
        return self.child.exitstatus

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A spec of so many iterations that no test sees their end."""
    text = (Path(bptui.__file__).parent / "examples" / "mazur.toml").read_text(encoding="utf-8")
    path = tmp_path / "endless.toml"
    path.write_text(text.replace("iterations = 10000", "iterations = 100000000"), encoding="utf-8")
    return str(path)


def assert_restored(terminal: Terminal, mark: int) -> None:
    """All that was turned on has been turned off since `mark`, and the cursor is shown."""
    before, after = terminal.written[:mark], terminal.written[mark:]
    for mode in MODES:
        if b"\x1b[?%dh" % mode in before:
            assert terminal.written.rfind(b"\x1b[?%dl" % mode) > terminal.written.rfind(b"\x1b[?%dh" % mode), mode
            assert b"\x1b[?%dl" % mode in after, mode
    assert b"\x1b[?1049h" in before
    assert b"\x1b[?25h" in after[max(0, after.rfind(b"\x1b[?1049l") - 200) :]
    assert after.rfind(b"\x1b[?25h") > after.rfind(b"\x1b[?25l")


def test_it_starts_on_the_article_and_q_leaves_with_0():
    with Terminal() as terminal:
        terminal.until("prediction")
        assert terminal.screen.display[0].startswith(" article")
        terminal.send("nn")
        terminal.until("op 2 of 9")
        terminal.until("+0.1910")
        mark = len(terminal.written)
        terminal.send("q")
        assert terminal.ended() == 0
        assert_restored(terminal, mark)
        assert b"Traceback" not in terminal.written


def test_bytes_that_are_no_utf8_do_not_end_it():
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        for number, stray in enumerate([b"\xff\xfe", b"\xc3\x28", b"\xf0\x9f", b"\x80", b"\xed\xa0\x80"], 1):
            terminal.send(stray)
            terminal.send("n")
            terminal.until(f"op {number} of 9")
        terminal.send("q")
        assert terminal.ended() == 0


def test_a_paste_is_text_and_presses_no_keys():
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        terminal.send("\x1b[200~nnnq\x1b[201~")
        terminal.send("n")
        terminal.until("op 1 of 9")
        terminal.send(":")
        terminal.until("a command, such as")
        terminal.send("\x1b[200~goto 0:3\x1b[201~")
        terminal.until("goto 0:3")
        terminal.send("\r")
        terminal.until("op 3 of 9")
        terminal.send(b":\x1b[200~\xff\xfe[/]\x1b[201~")
        terminal.send("\r")
        terminal.until("no command is called")
        terminal.send("\x03")  # the line stays, to be mended
        terminal.until("n next")
        terminal.send("q")
        assert terminal.ended() == 0


def test_what_is_typed_on_fast_after_a_colon_is_for_the_line():
    """Over a slow line many keys come at once."""
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        terminal.send(":set w5 = 0.2 at 0:0\r")
        terminal.until("set w5: 0.14 -> 0.2 at 0:0")
        terminal.send("nng3:")
        terminal.until("goto 3:")
        assert "op 2 of 9" in terminal.text()
        terminal.send("2\r")
        terminal.until("iteration 3")
        terminal.until("op 2 of 9")
        terminal.send(":goto 0:1\rn:goto \x1b[200~0:4\x1b[201~\rnn")
        terminal.until("op 6 of 9")
        terminal.send("2e0.5\r5e7\r")
        terminal.until("→ 7 at 0:6")
        terminal.send("q")
        assert terminal.ended() == 0


def test_a_dialog_that_two_keys_close_at_once_closes_once():
    """The second would close the screen below, and with it the app."""
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        terminal.send("e")
        terminal.until("esc leave it")
        terminal.send("\r\x03")
        terminal.until(lambda text: "esc leave it" not in text, "the dialog to close")
        terminal.send("n")
        terminal.until("op 1 of 9")
        terminal.send("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(number):
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        terminal.send("n")
        terminal.until("op 1 of 9")
        mark = len(terminal.written)
        os.kill(terminal.child.pid, number)
        assert terminal.ended() == 128 + number
        assert_restored(terminal, mark)


def test_a_signal_ends_it_while_it_runs_and_while_a_dialog_is_open(endless):
    with Terminal("mazur") as terminal:
        terminal.until("op 0 of 13")
        terminal.send("e")
        terminal.until("esc leave it")
        mark = len(terminal.written)
        os.kill(terminal.child.pid, signal.SIGTERM)
        assert terminal.ended() == 143
        assert_restored(terminal, mark)
    with Terminal(endless) as terminal:
        terminal.until("op 0 of 13")
        terminal.send("c")
        terminal.until("running; any key stops it")
        os.kill(terminal.child.pid, signal.SIGTERM)
        assert terminal.ended() == 143


def test_ctrl_c_stops_a_run_then_leaves_the_line_then_the_app_with_130(endless):
    with Terminal(endless) as terminal:
        terminal.until("op 0 of 13")
        terminal.send("c")
        terminal.until("running; any key stops it")
        terminal.send("\x03")
        terminal.until("interrupted; c goes on")
        terminal.send(":")
        terminal.until("a command, such as")
        terminal.send("\x03")
        terminal.until(lambda text: "a command, such as" not in text, "the line to close")
        terminal.send("e")
        terminal.until("esc leave it")
        terminal.send("\x03")
        terminal.until(lambda text: "esc leave it" not in text, "the dialog to close")
        terminal.send("?")
        terminal.until("Keys that work here")
        terminal.send("\x03")
        terminal.until(lambda text: "Keys that work here" not in text, "the page to close")
        mark = len(terminal.written)
        terminal.send("\x03")
        assert terminal.ended() == 130
        assert_restored(terminal, mark)


def test_a_window_of_3_by_2_and_back():
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        terminal.resize(3, 2)
        terminal.until(
            lambda text: "article" not in text and "Net" not in text and text.strip() != "", "the tiny screen"
        )
        terminal.send("n")
        terminal.resize(80, 24)
        terminal.until("op 1 of 9")
        terminal.until("? help")
        terminal.send("\x1b[D")  # the program pane has the focus again
        terminal.until("op 0 of 9")
        terminal.resize(200, 60)
        terminal.until("5 Time and loss")
        assert "2 Values" in terminal.text()
        terminal.send("q")
        assert terminal.ended() == 0


def test_starting_in_a_window_of_3_by_2():
    with Terminal(columns=3, rows=2) as terminal:
        terminal.until(lambda text: text.strip() != "", "anything")
        terminal.resize(80, 24)
        terminal.until("op 0 of 9")
        terminal.send("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    "env",
    [
        {"NO_COLOR": "1"},
        {"TERM": "xterm", "COLORTERM": ""},
        {"TERM": "linux", "COLORTERM": ""},
        {"LANG": "C", "LC_ALL": "C"},
    ],
)
def test_poorer_terminals(env):
    with Terminal(**env) as terminal:
        terminal.until("op 0 of 9")
        terminal.send("nnn25?")
        terminal.until("Keys that work here")
        terminal.send("\x1b")
        terminal.until(lambda text: "Keys that work here" not in text, "the page to close")
        terminal.until("op 3 of 9")
        if "NO_COLOR" in env:
            assert {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()} <= greys(terminal)
        terminal.send("q")
        assert terminal.ended() == 0
        assert b"Traceback" not in terminal.written


def greys(terminal: Terminal) -> set[str]:
    """The colours on the screen that have no hue."""
    colours = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
    return {
        c
        for c in colours
        if c == "default" or (len(c) == 6 and c[0:2] == c[2:4] == c[4:6]) or c in ("black", "white", "brightblack")
    }


def test_ctrl_z_and_back_draws_the_screen_again():
    with Terminal() as terminal:
        terminal.until("op 0 of 9")
        terminal.send("n")
        terminal.until("op 1 of 9")
        mark = len(terminal.written)
        terminal.send("\x1a")
        deadline = time.monotonic() + SECONDS
        while b"\x1b[?1049l" not in terminal.written[mark:] and time.monotonic() < deadline:
            terminal.read()
        assert b"\x1b[?1049l" in terminal.written[mark:]
        while not (state := subprocess.check_output(["ps", "-o", "state=", "-p", str(terminal.child.pid)])).startswith(
            b"T"
        ):
            assert time.monotonic() < deadline, state
        terminal.screen.reset()
        os.kill(terminal.child.pid, signal.SIGCONT)  # what `fg` does
        terminal.until("op 1 of 9")
        terminal.until("prediction")
        terminal.send("n")
        terminal.until("op 2 of 9")
        terminal.send("q")
        assert terminal.ended() == 0


def test_the_exit_code_after_a_crash_is_1(monkeypatch):
    """A crash must not look like a success, and leaves the terminal as it was."""
    code = (
        "import sys; from bptui.tui.screens.main import MainScreen; from bptui.cli import main\n"
        "def action_verb(self, verb): raise RuntimeError('boom')\n"
        "MainScreen.action_verb = action_verb\n"
        "sys.exit(main([]))"
    )
    with Terminal() as terminal:
        terminal.child.close(force=True)
        terminal.child = pexpect.spawn(
            sys.executable,
            ["-c", code],
            dimensions=(24, 80),
            timeout=SECONDS,
            env=os.environ | {"TERM": "xterm-256color"},
        )
        terminal.until("op 0 of 9")
        mark = len(terminal.written)
        terminal.send("n")
        assert terminal.ended() == 1
        assert_restored(terminal, mark)
        assert b"boom" in terminal.written


def test_a_sweep_that_is_not_stacked_goes_to_processes_from_within_the_app():
    with Terminal("xor") as terminal:
        terminal.until("op 0 of")
        terminal.send(":sweep lr=log:0.1..0.2:8 iterations 3 until (x.T @ x).max() < 0\r")
        terminal.until("8 forks from 0:0: by ")
        terminal.send("\x1b")
        terminal.until(lambda text: "8 forks" not in text, "the page to close")
        terminal.send("q")
        assert terminal.ended() == 0
