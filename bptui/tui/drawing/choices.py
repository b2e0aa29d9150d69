"""Lines of which one is chosen, and which choice stands on which line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bptui.tui.drawing.lines import Line, cut, width

HEADING = -1


@dataclass(frozen=True)
class Choices:
    """Lines, and the number of the choice that each is of; HEADING where it is none's."""

    lines: Sequence[Line] = ()
    of: Sequence[int] = ()

    def at(self, y: int) -> int:
        """The choice on a line, or HEADING."""
        return self.of[y] if 0 <= y < len(self.of) else HEADING

    def window(self, top: int, rows: int) -> Choices:
        """So many lines from one on, from as early as is needed to fill them."""
        top = max(0, min(top, len(self.lines) - rows))
        return Choices(self.lines[top : top + rows], self.of[top : top + rows])

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
