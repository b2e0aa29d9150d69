"""The app keeps what is done in it: whatever ends it, however its terminal goes, and when it can't."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from test_ui_terminal import SECONDS, Terminal, assert_restored

from bptui.commands import opening
from bptui.files import origins, sessions, shelf
from bptui.files.examples import example_text
from bptui.files.sealing import JournalError
from bptui.tui.app import BptuiApp


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def kept() -> list[Path]:
    return sorted(shelf.folder().glob("*.session"))


def worked(terminal: Terminal) -> None:
    """Something to be kept: an edit, and a few steps."""
    terminal.until("op 0 of 9")
    terminal.send(":set w5 = 0.2 at 0:0\r")
    terminal.until("set w5: 0.14 -> 0.2 at 0:0")
    terminal.send("nn")
    terminal.until("op 2 of 9")


def as_it_was(terminal: Terminal) -> None:
    """What `worked` did is there."""
    terminal.until("op 2 of 9")
    terminal.until("0.242")
    terminal.send("u")
    terminal.until("undone: set w5 = 0.2 at 0:0")
    terminal.send("q")
    assert terminal.ended() == 0


class TestEndings:
    def test_q_asks_nothing_and_all_is_there_again(self):
        with Terminal() as terminal:
            worked(terminal)
            mark = len(terminal.written)
            terminal.send("q")
            assert terminal.ended() == 0
            assert_restored(terminal, mark)
            assert b"bptui:" not in terminal.written[mark:]
            assert terminal.written[mark:].endswith(b"bptui --resume goes on here\r\n")
        [path] = kept()
        assert "opened" not in sessions.look(path).keys
        with Terminal(str(path)) as terminal:
            as_it_was(terminal)

    def test_where_nothing_was_done_nothing_is_left(self):
        with Terminal() as terminal:
            terminal.until("op 0 of 9")
            assert len(kept()) == 1
            terminal.send("nN")
            terminal.send("q")
            assert terminal.ended() == 0
            assert b"--resume" not in terminal.written
        assert kept() == []

    def test_where_nothing_is_kept_no_way_back_is_named(self):
        with Terminal("--no-session") as terminal:
            worked(terminal)
            terminal.send("q")
            assert terminal.ended() == 0
            assert b"--resume" not in terminal.written

    def test_kill_9_and_resume(self):
        with Terminal() as terminal:
            worked(terminal)
            os.kill(terminal.child.pid, signal.SIGKILL)
        with Terminal("--resume") as terminal:
            terminal.until("About this session")
            terminal.until("it was not closed in order; every command that was answered is here")
            terminal.send("\x1b")
            terminal.until(lambda text: "About this session" not in text, "the page to close")
            as_it_was(terminal)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    def test_a_signal_saves_and_says_how_to_go_on(self, number):
        with Terminal("--session", "s") as terminal:
            worked(terminal)
            mark = len(terminal.written)
            os.kill(terminal.child.pid, number)
            assert terminal.ended() == 128 + number
            assert_restored(terminal, mark)
            said = terminal.written[mark:].decode(errors="replace")
            wanted = f"bptui: the session is saved; bptui {Path('s').absolute()} opens it again"
            assert (wanted in said) == (number != signal.SIGINT)  # which a person sends to be done with it
        with Terminal("s") as terminal:
            as_it_was(terminal)

    @pytest.mark.parametrize("nohup", [False, True])
    def test_a_terminal_that_was_closed(self, nohup):
        """Its window, or the line over which it came: SIGHUP tells, and where that is ignored the failing reads do."""
        code = (
            f"import signal, sys\nif {nohup}: signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "import bptui.cli\nsys.exit(bptui.cli.main(sys.argv[1:]))"
        )
        with Terminal() as terminal:
            terminal.child.close(force=True)
            terminal.child = pexpect.spawn(
                sys.executable, ["-c", code, "--session", "s"], dimensions=(24, 80), timeout=SECONDS,
                env=os.environ | {"TERM": "xterm-256color"},
            )  # fmt: skip
            worked(terminal)
            terminal.child.ptyproc.fileobj.close()
            terminal.child.closed = terminal.child.ptyproc.closed = True
            deadline = time.monotonic() + SECONDS
            while terminal.child.isalive():
                assert time.monotonic() < deadline, "it is still there"
                time.sleep(0.02)
            assert (terminal.child.exitstatus, terminal.child.signalstatus) == (129, None)
        assert "opened" not in sessions.look(Path("s")).keys
        with Terminal("s") as terminal:
            as_it_was(terminal)

    def test_a_crash_loses_nothing(self):
        code = (
            "import sys; from bptui.tui.screens.main import MainScreen; from bptui.cli import main\n"
            "def boom(self): raise RuntimeError('boom')\n"
            "MainScreen._zoom = boom\nsys.exit(main(['--session', 's']))"
        )
        with Terminal() as terminal:
            terminal.child.close(force=True)
            terminal.child = pexpect.spawn(
                sys.executable, ["-c", code], dimensions=(24, 80), timeout=SECONDS,
                env=os.environ | {"TERM": "xterm-256color"},
            )  # fmt: skip
            worked(terminal)
            mark = len(terminal.written)
            terminal.send("z")
            assert terminal.ended() == 1
            assert_restored(terminal, mark)
            assert b"boom" in terminal.written[mark:]
            assert b"bptui: the session is saved; bptui " in terminal.written[mark:]
        with Terminal("s") as terminal:
            as_it_was(terminal)

    def test_suspended_it_keeps_its_session_and_comes_back_as_it_was(self):
        with Terminal("--session", "s") as terminal:
            worked(terminal)
            terminal.send("\x1a")
            deadline = time.monotonic() + SECONDS
            state = ["ps", "-o", "state=", "-p", str(terminal.child.pid)]
            while not subprocess.check_output(state).startswith(b"T"):
                assert time.monotonic() < deadline
                terminal.read()
            other = subprocess.run(
                [sys.executable, "-m", "bptui", "s", "--plain"], capture_output=True, text=True, check=False
            )
            assert other.returncode == 2
            assert f"another process has this session open: process {terminal.child.pid} " in other.stderr
            terminal.screen.reset()
            os.kill(terminal.child.pid, signal.SIGCONT)  # what `fg` does
            as_it_was(terminal)


class TestKept:
    """What is done by keys and in dialogs, which is no line of the command language."""

    def done(self, terminal: Terminal, name: str = "s") -> dict[str, object]:
        """What the session holds while the app is still there: nothing has closed it."""
        found = sessions.look(Path(name)).keys
        os.kill(terminal.child.pid, signal.SIGKILL)
        return found

    def test_nudges_and_the_edit_dialog(self):
        with Terminal("--session", "s") as terminal:
            terminal.until("op 0 of 9")
            terminal.send("+++")
            terminal.until("0.17 (3 nudges) at 0:0")
            terminal.send("e")
            terminal.until("esc leave it")
            terminal.send("0.5\r")
            terminal.until("0.5 at 0:0; u takes it back")
            found = self.done(terminal)
        edits = [value["text"] for key, value in sorted(found.items()) if key.startswith("edit/")]
        assert len(edits) == 2
        assert edits[0].startswith("nudge w5 to 0.17")
        assert edits[1] == "set w5 = 0.5"

    def test_a_run_to_its_end_and_one_that_was_interrupted(self):
        with Terminal("--session", "s") as terminal:
            terminal.until("op 0 of 9")
            terminal.send("c")
            terminal.until("stopped at the end")
            assert self.done(terminal)["position"] == "29:9"
        # So long that it is running still when the key comes, however busy the machine is.
        long = example_text("mazur").replace("iterations = 10000", "iterations = 10000000")
        Path("long.toml").write_text(long, encoding="utf-8")
        with Terminal("long.toml", "--session", "t") as terminal:
            terminal.until("op 0 of 13")
            terminal.send("c")
            terminal.until("running; any key stops it")
            terminal.send("x")
            terminal.until("interrupted; c goes on")
            shown = next(line for line in terminal.text().splitlines() if "iteration" in line)
            position = self.done(terminal, "t")["position"]
            assert f"iteration {position.partition(':')[0]}" in shown

    def test_what_a_reopened_session_has_to_say_is_told(self):
        command = [sys.executable, "-m", "bptui", "--plain", "--session", "s"]
        subprocess.run(command, input=b"next 2\n", check=True, capture_output=True)
        with Path("s").open("ab") as file:
            file.write(b"torn")
        with Terminal("s") as terminal:
            terminal.until("its last line was torn, and is kept in")
            terminal.until("op 2 of 9")
            terminal.send("q")
            assert terminal.ended() == 0


class TestTrouble:
    def test_where_none_can_be_kept_it_is_said_and_the_work_goes_on(self, folder):
        (folder / "state").write_text("not a folder", encoding="utf-8")
        with Terminal(columns=120, rows=30) as terminal:
            terminal.until("not saved: ")
            terminal.send("n")
            terminal.until("op 1 of 9")
            terminal.send("q")
            assert terminal.ended() == 0

    def test_no_session_keeps_none(self):
        with Terminal("--no-session") as terminal:
            worked(terminal)
            terminal.send("q")
            assert terminal.ended() == 0
        assert kept() == []

    async def test_a_full_disk_stands_in_the_status_line_until_it_is_over(self, app, monkeypatch):
        session = opening.begin(origins.load("article"), Path("s"))

        def full(*_: object) -> None:
            raise JournalError("s: can't be written: No space left on device")

        made = BptuiApp(session)
        async with made.run_test(size=(120, 30)) as pilot:
            with monkeypatch.context() as patch:
                patch.setattr(sessions.SessionFile, "append", full)
                await pilot.press("n")
                assert "not saved: s: can't be written: No space left" in made.screen._note
                await pilot.press("plus")
                assert "not saved" in made.screen._note
            await pilot.press("n")
            assert "not saved" not in made.screen._note
        session.close()
        assert opening.reopen(Path("s")).execute("print w5").lines == ("w5 = 0.15",)
