"""The built-in networks."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from bptui.engine.network import nearest

# The order in which they are told; what else lies in the folder follows by name.
_FIRST = ("article", "mazur", "xor", "sequential", "moons", "iris", "digits", "lenet", "transformer", "lstm")


@cache
def example_names() -> tuple[str, ...]:
    """Their names, the first to learn from first."""
    found = sorted(item.name[:-5] for item in _folder().iterdir() if item.name.endswith(".toml"))
    return tuple(sorted(found, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)))


def example_text(name: str) -> str:
    """An example's spec."""
    return _folder().joinpath(f"{name}.toml").read_text("utf-8")


def _folder() -> Traversable:
    return files("bptui").joinpath("examples")


@cache
def examples() -> tuple[tuple[str, str], ...]:
    """(name, title) of every example."""
    return tuple((name, str(tomllib.loads(example_text(name)).get("title", ""))) for name in example_names())


def suggest_example(source: str) -> str:
    """` (did you mean …?)` with the example that a missing file may have meant, or nothing."""
    return nearest(Path(source).stem[:50], example_names())
