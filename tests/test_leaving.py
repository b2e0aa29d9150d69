"""Where a run is left: all that there is to see of the last operation is there, and nothing is run again for it."""

from __future__ import annotations

import pytest

from bptui.commands.running import Pace
from bptui.commands.session import Session
from bptui.debugger.debugger import Debugger
from bptui.engine.player import Player
from bptui.files import specs


@pytest.mark.parametrize("name", ["article", "mazur", "moons", "digits"])
def test_what_was_there_before_the_last_update_is_kept(name, monkeypatch):
    """The same as in a debugger that went there."""
    session = Session(specs.load(name))
    begun = session.begin("run 9999")
    for _ in range(3):
        assert begun.portion(Pace(0.002)) is None
    again, usual = [], Player._run
    monkeypatch.setattr(Player, "_run", lambda self, t, n: again.append((t, n)) or usual(self, t, n))
    view = session.debugger.leave(begun.run)
    assert again == []
    other = Debugger(specs.load(name))
    there = other.goto(view.position)
    assert view.moment.index == there.moment.index
    assert view.moment.before.same_bits(there.moment.before)
    assert view.moment.after.same_bits(there.moment.after)
    assert {slot: array.tobytes() for slot, array in view.before.items()} == {
        slot: array.tobytes() for slot, array in there.before.items()
    }
