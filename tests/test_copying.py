"""Fills, which are drawn once and kept, and copies: what stands in a file opens again, and no file is written over."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from conftest import run_bptui
from hypothesis import given
from hypothesis import strategies as st

from bptui.commands.opening import Manner, reopen
from bptui.commands.session import Session
from bptui.explain.latex import latex, words
from bptui.files import copies, origins, specs
from bptui.files.report import FileError


def session_of(name: str = "article") -> Session:
    return Session(specs.load(name))


def value(session: Session, text: str) -> np.ndarray:
    return np.asarray(session.debugger.evaluate(text))


def said(session: Session, line: str) -> str:
    return "\n".join(session.execute(line).lines)


def test_what_is_drawn_is_told_and_follows_from_the_seed_and_the_place():
    session = session_of()
    assert said(session, "set W1 = normal 0 0.1").endswith("at 0:0, drawn with seed 0")
    first = value(session, "W1").copy()
    session.execute("set W1 = normal(0, 0.1) seed 3")
    assert (value(session, "W1") != first).all()
    session.execute("set W1 = zeros")
    session.execute("set w3 = normal 0 0.1 seed 0")  # one cell of the same draw
    assert value(session, "W1").tolist() == [[0, first[0, 1]], [0, 0]]
    assert [edit.text for edit in session.debugger.timeline.edits][:2] == [
        "set W1 = normal 0 0.1 seed 0",
        "set W1 = normal 0 0.1 seed 3",
    ]
    session.execute("set W1 = identity at 0:0")
    assert value(session, "W1").tolist() == [[1, 0], [0, 1]]
    session.execute("set W2 = uniform -2 -1")
    assert ((value(session, "W2") >= -2) & (value(session, "W2") < -1)).all()
    session.execute("set W2 = ones")
    assert value(session, "W2").tolist() == [[1], [1]]


def test_a_normal_fill_is_normal():
    session = session_of("digits")
    session.execute("set W1 = normal 0.5 0.1 seed 7")
    drawn = value(session, "W1")
    assert abs(drawn.mean() - 0.5) < 0.01 and abs(drawn.std() - 0.1) < 0.005


@pytest.mark.parametrize("text, why", [
    ("normal 0", "write normal MEAN DEVIATION"), ("normal 0 -1", "deviation"), ("uniform 1 0", "above"), ("zeros 3", "takes nothing"),
    ("normal 0 1 sead 3", "did you mean seed"), ("normal 0 1 seed -1", "whole number"), ("normal a b", "numbers for"),
    ("normal 0 1e999", "finite"), ("uniform -1e308 1e308", "too large"),
])  # fmt: skip
def test_a_fill_that_is_none_changes_nothing(text, why):
    session = session_of()
    with pytest.raises(ValueError, match=why):
        session.execute(f"set W1 = {text}")
    with pytest.raises(ValueError, match="W2 is 2×1"):
        session.execute("set W2 = identity")
    assert not session.debugger.timeline.edits


def test_a_session_keeps_what_was_drawn_and_a_copy_of_it_opens(tmp_path):
    kept = tmp_path / "kept.session"
    script = f"set W1 = normal 0 0.1\nset W2 = uniform -1 1 seed 3\nnext 2\ncopy session to {tmp_path / 'copy.session'}\nprint W1\n"
    first = run_bptui("article", "--plain", "--session", str(kept), stdin=script).stdout.splitlines()
    for path in (kept, tmp_path / "copy.session"):
        session = reopen(path)
        assert session.debugger.evaluate("W1").tolist() == eval(first[-1].removeprefix("W1 = "))
        assert str(session.debugger.position) == "0:2"
        session.close()


def test_what_is_copied_in_plain_mode_is_printed_or_written(tmp_path):
    session = session_of()
    assert said(session, "copy w5") == "0.14"
    assert said(session, "copy W1*2 as csv") == "0.22,0.24\n0.42,0.16"
    assert said(session, "copy W1 as numpy") == "np.array([[0.11, 0.12],\n          [0.21, 0.08]])"
    mine, other = tmp_path / "W1.csv", tmp_path / "other.csv"
    assert said(session, f"copy W1 to {mine}") == f"W1 as csv is in {mine}"
    session.execute(f"copy W1*2 to {mine}")  # its own
    assert list(csv.reader(mine.open())) == [["0.22", "0.24"], ["0.42", "0.16"]]
    other.write_text("mine")
    (tmp_path / "link").symlink_to(other)
    for target in (other, tmp_path / "link"):
        with pytest.raises(FileError, match="it exists already, so it is left alone"):
            session.execute(f"copy W1 to {target}")
    assert other.read_text() == "mine"


@pytest.mark.parametrize("line, why", [
    ("copy", "copy what"), ("copy h1", "not computed"), ("copy screen", "only the app"), ("copy W1 as xml", "value, numpy, csv, latex"),
    ("copy nothing", "no slot or label"), ("copy formula", "nothing has been done"), ("copy formula w5", "no operation has written"),
    ("copy session as csv", "session"), ("copy W1 to /nowhere/there/W1.csv", "can't be written"),
])  # fmt: skip
def test_what_can_not_be_copied_is_refused(line, why):
    with pytest.raises(ValueError, match=why):
        session_of().execute(line)


def test_where_there_are_no_files_none_is_written(tmp_path):
    session = Manner(files=False).session(origins.load("article"))
    assert said(session, "copy w5") == "0.14"
    with pytest.raises(ValueError, match="no files here"):
        session.execute(f"copy W1 to {tmp_path / 'W1.csv'}")
    assert not list(tmp_path.iterdir())


def test_a_formula_is_latex():
    session = session_of()
    session.execute("next 5")
    assert said(session, "copy formula prediction") == (
        "\\begin{aligned}\n  \\mathrm{prediction} &= h_{1}\\cdot w_{5} + h_{2}\\cdot w_{6} \\\\\n"
        "  &= 0.85\\cdot 0.14 + 0.48\\cdot 0.15 \\\\\n  &= 0.119 + 0.072 \\\\\n  &= 0.191\n\\end{aligned}"
    )
    assert "\\frac{\\partial E}{\\partial w_{5}}" in said(session, "copy formula")
    assert said(session, "copy formula w5.grad as value").startswith("∂E/∂w5 = ")


@pytest.mark.parametrize("name", ["xor", "digits", "article"])
def test_every_formula_has_brackets_in_pairs(name):
    """Whatever a network computes: each `{` has its `}`, each `\\left` its `\\right`, and nothing is left as a raw sign."""
    session = session_of(name)
    for _ in range(len(session.debugger.program)):
        session.execute("next")
        text = said(session, "copy formula")
        plain = text.replace("\\{", "").replace("\\}", "")
        assert plain.count("{") == plain.count("}") and text.count("\\left") - text.count("\\leftarrow") == text.count(
            "\\right"
        ), text
        assert text.isascii() and not any(sign in plain.replace("\\_", "").replace("_{", "") for sign in "#$%_"), text


@given(st.text())
def test_a_hostile_name_ends_no_group(text):
    made = latex(text).replace("\\{", "").replace("\\}", "").replace("\\hat{}", "")
    assert made.count("{") == made.count("}")
    assert words("a{b}\\c%d_e") == "a\\{b\\}\\backslash c\\%\\mathrm{d\\_e}"


def test_a_copy_is_kept_in_one_file_of_its_kind(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for text in ("1", "2"):
        path = copies.keep(text, ".txt")
    assert path.read_text() == "2\n"
    assert [one.name for one in path.parent.iterdir()] == ["copied.txt"]
    monkeypatch.setattr(copies, "MOST_BYTES", 3)
    with pytest.raises(FileError, match="too much"):
        copies.keep("1234", ".txt")
    assert isinstance(path, Path)


@pytest.mark.parametrize("text", [
    "[1 2; 3 4]", "1 2; 3 4", "np.array([[1, 2], [3, 4]])", "tensor([[1., 2.], [3., 4.]], requires_grad=True)", "[[1 2] [3 4]]",
    "\\begin{bmatrix} 1 & 2 \\\\ 3 & 4 \\end{bmatrix}",
])  # fmt: skip
def test_a_matrix_of_another_language_is_set(text):
    session = session_of()
    session.execute(f"set W1 = {text} at 0:0")
    assert value(session, "W1").tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match=r"1×2 numbers|2×2 numbers \(|2×2 numbers; W2 is 2×1"):
        session.execute(f"set W2 = {text}")
    assert len(session.debugger.timeline.edits) == 1
