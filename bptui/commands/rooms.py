"""Which room carries out which word. A room is loaded when one of its words comes first: a start waits for none."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from bptui.commands.answer import Answer, Context
from bptui.commands.running import Begun

_WORDS = {
    "moving": "next back step step-back finish start iteration-back to to-back",
    "running": "continue reverse-continue until when iteration run goto",
    "editing": "set nudge undo redo",
    "stopping": "break breakpoints delete enable disable ignore watch watches unwatch",
    "branching": "branches branch diff",
    "looking": "print list info formulas check find help",
    "describing": "describe curve",
    "plotting": "plot",
    "filing": "save load open quit",
    "renewing": "restart reload",
    "origins": "origin uses explain why",
    "predicting": "predict",
    "sweeping": "sweep",
    "touring": "tour",
    "folding": "fold",
    "copying": "copy",
}
ROOMS = {word: room for room, words in _WORDS.items() for word in words.split()}
# What looks at `stopped` on its way.
BREAKABLE = frozenset((*_WORDS["running"].split(), "reload", "sweep"))

Deed = Callable[[Context, str], Begun | Answer]


def deed(word: str) -> Deed:
    """What carries out a word of the registry."""
    room: Any = import_module(f"bptui.commands.{ROOMS[word]}")
    found: Deed = {**getattr(room, "VERBS", {}), **getattr(room, "RUNS", {})}[word]
    return found
