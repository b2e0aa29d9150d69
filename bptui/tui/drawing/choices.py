"""Lines of which one is chosen, and which choice stands on which line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.lines import Line, cut, line, rule, width, wrapped

HEADING = -1
# Lines for the one that is chosen, in full.
_FULL = 3


@dataclass(frozen=True)
class Choices:
    """Lines, and the number of the choice that each is of; HEADING where it is none's.

    above, below  so many more lines there are before and after those of choices
    """

    lines: Sequence[Line] = ()
    of: Sequence[int] = ()
    above: int = 0
    below: int = 0

    def at(self, y: int) -> int:
        """The choice on a line, or HEADING."""
        return self.of[y] if 0 <= y < len(self.of) else HEADING

    def window(self, top: int, rows: int) -> Choices:
        """So many lines from one on, from as early as is needed to fill them."""
        top = max(0, min(top, len(self.lines) - rows))
        below = max(0, len(self.lines) - top - rows)
        return Choices(self.lines[top : top + rows], self.of[top : top + rows], top, below)

    def barred(self, columns: int) -> Choices:
        """The same with a bar beside the choices where there are more."""
        count = len(self.of)
        return replace(self, lines=[*barred(self.lines[:count], self.above, self.below, columns), *self.lines[count:]])

    def over(self, y: int) -> list[Line]:
        """The lines, the one that the mouse is over underlined if it can be chosen."""
        lines = list(self.lines)
        if self.at(y) != HEADING:
            lines[y] = tuple((text, f"{style}+under" if text.strip() else style) for text, style in lines[y])
        return lines


def here(made: Line, columns: int) -> Line:
    """The line of the chosen one, to its full width."""
    padded = (*made, (" " * max(0, columns - width(made)), "plain"))
    return tuple((text, f"{style}+cursor") for text, style in cut(padded, columns))


def with_full(every: Choices, chosen: int, title: str, text: str, columns: int, rows: int) -> Choices:
    """As many as there is room for with the chosen one in sight, and all that there is to say of it below."""
    full = _full(title, text, columns) if rows > 2 * _FULL + 2 else []
    room = rows - len(full)
    # With the first of its group that group's words are in sight too.
    shown = every.window(every.of.index(chosen) - room // 2, room)
    return replace(shown, lines=[*shown.lines, *[line("")] * (room - len(shown.lines)), *full])


def _full(title: str, text: str, columns: int) -> list[Line]:
    """Over as many lines as are kept for it."""
    said = wrapped(text, columns - 2, "plain")[: _FULL - 1]
    lines = [rule(title, columns), *(line(" ", *each) for each in said)]
    return [*lines, *[line("")] * (_FULL - len(lines))]
