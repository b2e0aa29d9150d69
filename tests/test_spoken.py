"""Plain mode as it is heard: every answer of every word, in sentences that a screen reader neither skips nor mangles."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from conftest import run_bptui
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bptui import plain
from bptui.commands import completion, describing, plotting, registry, telling
from bptui.commands.opening import Manner
from bptui.commands.session import Session
from bptui.explain.spoken import arrays as said_arrays
from bptui.explain.spoken.signs import sentence, spelled, words
from bptui.files import origins
from bptui.files.examples import example_names

PLAIN = frozenset(".,:;?!'\"()- ")
_SAID = re.compile(r"(minus )?(?<![\w.])(\d+(?:\.\d+)?)(?: times 10 to the (minus )?(\d+))?(?![\w])")
_SEEN = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w])")
# What is counted for the ear alone: rows, operations, sizes, terms of conditions.
_COUNTED = re.compile(
    r"[Rr]ow \d+:|[Pp]art [\d, ]+, row \d+:|[Oo]peration \d+ of \d+|^Operation \d+|Element \d+ of \d+|^Iteration \d+|^\d+ operations an|\d+(?: by \d+)+"
    r"|\b1 if |else 0|over axis (?:minus )?\d|in row \d+"
)
_SIZES = re.compile(r"\d+(?:×\d+)+|[⁰¹²³⁴⁵⁶⁷⁸⁹]")
_POSITION = re.compile(r"\b(\d+):(\d+)(?:\.(\d+))?")

# Words that look at everything: in a program of so many operations they would take longer than they teach.
SLOW, MANY = {"find", "formulas", "check", "sweep", "when", "why", "reverse-continue", "iteration-back"}, 90


def is_plain(text: str) -> bool:
    """Whether nothing is in it but letters, digits and plain punctuation."""
    return all(c in PLAIN or (c.isascii() and c.isalnum()) or unicodedata.category(c)[0] in "LM" for c in text)


def heard(text: str) -> set[float]:
    """The numbers of a sentence, without their signs: a minus may be a difference."""
    return {
        float(m[2]) * 10 ** (int(m[4]) * (-1 if m[3] else 1)) if m[4] else float(m[2])
        for m in _SAID.finditer(_COUNTED.sub(" ", text))
    }


def seen(text: str) -> set[float]:
    """The numbers of a line of plain mode."""
    text = re.sub(r"_|\.grad(?=\d)", " ", _POSITION.sub(r" \1 \2 \3 ", _SIZES.sub(" ", text)))
    return {float(m[1]) for m in _SEEN.finditer(text)}


def near(one: float, others: set[float]) -> bool:
    """Whether it is one of them, but for the rounding of a power of ten written as a product."""
    return any(abs(one - other) <= 1e-12 * abs(one) for other in others)


def lost_or_added(shown: str, said: list[str]) -> set[float]:
    """The numbers that are only seen, or only heard."""
    told, there = set().union(*map(heard, said)), seen(shown)
    every = {float(n) for each in said for n in re.findall(r"\d+(?:\.\d+)?", each)}
    return {n for n in told if not near(n, there)} | {n for n in there if not near(n, told | every)}


def walk(session: Session, folder: str) -> list[str]:
    """A line for every word of the registry, on whatever network."""
    program = session.debugger.program
    weight = next(name for name in program.parameters if len(program.slots[name].shape) > 1)
    cell = f"{weight}[{', '.join('0' * len(program.slots[weight].shape))}]"
    return [
        "info", "help", "help set", "next", "next 2", "step", "step-back", "step", "finish", "start", "list", "print loss", f"print {weight}",
        f"print {cell}", f"print {cell}*2 > 0.1", f"watch {cell}", f"watch {weight}", "break nan", "break if loss < 0.001",
        "ignore 1 3", "disable 1", "enable 1", "breakpoints", f"goto 0:{len(program)}", "list", f"explain {cell}", f"explain {cell} > 1",
        "explain ..", "explain 1+", f"explain {weight}.grad[{', '.join('0' * len(program.slots[weight].shape))}]", "formulas", f"uses {cell}", f"origin {cell}",
        f"set {cell} = -0.25", f"nudge {cell} 1e-7", "undo", "redo", "back", "find 0.5", "branch other", "iteration", "iteration-back",
        f"when {cell}", "branches", "diff main", "watches", "why nan", "sweep lr=0.01,0.02 iterations 2", "run 1", "until loss < 1e9",
        "to 1", "to-back 2", "explain", "describe", f"describe {weight}", f"describe {weight}.grad", "curve", f"curve {cell}", "plot norms", f"plot weight {cell}", f"plot histogram {weight}", f"set {weight} = normal 0 0.1", "undo", "reverse-continue", "check", "unwatch 1", "delete 1", "delete all", f"save {folder}/kept_it.npz",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(example_names()))
def test_every_word_of_every_network_is_said_in_full(name, tmp_path):
    """No sign is left, and no number is lost, added or changed; the answers that are seen are those of plain mode."""
    session = Manner(digits=4, spoken=True).session(origins.load(name))
    lines = [*walk(session, str(tmp_path)), "reload", "restart lr=0.01", "load xor", "continue"]
    # A word that is newer than this list is asked without more; what it refuses is said too.
    lines += [row.verb for row in registry.words() if not any(line.split()[0] == row.verb for line in lines)]
    if len(session.debugger.program) > MANY:
        lines = [line for line in lines if line.split()[0] not in SLOW]
    used, wrong = set(), []
    for line in lines:
        used.add(registry.find(line.split()[0]).verb)
        try:
            answer = session.execute(line)
        except ValueError as error:
            wrong += [(line, said) for said in telling.complaints(str(error)) if not is_plain(said)]
            continue
        for shown in (*answer.lines, *answer.watched):
            said = list(telling.sentences([shown]))
            wrong += [(line, shown, said) for each in said if not is_plain(each)]
            if line.startswith(("explain", "formulas")) and "not computed" not in shown and not shown.endswith("·"):
                wrong += [(line, shown, said) for each in said if "not computed" in each]
            if said and "help" not in line and " numbers" not in f"{shown}{said}":
                wrong += [(line, shown, said, differing) for differing in lost_or_added(shown, said)]
    assert not wrong
    assert used | SLOW >= {row.verb for row in registry.words()}


@given(st.floats(width=64), st.none() | st.integers(1, 17))
def test_a_number_is_heard_as_it_is_seen(value, digits):
    said = said_arrays.number(value, digits)
    assert is_plain(said)
    if np.isnan(value):
        assert said == "not a number"
    else:
        text = said.replace(" times 10 to the ", "e").replace("minus ", "-").replace("infinity", "inf")
        assert float(text) == (value if digits is None else float(f"{value:.{digits}g}"))


@given(st.text())
def test_whatever_is_said_is_plain_and_ends(text):
    for say in (sentence, spelled, words):
        assert is_plain(say(text))
    assert sentence(text) == "" or sentence(text).endswith((".", ":", "?", "!"))


@given(arrays(np.float64, array_shapes(max_dims=3, max_side=7)), st.integers(0, 400))
def test_an_array_is_said_in_full_or_as_what_matters(array, there):
    said = said_arrays.inline(array, None, min(there, array.size))
    assert is_plain(said)
    if array.size <= said_arrays.MOST_NUMBERS and there:
        assert len(re.split(r", |; ", re.sub(r"(?:part [\d, ]+, )?row \d+: ", "", said))) == array.size


@pytest.mark.parametrize("text, said", [
    ("prediction = h1·w5 + h2·w6 = 0.85·0.14 + 0.48·0.15 = 0.191",
     "prediction is h1 times w5, plus h2 times w6; that is 0.85 times 0.14, plus 0.48 times 0.15; that is 0.191."),
    ("∂E/∂w5 = ∂E/∂prediction · ∂prediction/∂w5", "d E by d w5 is d E by d prediction times d prediction by d w5."),
    ("w1 ← w1 − lr·∂E/∂w1 = 0.11 − 0.05·(−0.22652) = 0.121326",
     "w1 becomes w1, minus lr times d E by d w1; that is 0.11, minus 0.05 times minus 0.22652; that is 0.121326."),
    ("E = ½(prediction − target)²", "E is one half of open bracket prediction minus target close bracket squared."),
    ("a1[0,1] = [z1[0,1] > 0]", "a1 at 0, 1 is 1 if z1 at 0, 1 is greater than 0 else 0."),
    ("[prediction] = [h1  h2] · [w5; w6]", "prediction is the row h1, h2 times the column w5, w6."),
    ("√(v) + |x| − e^(−z)", "the square root of v plus the absolute value of x minus e to the power of minus z."),
    ("W1: [[0.5, ·], [1e-05, -2.0]]", "W1: row 1: 0.5, not computed; row 2: 1 times 10 to the minus 5, minus 2.0."),
    ("stopped at 3:12.2", "stopped at iteration 3, operation 12, element 2."),
    ("   25.0 %  w5 = -1", "25.0 percent, w5 is minus 1."),
    ("▸ other", "here: other."),
    ("[0.85; 0.48] · [−0.809]", "the column 0.85, 0.48 times minus 0.809."),
    ("a1[:, 3].mean() = 0.5", "a1 at all rows, 3, mean is 0.5."),
    ("explain w1 > 2 > opens it", "explain w1 greater than 2 greater than, opens it."),
])  # fmt: skip
def test_signs_in_words(text, said):
    assert sentence(text) == said


SPOKEN = """Operation 2 of 9, forward: prediction is h times W2.
It is 0.191.
Iteration 0.
prediction is 0.191.
W1 is 2 by 2.
Row 1: 0.11, 0.12.
Row 2: 0.21, 0.08.
set w5: 0.14 to 0.2 at iteration 0, operation 2.
"""


def test_a_pipe_is_spoken():
    """The important first; what was wrong, and what might be typed instead, as it stands."""
    made = run_bptui(
        "article",
        "--plain",
        "--spoken",
        stdin="next 2\nprint prediction\nprint W1\nset w5 equals 0.2\nset w5\nprint W1[\n",
    )
    assert made.stdout == SPOKEN
    first, second = made.stderr.splitlines()
    assert first == "Error: write set TARGET equals VALUE, such as set w5 equals 0.2 or set w5 equals 0.2 at 0:0."
    assert is_plain(second)
    assert made.returncode == 2


@pytest.mark.parametrize("said, line", [
    ("set w5 equals minus 0.3 at 0:0", "set w5 = -0.3 at 0:0"), ("set w5 to 0.2 at iteration 0, operation 2", "set w5 = 0.2 at 0:2"),
    ("break if loss is less than 0.01", "break if loss < 0.01"), ("until E equals 0", "until E == 0"), ("print w5 is not 1", "print w5 != 1"),
    ("explain prediction.grad greater than", "explain prediction.grad >"), ("explain w1 greater than 2 greater than 1", "explain w1 > 2 > 1"),
    ("explain dot dot", "explain .."), ("explain d E by d w5", "explain w5.grad"), ("goto iteration 3, operation 4, element 1", "goto 3:4.1"),
    ("print W1 at 0, 1", "print W1[0, 1]"), ("print a1 at all rows, 6", "print a1[:, 6]"), ("print x at 0", "print x[0]"),
    ("sweep lr equals 0.01,0.1 seed equals 0 dot dot 7", "sweep lr=0.01,0.1 seed=0..7"), ("restart lr equals 0.1", "restart lr=0.1"),
    ("nudge w5 minus 0.01", "nudge w5 -0.01"), ("find 2 times 10 to the minus 5", "find 2e-5"), ("print W underscore h1 left bracket 0 right bracket", "print W_h1[0]"),
    ("save less than", "save less than"), ("branch a minus b", "branch a minus b"), ("iteration 3", "iteration 3"), ("", ""), ("e w5 equals 1", "e w5 = 1"),
    ("print times", "print times"), ("set minus = 0.25", "set minus = 0.25"), ("fold times 3", "fold times 3"), ("find plus", "find plus"),
    ("print w5 times w6", "print w5 * w6"), ("print w5 divided by 2", "print w5 / 2"),
])  # fmt: skip
def test_what_is_said_can_be_typed(said, line):
    assert telling.typed(said) == line


def test_a_terminal_tears_no_word_apart(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    session = Manner(digits=4, spoken=True).session(origins.load("article"))
    session.answering = True
    said = list(telling.sentences(session.execute("help").lines))
    lines = list(plain._fitted(session, said))
    assert max(map(len, lines)) < 40
    assert " ".join(lines) == " ".join(said)
    session.spoken = False
    seen = session.execute("help describe").lines
    assert len(seen) > 1
    assert " ".join(" ".join(seen).split()) == " ".join(registry.help_lines("describe")[0].split())


def test_every_line_typed_as_it_is_spelled_is_that_line(tmp_path):
    """Whatever help and errors say of it; blanks aside."""
    session = Manner(digits=4, spoken=True).session(origins.load("article"))
    bare = lambda text: re.sub(r"\s", "", text)  # noqa: E731
    for line in walk(session, str(tmp_path)):
        assert telling.typed(line) == line
        if not line.startswith(("save", "branch")):
            assert bare(telling.typed(spelled(line))) == bare(line)


def test_of_an_edit_it_is_said_what_followed():
    """A person hears it; a script, which asks for what it wants to know, gets the line that it counts on."""
    lines = "goto 0:9\nnudge w5\nundo\n"
    heard = run_bptui("article", "--plain", "--spoken", stdin=lines).stdout.splitlines()
    assert heard[-4:] == [
        "nudge w5: 0.14 to 0.15 at iteration 0, operation 0.", "prediction 0.191 to 0.1995, E 0.3272 to 0.3204.",
        "undone: nudge w5 to 0.15 at iteration 0, operation 0.", "prediction 0.1995 to 0.191, E 0.3204 to 0.3272.",
    ]  # fmt: skip
    read = run_bptui("article", "--plain", stdin=lines).stdout.splitlines()
    assert read[-2:] == ["nudge w5: 0.14 -> 0.15 at 0:0", "undone: nudge w5 to 0.15 at 0:0"]


def test_a_large_array_is_what_one_wants_to_know_of_it():
    made = run_bptui("digits", "--plain", "--spoken", stdin="print W1\nprint W1[0, :2]\n")
    assert made.stdout.splitlines()[0].startswith("W1 is 64 by 64, 4096 numbers; smallest minus 0.")
    assert len(made.stdout.splitlines()) == 2


def lines_of(session: Session, line: str) -> list[str]:
    return [str(each) for each in session.execute(line).lines]


def test_what_the_panes_show_has_words():
    """The network with its layers and what is at hand, a tensor's range and histogram, the way of the loss."""
    session = Manner(digits=4).session(origins.load("article"))
    session.execute("next 2")
    told = lines_of(session, "describe")
    assert "layer 1 h: dense, gives 2, weights W1 2×2, w1 and w2 and w3 and w4" in told
    assert "layer 2: dense, gives 1 as prediction, weights W2 2×1, w5 and w6" in told
    assert "The prediction is the hidden values weighted by w5 and w6. Next: how far is it from the target?" in told
    assert told[-1] == "at 0:2, next: operation 3, loss: loss = 0.5 * square(z2 - y).sum()"
    assert lines_of(session, "explain") == lines_of(session, "explain prediction")
    assert lines_of(session, "describe W1") == [
        "W1: parameter, 2×2, float64", "smallest 0.08 in w4, largest 0.21 in w2, mean 0.13, norm 0.2775", "zeros: 0, not finite: 0",
        "2 numbers from 0.08 to 0.113", "1 number from 0.113 to 0.145", "1 number from 0.177 to 0.21",
    ]  # fmt: skip
    assert lines_of(session, "describe W1.grad") == [
        "W1.grad: gradient, 2×2, float64",
        "none of its 4 numbers are computed; operation 7 does",
    ]
    session.execute("goto 12:9")
    assert lines_of(session, "curve")[:3] == [
        "E fell from 0.3272 to 0.0005206 in 12 iterations, most in the first 6",
        "smallest 0.0005206 in iteration 12, largest 0.3272 in iteration 0", "it rose 0 times and fell 12 times",
    ]  # fmt: skip
    assert lines_of(session, "curve w5")[0].startswith("w5 rose from 0.1744 to ")
    with pytest.raises(ValueError, match="W1 is 4 numbers"):
        session.execute("curve W1")


def test_a_plot_is_told_as_an_eye_would_read_it():
    """The article's loss over w5 is a parabola that anyone can reckon: ½(0.85·w5 + 0.48·0.15 − 1)²."""
    session = Manner(digits=6).session(origins.load("article"))
    session.execute("next 7")
    over = lines_of(session, "plot weight w5")
    assert over[0] == "E over w5: 0.32724 at 0.14, where it is"
    assert over[1] == "the tangent has the slope -0.68765: with more of w5 it falls"
    assert over[2] == f"the update takes it to {0.14 + 0.05 * 0.68765:.6g}"
    assert over[3] == f"lowest 0 at {(1 - 0.48 * 0.15) / 0.85:.6g}"
    for said in over[4].split("; "):
        loss, w5 = map(float, said.split(" at "))
        assert loss == pytest.approx((0.85 * w5 + 0.48 * 0.15 - 1) ** 2 / 2, rel=1e-5)
    assert set(completion.PLOTS) == set(plotting._PLOTS)
    assert lines_of(session, "plot surface w5 w6")[1] == "the way down: more of w5 and more of w6"
    grads = session.debugger.view().state.arrays
    assert lines_of(session, "plot norms") == [
        f"norm of {name}: {np.linalg.norm(grads[name]):.6g}" for name in ("W1.grad", "W2.grad")
    ]
    session.execute("goto 0:9")
    after = "with which it was computed; now w5 is 0.174383 and w6 is 0.169416"
    assert lines_of(session, "plot surface w5 w6")[0] == f"E over w5 and w6: 0.32724 at w5 0.14 and w6 0.15, {after}"
    session.execute("goto 0:7")
    session.execute("set w5 = 2")
    assert (
        lines_of(session, "plot weight w5")[0] == "E over w5: 0.32724 at 0.14, with which it was computed; now w5 is 2"
    )
    session.execute("goto 0:0")
    assert lines_of(session, "plot weight w5")[1] == "the tangent: no gradient is computed yet"
    for line, said in (
        ("plot norms", "no gradient"),
        ("plot weight W1", "4 numbers"),
        ("plot fit", "one input"),
        ("plot los", "did you mean loss"),
    ):
        with pytest.raises(ValueError, match=said):
            session.execute(line)
    session.execute("undo")
    ways = []
    for t in range(3):
        session.execute(f"goto {t}:1")
        ways.append(session.debugger.view().state.arrays["W2"].reshape(-1).tolist())
    gone = (f"{name} from {a:.6g} over {b:.6g} to {c:.6g}" for name, a, b, c in zip(("w5", "w6"), *ways, strict=True))
    assert lines_of(session, "plot surface w5 w6")[2] == f"the way here, of the last 2 iterations: {', '.join(gone)}"
    moons = Manner(digits=4).session(origins.load("xor"))
    moons.execute("run 900")
    assert lines_of(moons, "plot boundary")[0] == "4 of 4 rows lie on their side of the boundary"
    moons.execute("set W2 = 0")
    assert "on the wrong side: row" in lines_of(moons, "plot boundary")[1]


def test_the_most_active_unit_is_named():
    session = Manner(digits=4).session(origins.load("digits"))
    session.execute("next 4")
    told = next(line for line in lines_of(session, "describe a1") if "most active" in line)
    means = session.debugger.view().state.arrays["a1"].mean(0)
    assert (
        told
        == f"the most active on average over 64 rows: unit {means.argmax()} of a1, a1[:, {means.argmax()}], mean {means.max():.4g}"
    )


def test_a_curve_that_breaks_off_says_where():
    session = Manner(digits=4).session(origins.load("diverging"))
    session.execute("goto 160:1")
    assert lines_of(session, "curve")[0].endswith("in 146 iterations, and is not finite from iteration 147 on")


@given(arrays(np.float64, st.integers(1, 40)))
def test_any_curve_and_any_tensor_can_be_told(values):
    told = [*describing._curve("E", np.arange(len(values)), values, 4), *describing._histogram(values, 4)]
    assert all(is_plain(each) for each in telling.sentences(told))
