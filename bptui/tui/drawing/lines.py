"""Lines of styled text, and what is done to them: measured, cut with a sign, wrapped."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

Run = tuple[str, str]
Line = tuple[Run, ...]
CUT = "…"
# What is none of the letters and signs of these blocks, which take one column each.
_uneven = re.compile(
    "[^ -~\xa1-\xac\xae-\u017f\u0370-\u03ff\u2010-\u2027\u2030-\u205e\u2070-\u20bf\u2100-\u214f\u2190-\u22ff"
    "\u2300-\u2319\u232b-\u23e8\u2500-\u25fc\u2713-\u2717\u27c0-\u28ff]"
).search


def line(*runs: Run | str) -> Line:
    """Runs of (text, style), plain where no style is given; empty ones are dropped."""
    made = tuple((run, "plain") if isinstance(run, str) else run for run in runs)
    return tuple(run for run in made if run[0])


def width(runs: Line) -> int:
    """How many columns a line takes."""
    text = "".join([text for text, _ in runs])
    return cell_len(text) if _uneven(text) else len(text)


def even(runs: Line) -> bool:
    """Whether each letter is known to take one column."""
    return _uneven("".join([text for text, _ in runs])) is None


def merged(runs: Iterable[Run]) -> list[Run]:
    """Runs of one style joined."""
    made: list[Run] = []
    for text, name in runs:
        if made and made[-1][1] == name:
            made[-1] = (made[-1][0] + text, name)
        else:
            made.append((text, name))
    return made


def cut(runs: Line, columns: int) -> Line:
    """A line that fits; where something had to go, a sign says so."""
    if width(runs) <= columns:
        return runs
    if columns < 1:
        return ()
    result: list[Run] = []
    left = columns - 1
    for text, name in runs:
        part = text if cell_len(text) <= left else set_cell_size(text, left)
        result.append((part, name))
        left -= cell_len(part)
        if left <= 0:
            break
    return (*result, (CUT, "dim"))


def spread(left: Line, right: Line, columns: int) -> Line:
    """One part at the left end, one at the right; the left is cut where both don't fit."""
    room = columns - width(right)
    left = cut(left, max(0, room - 1))
    return (*left, (" " * (room - width(left)), "plain"), *right) if room > 0 else cut(right, columns)


def rule(title: str, columns: int, *, focused: bool = False) -> Line:
    """A pane's title on a line."""
    text = f" {title} "
    bar = "━" if focused else "─"
    return line(
        (text, "focus+bold" if focused else "dim"),
        (bar * max(0, columns - cell_len(text) - 1), "plain" if focused else "faint"),
    )


def first_in_sight(seen: int, rows: int) -> int:
    """The first row of a window with a row somewhere in its middle.

    It is told by the moment alone, so that stepping back shows the same again; it moves half a window at a time, so
    that most steps leave all where it is.
    """
    half = max(1, rows // 2)
    return (seen - (rows - half) // 2) // half * half


def wrapped(text: str, columns: int, name: str = "plain", indent: str = "") -> list[Line]:
    """Text over as many lines as it needs, those after the first indented."""
    made = textwrap.wrap(text, max(8, columns), subsequent_indent=indent, break_long_words=True)
    return [line((part, name)) for part in made]
