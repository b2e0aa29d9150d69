"""A grid of characters with fine lines between them, drawn in braille dots."""

from __future__ import annotations

from bptui.tui.drawing.lines import Line, Run

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

# Dots from one dash to the next.
_DASH = 6


class Canvas:
    """Text and lines; text covers lines, and what is drawn later covers what was there."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self._text: dict[tuple[int, int], tuple[str, str]] = {}
        self._dots: dict[tuple[int, int], tuple[int, str]] = {}

    def write(self, x: int, y: int, text: str, style: str = "plain") -> None:
        """Text from a cell on; what falls outside is left out."""
        for k, character in enumerate(text):
            if 0 <= x + k < self.columns and 0 <= y < self.rows:
                self._text[x + k, y] = (character, style)

    def free(self, x: int, y: int, length: int, over: str = "") -> bool:
        """Whether a stretch of a row lies inside and holds no text, nor touches any, but for the characters `over`."""
        inside = x >= 0 and x + length <= self.columns and 0 <= y < self.rows
        around = (self._text.get((k, y), (" ", ""))[0] for k in range(x - 1, x + length + 1))
        return inside and all(character == " " or character in over for character in around)

    def dot(self, x: int, y: int, style: str) -> None:
        """One dot, in a grid of 2 × 4 for each cell."""
        cell = (x // 2, y // 4)
        if 0 <= cell[0] < self.columns and 0 <= cell[1] < self.rows:
            bits = self._dots.get(cell, (0, ""))[0]
            self._dots[cell] = (bits | _DOTS[y % 4][x % 2], style)

    def stroke(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        style: str,
        *,
        broken: bool = False,
        below: int | None = None,
    ) -> None:
        """A straight line between two places given in cells; broken into dashes, and only above a row, if wanted."""
        x0, y0, x1, y1 = (round(v) for v in (start[0] * 2, start[1] * 4, end[0] * 2, end[1] * 4))
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        steep = abs(y1 - y0) > abs(x1 - x0)
        for k in range(steps + 1):
            x, y = round(x0 + (x1 - x0) * k / steps), round(y0 + (y1 - y0) * k / steps)
            if (below is None or y < 4 * below) and not (broken and (y if steep else x) % _DASH >= _DASH // 2):
                self.dot(x, y, style)

    def box(self, x: int, y: int, columns: int, rows: int, title: str, style: str) -> None:
        """A rounded box with a title in its upper edge, empty inside."""
        for k in range(1, rows - 1):
            self.write(x, y + k, "│" + " " * (columns - 2) + "│", style)
        self.write(x, y, "╭" + "─" * (columns - 2) + "╮", style)
        self.write(x, y + rows - 1, "╰" + "─" * (columns - 2) + "╯", style)
        self.write(x + 1, y, f" {title} ", style)

    def lines(self) -> list[Line]:
        """The picture, row by row, runs of one style merged."""
        return [self._line(y) for y in range(self.rows)]

    def _line(self, y: int) -> Line:
        runs: list[Run] = []
        for x in range(self.columns):
            character, style = self._cell(x, y)
            if runs and runs[-1][1] == style:
                runs[-1] = (runs[-1][0] + character, style)
            else:
                runs.append((character, style))
        return tuple(runs)

    def _cell(self, x: int, y: int) -> tuple[str, str]:
        if (x, y) in self._text:
            return self._text[x, y]
        if (x, y) in self._dots:
            bits, style = self._dots[x, y]
            return chr(0x2800 + bits), style
        return " ", "plain"
