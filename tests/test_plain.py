"""Plain mode as a second front end: scripts, what they print, and how they end.

Every script runs in a process of its own, once from a pipe; those that end well also with -x FILE, where the same lines
must come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from conftest import run_bptui

Z2 = "0:2 forward  z2 = z1 @ W2  [[0.191]]"
LOSS = "0:3 loss  loss = 0.5 * square(z2 - y).sum()  0.32724049999999993"
END = "0:9 update  W2 = W2 - lr * W2.grad  [[0.1743825], [0.169416]]"
W1 = "[[0.11, 0.12], [0.21, 0.08]]"
HALF = "0:0.1 forward  z1 = x @ W1  [[0.85, ·]]"
Z1 = "0:1 forward  z1 = x @ W1  [[0.85, 0.48]]"
START = "0:0 start"


@dataclass(frozen=True)
class Script:
    """Commands; the lines they print, in order and all of them; the lines on standard error."""

    name: str
    text: str
    lines: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def script(name: str, text: str, *lines: str, errors: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> Script:
    return Script(name, text, lines, errors, options)


SCRIPTS = (
    script("the issue's",
           "next 2\nprint prediction\nset w5 = 0.2 at 0:0\nprint prediction\nundo\nprint w5\nquit\n",
           Z2, "prediction = 0.191", "set w5: 0.14 -> 0.2 at 0:0", "prediction = 0.242", "undone: set w5 = 0.2 at 0:0",
           "w5 = 0.14"),
    script("nothing", ""),
    script("blank lines and comments", "\n  \n# a comment\n\nnext\n", Z1),
    script("no end of line", "n", Z1),
    script("CRLF", "next 2\r\nprint w5\r\nquit\r\n", Z2, "w5 = 0.14"),
    script("a tab", "next\t2\n", Z2),
    script("letters", "n\nN\ns\nS\nf\nF\ni\nI\n", Z1, START, HALF, START, Z2, START, END, START),
    script("quit ends it", "quit\nnext\n"),
    script("exit", "exit\nnext\n"),
    script("into an operation", "step\nprint h1\nprint h2\nprint h\nprint z1\nstep\n",
           HALF, "h1 = 0.85", "h2 = not computed", "h = [[0.85, ·]]", "z1 = [[0.85, ·]]", Z1),
    script("next finishes a half-done one", "step\nnext\n", HALF, Z1),
    script("back leaves a half-done one undone", "step\nback\n", HALF, START),
    script("over the edge of an operation", "step 3\nstep-back\nstep-back 2\n", Z2, Z1, START),
    script("half an update", "goto 0:8.1\nprint W2\nprint w6\nstep\n",
           "0:8.1 update  W2 = W2 - lr * W2.grad  [[0.1743825], [0.15]]", "W2 = [[0.1743825], [0.15]]", "w6 = 0.15", END),
    script("phases", "finish\nfinish\nfinish\nfinish\nstart\nstart\nstart\nstart\nstart\n",
           Z2, LOSS, "0:7 backward  W1.grad = x.T @ z1.grad  [[-0.22652, -0.2427], [-0.33978, -0.36405]]", END,
           "0:7 backward  W1.grad = x.T @ z1.grad  [[-0.22652, -0.2427], [-0.33978, -0.36405]]", LOSS, Z2, START, START),
    script("iterations keep the operation", "next 2\niteration\nprint prediction\niteration-back\nprint prediction\n",
           Z2, "1:2 forward  z2 = z1 @ W2  [[0.25574578080749993]]", "prediction = 0.25574578080749993", Z2,
           "prediction = 0.191"),
    script("no earlier than the start", "next 2\nback 100\nstep-back 5\niteration-back 7\n", Z2, START, START, START),
    script("an end is a start", "goto 1:0\nprint lr\ngoto 0:9\nnext\n", END, "lr = 0.05", END,
           "1:1 forward  z1 = x @ W1  [[0.923619, 0.5588775]]"),
    script("run is whole iterations", "run 2\nprint loss\n",
           "1:9 update  W2 = W2 - lr * W2.grad  [[0.20875286688381792], [0.1902133468693378]]", "loss = 0.2769571713929189"),
    script("continue and back", "continue\ncontinue\nreverse-continue\n",
           "29:9 update  W2 = W2 - lr * W2.grad  [[0.4012583069683535], [0.3206144059149672]]",
           "stopped at the end: 30 iterations",
           "29:9 update  W2 = W2 - lr * W2.grad  [[0.4012583069683535], [0.3206144059149672]]",
           "at the end (29:9), 30 iterations done: reverse-continue goes back, run 10 goes on", START, "stopped at the start: nothing to stop at before it"),
    script("to an operation", "to 4\nto 4\nto-back 3\n", "0:4 backward  z2.grad = z2 - y  [[-0.809]]",
           "1:4 backward  z2.grad = z2 - y  [[-0.7442542191925001]]", "1:3 loss  loss = 0.5 * square(z2 - y).sum()  0.2769571713929189"),
    script("until", "until loss < 0.3\nuntil W1\nuntil loss < -1\nprint loss\n",
           "1:3 loss  loss = 0.5 * square(z2 - y).sum()  0.2769571713929189", "loss = 0.2769571713929189",
           errors=("a condition needs one value: say .any() or .all() of an array",
                   "loss < -1 does not come true within 30 iterations")),
    script("print is exact", "print W1\nprint w5\nprint lr\nprint x\nprint target\nprint W1[0,1]\nprint W1[0]\np  W1 . T\np 1/3\nprint w5 > 0.1\n",
           f"W1 = {W1}", "w5 = 0.14", "lr = 0.05", "x = [[2.0, 3.0]]", "target = 1.0", "W1[0,1] = 0.12",
           "W1[0] = [0.11, 0.12]", "W1 . T = [[0.11, 0.21], [0.12, 0.08]]", "1/3 = 0.3333333333333333", "w5 > 0.1 = True"),
    script("what is not computed is no error", "print h2\nprint loss\nprint w5.grad\nprint h1 + 1\nprint E\n",
           "h2 = not computed", "loss = not computed", "w5.grad = not computed", "h1 + 1 = not computed", "E = not computed"),
    script("gradients by label", "goto 0:7\nprint w5.grad\nprint h1.grad\nprint prediction.grad\nprint W1.grad\n",
           "0:7 backward  W1.grad = x.T @ z1.grad  [[-0.22652, -0.2427], [-0.33978, -0.36405]]", "w5.grad = -0.68765",
           "h1.grad = -0.11326000000000001", "prediction.grad = -0.809",
           "W1.grad = [[-0.22652, -0.2427], [-0.33978, -0.36405]]"),
    script("computed anew", "goto 0:9\nprint z1\nnext\nprint z2\nprint W2\n", END, "z1 = [[0.85, 0.48]]",
           "1:1 forward  z1 = x @ W1  [[0.923619, 0.5588775]]", "z2 = not computed", "W2 = [[0.1743825], [0.169416]]"),
    script("set here leaves what was computed", "next 2\nset w5 = 0.2\nprint prediction\nprint w5\nnext 4\n",
           Z2, "set w5: 0.14 -> 0.2 at 0:2", "prediction = 0.191", "w5 = 0.2",
           "0:6 backward  z1.grad = z2.grad @ W2.T  [[-0.16180000000000003, -0.12135]]"),
    script("set whole slots", "set W1 = 0\nset W1 = [[1, 2], [3, 4]]\nprint W1\nset W2 = [[w1], [2*w4]]\nset x = [[1, 1]]\nn 2\n",
           f"set W1: {W1} -> [[0.0, 0.0], [0.0, 0.0]] at 0:0", "set W1: [[0.0, 0.0], [0.0, 0.0]] -> [[1.0, 2.0], [3.0, 4.0]] at 0:0",
           "W1 = [[1.0, 2.0], [3.0, 4.0]]", "set W2: [[0.14], [0.15]] -> [[1.0], [8.0]] at 0:0",
           "set x: [[2.0, 3.0]] -> [[1.0, 1.0]] at 0:0", "0:2 forward  z2 = z1 @ W2  [[52.0]]"),
    script("set a cell, a row, the rate, the data",
           "set W1[0,1] = 0.5\nset W1[1] = [7, 8]\nset W1[:, 0] = 1\nset lr = 0.1\nset target = 2\nset i1 = -1\nprint W1\n",
           "set W1[0,1]: 0.12 -> 0.5 at 0:0", "set W1[1]: [0.21, 0.08] -> [7.0, 8.0] at 0:0",
           "set W1[:, 0]: [0.11, 7.0] -> [1.0, 1.0] at 0:0", "set lr: 0.05 -> 0.1 at 0:0", "set target: 1.0 -> 2.0 at 0:0",
           "set i1: 2.0 -> -1.0 at 0:0", "W1 = [[1.0, 0.5], [1.0, 8.0]]"),
    script("set an activation and a gradient", "next\nset h1 = 1\nnext\ngoto 0:4\nset prediction.grad = 1\nnext\n",
           Z1, "set h1: 0.85 -> 1.0 at 0:1", "0:2 forward  z2 = z1 @ W2  [[0.21200000000000002]]",
           "0:4 backward  z2.grad = z2 - y  [[-0.788]]", "set prediction.grad: -0.788 -> 1.0 at 0:4",
           "0:5 backward  W2.grad = z1.T @ z2.grad  [[1.0], [0.48]]"),
    script("set earlier and later", "next 2\nset w5 = 0.2 at 2:0\nprint w5\ngoto 2:1\nprint w5\nset h1 = 0 at 0:1\ngoto 0:2\n",
           Z2, "set w5: 0.20875286688381792 -> 0.2 at 1:9", "w5 = 0.14",
           "2:1 forward  z1 = x @ W1  [[1.0079791923959185, 0.6408350723191658]]", "w5 = 0.2", "set h1: 0.85 -> 0.0 at 0:1",
           "0:2 forward  z2 = z1 @ W2  [[0.072]]"),
    script("set inside an operation", "step\nset w3 = 1\nstep\nundo\ngoto 0:1\n",
           HALF, "set w3: 0.12 -> 1.0 at 0:0.1", "0:1 forward  z1 = x @ W1  [[0.85, 2.24]]",
           "undone: set w3 = 1 at 0:0.1", Z1),
    script("an edit holds until it is written again", "next\nset h1 = 5\niteration\nprint h1\nback\nprint W1.grad.sum() * 0\n",
           Z1, "set h1: 0.85 -> 5.0 at 0:1", "1:1 forward  z1 = x @ W1  [[0.870748, 0.50223]]", "h1 = 0.870748",
           "0:9 update  W2 = W2 - lr * W2.grad  [[0.197], [0.155472]]", "W1.grad.sum() * 0 = -0.0"),
    script("undo and redo", "set w5 = 0.2\nset w6 = 0.3\nundo\nundo\nprint w5\nredo\nprint w5\nprint w6\nredo\nprint w6\n",
           "set w5: 0.14 -> 0.2 at 0:0", "set w6: 0.15 -> 0.3 at 0:0", "undone: set w6 = 0.3 at 0:0",
           "undone: set w5 = 0.2 at 0:0", "w5 = 0.14", "done again: set w5 = 0.2 at 0:0", "w5 = 0.2", "w6 = 0.15",
           "done again: set w6 = 0.3 at 0:0", "w6 = 0.3"),
    script("nothing to undo", "undo\nredo\nset w5 = 1\nundo\nset w6 = 1\nredo\n",
           "set w5: 0.14 -> 1.0 at 0:0", "undone: set w5 = 1 at 0:0", "set w6: 0.15 -> 1.0 at 0:0",
           errors=("nothing to undo", "nothing to redo", "nothing to redo")),
    script("nudge", "goto 0:9\nnudge w5\nprint prediction\nnudge w5 0.05\nundo\nprint prediction\nnudge W1[0, 1] 0.08\nprint h2\n",
           END, "nudge w5: 0.14 -> 0.15 at 0:0", "prediction = 0.1995", "nudge w5: 0.14 -> 0.2 at 0:0",
           "undone: nudge w5 to 0.2 at 0:0", "prediction = 0.191", "nudge W1[0, 1]: 0.12 -> 0.2 at 0:0", "h2 = 0.64"),
    script("bad nudges", "nudge\nnudge h1\nnudge w5 h1\nnudge w5 W1\nnudge w5 1/0\nprint w5\n", "w5 = 0.14",
           errors=("which number? give a slot, a label or a cell, such as w5 or W1[0, 1]",
                   "h1 is not computed at 0:0: operation 1, z1 = x @ W1, will write it", "z1 is not computed here",
                   "W1 is not one number", "w5 would not be a finite number")),
    script("what is not there can't be set", "set h2 = 1\nstep\nset h2 = 1\nset h1.grad = 1\nset w5.grad = 2\nset h2 = 1 at 0:0\n", HALF,
           errors=("h2 is not computed at 0:0: operation 1, z1 = x @ W1, will write it",
                   "h2 is not computed at 0:0.1: operation 1, z1 = x @ W1, will write it",
                   "h1.grad is not computed at 0:0.1: operation 6, z1.grad = z2.grad @ W2.T, will write it",
                   "w5.grad is not computed at 0:0.1: operation 5, W2.grad = z1.T @ z2.grad, will write it",
                   "h2 is not computed at 0:0: operation 1, z1 = x @ W1, will write it")),
    script("bad values", "set w5 = nonsense\nset w5 = 1/0\nset w5 = [1, 2]\nset W1 = [[1, 2]]\nset W1 = [[1], [2, 3]]\nset w5 = w5 > 0\nset w5 =\nset w5\nset w5 = loss\nprint w5\n",
           "w5 = 0.14",
           errors=("no slot or label is called nonsense; a number or an expression is wanted", "1/0 is not a finite number", "[1, 2] has shape 2, 1 is needed",
                   "[[1, 2]] has shape 1×2, 2×2 is needed", "[[1], [2, 3]]: rows of different lengths, or no numbers",
                   "w5 > 0 is true or false: a number is needed",
                   "write set TARGET = VALUE, such as set w5 = 0.2 or set w5 = 0.2 at 0:0",
                   "write set TARGET = VALUE, such as set w5 = 0.2 or set w5 = 0.2 at 0:0", "loss is not computed at 0:0")),
    script("bad targets", "set w9 = 1\nset W1[5,5] = 1\nset 3 = 1\nset w5 + w6 = 1\nset w5 = 1 at 0:77\nset W1[7:] = 1\n",
           errors=("no slot or label is called w9 (did you mean w6?)", "W1[5, 5]: no such cell, the shape is 2×2",
                   "3 names no cell: give a slot, a label or a cell, such as w5 or W1[0, 1]",
                   "w5 + w6 names no cell: give a slot, a label or a cell, such as w5 or W1[0, 1]",
                   "there is no position 0:77: an iteration has 9 operations", "no cell is named: the index picks nothing")),
    script("positions that do not exist", "goto 0:10\ngoto 0:9.1\ngoto 0:0.3\ngoto -1:0\ngoto\ngoto x\ngoto 5.1\ngoto 3\ngoto 0\nprint lr\n",
           "2:9 update*", START, "lr = 0.05",
           errors=("there is no position 0:10: an iteration has 9 operations",
                   "there is no position 0:9.1: an iteration has 9 operations", "there is no position 0:0.3: z1 has 2 elements",
                   "'-1:0' is no position: write ITERATION:OPERATION, such as 0:2 or 0:2.1",
                   "'' is no position: write ITERATION:OPERATION, such as 0:2 or 0:2.1",
                   "'x' is no position: write ITERATION:OPERATION, such as 0:2 or 0:2.1",
                   "'5.1' is no position: write ITERATION:OPERATION, such as 0:2 or 0:2.1")),
    script("bad counts", "next 0\nnext -1\nnext x\nnext 1.5\nrun\nundo 2\nto 10\nto\nto-back 1\nnext\n", Z1,
           errors=("'0' is no count: a whole number from 1 to 10000000", "'-1' is no count: a whole number from 1 to 10000000",
                   "'x' is no count: a whole number from 1 to 10000000", "'1.5' is no count: a whole number from 1 to 10000000",
                   "how many iterations? run N", "nothing may follow: '2'", "which operation? a number from 1 to 9",
                   "which operation? a number from 1 to 9", "operation 1 was not done before here")),
    script("bad words", "nxt\nplay\nfrobnicate 3\nNEXT\nprint\nprint w5 +\nprint __import__('os')\nnext\n", Z1,
           errors=("no command is called 'nxt' (did you mean next?)", "no command is called 'play'*", "no command is called 'frobnicate' (help lists them)",
                   "no command is called 'NEXT' (did you mean next?)", "an expression is missing, such as w5 or W1.grad",
                   "'w5 +' is no expression", "*")),
    script("find", "goto 0:9\nfind 0.174\nfind 0.14\nfind 0.555\nfind abc\n", END,
           "w5 = 0.1743825  at 0:9, W2 = W2 - lr * W2.grad",
           "w5 = 0.14  at 0:0, as it was at the start; no longer", "no cell shows as 0.555 here or earlier in iteration 0",
           errors=("nothing in the program is called 'abc': find takes a name, an operation or a number",)),
    script("digits", "next 2\nprint 1/3\nprint W1[0]\nset w5 = 1/3\ngoto 0:3\n", Z2, "1/3 = 0.333", "W1[0] = [0.11, 0.12]",
           "set w5: 0.14 -> 0.333 at 0:2", "0:3 loss  loss = 0.5 * square(z2 - y).sum()  0.327", options=("--digits", "3")),
    script("info", "goto 0:3\nset lr = 0.1\ninfo\n", LOSS, "set lr: 0.05 -> 0.1 at 0:3",
           "article: 2-2-1, half-mse, sgd, lr 0.1, 6 parameters, float64",
           "at 0:3, 9 operations an iteration, loss 0.32724049999999993", "edit at 0:3: set lr = 0.1"),
)  # fmt: skip


NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def alike(found: str, expected: str) -> bool:
    """The same text with the same numbers, up to the last bits, in which machines differ; a `*` ends what matters."""
    if expected.endswith("*"):
        return found.startswith(expected[:-1])
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (found, expected)]
    return NUMBER.sub("#", found) == NUMBER.sub("#", expected) and numbers[0] == pytest.approx(
        numbers[1], rel=1e-12, abs=1e-15
    )


def matches(found: list[str], expected: tuple[str, ...]) -> bool:
    """Line by line, and no line more."""
    return len(found) == len(expected) and all(map(alike, found, expected))


@pytest.mark.parametrize("case", SCRIPTS, ids=lambda case: case.name)
def test_script(case):
    done = run_bptui("article", "--plain", *case.options, stdin=case.text)
    errors = tuple(f"error: {text}" for text in case.errors)
    assert matches(done.stdout.splitlines(), case.lines), done.stdout
    assert matches(done.stderr.splitlines(), errors), done.stderr
    assert done.returncode == (2 if case.errors else 0)


@pytest.mark.parametrize("case", [case for case in SCRIPTS if case.errors][:3], ids=lambda case: case.name)
def test_a_script_file_stops_at_the_first_bad_command(case, tmp_path):
    (tmp_path / "script").write_bytes(b"next\n" + case.text.encode())
    done = run_bptui("article", "--plain", "-x", str(tmp_path / "script"))
    assert done.stdout.splitlines()[0] == Z1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert done.returncode == 2


@pytest.mark.parametrize("case", [case for case in SCRIPTS if not case.errors][::4], ids=lambda case: case.name)
def test_a_script_file_says_the_same_as_a_pipe(case, tmp_path):
    (tmp_path / "script").write_bytes(case.text.encode())
    done = run_bptui("article", "--plain", *case.options, "-x", str(tmp_path / "script"))
    assert matches(done.stdout.splitlines(), case.lines), done.stdout
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("name", ["missing", ".", "folder"])
def test_a_script_file_that_is_none(name, tmp_path):
    (tmp_path / "folder").mkdir()
    done = run_bptui("article", "--plain", "-x", str(tmp_path / name))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("bptui: ")


def test_bytes_that_are_no_text():
    done = run_bptui("article", "--plain", stdin=b"\xff\xfe\x00\x1b[31m\nprint w5\n\xc3(\nnext\n\x80")
    assert done.stdout.splitlines() == ["w5 = 0.14", Z1]
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_byte_order_mark_is_no_command():
    assert run_bptui("article", "--plain", stdin=b"\xef\xbb\xbfnext\n").stdout.splitlines() == [Z1]


def test_a_very_long_line():
    done = run_bptui(
        "article", "--plain", stdin="print " + "w5+" * 100_000 + "1\nset W1 = " + "[" * 190 + "]" * 190 + "\nprint w5\n"
    )
    assert done.stdout.splitlines() == ["w5 = 0.14"]
    assert len(done.stderr.splitlines()) == 2
    assert done.returncode == 2


def test_list_marks_where_it_is():
    lines = run_bptui("article", "--plain", stdin="next 2\nset w5 = 0.2\nlist\n").stdout.splitlines()[2:]
    assert len(lines) == 10
    assert lines[0] == "   1 forward   z1 = x @ W1  [[0.85, 0.48]]"
    assert lines[1] == "▸  2 forward   z2 = z1 @ W2  [[0.191]]  ~ computed before set w5 = 0.2"
    assert lines[2] == "›  3 loss      loss = 0.5 * square(z2 - y).sum()  ·"
    assert lines[8] == "   9 update    W2 = W2 - lr * W2.grad  ·"
    assert lines[9] == "  edit 0:2  set w5 = 0.2"


def test_formulas_and_explain():
    lines = run_bptui(
        "article", "--plain", stdin="formulas\ngoto 0:9\nexplain w1.grad\nexplain h1\nexplain i1\nexplain w5\n"
    ).stdout.splitlines()
    for line in (
        "w1 ← w1 − lr · (prediction − target) · w5 · i1",
        "w6 ← w6 − lr · (prediction − target) · h2",
        "∂E/∂w1 = ∂E/∂prediction · ∂prediction/∂h1 · ∂h1/∂w1 = −0.809 · 0.14 · 2 = −0.22652",
        "h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85",
        "i1: given by the data, 2",
        "w5 ← w5 − lr·∂E/∂w5 = 0.14 − 0.05·(−0.68765) = 0.1743825",
        "    h1 = i1·w1 + i2·w2 = 2·0.11 + 3·0.21 = 0.22 + 0.63 = 0.85",
    ):
        assert line in lines, line


def test_explain_what_is_not_there_or_set_by_hand():
    text = "explain h1\nexplain w5\nstep\nset h1 = 1\nexplain h1\nnext 3\nexplain h1\nexplain prediction\ngoto 0:8.1\nexplain w6\n"
    lines = run_bptui("article", "--plain", stdin=text).stdout.splitlines()
    assert lines[0] == "z1 is not computed here: operation 1, z1 = x @ W1, will write it"
    assert lines[1] == "w5: the weight it began with, 0.14"
    assert lines.count("h1 = 1: set by hand, set h1 = 1 at 0:0.1") == 2
    assert "  h1 = 1: set by hand, set h1 = 1 at 0:0.1" in lines
    assert lines[-1] == "w6: the weight it began with, 0.15"


def test_help():
    done = run_bptui("article", "--plain", stdin="help\nhelp set\nhelp n\nhelp bogus\nhelp largest\n")
    lines = done.stdout.splitlines()
    for word in [
        "next",
        "back",
        "step",
        "step-back",
        "finish",
        "start",
        "iteration",
        "goto",
        "set",
        "nudge",
        "undo",
        "redo",
        "explain",
        "formulas",
        "find",
        "print",
        "list",
        "info",
        "run",
        "save",
        "load",
        "help",
        "quit",
    ]:
        assert sum(line.startswith((f"{word} ", word + "  ")) for line in lines) >= 1, word
    assert lines[-3].startswith("set TARGET = VALUE [at POSITION]")
    assert lines[-2].startswith("next [K]")
    assert done.returncode == 2
    assert lines[-1].startswith("describe [X]")


def test_save_and_load_round_trip(tmp_path):
    text = "set w5 = 0.3\nset i1 = 4\nrun 3\nprint W1\nprint W2\nsave kept.toml\nload kept.toml\nprint W1\nprint W2\nprint i1\nprint h1\nnext\n"
    done = run_bptui("article", "--plain", stdin=text, cwd=tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    lines = done.stdout.splitlines()
    assert lines[3:5] == lines[8:10]
    assert lines[5:8] == ["saved kept.toml", lines[6], START]
    assert lines[10:12] == ["i1 = 4.0", "h1 = not computed"]
    again = run_bptui("kept.toml", "--plain", stdin="print W1\nprint W2\n", cwd=tmp_path)
    assert again.stdout.splitlines() == lines[3:5]


def test_a_bad_load_or_save_changes_nothing(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = run_bptui(
        "article",
        "--plain",
        stdin="next 2\nload nowhere.toml\nload\nsave\nsave mine.txt\nsave no/such/x\nprint prediction\n",
        cwd=tmp_path,
    )
    assert done.stdout.splitlines() == [Z2, "prediction = 0.191"]
    assert len(done.stderr.splitlines()) == 5
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_batch_prints_a_label_as_a_list(tmp_path):
    spec = 'loss = "mse"\ndata = { x = [[1], [2]], y = [[1], [2]] }\n[[layer]]\ndense = 1\nbias = false\nW = [[3]]\nlabels = { out = ["o"], W = [["w"]] }\n'
    (tmp_path / "batch.toml").write_text(spec)
    done = run_bptui("batch.toml", "--plain", stdin="step\nprint o\nnext\nprint o\nprint w\n", cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "0:0.1 forward  z1 = x @ W1  [[3.0], [·]]", "o = [[3.0], [·]]", "0:1 forward  z1 = x @ W1  [[3.0], [6.0]]",
        "o = [3.0, 6.0]", "w = 3.0",
    ]  # fmt: skip


def test_verb_lines_shorten_long_arrays_and_print_never(tmp_path):
    row = ", ".join("1" for _ in range(40))
    spec = f'loss = "mse"\ndata = {{ x = [[1]], y = [[{row}]] }}\nlayers = ["dense 40"]\n'
    (tmp_path / "wide.toml").write_text(spec)
    done = run_bptui("wide.toml", "--plain", stdin="next\nprint z1\n", cwd=tmp_path)
    verb, printed = done.stdout.splitlines()
    assert "40 numbers" in verb
    assert printed.count(",") == 39


def test_the_tour_is_a_script_that_can_be_followed(bptui):
    """What stands after each `> ` gives, typed by hand, the answers that stand below it; nothing is changed by telling."""
    told = bptui("mazur", "--plain", "--digits", "4", stdin="next\ntour\nnext\n").stdout.splitlines()
    assert told[0].startswith("0:1 ")
    assert told[-1].startswith("0:2 ")
    lines: list[str] = []
    answers: list[str] = []
    for line in told[1:-1]:
        if line.startswith("> "):
            command, _, times = line[2:].removesuffix(" times").partition(", ")
            lines += [command] * int(times or 1)
        elif not line.partition(". ")[0].endswith("of 15"):
            answers.append(line)
    followed = bptui("article", "--plain", "--digits", "4", stdin="\n".join(lines) + "\n").stdout.splitlines()
    assert len(answers) > 15
    assert [line for line in followed if line in answers] == answers


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--tour", "--plain"), "--tour is for the app; in plain mode the word tour prints it"),
        (("--tour", "mazur"), "--tour goes through the article: name nothing else"),
    ],
)
def test_the_tour_is_the_apps_and_the_articles(bptui, arguments, said):
    done = bptui(*arguments)
    assert (done.returncode, done.stderr) == (2, f"bptui: {said}\n")


@pytest.mark.parametrize(
    "line, same",
    [
        ("iteration back", "iteration-back"), ("step back 2", "step-back 2"), ("reverse continue", "reverse-continue"),
        ("print ∂E/∂w5", "print w5.grad"), ("explain dE/dw5", "explain w5.grad"), ("why w5.grad", "explain w5.grad"),
        ("print 2 * dloss/dW2[0, 0]", "print 2 * W2.grad[0, 0]"),
    ],
)  # fmt: skip
def test_what_comes_to_mind_is_understood(line, same):
    found, meant = (
        run_bptui("article", "--plain", stdin=f"iteration\nnext 7\n{each}\nlist\n") for each in (line, same)
    )
    assert (found.stdout, found.stderr, found.returncode) == (meant.stdout, "", 0)


def test_names_of_a_persons_own_are_no_gradients(tmp_path):
    """A quotient of two numbers that are called so."""
    spec = tmp_path / "own.toml"
    spec.write_text(
        'loss = "half-mse"\nlr = 0.05\ndata = { x = [[2, 3]], y = [[1]] }\n'
        'labels = { x = ["dE", "dw"], y = ["t"], loss = "E" }\nlayers = ["dense 1"]\n', encoding="utf-8",
    )  # fmt: skip
    done = run_bptui(str(spec), "--plain", stdin="print dE/dw\n")
    assert (done.stdout.splitlines()[-1], done.stderr) == ("dE/dw = 0.6666666666666666", "")


@pytest.mark.parametrize(
    "word, ours", [("change", "set"), ("breakpoint", "break"), ("loss", "curve"), ("most", "describe")]
)
def test_a_word_that_is_tried_first_leads_to_ours(word, ours):
    done = run_bptui("article", "--plain", stdin=f"{word} w5\n")
    assert done.stderr == f"error: no command is called {word!r} (did you mean {ours}?)\n"
