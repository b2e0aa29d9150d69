"""Branches, undo and redo across them, and sessions that are kept: examples of what random walks found."""

from __future__ import annotations

import json

import networks
import numpy as np
import pytest
from driving import goto_text

from bptui.debugger.debugger import Debugger, DebuggerError
from bptui.engine.network import Network


def restored(debugger: Debugger) -> Debugger:
    """Another debugger with the state of this one, by way of a file's text."""
    fresh = Debugger(debugger.program.network)
    fresh.restore(json.loads(json.dumps(debugger.memento(), allow_nan=False)))
    return fresh


def tree(debugger: Debugger) -> list[tuple[int, str, str]]:
    return [(depth, branch.name, str(branch.at)) for depth, branch in debugger.branches.tree()]


def test_an_edit_of_what_was_visited_branches_and_undo_goes_back():
    debugger = Debugger(networks.article())
    debugger.next(9)
    debugger.set("w5", "0.2", "0:3")
    assert tree(debugger) == [(0, "main", "0:0"), (1, "edit-1", "0:3")]
    assert debugger.branches.name == "edit-1"
    debugger.undo()
    assert tree(debugger) == [(0, "main", "0:0")]
    debugger.redo()
    assert debugger.branches.name == "edit-1"
    assert debugger.evaluate("w5") != 0.2
    debugger.branch("main")
    assert not debugger.timeline.edits


def test_an_edit_ahead_of_what_was_visited_is_no_visit():
    debugger = Debugger(networks.article())
    debugger.next(2)
    debugger.set("w5", "0.2", "5:0")
    debugger.set("w5", "0.3", "3:0")
    assert list(debugger.branches.all) == ["main"]


def test_a_nudge_on_a_fresh_branch_leaves_the_other_alone():
    debugger = Debugger(networks.article())
    debugger.next(2)
    target = debugger.program.targets["w5"]
    debugger.nudge(target)
    debugger.branch("other")
    debugger.nudge(target)
    assert debugger.evaluate("w5") == pytest.approx(0.16)
    debugger.branch("main")
    assert debugger.evaluate("w5") == pytest.approx(0.15)
    # The last thing done was the nudge on the other branch: to take it back is to go there.
    debugger.undo()
    assert (debugger.branches.name, debugger.evaluate("w5")) == ("other", pytest.approx(0.15))


def test_undo_does_not_bring_back_where_a_branch_once_came_from():
    debugger = Debugger(networks.article())
    debugger.next(3)
    debugger.branch("a")
    debugger.branch("c")
    debugger.set("w5", "0.2")
    debugger.drop("a")
    debugger.undo()
    assert tree(debugger) == [(0, "main", "0:0"), (1, "c", "0:3")]
    assert tree(restored(debugger)) == tree(debugger)


def test_what_follows_on_a_branch_that_is_gone_can_not_be_given_again():
    debugger = Debugger(networks.article())
    debugger.next(3)
    debugger.branch("a")
    debugger.set("w5", "0.2", "0:1")
    debugger.set("w6", "0.2")
    debugger.undo()
    debugger.undo()
    debugger.branch("main")
    debugger.drop("a")
    with pytest.raises(DebuggerError, match="nothing to redo"):
        debugger.redo()


def test_a_branch_that_is_named_like_one_undone_is_not_written_over():
    debugger = Debugger(networks.article())
    debugger.next(9)
    debugger.set("w5", "0.2", "0:3")
    debugger.undo()
    debugger.next(2)
    debugger.branch("edit-1")
    with pytest.raises(DebuggerError, match="nothing to redo"):
        debugger.redo()
    assert not debugger.timeline.edits


# Sessions


def test_a_session_keeps_the_sign_of_a_zero():
    debugger = Debugger(networks.article())
    debugger.set("W1", "[[0, -0.0], [0, 0]]")
    view = restored(debugger).view()
    assert np.signbit(view.state.arrays["W1"]).tolist() == [[False, True], [False, False]]


def test_a_session_gives_no_number_twice():
    debugger = Debugger(networks.article())
    for text in ("1", "2"):
        debugger.add_breakpoint(text)
        debugger.watches.add(debugger.program, text)
    debugger.breakpoints.delete(2)
    debugger.watches.delete(2)
    fresh = restored(debugger)
    assert fresh.add_breakpoint("3").number == 3
    assert fresh.watches.add(fresh.program, "3") == 3


def test_a_session_far_on_is_taken_up_there():
    debugger = Debugger(networks.article(iterations=20_000_000))
    kept = debugger.memento() | {"position": "12345678:3", "reached/main": "12345678:3"}
    far = Debugger(networks.article(lr=0.0))
    # The way there is long: it is enough to see that the text is read.
    far.goto = lambda position: position  # type: ignore[method-assign,assignment]
    far.restore(kept)
    assert str(far.branches.reached["main"]) == "12345678:3"


def test_a_watch_shows_the_change_since_the_session_was_left():
    debugger = Debugger(networks.article())
    debugger.watches.add(debugger.program, "w5")
    debugger.next(9)
    debugger.watched()
    fresh = restored(debugger)
    for walker in (debugger, fresh):
        walker.next(9)
    (here,), (there,) = debugger.watched(), fresh.watched()
    assert here.change == there.change != 0


def broken(kept: dict, key: str, value: object) -> dict:
    return {**kept, key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("position", "0:99"),
        ("position", None),
        ("branch", "nowhere"),
        ("numbers", {}),
        ("breakpoint/1", {"stop": "if w99", "enabled": True, "hits": 0, "ignore": 0, "once": False}),
        ("watch/1", "w99"),
        ("branch/other", {"edits": "1-99999999999", "parent": "main", "at": "0:0"}),
        ("branch/other", {"edits": "99", "parent": "main", "at": "0:0"}),
        ("branch/other", {"edits": "", "parent": "none", "at": "0:0"}),
        ("branch/other", {"edits": "", "parent": "other", "at": "0:0"}),
        ("branch/main", {"edits": "", "parent": "main", "at": "0:0"}),
        ("edit/7", {"at": "0:0", "slot": "W9", "cells": 1, "values": 1.0, "text": "", "nudge": False}),
        ("edit/7", {"at": "0:0", "slot": "W1", "cells": 5, "values": 1.0, "text": "", "nudge": False}),
        ("edit/7", {"at": "0:0", "slot": "W1", "cells": [9], "values": 1.0, "text": "", "nudge": False}),
        ("edit/7", {"at": "0:0", "slot": "W1", "cells": [0], "values": "nan", "text": "", "nudge": False}),
        ("edit/7", {"at": "0:0", "slot": "W1", "cells": [0], "values": [1, 2], "text": "", "nudge": False}),
        ("edit/x", {}),
        ("undo/0", {"edit": 99, "before": {}, "after": {}, "left": "main", "entered": "main"}),
    ],
)
def test_a_session_that_does_not_fit_is_refused_and_nothing_is_changed(key, value):
    debugger = Debugger(networks.article())
    debugger.next(3)
    debugger.set("w5", "0.25")
    debugger.add_breakpoint("on w1")
    before = debugger.memento()
    with pytest.raises(DebuggerError, match="does not fit the network"):
        debugger.restore(broken(before, key, value))
    assert debugger.memento() == before


def test_a_session_of_another_network_is_refused():
    debugger = Debugger(networks.article())
    debugger.next(3)
    debugger.set("w5", "0.25")
    other = Debugger(networks.dying_net())
    with pytest.raises(DebuggerError):
        other.restore({**debugger.memento(), "watch/1": "w5"})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_survive_to_the_bit(dtype):
    network: Network = networks.softmax_net(dtype=dtype)
    debugger = Debugger(network)
    goto_text(debugger, "2:7")
    debugger.set("W1", "W1 / 3 + 1e-310" if dtype == "float64" else "W1 / 3 + 1e-42")
    debugger.set("a1", "a1 / 7")
    debugger.next(20)
    assert restored(debugger).view().state.same_bits(debugger.view().state)
