"""What there is to be opened: the examples, the specs in a folder, and those opened lately."""

from __future__ import annotations

import contextlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bptui.files import shelf
from bptui.files.examples import examples
from bptui.files.text import safe

# A spec longer than this is listed without being looked into; so many files of a folder are looked at.
_LOOKED_INTO, _FILES = 2**16, 500
# What every spec has one of.
_LAYERS = ("layers", "layer", "net")


@dataclass(frozen=True)
class Choice:
    """Something to be opened: the words for where it is from, the name to open it by, a line about it.

    anew  it is the network that is open, to be begun anew with other settings
    """

    group: str
    named: str
    title: str
    anew: bool = False


def choices(folder: Path | None) -> list[Choice]:
    """All of them, those opened lately first, then the folder's own, then the examples; without a folder only these."""
    built_in = [Choice("examples", name, title) for name, title in examples()]
    if folder is None:
        return built_in
    here = [Choice("in this folder", _shown(path, folder), title) for path, title in _specs(folder)]
    known = {choice.named for choice in here}
    lately = [_shown(path, folder) for path in shelf.lately()]
    return [
        *[Choice("opened lately", named, "") for named in lately if named not in known],
        *here,
        *built_in,
    ]


def _shown(path: Path, folder: Path) -> str:
    """A path as one types it from a folder; never one that is an example's name."""
    below = path.absolute().is_relative_to(folder.absolute())
    return str(path.absolute().relative_to(folder.absolute()) if below else path.absolute())


def _specs(folder: Path) -> Iterator[tuple[Path, str]]:
    """The specs among a folder's files, by name, each with its title."""
    found: list[Path] = []
    with contextlib.suppress(OSError):
        found = sorted(path for path in islice(folder.iterdir(), _FILES) if path.suffix.lower() in (".toml", ".json"))
    for path in found:
        title = _title(path)
        if title is not None:
            yield path, title


def _title(path: Path) -> str | None:
    """A spec's own line, "" where it has none; None for what is no spec. What can't be read may be one."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _LOOKED_INTO:
            return ""
        text = path.read_text("utf-8-sig")
        values = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    except (ValueError, RecursionError):
        return "has mistakes"
    if not isinstance(values, dict) or not any(key in values for key in _LAYERS):
        return None
    return safe(str(values.get("title", ""))[:200])
