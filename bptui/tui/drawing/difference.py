"""Where a row of the screen is not as it was: only that is sent to the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from rich.cells import cell_len

from bptui.engine.network import Array
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Line, even, width
from bptui.tui.drawing.look import Look

# An unchanged piece this short is written again: to go on behind it takes more bytes, where its style is the same.
_GAP = 2
# Words of a style that are seen where nothing is written; and those that may be seen in the colour of its letters.
_SEEN = ("cursor", "focus", "wash", "under", "strike", "on-")
_INKED = frozenset({"cursor", "focus", "under", "strike"})
# A column, and from there on a text of one style.
Part = tuple[int, str, str]
# A row taken apart: its letters, and in each column the letter and the style as one number.
Cells = tuple[str, Array]
_MOST = 4096
_STYLES = 21  # bits that a letter takes
_UNKNOWN: Cells = ("", np.zeros(0, np.int64))


class Difference:
    """Compares rows, as a look shows them, cell by cell; what it has learnt of styles and of lines is kept."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._names = ["plain"]
        self._numbers = {"plain": 0}
        self._blank: dict[str, int] = {}
        # For each number of a style whether it looks like no style where nothing is written.
        self._airy = [True]
        self._known: dict[tuple[Line, int], Cells | None] = {}
        self._parts: Kept[Sequence[Part]] = Kept(_MOST)

    def parts(self, was: Line, now: Line, columns: int) -> Sequence[Part]:
        """Each run of one style that has changed, from left to right."""
        return self._parts.get((was, now, columns), lambda: tuple(self._changed(was, now, columns)))

    def _changed(self, was: Line, now: Line, columns: int) -> Iterator[Part]:
        before, after = self._cells(was, columns), self._cells(now, columns)
        if before is None or after is None:
            yield from _whole(self._look.fitted(now, columns), columns)
            return
        letters, cells = after
        for first, end in _pieces(np.flatnonzero(cells != before[1]).tolist()):
            yield from self._runs(letters, cells, first, end)

    def _cells(self, line: Line, columns: int) -> Cells | None:
        """What was made of a line before: nearly every line is compared twice, with the one before and the next."""
        cells = self._known.get((line, columns), _UNKNOWN)
        if cells is _UNKNOWN:
            if len(self._known) >= _MOST:
                self._known.clear()
            cells = self._known[line, columns] = self._made(line, columns)
        return cells

    def _made(self, line: Line, columns: int) -> Cells | None:
        """Of blanks only what is seen of their style; None where letters are wider than a column."""
        line = self._look.fitted(line, columns)
        if not even(line):
            return None
        letters = "".join([text for text, _ in line]).ljust(columns)
        cells = np.frombuffer(letters.encode("utf-32-le"), np.uint32).astype(np.int64)
        styles = [self._seen(name) if text.isspace() else self._number(name) for text, name in line]
        numbers = np.repeat(np.array(styles, np.int64), [len(text) for text, _ in line])
        cells[: len(numbers)] |= numbers << _STYLES
        return letters, cells

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
            self._airy.append(self._seen(name) == 0)
        return number

    def _seen(self, name: str) -> int:
        seen = self._blank.get(name)
        if seen is None:
            words = name.split("+")
            kept = words if _INKED.intersection(words) else [word for word in words if word.startswith(_SEEN)]
            seen = self._blank[name] = self._number("+".join(kept) or "plain")
        return seen

    def _runs(self, letters: str, cells: Array, first: int, end: int) -> Iterator[Part]:
        """Blanks go with the run that they are beside, where they look alike in its style."""
        begun, style, airy = first, 0, self._airy
        for number, alike in groupby((cells[first:end] >> _STYLES).tolist()):
            last = first + len(list(alike))
            if number == 0 and airy[style] and letters[first:last].isspace():
                pass
            elif style == 0 and airy[number] and letters[begun:first].isspace():
                style = number
            elif number != style:
                if begun < first:
                    yield begun, letters[begun:first], self._names[style]
                begun, style = first, number
            first = last
        yield begun, letters[begun:end], self._names[style]


def _whole(line: Line, columns: int) -> Iterator[Part]:
    """All of a row, its end included."""
    x = 0
    for text, name in (*line, (" " * (columns - width(line)), "plain")):
        yield x, text, name
        x += cell_len(text)


def _pieces(places: list[int]) -> Iterator[tuple[int, int]]:
    """From the first to behind the last of those that are near each other."""
    if not places:
        return
    first = last = places[0]
    for place in places:
        if place - last > _GAP:
            yield first, last + 1
            first = place
        last = place
    yield first, last + 1
