"""A drawing with a few lines of words: beside it where there is room, else below."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bptui.tui.drawing.lines import Line, cut, line, width
from bptui.tui.drawing.numbers import decimals, signed

Facts = list[Line]
# The words need so many columns, and are set beside the drawing where that keeps so many; below only with so many rows.
_WORDS, _DRAWING, _ROWS = 36, 38, 9
# Blanks before words that stand beside the drawing, and after them.
_BEFORE, _AFTER = 2, 1


def beside(draw: Callable[[int, int], list[Line]], facts: Facts, columns: int, rows: int) -> list[Line]:
    """The drawing, made for the size that is left to it, and the words."""
    wide, high = left_to(facts, columns, rows)
    lines = draw(wide, high)
    if high < rows or wide == columns - 1:
        return [*lines, *(cut(fact, columns - 1) for fact in facts[: rows - high])]
    words = [cut(fact, columns - wide - _BEFORE - _AFTER) for fact in facts[:rows]]
    gap = (" " * _BEFORE, "plain")
    return [line(*drawn, gap, *words[k]) if k < len(words) else drawn for k, drawn in enumerate(lines)]


def left_to(facts: Facts, columns: int, rows: int) -> tuple[int, int]:
    """The columns and rows of the drawing."""
    room = min(_WORDS, max(map(width, facts), default=0)) + _BEFORE + _AFTER
    if columns - room >= _DRAWING:
        return columns - room, rows
    return columns - 1, rows - max(0, min(len(facts), rows - _ROWS + 1))


def figure(value: float) -> str:
    """A number on its own, signed, four digits of it."""
    return signed(value, decimals(np.array([value]), 1)).strip()
