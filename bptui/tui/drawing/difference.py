"""Where a row of the screen is not as it was: only that is sent to the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from bptui.tui.drawing.lines import Line, Run, even, width

# An unchanged piece this short is written again: to go on behind it takes as many bytes.
_GAP = 6
# Words of a style that are seen where nothing is written.
_SEEN = ("cursor", "wash", "under", "strike", "on-")


Cells = tuple[str, list[str]]
# Lines that are kept taken apart.
_MOST = 4096
_UNKNOWN: Cells = ("", [])


class Difference:
    """Compares rows cell by cell; what it has learnt of styles is kept."""

    def __init__(self) -> None:
        self._blank: dict[str, str] = {}
        self._known: dict[tuple[Line, int], Cells | None] = {}

    def parts(self, was: Line, now: Line, columns: int) -> Iterator[tuple[int, list[Run]]]:
        """(column, runs) for each piece that has changed, from left to right; no line is longer than the columns."""
        before, after = self._cells(was, columns), self._cells(now, columns)
        if before is None or after is None:
            yield 0, [*now, (" " * (columns - width(now)), "plain")]
            return
        (letters, names), (letters_before, names_before) = after, before
        places = [
            x
            for x, (a, b, c, d) in enumerate(zip(letters, letters_before, names, names_before, strict=True))
            if a != b or c != d
        ]
        for first, end in _pieces(places):
            yield first, _runs(letters, names, first, end)

    def _cells(self, line: Line, columns: int) -> Cells | None:
        """What was made of a line before: nearly every line is compared twice, with the one before and the next."""
        cells = self._known.get((line, columns), _UNKNOWN)
        if cells is _UNKNOWN:
            if len(self._known) >= _MOST:
                self._known.clear()
            cells = self._known[line, columns] = self._made(line, columns)
        return cells

    def _made(self, line: Line, columns: int) -> Cells | None:
        """The letter and the style in each column, of blanks only what is seen of it; None where letters are wider."""
        if not even(line):
            return None
        names: list[str] = []
        for text, name in line:
            names += [self._seen(name) if text.isspace() else name] * len(text)
        letters = "".join([text for text, _ in line])
        return letters.ljust(columns), names + ["plain"] * (columns - len(names))

    def _seen(self, name: str) -> str:
        seen = self._blank.get(name)
        if seen is None:
            words = [word for word in name.split("+") if word.startswith(_SEEN)]
            seen = self._blank[name] = "+".join(words) or "plain"
        return seen


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


def _runs(letters: str, names: list[str], first: int, end: int) -> list[Run]:
    made: list[Run] = []
    for name, cells in groupby(range(first, end), names.__getitem__):
        places = list(cells)
        made.append((letters[places[0] : places[-1] + 1], name))
    return made
