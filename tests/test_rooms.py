"""The words of the command language and the rooms that carry them out."""

from __future__ import annotations

import importlib
import subprocess
import sys

from bptui.commands.registry import COMMANDS
from bptui.commands.rooms import _WORDS, ROOMS, deed

# What only the app does: its screens carry these out.
OF_SCREENS = {"theme", "view", "look", "mark", "play"}


def test_each_room_has_its_words_and_no_others():
    for room, words in _WORDS.items():
        module = importlib.import_module(f"bptui.commands.{room}")
        assert set(words.split()) == {*getattr(module, "VERBS", {}), *getattr(module, "RUNS", {})}, room
        assert all(callable(deed(word)) for word in words.split())


def test_every_word_of_the_registry_has_a_room():
    assert {row.verb for row in COMMANDS if row.verb} - set(ROOMS) <= OF_SCREENS


def test_a_start_loads_no_room_that_is_not_asked_for():
    code = (
        "import sys; from bptui.commands.session import Session; import bptui.tui.app;"
        "print(*(name for name in sys.modules if name.startswith('bptui.')))"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    unasked = "engine.gradcheck", "engine.stacks", "debugger.sweeps", "debugger.probing.knobs"
    for name in (*unasked, "explain.spoken", "explain.formulas", "tui.screens.dialogs"):
        assert f"bptui.{name}" not in loaded, name


def test_a_step_loads_nothing_that_speaks():
    code = (
        "import sys; from bptui.commands.session import Session; from bptui.files import specs;"
        "session = Session(specs.load('article')); session.execute('watch loss'); session.execute('next');"
        "print(*(name for name in sys.modules if 'spoken' in name or 'speaking' in name))"
    )
    assert not subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
