"""Text in a narrow room: what goes on of an equation stands under its first sign of equality."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from rich.cells import cell_len

_RELATION = re.compile(r" (?=[=←] )")
_MATRIX = re.compile(r"\[[^\]]*\]")
_TERM = re.compile(r" (?=[+−] )")
# What goes on of a part that is too long stands behind its sign of equality; of anything else further in.
_SIGN, _MORE = 2, 4
_GLUED = "\xa0·\xa0"


def broken(text: str, columns: int) -> list[str]:
    """The lines of a text: an equation is broken before a sign of equality, and before a plus in a part too long."""
    if cell_len(text) <= columns:
        return [text]
    first, *sides = _RELATION.split(text.rstrip())
    hanging, further = cell_len(first) + 1, min(len(text) - len(text.lstrip()) + _MORE, columns // 2)
    if not sides and not _TERM.search(first):
        return _told(first, columns, further)
    if hanging > columns // 2:
        hanging = further
        first, sides = "", [first, *sides]
    room = columns - hanging
    lines = [part for side in _filled(sides, room) for part in _terms(side, room, _SIGN)]
    return [f"{first} {lines[0]}" if first else lines[0], *(" " * hanging + part for part in lines[1:])]


def _filled(parts: Iterable[str], columns: int) -> list[str]:
    """Parts side by side as long as there is room."""
    lines: list[str] = []
    for part in parts:
        if lines and cell_len(lines[-1]) + 1 + cell_len(part) <= columns:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def _terms(side: str, columns: int, indent: int) -> Iterator[str]:
    """A side of an equation, the lines after the first indented."""
    if cell_len(side) <= columns:
        yield side
        return
    room = columns - indent
    lines = [part for line in _filled(_TERM.split(side), room) for part in _told(line, room)]
    yield lines[0]
    yield from (" " * indent + part for part in lines[1:])


def _told(text: str, columns: int, indent: int = 0) -> list[str]:
    """Broken at blanks, none beside the point of a product, nor in a matrix that fits."""
    glued = text.replace(" · ", _GLUED)
    whole = _MATRIX.sub(lambda found: found.group().replace(" ", "\xa0"), glued)
    kept = whole if max(map(len, whole.split(" "))) <= columns else glued
    made = textwrap.wrap(kept, max(8, columns), subsequent_indent=" " * indent, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in made]
