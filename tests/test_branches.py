"""Branches: what forks, what undo takes back, how two timelines compare; and a debugger's state as JSON and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from driving import run_back, run_on

from bptui.commands.registry import CommandError
from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.engine.network import is_name
from bptui.files.specs import load


@pytest.fixture
def session() -> Session:
    return Session(load("article"))


def names(session: Session) -> list[str]:
    return [branch.name for _, branch in session.debugger.branches.tree()]


def test_an_edit_where_nothing_later_was_seen_does_not_fork(session):
    session.execute("next 2")
    session.execute("set w5 = 0.2")
    assert names(session) == ["main"]


def test_an_edit_in_the_past_forks_and_the_old_timeline_stays(session):
    session.execute("iteration 3")
    before = session.debugger.view().state
    session.execute("set w5 = 0.2 at 1:3")
    assert names(session) == ["main", "edit-1"]
    assert session.debugger.branches.name == "edit-1"
    assert not is_name("edit-1")  # no weight is called so, as b1 is
    assert not session.debugger.view().state.same_bits(before)
    session.execute("branch main")
    assert session.debugger.view().state.same_bits(before)


def test_undo_takes_the_fork_back_and_redo_gives_it_again(session):
    session.execute("iteration 3")
    before = session.debugger.view().state
    session.execute("set w5 = 0.2 at 1:3")
    after = session.debugger.view().state
    session.execute("undo")
    assert names(session) == ["main"]
    assert session.debugger.view().state.same_bits(before)
    session.execute("redo")
    assert names(session) == ["main", "edit-1"]
    assert session.debugger.view().state.same_bits(after)
    with pytest.raises(DebuggerError, match="nothing to redo"):
        session.execute("redo")


def test_a_nudge_never_forks(session):
    session.execute("iteration 3")
    session.execute("nudge w5")
    session.execute("nudge w5")
    assert names(session) == ["main"]
    session.execute("undo")
    with pytest.raises(DebuggerError, match="nothing to undo"):
        session.execute("undo")


def test_undo_is_as_deep_as_the_session(session):
    session.execute("next 9")
    states = []
    for k in range(60):
        states.append(session.debugger.view().state)
        session.execute(f"set w{1 + k % 6} = {k / 100} at {k % 2}:{k % 9}" if k % 2 == 0 else f"set w5 = {k}")
    for state in reversed(states):
        session.execute("undo")
        assert session.debugger.view().state.same_bits(state)
    assert names(session) == ["main"]


def test_named_branches_make_a_tree(session):
    session.execute("iteration 2")
    assert session.execute("branch mine").lines[-1] == "a new branch mine; edits go to it from now on"
    session.execute("set lr = 0.01")
    session.execute("branch other")
    session.execute("branch main")
    session.execute("branch third")
    tree = [(depth, branch.name) for depth, branch in session.debugger.branches.tree()]
    assert tree == [(0, "main"), (1, "mine"), (2, "other"), (1, "third")]
    lines = session.execute("branches").lines
    assert lines[1] == "    mine left main at 1:9, reached 1:9: set lr = 0.01"
    assert lines[3] == "▸   third left main at 1:9, reached 1:9"
    session.execute("delete mine")
    assert [(depth, branch.name) for depth, branch in session.debugger.branches.tree()] == [
        (0, "main"), (1, "other"), (1, "third"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("branch", "write branch NAME"),
        ("branch a b", "write branch NAME"),
        ("branch ../x", "write branch NAME"),
        ("branch all", "no branch can be called all"),
        ("delete main", "is looked at"),
        ("delete nothing", "no branch is called nothing"),
        ("diff", "beside what"),
        ("diff nothing", "no branch .* and no network"),
    ],
)
def test_what_is_no_branch_is_refused(session, line, says):
    with pytest.raises((CommandError, DebuggerError), match=says):
        session.execute(line)


# Side by side


def test_the_articles_right_update_beside_the_sequential_mistake(session):
    session.execute("next 9")
    lines = session.execute("diff sequential").lines
    assert lines[0] == "main and sequential at 0:9"
    # −0.809 · 0.14 = −0.11326 with the old weights; −0.809 · 0.1743825 with the new ones.
    assert lines[1].startswith("they part at 0:6, z1.grad = z2.grad @ W2.T: [[-0.11326, ")
    assert " | [[-0.141075442" in lines[1]


def test_where_two_branches_part(session):
    session.execute("iteration 4")
    session.execute("set w5 = 0.5 at 2:4")
    found = session.debugger.diff("main")
    assert found.names == ("edit-1", "main")
    parting = found.parting
    assert parting is not None
    # w5 is read next by z1.grad, in the same iteration.
    assert (str(parting.position), parting.slot) == ("2:6", "z1.grad")
    assert [(name, edit.text) for name, edit in parting.edits] == [("edit-1", "set w5 = 0.5")]
    rows = {row.slot: row for row in found.rows}
    assert rows["x"].differing == 0
    assert rows["W2"].differing == 2
    assert rows["W2"].largest == np.abs(rows["W2"].left - rows["W2"].right).max()
    assert (found.losses[0][:3] == found.losses[1][:3]).all()
    assert found.losses[0][3] != found.losses[1][3]
    here = session.debugger.view().state
    session.execute("branch main")
    assert session.debugger.diff("edit-1").rows[0].slot == "x"
    session.execute("branch edit-1")
    assert session.debugger.view().state.same_bits(here)


def test_before_they_part_nothing_differs(session):
    session.execute("iteration 4")
    session.execute("set w5 = 0.5 at 3:4")
    session.execute("goto 3:2")
    assert session.execute("diff main").lines[1] == "nothing differs up to here"


@pytest.mark.parametrize(("place", "where"), [("0:0", "at the very start"), ("2:2", "by hand at 2:2")])
def test_where_a_hand_alone_has_changed_something_they_part_there(session, place, where):
    session.execute(f"goto {place}")
    session.execute("branch other")
    session.execute("set w5 = 0.5")
    lines = session.execute("diff main").lines
    assert lines[1] == f"only other: set w5 = 0.5 at {place}"
    assert lines[2].startswith(f"they part {where}: W2: [[0.5], [")
    assert lines[3].startswith("W2: [[0.5], [")


def test_another_network_parts_where_it_begins(session):
    assert session.execute("diff mazur").lines[1].startswith("they part at the very start: ")


def test_other_weights_part_at_the_very_start(session):
    session.execute("next 3")
    lines = session.execute("diff mazur").lines
    assert lines[1].startswith("they part at ")


# As JSON and back


def busy(session: Session) -> None:
    for line in (
        "iteration 3", "set w5 = 0.2 at 1:3", "next 2", "set W1 = [[1, 2], [3, 4]]", "nudge w6", "nudge w6", "undo",
        "branch mine", "step", "break on w5", "break if loss < 0.01 once", "ignore 1 2", "disable 2", "watch abs(W1).max()",
        "set z1[0, 0] = 7", "undo",
    ):  # fmt: skip
        session.execute(line)


def test_a_debuggers_state_survives_as_json(session):
    busy(session)
    kept = session.debugger.memento()
    text = json.dumps(kept, allow_nan=False)
    other = Debugger(load("article"))
    view = other.restore(json.loads(text))
    assert view.state.same_bits(session.debugger.view().state)
    assert other.memento() == kept
    for deed in (Debugger.undo, Debugger.undo, Debugger.redo, Debugger.redo, run_on, run_back):
        deed(session.debugger)
        deed(other)
        assert other.view().state.same_bits(session.debugger.view().state), deed.__name__
        assert other.memento() == session.debugger.memento()


def test_every_bit_of_an_edit_survives(session):
    session.execute("set W2 = [[1e-320], [0.1]]")
    session.execute("set W1 = [[0.0, -0.0], [0, 0]]")
    kept = session.debugger.memento()
    other = Debugger(load("article"))
    other.restore(json.loads(json.dumps(kept)))
    assert other.look(other.position).same_bits(session.debugger.look(session.debugger.position))


def test_hundreds_of_edits_are_told_in_short(session):
    """An edit tells of all those before it, and that must not take a line each time."""
    for k in range(300):
        session.execute(f"set w5 = {k}")
    before = session.debugger.memento()
    session.execute("set w5 = 7")
    after = session.debugger.memento()
    changed = {key: value for key, value in after.items() if before.get(key) is not value and before.get(key) != value}
    assert len(json.dumps(changed)) < 600
    other = Debugger(load("article"))
    other.restore(json.loads(json.dumps(after)))
    assert other.memento() == after


def test_what_a_command_changes_is_few_keys(session):
    busy(session)
    before = session.debugger.memento()
    session.execute("next")
    after = session.debugger.memento()
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert changed <= {"position", "reached/mine"}


@pytest.mark.parametrize(
    "change",
    [
        {"position": "1:99"},
        {"position": 7},
        {"branch": "nowhere"},
        {"edit/1": {"at": "0:0", "slot": "W9", "cells": 1, "values": 1.0, "text": "", "nudge": False}},
        {"edit/1": {"at": "0:0", "slot": "W1", "cells": [77], "values": 1.0, "text": "", "nudge": False}},
        {"edit/1": {"at": "0:0", "slot": "W1", "cells": 10**12, "values": 1.0, "text": "", "nudge": False}},
        {"edit/1": {"at": "0:0", "slot": "W1", "cells": [0], "values": "x", "text": "", "nudge": False}},
        {"edit/x": {}},
        {"branch/b": {"edits": "99", "parent": "main", "at": "0:0"}, "reached/b": "0:0"},
        {"branch/b": {"edits": "1-999999999999", "parent": "main", "at": "0:0"}, "reached/b": "0:0"},
        {"branch/b": {"edits": "", "parent": "main", "at": "0:0"}},
        {"branch/b": {"edits": "", "parent": "b", "at": "0:0"}, "reached/b": "0:0"},
        {"branch/b": []},
        {"undo/0": {}},
        {"breakpoint/1": {"stop": "if __import__", "enabled": True, "hits": 0, "ignore": 0, "once": False}},
        {"watch/1": "W1.__class__"},
        {"watch/1": None},
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(session, change):
    session.execute("iteration 2")
    before = session.debugger.memento()
    with pytest.raises(DebuggerError, match="does not fit") as caught:
        session.debugger.restore({**before, **change})
    assert "\n" not in str(caught.value)
    assert session.debugger.memento() == before
