"""What people come for, by keys alone: a student, a teacher and an engineer; here, under tmux, and over `script`.

Numbers are those of the published example (tests/golden/article.json), where it has them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_ui_terminal import SECONDS, Terminal

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "article.json").read_text(encoding="utf-8"))
FIRST = GOLDEN["iteration_0"]
WEIGHTS, GRADIENTS, UPDATED = (
    {name: float(number) for name, number in part.items()}
    for part in (GOLDEN["weights"], FIRST["grad"], FIRST["updated"])
)
H1, H2, PREDICTION = (float(FIRST[name]) for name in ("h1", "h2", "prediction"))
SIZES = [(80, 24), (120, 40), (200, 60)]
DIVERGES = """data = { x = [[1, 2], [3, 4]], y = [[0], [1]] }
layers = ["dense 2 tanh", "dense 1"]
loss = "mse"
lr = 1e200
seed = 1
"""


def shown(number: float) -> str:
    """A number as the panes have it."""
    return f"{'−' if number < 0 else '+'}{abs(number):.4f}"


@pytest.mark.parametrize("size", SIZES)
async def test_a_student_goes_too_fast_and_asks_where_a_gradient_comes_from(app, size):
    """Six operations on, two back, the cursor on w1: what it is made of, opened step by step; then a guess."""
    async with app("article", size) as reader:
        formulas = []
        for _ in range(6):
            await reader.press("n")
            formulas.append(reader.inside("#formula"))
        for formula, number in zip(formulas, ("0.85", "0.191", "0.327", "−0.809", "−0.68765", "−0.11326"), strict=True):
            assert f"= {number}" in formula
        await reader.press("N", "N")
        assert reader.position == "0:4"
        assert shown(GRADIENTS["w5"]) not in reader.text()
        await reader.press("n", "n", "n", "2", *["up"] * 9)
        await reader.press("down", "down", "right")
        assert f"= {GRADIENTS['w1']}" in reader.lines()[-2]
        await reader.press("x")
        assert "Where ∂E/∂w1 comes from" in reader.text()
        assert "prediction" in reader.text()
        await reader.press("right", "right", "down", "right")
        assert "−0.809" in reader.text()  # the error itself, down to which it was opened
        await reader.press("escape", "1", "p")
        await reader.type(str(UPDATED["w1"]))
        await reader.press("enter")
        assert reader.position == "0:8"
        assert "is right" in reader.lines()[-2]


async def test_a_teacher_holds_a_key_and_the_class_watches(app):
    """On a projector: w5 in steps of 0.01; prediction, loss and gradient move with it, and it is one edit."""
    async with app("article", (120, 40)) as reader:
        await reader.command("theme contrast-light")
        await reader.press("f", "f", "f", "5")
        await reader.command("view surface")
        for step in range(1, 31):
            await reader.press("plus")
            w5 = WEIGHTS["w5"] + step / 100
            prediction = H1 * w5 + H2 * WEIGHTS["w6"]
            text = reader.text()
            assert shown(prediction) in reader.line_with("prediction = h @ W2"), step
            assert shown((prediction - 1) ** 2 / 2) in reader.line_with("E = ½"), step
            assert shown((prediction - 1) * H1) in text, step
        assert len(reader.session.debugger.timeline.edits) == 1
        await reader.press("u")
        assert shown(PREDICTION) in reader.line_with("prediction = h @ W2")


async def test_an_engineer_finds_why_it_overflowed_and_mends_it(app, tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(DIVERGES, encoding="utf-8")
    async with app(str(path), (80, 24)) as reader:
        await reader.command("break nan")
        await reader.press("c")
        await reader.arrived()
        assert reader.position == "1:4"
        assert "stopped at breakpoint 1: nan" in reader.lines()[-2]
        assert "▸  4  loss = mean (z2 − y)²" in reader.text()
        await reader.command("why nan")
        assert "too large for float64" in reader.text()
        await reader.press("escape", "o")
        assert reader.position == "0:14"
        assert "written by operation 14 of iteration 0" in reader.lines()[-2]
        assert "1e+200 · 1.268618" in reader.inside("#formula")
        await reader.press("N")
        assert reader.position == "0:13"
        await reader.command("set lr = 0.1 at 0:0")
        await reader.press("c")
        await reader.arrived()
        assert "stopped at the end" in reader.lines()[-2]
        assert reader.session.debugger.evaluate("loss") < 1


# The same in terminals


class Tmux:
    """A window of tmux with the app in it."""

    def __init__(self, folder: Path, command: str, columns: int, rows: int, term: str) -> None:
        self._socket = folder / "tmux"
        config = folder / "tmux.conf"
        config.write_text(f"set -g default-terminal {term}\nset -g status off\nset -sg escape-time 10\n")
        self._tmux("-f", str(config), "new-session", "-d", "-x", str(columns), "-y", str(rows), command)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        command = ["tmux", "-S", str(self._socket), *arguments]
        settings = os.environ | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
        return subprocess.run(
            command, check=check, capture_output=True, text=True, env=settings, timeout=SECONDS
        ).stdout

    def send(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def text(self, *options: str) -> str:
        return self._tmux("capture-pane", "-p", *options)

    def until(self, part: str, gone: str = "\0") -> str:
        deadline = time.monotonic() + SECONDS
        while part not in (text := self.text()) or gone in text:
            assert time.monotonic() < deadline, f"waited for {part!r}:\n{text}"
            time.sleep(0.05)
        return text


needs_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


@needs_tmux
@pytest.mark.parametrize(("term", "colours"), [("tmux-256color", True), ("screen", False)])
def test_a_student_under_tmux(tmp_path, term, colours):
    """In 256 colours, and in the sixteen of an old `screen`; the window is made smaller on the way."""
    command = f"env -u COLORTERM -u NO_COLOR {sys.executable} -m bptui article; echo ended with $?; sleep 60"
    with Tmux(tmp_path, command, 120, 40, term) as window:
        window.until("op 0 of 9")
        window.send("n", "n", "n", "n", "n", "n")
        window.until("op 6 of 9")
        window.send("N", "N")
        assert "−0.68765" not in window.until("op 4 of 9")
        window.send("n", "n", "n", "x")
        window.until("Where ∂E/∂w1 comes from")
        sent = window.text("-e")
        assert ("\x1b[38;5;" in sent or "\x1b[38;2;" in sent) == colours
        window.send("Escape")  # alone: with a key at once behind it, it would be that key with alt
        window.until("op 7 of 9", gone="Where ∂E/∂w1")
        window.send("n")
        window._tmux("resize-window", "-x", "80", "-y", "24")
        assert f"{FIRST['updated']['w1']}" in window.until("op 8 of 9")
        window.until("1–6 panes")
        window.send("q")
        window.until("ended with 0")


@pytest.mark.skipif(not shutil.which("script"), reason="script is not installed")
def test_an_engineer_over_script(tmp_path):
    """As a session that is recorded: what `script` writes down is what the terminal got, to the byte."""
    (tmp_path / "net.toml").write_text(DIVERGES, encoding="utf-8")
    kept = tmp_path / "typescript"
    inner = f"{sys.executable} -m bptui {tmp_path / 'net.toml'} --no-session"
    with Terminal(command=["script", "-qefc", inner, str(kept)], SHELL="/bin/sh") as terminal:
        terminal.until("op 0 of 15")
        terminal.send(":break nan\rc")
        terminal.until("stopped at breakpoint 1: nan")
        terminal.send("o")
        terminal.until("written by operation 14 of iteration 0")
        terminal.send(":set lr = 0.1 at 0:0\rc")
        terminal.until("stopped at the end")
        terminal.send("q")
        assert terminal.ended() == 0
    assert b"stopped at breakpoint 1" in kept.read_bytes()
    assert b"Traceback" not in terminal.written
