"""What may stand next in a line, and what was typed before: no screen is needed for either."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptui.commands.completion import NUMBERS, SOURCES, command_of, complete
from bptui.commands.registry import COMMANDS
from bptui.commands.session import Session
from bptui.files import history, shelf, specs
from bptui.files.history import History
from bptui.files.text import safe


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session(specs.load("article"))
    for line in (
        "next 2",
        "break if loss < 0.1",
        "break nan",
        "disable 2",
        "watch loss",
        "set w5 = 0.2",
        "branch other",
    ):
        made.execute(line)
    return made


def offered(session, text, **more):
    return [one.text for one in complete(session, text, **more).candidates]


CASES = {
    "ne": ["next "],
    "  ne": ["next "],
    "break": ["break ", "breakpoints"],
    "quit": [],
    "next ": [],
    "frobnicate w": [],
    "set w": ["w1", "w3", "w2", "w4", "w5", "w6"],
    "e w5.": ["w5.grad"],
    "set w5 ": ["= "],
    "set w5 = ": ["0.2"],
    "set w5 =": [" 0.2"],
    "set h2.grad = ": [],
    "set w5 = h": ["h1", "h2"],
    "set w5 = 0.2 ": ["at "],
    "set w5 = 0.2 at ": ["0:0", "0:2", "29:9"],
    "goto 2": ["29:9"],
    "print abs(W1.g": ["W1.grad"],
    "p 1 + w5.m": ["w5.max()", "w5.min()", "w5.mean()"],
    "print sq": ["sqrt("],
    "nudge W1.ma": [],
    "break o": ["on "],
    "break back": ["backward"],
    "break if 2*lo": ["loss", "log("],
    "break nan ": ["once"],
    "break loss < 0.01": [],
    "break loss < 0.01 ": ["once"],
    "break if loss < 0.01 ": ["once"],
    "break loss < ": [],
    "break loss < h": ["h1", "h2"],
    "break on h1 ": ["once"],
    "break on h1 once ": [],
    "when nan ": [],
    "look w": [],
    "break dead h": ["h1", "h2"],
    "when si": ["sign(", "size("],
    "when sign(w": ["w1", "w3", "w2", "w4", "w5", "w6"],
    "delete ": ["1", "2", "all"],
    "enable ": ["2"],
    "disable ": ["1"],
    "unwatch ": ["1"],
    "branch ": ["main"],
    "diff ma": ["main", "mazur"],
    "load ma": ["mazur"],
    "help goto": [],
    "? go": ["goto"],
    "why ": ["nan"],
    "sweep l": ["loss=", "lr="],
    "sweep lr=0.1 it": ["iterations "],
    "sweep lr=0.1 until lo": ["loss", "log("],
    "restart op": ["optim="],
    "restart lr=0.1 optim=adam": ["adamw", "adamax"],
    "view h": [],
    "plot w": ["weight"],
    "plot surface w5 h1.g": ["h1.grad"],
    "plot norms w": [],
}


@pytest.mark.parametrize("text", CASES)
def test_what_fits(session: Session, text: str) -> None:
    assert offered(session, text) == CASES[text]


def test_the_cell_where_the_reader_is_comes_first_and_words_of_the_app_are_there_in_the_app(session: Session) -> None:
    assert offered(session, "set w", near="w6")[0] == "w6"
    assert offered(session, "view h", app={"view": ["numbers", "heat"]}) == ["heat"]
    assert offered(session, "vi", app={"view": []}) == ["view "]
    assert offered(session, "look w5.", app={"look": ()}) == ["w5.grad"]
    assert offered(session, "look h", near="h2", app={"look": ()})[:2] == ["h2", "h1"]
    assert offered(session, "vi") == []


def test_every_word_that_takes_something_is_thought_of() -> None:
    taking = {command.verb for command in COMMANDS if command.usage and not command.app}
    assert taking - NUMBERS == set(SOURCES) - {"look"}


def test_what_is_offered_is_understood(session: Session) -> None:
    """Every cell, condition and word, each carried out in a session of its own state."""
    for verb, rests in {
        "print": offered(session, "print "),
        "explain": offered(session, "explain w"),
        "goto": offered(session, "goto "),
        "break": [one for one in offered(session, "break ") if not one.endswith(" ")],
    }.items():
        fresh = Session(specs.load("article"))
        fresh.execute("iteration")
        for rest in rests:
            fresh.execute(f"{verb} {rest}{'w5)' * rest.endswith('(')}")
    for verb in offered(session, ""):
        assert command_of(verb) is not None


@given(st.text(max_size=60) | st.sampled_from(list(CASES)).flatmap(lambda t: st.text(max_size=8).map(lambda u: t + u)))
def test_no_text_breaks_it_and_what_it_offers_goes_on_from_there(session: Session, text: str) -> None:
    found = complete(session, text)
    assert 0 <= found.start <= len(text)
    for k, one in enumerate(found.candidates[:20]):
        assert found.line(text, k).startswith(text)
        assert one.text == safe(one.text)


def test_files_that_could_be_opened(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine.toml", "my net.json", "notes.txt", ".hidden.toml", "bad\x1bname.toml"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "deep.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert offered(session, "load m") == ["mazur", "moons", "mine.toml", "more/", "my net.json"]
    assert offered(session, "load my n") == ["my net.json"]
    assert offered(session, "load more/") == ["more/deep.toml"]
    assert offered(session, "load .h") == [".hidden.toml"]
    assert offered(session, f"load {tmp_path}/mi") == [f"{tmp_path}/mine.toml"]
    assert offered(session, "load bad") == []
    assert offered(session, "load nowhere/") == []
    assert offered(session, "load \0/") == []
    served = Session(specs.load("article"))
    served.files = False
    assert offered(served, "load m") == ["mazur", "moons"]
    assert offered(served, "diff m") == ["mazur", "moons"]
    assert offered(served, "save ") == offered(served, f"load {tmp_path}/mi") == []


# History


def test_lines_are_there_the_next_time_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history"
    first = History(path)
    for line in ("next", " next ", "print \x1b[2Jw5", "", "set w5 = 1\nquit", "x" * 5000):
        first.add(line)
    kept = ["next", "print \\x1b[2Jw5", "set w5 = 1\\nquit"]
    assert first.lines == kept
    assert History(path).lines == kept
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"".join(b"goto 0:%d\n" % k for k in range(3 * history.MOST)))
    assert History(path).lines[0] == f"goto 0:{2 * history.MOST}"
    assert len(path.read_text().splitlines()) == history.MOST
    path.write_bytes(b"\xff\xfe\x00broken\x85line\n\x1b]0;title\x07\n" + b"y" * 2**21)
    assert all(safe(line) == line for line in History(path).lines)


def test_a_place_that_cannot_be_written_is_nobodys_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "file" / "history", tmp_path, tmp_path / "pipe", Path("/proc/nowhere/history")):
        kept = History(path)
        kept.add("next")
        assert kept.lines == ["next"]


def test_the_line_before_that_begins_so() -> None:
    kept = History(None)
    for line in ("goto 1:0", "next", "goto 2:0"):
        kept.add(line)
    assert [kept.older("", 3), kept.older("goto", 2), kept.older("goto", 0), kept.older("goto 2:0", 3)] == [
        2,
        0,
        None,
        None,
    ]
    assert [kept.newer("go", 0), kept.newer("go", 2)] == [2, None]


def test_nothing_is_kept_of_a_session_that_is_not_and_it_lies_beside_the_sessions() -> None:
    assert history.place().parent == shelf.folder().parent
    bare = Session(specs.load("article"))
    bare.history.add("next")
    assert not history.place().exists()


def test_tab_and_the_arrows_in_plain_mode(tmp_path: Path) -> None:
    """In a real terminal, from one session to the next."""
    command = ["-m", "bptui", "article", "--plain"]
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm", "INPUTRC": os.devnull}
    with pexpect.spawn(sys.executable, command, env=env, encoding="utf-8", timeout=60) as terminal:
        terminal.expect("bptui> ")
        terminal.sendline("goto 0:7")
        terminal.expect("0:7 backward")
        terminal.send("pri\tabs(w5.gr\t) + \tz")  # nothing is alone there: nothing is put in
        terminal.sendline("\x7f0")
        terminal.expect_exact("abs(w5.grad) + 0 = 0.68765")
        terminal.send("load mi\t\t")
        terminal.send("\x15load art\t\n")
        terminal.expect_exact("loaded article")
        terminal.sendline("quit")
        terminal.expect(pexpect.EOF)
    assert (tmp_path / "bptui" / "history").read_text().splitlines()[:2] == ["goto 0:7", "print abs(w5.grad) + 0"]
    with pexpect.spawn(sys.executable, command, env=env, encoding="utf-8", timeout=60) as terminal:
        terminal.expect("bptui> ")
        terminal.sendline("\x1b[A\x1b[A\x1b[A\x1b[A")
        terminal.expect("0:7 backward")
        terminal.sendline("quit")
        terminal.expect(pexpect.EOF)
