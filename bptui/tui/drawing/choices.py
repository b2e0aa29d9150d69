"""Lines of which one is chosen, and which choice stands on which line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.lines import Line, cut, width

HEADING = -1


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
