"""The page of keys: sections of keys and what they do, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, cut, line, width, wrapped

# A column narrower than this would break nearly every line.
_NARROWEST = 50
_GAP = 3


@dataclass(frozen=True)
class Section:
    """A title, and rows of a key or sign and what it does; a row without a key is a sentence."""

    title: str
    rows: tuple[tuple[str, str], ...]


def manual(sections: Sequence[Section], columns: int) -> list[Line]:
    """All of them, side by side where that is wide enough, none torn apart."""
    count = max(1, min(2, (columns + _GAP) // (_NARROWEST + _GAP)))
    wide = (columns - _GAP * (count - 1)) // count
    blocks = [_section(section, wide) for section in sections]
    if count == 1:
        return [cut(each, columns) for block in blocks for each in block]
    left, right = _halves(blocks)
    return [_beside(left, right, k, wide) for k in range(max(len(left), len(right)))]


def _halves(blocks: Sequence[list[Line]]) -> tuple[list[Line], list[Line]]:
    """In two columns as even as they can be, in their order."""
    lengths = [len(block) for block in blocks]
    at = min(range(1, len(blocks) + 1), key=lambda k: max(sum(lengths[:k]), sum(lengths[k:])))
    return [each for block in blocks[:at] for each in block], [each for block in blocks[at:] for each in block]


def _beside(left: Sequence[Line], right: Sequence[Line], k: int, wide: int) -> Line:
    first = left[k] if k < len(left) else ()
    second = right[k] if k < len(right) else ()
    return line(*first, (" " * (wide - width(first) + _GAP), "plain"), *second) if second else first


def _section(section: Section, columns: int) -> list[Line]:
    """Its title, its rows with what they do under each other, and an empty line."""
    keys = max((len(key) for key, _ in section.rows), default=0)
    lines = [line((f" {safe(section.title)}", "bold"))]
    for key, does in section.rows:
        indent = keys + 4 if key else 2
        parts = wrapped(safe(does), columns - indent, "plain" if key else "dim")
        for n, part in enumerate(parts):
            lines.append(line((f"  {key:<{keys}}  " if key and n == 0 else " " * indent, "bold"), *part))
    return [*lines, ()]
