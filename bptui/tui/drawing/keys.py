"""Keys and what they do, on one line: the foot of the screen, of a page, of a line that is typed."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.tui.drawing.lines import Line, cut, line, width

# A key, and a few words for what it does.
Hint = tuple[str, str]
_APART = "  "


def hints(keys: Sequence[Hint], columns: int) -> Line:
    """As many as there is room for; the last one, by which one leaves, stays."""
    shown = list(keys)
    while len(shown) > 1 and width(told(shown)) > columns:
        del shown[-2]
    return cut(told(shown), columns)


def told(keys: Sequence[Hint]) -> Line:
    """All of them: the key is what the eye looks for, the words are quiet."""
    parts = [((_APART if k else "") + key, f" {word}") for k, (key, word) in enumerate(keys)]
    return line(*(run for key, word in parts for run in ((key, "bold"), (word, "dim"))))
