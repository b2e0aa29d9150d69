"""Breakpoints, watches and searches, on networks small enough to be followed by hand."""

from __future__ import annotations

import math

import networks
import numpy as np
import pytest
from driving import goto_text, run_back, run_on

from bptui.commands.registry import CommandError
from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.debugger.expressions import ExpressionError
from bptui.engine.network import Network
from bptui.engine.timeline import Position, parse
from bptui.files.specs import load


def article() -> Debugger:
    return Debugger(load("article"))


def stops(debugger: Debugger, condition: str, most: int = 50) -> list[str]:
    """Every place where `continue` stops at a condition, from the start."""
    goto_text(debugger, "0:0")
    debugger.breakpoints.all.clear()
    debugger.add_breakpoint(condition)
    found = []
    while len(found) < most and "breakpoint" in run_on(debugger).message:
        found.append(str(debugger.position))
    return found


def back_again(debugger: Debugger) -> list[str]:
    """Every place where `reverse-continue` stops, from the end."""
    debugger.goto(debugger.end)
    found = []
    while "breakpoint" in run_back(debugger).message:
        found.append(str(debugger.position))
    return found


# The losses of the article's network, by its own recurrence in plain Python (no bptui).
def article_losses(n: int) -> list[float]:
    w = [0.11, 0.21, 0.12, 0.08, 0.14, 0.15]
    losses = []
    for _ in range(n):
        h1, h2 = 2 * w[0] + 3 * w[1], 2 * w[2] + 3 * w[3]
        d = h1 * w[4] + h2 * w[5] - 1
        losses.append(0.5 * d * d)
        g = [d * w[4] * 2, d * w[4] * 3, d * w[5] * 2, d * w[5] * 3, d * h1, d * h2]
        w = [a - 0.05 * b for a, b in zip(w, g, strict=True)]
    return losses


@pytest.mark.parametrize(
    ("condition", "places"),
    [
        ("7", ["0:7", "1:7", "2:7"]),
        ("loss", ["0:3", "1:3", "2:3"]),
        ("backward", ["0:4", "1:4", "2:4"]),
        ("dense", ["0:1", "0:2", "1:1", "1:2"]),
        ("on W1", ["0:8", "1:8", "2:8"]),
        ("on w5", ["0:9", "1:9", "2:9"]),
        ("on h1", ["0:1", "1:1", "2:1"]),
        ("on prediction", ["0:2", "1:2", "2:2"]),
        ("if w5 > 0.2", ["1:9", "2:9", "3:9"]),
        ("if abs(W1.grad).max() < 0.3", ["6:7", "7:7", "8:7"]),
        # Where the prediction is written the loss is not computed yet, so that it is not true there.
        ("if prediction > 0.3 and loss < 0.2", ["3:3", "4:3", "5:3"]),
    ],
)
def test_where_continue_stops(condition, places):
    assert stops(article(), condition, len(places)) == places


def test_a_condition_on_the_loss_stops_where_the_losses_say():
    losses = article_losses(30)
    expected = [f"{t}:3" for t, loss in enumerate(losses) if 0.001 < loss < 0.1]
    debugger = article()
    assert stops(debugger, "if 0.001 < loss < 0.1") == expected
    assert back_again(debugger) == expected[::-1]


def test_it_stops_where_it_is_true_in_both_directions():
    for condition in ("on w5", "if w5 > 0.2", "loss", "4"):
        debugger = article()
        forward = stops(debugger, condition)
        # At the very end `reverse-continue` leaves the end itself out.
        assert back_again(debugger) == [place for place in forward[::-1] if place != str(debugger.end)]


def test_from_inside_an_operation():
    debugger = article()
    debugger.add_breakpoint("1")
    goto_text(debugger, "3:0.1")
    assert str(run_on(debugger).position) == "3:1"
    goto_text(debugger, "3:0.1")
    assert str(run_back(debugger).position) == "2:1"
    goto_text(debugger, "3:1.1")
    assert str(run_back(debugger).position) == "3:1"


def test_with_nothing_to_stop_at_it_ends_at_the_ends_and_says_so():
    debugger = article()
    debugger.add_breakpoint("if loss < 0")
    assert run_on(debugger).message == "stopped at the end: 30 iterations"
    assert str(debugger.position) == "29:9"
    assert "at the end (29:9), 30 iterations done" in run_on(debugger).message
    assert run_back(debugger).message == "stopped at the start: nothing to stop at before it"
    assert str(debugger.position) == "0:0"


def test_disabled_ignored_once_and_counted():
    debugger = article()
    debugger.add_breakpoint("loss")
    debugger.breakpoints.change(1, ignore=2)
    assert str(run_on(debugger).position) == "2:3"
    assert debugger.breakpoints.get(1).hits == 3
    debugger.breakpoints.change(1, enabled=False)
    debugger.add_breakpoint("4 once")
    assert str(run_on(debugger).position) == "2:4"
    assert 2 not in debugger.breakpoints.all
    assert run_on(debugger).message.startswith("stopped at the end")
    with pytest.raises(DebuggerError, match="no breakpoint 2"):
        debugger.breakpoints.get(2)


def test_an_edit_stops_what_reads_it():
    debugger = article()
    debugger.set("w5", "2", "3:5")
    assert stops(debugger, "on sign(w5 - 1)")[0] == "3:5"
    debugger.breakpoints.all.clear()
    debugger.add_breakpoint("if w5 > 1")
    debugger.add_breakpoint("on w5")
    goto_text(debugger, "2:9")
    view = run_on(debugger)
    assert str(view.position) == "3:5"
    assert view.message == "stopped at breakpoint 2: if w5 > 1; breakpoint 3: on w5"
    assert str(run_on(debugger).position) == "3:9"
    assert str(run_back(debugger).position) == "3:5"
    assert str(run_back(debugger).position) == "2:9"


@pytest.mark.parametrize("memory", [None, 2000])
def test_far_back(memory):
    debugger = Debugger(networks.article(iterations=5000), *([memory] if memory else []))
    debugger.goto(debugger.end)
    debugger.add_breakpoint("if w5 < 0.16")
    assert str(run_back(debugger).position) == "0:0"
    debugger.goto(debugger.end)
    debugger.add_breakpoint("if loss > 0.25")
    assert run_back(debugger).message.startswith("stopped at breakpoint 2")
    losses = article_losses(10)
    assert str(debugger.position) == f"{max(t for t, loss in enumerate(losses) if loss > 0.25)}:3"


def test_until_and_when():
    session = Session(load("article"))
    assert session.execute("until loss < 0.1").lines[0].startswith("5:3 ")
    assert session.execute("when on w5").lines[0].startswith("4:9 ")
    session.execute("set w5 = -0.5 at 7:3")
    session.execute("goto 12:3")
    lines = session.execute("when sign(w5)").lines
    assert lines[-1] == "on sign(w5): the last time before was here"
    sign = session.debugger.evaluate("sign(w5)")
    session.debugger.back()
    assert session.debugger.evaluate("sign(w5)") != sign
    with pytest.raises(DebuggerError, match="did not happen before here"):
        session.execute("when if loss > 100")


# Health, each by its definition


def spec(text: str, tmp_path) -> Network:
    path = tmp_path / "net.toml"
    path.write_text(text, encoding="utf-8")
    return load(str(path))


DYING = """
lr = 0.5
loss = "half-mse"
data = { x = [[1], [2]], y = [[-10], [-10]] }
iterations = 20
[[layer]]
dense = 1
act = "relu"
W = [[1]]
b = 0
"""


def test_a_relu_dies_when_no_row_moves_it(tmp_path):
    debugger = Debugger(spec(DYING, tmp_path))
    (place,) = stops(debugger, "dead")
    goto_text(debugger, place)
    assert debugger.evaluate("a1").max() == 0
    debugger.iteration_back()
    assert debugger.evaluate("a1").max() > 0
    # It is asked for by its slot, too; another slot is refused.
    assert stops(debugger, "dead a1") == [place]
    with pytest.raises(ExpressionError, match="x is no output of relu"):
        debugger.add_breakpoint("dead x")


def test_when_did_it_die_is_one_command(tmp_path):
    session = Session(spec(DYING, tmp_path))
    (place,) = stops(session.debugger, "dead")
    session.debugger.goto(session.debugger.end)
    assert session.execute("when dead a1").lines[0].startswith(f"{place} ")


UNITS = """
data = { x = [[1, 2], [2, 1]], y = [[-1], [-1.5]] }
loss = "half-mse"
lr = 0.15
[[layer]]
dense = 2
act = "relu"
W = [[0.2, 0.1], [0.6, 0.3]]
labels = { out = ["h1", "h2"] }
[[layer]]
dense = 1
W = [[0.2, 0.9]]
"""


def test_one_unit_may_be_meant(tmp_path):
    """By its label or as a column; it is that unit that is looked at."""
    session = Session(spec(UNITS, tmp_path))
    session.execute("run 5")
    for unit in ("h2", "a1[:, 1]", "a1"):
        session.execute("goto 4:1")
        said = session.execute(f"when dead {unit}").lines
        assert said[0].startswith("1:2 ")
        assert said[-1].startswith(f"dead {unit} (h2, unit 1 of a1)")
    for unit in ("h1", "a1[:, 0]"):
        session.execute("goto 4:1")
        with pytest.raises(DebuggerError, match="did not happen"):
            session.execute(f"when dead {unit}")
    for wrong, message in (
        ("99", "there is no operation 99: an iteration has"), ("sigmoid", "the kinds of operation here are dense, relu"),
        ("foo", "or a kind of operation: dense, relu"),
        ("dead a1[1]", r"a unit of a1 is a1\[:, 2\]"), ("dead z1", "z1 is no output of relu: there is a1"), ("saturated", "no output of sigmoid"),
    ):  # fmt: skip
        for verb in ("break", "when"):
            with pytest.raises(ExpressionError, match=message):
                session.execute(f"{verb} {wrong}")


def test_the_share_of_what_saturates_may_come_first(tmp_path):
    """As in sessions that were kept so."""
    debugger = Debugger(spec(DYING.replace("relu", "sigmoid"), tmp_path))
    found = [
        stops(debugger, text)
        for text in ("saturated a1 0.3", "saturated 0.3 a1", "saturated a1[:, 0] 0.3", "saturated 0.3")
    ]
    assert found[0]
    assert all(one == found[0] for one in found)
    assert stops(debugger, "saturated") != found[0]


def test_the_units_that_died_are_those_no_row_of_all_the_data_moves():
    """Against NumPy, on digits in batches: what is named is still for an epoch, and was not an iteration before."""
    debugger = Debugger(load("digits"))
    network = debugger.program.network
    epoch = len(network.x) // network.batch
    debugger.add_breakpoint("dead")
    met = [(run_on(debugger).message, debugger.position) for _ in range(4)]
    seen = []
    for t in range(met[-1][1].iteration + 1):
        debugger.goto(Position(t, met[0][1].op))
        seen.append((debugger.evaluate("a1") == 0).all(axis=0))
    for message, place in met:
        n = place.iteration + 1
        dead, before = np.all(seen[n - epoch : n], axis=0), np.all(seen[n - epoch - 1 : n - 1], axis=0) & (n > epoch)
        new = np.flatnonzero(dead & ~before)
        by_now = f", {dead.sum()} of 64 by now" if dead.sum() > len(new) else ""
        assert f"(unit{'s' * (len(new) > 1)} {', '.join(map(str, new))} of a1{by_now})" in message
    assert "by now" in met[-1][0]


def test_a_sigmoid_saturates(tmp_path):
    debugger = Debugger(spec(DYING.replace("relu", "sigmoid").replace("0.5", "20"), tmp_path))
    found = stops(debugger, "saturated")
    assert found
    goto_text(debugger, found[0])
    assert (debugger.evaluate("a1") < 0.01).all() or (debugger.evaluate("a1") > 0.99).all()


def test_the_update_leaves_its_range():
    """By hand: |Δw| / |w| of each layer, root mean squares."""
    debugger = article()
    found = stops(debugger, "ratio 1e-6 0.08")
    expected = []
    for weights, op in (("W1", 8), ("W2", 9)):
        out = []
        for t in range(30):
            before = debugger.look(debugger_place(debugger, t, op - 1)).arrays[weights]
            after = debugger.look(debugger_place(debugger, t, op)).arrays[weights]
            ratio = math.sqrt(((after - before) ** 2).mean() / (before**2).mean())
            out.append(not 1e-6 <= ratio <= 0.08)
        expected += [(t, op) for t in range(30) if out[t] and not (t and out[t - 1])]
    assert found == [f"{t}:{op}" for t, op in sorted(expected)]


def debugger_place(debugger, t, op):
    from bptui.engine.timeline import normal

    return normal(debugger.program, t, op, 0)


def test_the_loss_rises_and_lies_flat():
    debugger = article()
    debugger.set("lr", "0.4", "5:0")
    debugger.goto(debugger.end)
    losses = debugger.view().losses
    rises = [t for t in range(1, 30) if losses[t] > losses[t - 1]]
    twice = [t for t in rises if t - 1 in rises and t - 2 not in rises]
    assert stops(debugger, "rising 2") == [f"{t}:3" for t in twice]
    debugger = article()
    debugger.set("lr", "0", "5:0")
    assert stops(debugger, "flat 3 0") == ["8:3"]


def test_gradients_vanish_from_layer_to_layer(tmp_path):
    text = """
seed = 1
lr = 0.01
loss = "mse"
data = { x = [[1, 2]], y = [[1]] }
layers = ["dense 3 sigmoid", "dense 3 sigmoid", "dense 3 sigmoid", "dense 1"]
iterations = 3
"""
    debugger = Debugger(spec(text, tmp_path))
    assert stops(debugger, "vanishing 1e9") == []
    found = stops(debugger, "vanishing 3")
    assert found
    for place in found[:2]:
        goto_text(debugger, place)
        debugger.finish()
        size = lambda k: np.sqrt((debugger.evaluate(f"W{k}.grad") ** 2).mean())  # noqa: E731
        assert any(size(k) * 3 < size(k + 1) for k in (1, 2, 3))
    assert stops(debugger, "exploding 1e9") == []


def test_a_comparison_alone_is_a_condition():
    debugger = article()
    for text in ("loss < 0.01", "loss<0.01 once", "if loss < 0.01"):
        debugger.add_breakpoint(text)
    assert [one.text for one in debugger.breakpoints.all.values()] == [
        "if loss < 0.01",
        "if loss<0.01 once",
        "if loss < 0.01",
    ]
    assert str(run_on(debugger).position) == "9:3"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "stop at what"),
        ("99", "there is no operation 99"),
        ("forwrad", "did you mean forward"),
        ("w5", "did you mean on w5"),
        ("if", "an expression is missing"),
        ("if W1 > 0", "one value"),
        ("on", "an expression is missing"),
        ("nan nan", "no condition"),
        ("dead", "no output of relu"),
        ("ratio x", "write ratio [1e-6 0.1]"),
        ("rising 0", "write rising [5]"),
        ("flat 1000", "at most 255"),
        ("data", "no operation in the data phase"),
    ],
)
def test_what_is_no_condition_is_refused(text, says):
    debugger = article()
    with pytest.raises(ExpressionError, match=says.replace("[", r"\[")):
        debugger.add_breakpoint(text)
    assert not debugger.breakpoints.all


# Numbers that are none


def test_break_nan_stops_at_the_operation_and_backwards_at_the_last():
    debugger = Debugger(load("diverging"))
    debugger.add_breakpoint("nan")
    view = run_on(debugger)
    written = view.program.instructions[view.done].writes
    assert not np.isfinite(view.state.arrays[written]).all()
    first = view.position
    debugger.back()
    state = debugger.view().state
    there = [array.reshape(-1)[: state.computed[name]] for name, array in state.arrays.items()]
    assert all(np.isfinite(cells).all() for cells in there)
    debugger.goto(debugger.end)
    assert run_back(debugger).position == type(first)(399, 16)
    debugger.goto(first)
    assert str(run_back(debugger).position) == "0:0"


# Watches


def test_a_watch_says_its_value_and_its_change():
    session = Session(load("article"))
    assert session.execute("watch w5").lines == ("watch 1: w5 = 0.14",)
    assert session.execute("watch loss").lines == ("watch 2: loss = not computed",)
    answer = session.execute("next 9")
    lines = answer.lines + answer.watched
    loss = repr(0.5 * (2 * 0.11 * 0.14 + 3 * 0.21 * 0.14 + 2 * 0.12 * 0.15 + 3 * 0.08 * 0.15 - 1) ** 2)[:9]
    assert lines[1].startswith("watch 1: w5 = 0.1743825")
    assert lines[1].endswith("(+0.03438250000000001)")
    assert lines[2].startswith(f"watch 2: loss = {loss}")
    assert session.execute("unwatch 1").lines == ("no longer watched: w5",)
    assert session.execute("watches").lines == (lines[2],)
    with pytest.raises(DebuggerError, match="no watch 1"):
        session.execute("unwatch 1")


def test_the_words_of_plain_mode():
    session = Session(load("article"))
    assert session.execute("break on w5").lines == ("breakpoint 1: on w5; met 0 times",)
    assert session.execute("ignore 1 1").lines == ("breakpoint 1: on w5; met 0 times; ignored 1 more time",)
    assert session.execute("continue").lines[0].startswith("1:9 ")
    assert session.execute("breakpoints").lines == ("breakpoint 1: on w5; met 2 times",)
    assert session.execute("disable 1").lines == ("breakpoint 1: on w5; met 2 times; disabled",)
    assert session.execute("enable 1").lines == ("breakpoint 1: on w5; met 2 times",)
    assert session.execute("delete all").lines == ("deleted 1 breakpoint",)
    assert session.execute("breakpoints").lines == ("there are no breakpoints",)
    for wrong in ("delete", "delete 1", "enable x", "ignore 1", "ignore 1 x"):
        with pytest.raises((CommandError, DebuggerError)):
            session.execute(wrong)


def test_the_memory_that_checkpoints_take_is_told(bptui, tmp_path):
    script = tmp_path / "x"
    script.write_text("run 2000\nreverse-continue\n", encoding="utf-8")
    done = bptui("xor", "--plain", "--memory", "1", "-x", str(script))
    assert (done.returncode, done.stderr) == (0, "")
    wrong = bptui("xor", "--plain", "--memory", "0")
    assert wrong.returncode == 2
    assert "--memory" in wrong.stderr


def test_a_search_like_one_before_generates_nothing_anew():
    debugger = Debugger(load("xor"))
    debugger.add_breakpoint("if loss < 0.69")
    debugger.add_breakpoint("on W1[0, 0]")
    machine = debugger._player.machine
    for _ in range(3):
        run_on(debugger)
    known = len(machine._runs), len(machine._scope.names)
    for _ in range(5):
        run_on(debugger)
        run_back(debugger)
    assert (len(machine._runs), len(machine._scope.names)) == known


def test_a_truth_that_is_there_for_the_first_time_has_not_changed_unless_it_is_true():
    assert stops(article(), "on loss < 0.001") == ["12:3"]
    session = Session(load("article"))
    session.execute("iteration 3")
    with pytest.raises(DebuggerError, match="did not happen before here"):
        session.execute("when loss < 0.001")
    assert stops(article(), "on loss < 1000", 1) == ["0:3"]


def test_both_sides_of_and_are_conditions():
    with pytest.raises(ExpressionError, match="one value"):
        article().add_breakpoint("if loss < 0 and W1")


def test_a_stop_names_the_unit_that_died(tmp_path):
    debugger = Debugger(spec(DYING, tmp_path))
    debugger.add_breakpoint("dead")
    assert run_on(debugger).message == "stopped at breakpoint 1: dead (unit 0 of a1)"


def test_when_says_what_is_wrong_with_its_expression():
    session = Session(load("mazur"))
    with pytest.raises(ExpressionError, match="no slot or label is called w99"):
        session.execute("when sign(w99)")
    with pytest.raises(CommandError, match="when what"):
        session.execute("when")


def test_a_stop_says_by_how_much():
    debugger = Debugger(load("diverging"))
    debugger.add_breakpoint("ratio")
    before = debugger.look(parse(debugger.program, "0:13")).arrays
    message = run_on(debugger).message
    step = np.linalg.norm(debugger.view().state.arrays["W1"] - before["W1"]) / np.linalg.norm(before["W1"])
    assert debugger.position == parse(debugger.program, "0:14")
    assert message == f"stopped at breakpoint 1: ratio (W1 by {step:.4g} of its size)"
    debugger.breakpoints.all.clear()
    debugger.add_breakpoint("exploding 2")
    assert "exploding 2 (W1.grad is 3.178 of W2.grad" in run_on(debugger).message
