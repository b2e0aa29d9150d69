"""What a step would show is made ready while nobody presses anything, and changes nothing that is to be seen."""

from __future__ import annotations

import asyncio

import pytest
from conftest import opened

from bptui.debugger.looking import Looking
from bptui.engine.player import Player


@pytest.fixture
def thought(monkeypatch):
    """Is set when the next moment has been thought of."""
    there, usual = asyncio.Event(), Looking.foresee

    def foresee(self, position):
        there.set()
        return usual(self, position)

    monkeypatch.setattr(Looking, "foresee", foresee)
    return there


def everything(debugger):
    state = debugger._player.state()
    return state.position, {n: a.tobytes() for n, a in state.arrays.items()}, state.computed, debugger.furthest


@pytest.mark.parametrize("key", ["n", "s", "i", "N", "S", "I"])
async def test_after_a_step_the_next_one_like_it_has_been_thought_of(key, thought, monkeypatch):
    """Neither the position nor a number nor what one has seen of the run is another; the step finds it made."""
    async with opened("mazur", (120, 40)) as reader:
        await reader.press("i", "n", "n", "n", "s", "s")
        thought.clear()
        await reader.press(key)
        before, shown = everything(reader.session.debugger), reader.text()
        await asyncio.wait_for(thought.wait(), 5)
        assert everything(reader.session.debugger) == before
        assert reader.text() == shown
        made = []
        usual = Looking._view
        monkeypatch.setattr(Looking, "_view", lambda self, earlier: made.append(self.position) or usual(self, earlier))
        here = reader.session.debugger.position
        await reader.tap(key)
        assert reader.session.debugger.position != here
        assert reader.session.debugger.position not in made


async def test_what_goes_wrong_on_the_way_ahead_is_said_by_the_step_alone(thought, monkeypatch):
    async with opened("article", (120, 40)) as reader:
        await reader.press("n")
        await asyncio.wait_for(thought.wait(), 5)
        shown, usual, asked = reader.text(), Player.goto, []

        def goto(self, timeline, position):
            asked.append(position)
            if position.op == 3:
                raise ZeroDivisionError
            usual(self, timeline, position)

        monkeypatch.setattr(Player, "goto", goto)
        reader.session.debugger.next()
        reader.app.screen._show()
        reader.app.screen._foresee("next")
        assert asked[-1].op == 2
        assert any(place.op == 3 for place in asked)
        assert reader.position == "0:2"
        assert reader.text() != shown


async def test_a_large_network_is_not_thought_ahead_of(monkeypatch):
    """No key waits for what nobody has asked for."""
    monkeypatch.setattr("bptui.tui.screens.showing._LIGHT", 3)
    asked = []
    monkeypatch.setattr(Looking, "foresee", lambda *_: asked.append(1))
    async with opened("xor", (120, 40)) as reader:
        await reader.press("n", "n")
        assert asked == []
