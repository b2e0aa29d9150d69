"""What a step would show is made ready while nobody presses anything, and changes nothing that is to be seen."""

from __future__ import annotations

import asyncio

import pytest
from conftest import opened

import bptui as bp
from bptui.debugger import moves
from bptui.debugger.looking import Looking


@pytest.fixture
def thought(monkeypatch):
    """The positions from which the next moment has been thought of."""
    places, usual = asyncio.Queue(), Looking.foresee

    def foresee(self, position):
        found = usual(self, position)
        places.put_nowait(self.position)
        return found

    monkeypatch.setattr(Looking, "foresee", foresee)
    return places


def everything(debugger):
    state = debugger._player.state()
    return state.position, {n: a.tobytes() for n, a in state.arrays.items()}, state.computed, debugger.furthest


@pytest.mark.parametrize("key", ["n", "s", "i", "N", "S", "I"])
async def test_after_a_step_the_next_one_like_it_has_been_thought_of(key, thought, monkeypatch):
    """Neither the position nor a number nor what one has seen of the run is another; the step finds it made."""
    async with opened("mazur", (120, 40)) as reader:
        await reader.press("i", "n", "n", "n", "s", "s")
        await reader.press(key)
        before, shown = everything(reader.session.debugger), reader.text()
        while await asyncio.wait_for(thought.get(), 5) != reader.session.debugger.position:
            pass
        assert everything(reader.session.debugger) == before
        assert reader.text() == shown
        made = []
        usual = Looking._view
        monkeypatch.setattr(Looking, "_view", lambda self, earlier: made.append(self.position) or usual(self, earlier))
        here = reader.session.debugger.position
        await reader.tap(key)
        assert reader.session.debugger.position != here
        assert reader.session.debugger.position not in made


async def test_a_large_network_is_not_thought_ahead_of(monkeypatch):
    """No key waits for what nobody has asked for."""
    monkeypatch.setattr("bptui.debugger.looking._LIGHT", 3)
    asked = []
    monkeypatch.setattr(Looking, "foresee", lambda *_: asked.append(1))
    async with opened("xor", (120, 40)) as reader:
        await reader.press("n", "n")
        assert asked == []


async def test_an_operation_of_ones_own_is_carried_out_when_its_step_is_asked_for(monkeypatch):
    """It may take long, print something or draw numbers."""

    class Own(bp.Op):
        formula = "2x"

        def forward(self, x):
            return 2 * x

        def vjp(self, g, out, x):
            return (2 * g,)

    asked = []
    monkeypatch.setattr(Looking, "foresee", lambda *_: asked.append(1))
    net = bp.Net(bp.Dense(2), Own(), bp.Dense(1))
    async with opened(net.network([[1.0, 2.0]], [[1.0]]), (120, 40)) as reader:
        await reader.press("n", "n", "n")
        assert asked == []


async def test_the_loss_of_an_iteration_is_not_given_away():
    """Nobody has been there: the curve ends where one is, and what one has been at too."""
    async with opened("article", (120, 40)) as reader:
        debugger = reader.session.debugger
        await reader.press("i", "i", "n", "n")
        debugger.foresee(moves.forward(debugger.program, debugger.position, 1))
        await reader.press("N")
        assert len(debugger.ahead()[0]) == 2
        assert len(debugger.view().losses) == 2
