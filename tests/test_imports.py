"""What is loaded when: the engine and the debugger know no screen, and asking for the version costs nothing."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

import bptui.commands
import bptui.debugger
import bptui.engine
import bptui.explain
import bptui.files

ROOMS = (bptui.engine, bptui.debugger, bptui.explain, bptui.commands, bptui.files)
SCREENS = {"textual", "rich"}


def python(code: str, **env: str) -> str:
    """What fresh Python prints."""
    settings = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")} | env
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=settings, timeout=60
    )
    return done.stdout


def loaded(code: str) -> set[str]:
    """The packages that fresh Python has loaded after running some code."""
    return set(python(f"{code}\nimport sys\nprint(*sorted(name.partition('.')[0] for name in sys.modules))").split())


def modules(room) -> list[str]:
    return [f"{room.__name__}.{found.name}" for found in pkgutil.iter_modules(room.__path__)]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_a_room_below_the_app_loads_no_screen(room):
    names = modules(room)
    assert names or room.__file__
    packages = loaded("\n".join(f"import {name}" for name in [room.__name__, *names]))
    assert not packages & SCREENS


@pytest.mark.parametrize("module", ["bptui.plain", "bptui.reports", "bptui.cli"])
def test_plain_mode_and_reports_load_no_screen(module):
    assert not loaded(f"import {module}") & SCREENS


def test_this_test_would_notice_a_screen():
    assert loaded("import rich") & SCREENS


def test_the_engine_loads_numpy_alone():
    code = "\n".join(f"import {name}" for name in modules(bptui.engine))
    others = {"tomllib", "torch", "hypothesis", "bptui.files"}
    assert "numpy" in loaded(code)
    assert not loaded(code) & others


@pytest.mark.parametrize("module", ["bptui", "bptui.cli"])
def test_importing_bptui_costs_nothing(module):
    assert not loaded(f"import {module}") & {"numpy", *SCREENS}


def test_the_version_loads_neither_numpy_nor_textual():
    code = "from bptui.cli import main\ntry:\n    main(['--version'])\nexcept SystemExit:\n    pass"
    assert not loaded(code) & {"numpy", *SCREENS}


@pytest.mark.parametrize("module", ["bptui", "bptui.engine.ops", "bptui.engine.machine", "bptui.cli"])
def test_one_blas_thread_is_asked_for_before_numpy_comes(module):
    code = f"""
import builtins, os
real, seen = builtins.__import__, []
def watched(name, *rest):
    if name == "numpy" and not seen:
        seen.append([os.environ.get(f"{{lib}}_NUM_THREADS") for lib in ("OMP", "OPENBLAS", "MKL")])
    return real(name, *rest)
builtins.__import__ = watched
import {module}
import numpy
print(seen[0])
"""
    assert python(code).strip() == "['1', '1', '1']"


def test_a_persons_own_setting_of_threads_is_kept():
    assert python("import bptui, os; print(os.environ['OMP_NUM_THREADS'])", OMP_NUM_THREADS="4").strip() == "4"
