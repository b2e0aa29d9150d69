"""The colours, few and each with one meaning. A style is named by words joined with `+`: `pos+bold`."""

from __future__ import annotations

from functools import cache

from rich.style import Style

_WORDS = {
    "plain": Style(color="#c9d1d9"),
    "dim": Style(color="#7d8590"),
    "faint": Style(color="#484f58"),
    # The one accent: the operation at hand, what it reads and what it writes, and nothing else.
    "now": Style(color="#7ee787"),
    # Orange and blue survive colour blindness best; the sign is always a glyph too.
    "pos": Style(color="#ffb070"),
    "neg": Style(color="#79b8ff"),
    "bold": Style(bold=True),
    "italic": Style(italic=True),
    "strike": Style(strike=True),
    # The reader's own place: a ground of its own where the focus is, a line under it elsewhere.
    "cursor": Style(bgcolor="#2f4263"),
    "under": Style(underline=True),
    "wash": Style(bgcolor="#1c2b21"),
}


@cache
def style(name: str) -> Style:
    """The style that a name stands for."""
    result = _WORDS["plain"]
    for word in name.split("+"):
        result += _WORDS[word]
    return result
