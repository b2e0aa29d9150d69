"""Formulas set in two dimensions: boxes of text with a baseline, put beside, over and around each other.

A box is made from a piece of a formula; every text in it says which piece it is of, so that it can be styled and found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from bptui.explain.notation import DOT, MINUS, SPACED
from bptui.explain.pieces import Piece, piece
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, Run

# A name from a person's file takes no more columns than this.
_LONGEST = 40
_BAR, _OVER, _ROOT = "─", "_", "√"
_TALL = {"(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦", "|": "│││", "⌊": "⎢⎢⎣", "⌋": "⎥⎥⎦", "{": "⎧│⎩"}


class Ink(NamedTuple):
    """A text, and the piece that it is, or is part of; or a style of its own."""

    text: str
    of: Piece
    style: str = ""

    @property
    def is_bar(self) -> bool:
        """Whether it is the bar of a fraction."""
        return self.text.startswith(_BAR)


Look = Callable[[Ink], str]
Placed = tuple[int, int, int, Ink]


class Box(NamedTuple):
    """A rectangle with boxes in it, or one text; on row `baseline` stands what is beside it.

    inside  (columns from the left, rows from the top, box)
    """

    width: int
    height: int
    baseline: int
    inside: Sequence[tuple[int, int, Box]] = ()
    ink: Ink | None = None

    def placed(self) -> list[Placed]:
        """(row, column, width, text) of every text, in reading order."""
        return sorted(_placed(self, 0, 0), key=lambda place: place[:2])

    def at(self, x: int, y: int) -> Piece | None:
        """The piece that stands at a place."""
        return next((ink.of for row, left, width, ink in self.placed() if row == y and left <= x < left + width), None)

    def lines(self, look: Look) -> list[Line]:
        """Row by row, each as wide as the box."""
        rows: list[list[Run]] = [[] for _ in range(self.height)]
        ends = [0] * self.height
        for y, x, width, ink in self.placed():
            if x > ends[y]:
                rows[y].append((" " * (x - ends[y]), "plain"))
            rows[y].append((ink.text, ink.style or look(ink)))
            ends[y] = x + width
        return [
            tuple(runs) if end == self.width else (*runs, (" " * (self.width - end), "plain"))
            for runs, end in zip(rows, ends, strict=True)
        ]


def _placed(box: Box, x: int, y: int) -> list[Placed]:
    found = [] if box.ink is None else [(y, x, box.width, box.ink)]
    for right, down, part in box.inside:
        found += _placed(part, x + right, y + down)
    return found


# Boxes put together


@lru_cache(maxsize=8192)
def _measured(words: str) -> tuple[str, int]:
    made = safe(words)
    return made, cell_len(made)


def text(words: str, of: Piece | None = None, style: str = "") -> Box:
    """One line; a name from a person's file may be cut."""
    made, width = _measured(words[: 4 * _LONGEST])
    if width > _LONGEST and of is not None and of.cell is not None:
        made, width = set_cell_size(made, _LONGEST - 1) + "…", _LONGEST
    return Box(width, 1, 0, (), Ink(made, of or piece(words), style))


def blank(columns: int, rows: int = 1) -> Box:
    """Nothing, of some size."""
    return Box(columns, rows, 0)


def beside(boxes: Iterable[Box]) -> Box:
    """One after the other, on one baseline."""
    inside: list[tuple[int, int, Box]] = []
    made = list(boxes)
    above = max((box.baseline for box in made), default=0)
    x = below = 0
    for box in made:
        inside.append((x, above - box.baseline, box))
        x += box.width
        below = max(below, box.height - box.baseline)
    return Box(x, above + max(1, below), above, inside)


def stacked(boxes: Sequence[Box], baseline: int, *, left: bool = False) -> Box:
    """One under the other, in the middle or at the left; the baseline is a row of all of them."""
    width = max(box.width for box in boxes)
    inside: list[tuple[int, int, Box]] = []
    y = 0
    for box in boxes:
        inside.append((0 if left else (width - box.width) // 2, y, box))
        y += box.height
    return Box(width, y, baseline, inside)


def padded(box: Box, width: int) -> Box:
    """In the middle of so many columns."""
    if box.width >= width:
        return box
    return Box(width, box.height, box.baseline, (((width - box.width) // 2, 0, box),))


def divided(above: Box, below: Box, of: Piece | None = None) -> Box:
    """A fraction with its bar; the bar of one that holds fractions is longer than theirs."""
    width = max(above.width, below.width) + 2 * (above.height + below.height > 2)
    bar = _BAR * width
    return stacked([above, Box(width, 1, 0, (), Ink(bar, of or piece(bar))), below], above.height)


def raised(base: Box, exponent: Box) -> Box:
    """A power: the exponent's last row is above the base, or beside the first row of a tall one."""
    up = exponent.height - (base.height > 1)
    inside = ((0, up, base), (base.width, 0, exponent))
    return Box(base.width + exponent.width, base.height + up, base.baseline + up, inside)


def rooted(inside: Box) -> Box:
    """Under a root with its line over it."""
    sign = fence(_ROOT, inside)
    bar = _OVER * inside.width
    over = Box(inside.width, 1, 0, (), Ink(bar, piece(bar)))
    parts = ((sign.width, 0, over), (0, 1, sign), (sign.width, 1, inside))
    return Box(sign.width + inside.width, inside.height + 1, inside.baseline + 1, parts)


def fenced(opening: str, inside: Box, closing: str) -> Box:
    """In brackets as tall as it is."""
    return beside([fence(opening, inside), inside, fence(closing, inside)])


def fence(sign: str, inside: Box) -> Box:
    """A bracket as tall as what it is beside."""
    return _fence(sign, inside.height, inside.baseline)


@lru_cache(maxsize=256)
def _fence(sign: str, height: int, baseline: int) -> Box:
    if height == 1:
        return text(sign)
    signs = _TALL.get(sign, f"╱╱{sign}")
    signs = signs[0] + signs[1] * (height - 2) + signs[2]
    return Box(1, height, baseline, [(0, y, text(each)) for y, each in enumerate(signs)])


def table(rows: Sequence[Sequence[Box]]) -> Box:
    """Rows and columns of boxes of one line, right-aligned, in brackets."""
    widths = [max(box.width for box in column) for column in zip(*rows, strict=True)]
    inside: list[tuple[int, int, Box]] = []
    for y, boxes in enumerate(rows):
        end = -2
        for box, width in zip(boxes, widths, strict=True):
            end += width + 2
            inside.append((end - box.width, y, box))
    return fenced("[", Box(sum(widths) + 2 * (len(widths) - 1), len(rows), (len(rows) - 1) // 2, inside), "]")


# Pieces as boxes


def flat(part: Piece) -> Box:
    """A piece on one line."""
    return beside(text(leaf, leaf) for leaf in part.flat())


def tall(part: Piece) -> Box:
    """A piece in two dimensions, where it has any."""
    setter = _TWO.get(part.kind)
    return text(part, part) if setter is None else setter(part)


def _derivative(part: Piece) -> Box:
    above, below, *said = part.parts
    made = divided(text(f"∂{_short(above)}", part), text(f"∂{_short(below)}", part), part)
    return beside([made, *(text(each, part) for each in said if each)])


def _series(part: Piece) -> Box:
    start, end, term = part.parts
    sign = stacked([text(end), text("Σ"), text(start)], 1)
    inside = tall(term)
    return beside([sign, text(" "), fenced("(", inside, ")") if " + " in term or " − " in term else inside])


def _power(part: Piece) -> Box:
    base, exponent = part.parts
    return _to_the(base, tall(base), exponent)


def _to_the(base: Piece, made: Box, exponent: Piece) -> Box:
    """A power; where the base is no more on one line it gets brackets, unless it has them."""
    if exponent == "²" and made.height == 1:
        return beside([made, text("²")])
    made = fenced("(", made, ")") if made.height > 1 and base.kind in ("derivative", "fraction", "power") else made
    return raised(made, text("²") if exponent == "²" else tall(exponent))


def _row(part: Piece) -> Box:
    return beside(map(tall, _loosened(part).parts))


def _loosened(part: Piece) -> Piece:
    """A product without the brackets around its fractions, whose bars say as much."""
    if part.kind != "row":
        return part
    signs = [each.strip() == DOT for each in part.parts]
    parts = list(part.parts)
    for k, each in enumerate(part.parts):
        fraction = each.parts[0] == "(" and each.parts[1].kind == "fraction" if each.kind == "brackets" else False
        if fraction and any(signs[max(0, k - 1) : k + 2]):
            parts[k] = each.parts[1]
    return Piece(part, part.kind, parts)


def _cases(part: Piece) -> Box:
    this, condition, other = part.parts
    first, second = tall(this), tall(other)
    width = max(first.width, second.width) + 2
    gaps = [blank(width - box.width) for box in (first, second)]
    rows = [beside([first, gaps[0], text("if "), tall(condition)]), beside([second, gaps[1], text("otherwise")])]
    both = stacked(rows, rows[0].height - 1, left=True)
    return beside([fence("{", both), text(" "), both])


def _short(name: str) -> str:
    """A name as it stands in a fraction, not longer than it may be."""
    return name if len(name) < _LONGEST else name[: _LONGEST - 2] + "…"


_TWO: Mapping[str, Callable[[Piece], Box]] = {
    "derivative": _derivative,
    "row": _row,
    "sum": lambda part: beside(map(tall, part.parts)),
    "series": _series,
    "brackets": lambda part: fenced(part.parts[0], tall(part.parts[1]), part.parts[2]),
    "fraction": lambda part: divided(tall(part.parts[0]), tall(part.parts[1])),
    "power": _power,
    "root": lambda part: rooted(tall(part.parts[0])),
    "cases": _cases,
}


def brief(part: Piece) -> Piece | None:
    """The same with every sum that is not shown whole as a series; None where there is none such."""
    if part.kind == "sum" and part.brief is not None:
        return part.brief()
    parts = [brief(each) for each in part.parts]
    if part.kind not in ("row", "sum", "brackets", "fraction") or not any(parts):
        return None
    made = [short or each for short, each in zip(parts, part.parts, strict=True)]
    sign = " / " if part.kind == "fraction" else ""
    return Piece(sign.join(made), part.kind, made)


# Rows under each other

Setter = Callable[[Piece], Box]


def aligned(pieces: Sequence[Piece], setter: Setter) -> list[Box]:
    """Pieces that say the same in other words, each part as wide as the part under it: a number is under its name."""
    kinds = [_family(each) for each in pieces]
    first = next((kind for kind in kinds if kind), None)
    alike = [k for k, kind in enumerate(kinds) if kind and kind == first]
    made = dict(zip(alike, _alike([pieces[k] for k in alike], setter), strict=True)) if len(alike) > 1 else {}
    boxes = [made[k] if k in made else setter(each) for k, each in enumerate(pieces)]
    width = max(box.width for box in boxes)
    return [padded(box, width) for box in boxes]


def _family(part: Piece) -> tuple[str, int] | None:
    """What can be aligned with what, part by part; brackets around a row make no difference."""
    inside = part.inside
    if inside is not None:
        return _family(inside) or ("brackets", 1)
    if part.kind in ("row", "sum"):
        return "row", len(part.parts)
    if part.kind == "fraction" or (part.kind == "power" and part.parts[1] == "²"):
        return part.kind, 2
    return None


def _alike(pieces: Sequence[Piece], setter: Setter) -> list[Box]:
    """Pieces of one family."""
    if any(each.kind == "brackets" for each in pieces):
        return _in_brackets(pieces, setter)
    pieces = [_loosened(each) for each in pieces] if setter is tall else pieces
    columns = [aligned(parts, setter) for parts in zip(*(each.parts for each in pieces), strict=True)]
    boxes = list(zip(*columns, strict=True))
    if pieces[0].kind == "fraction":
        return [divided(*pair) if setter is tall else setter(each) for each, pair in zip(pieces, boxes, strict=True)]
    if pieces[0].kind == "power":
        return [_to_the(each.parts[0], pair[0], each.parts[1]) for each, pair in zip(pieces, boxes, strict=True)]
    wide = any(_is_product(part) for each in pieces for part in each.parts)
    return [
        beside(_spaced(part, box, wide=wide) for part, box in zip(each.parts, made, strict=True))
        for each, made in zip(pieces, boxes, strict=True)
    ]


def _in_brackets(pieces: Sequence[Piece], setter: Setter) -> list[Box]:
    """Where only some have brackets, the others have blanks in their place."""
    inside = aligned([each.inside or each for each in pieces], setter)
    return [
        fenced(each.parts[0], box, each.parts[2]) if each.kind == "brackets" else beside([blank(1), box, blank(1)])
        for each, box in zip(pieces, inside, strict=True)
    ]


def _is_product(part: Piece) -> bool:
    return part.kind == "row" and any(each.strip() == DOT for each in part.parts)


def _spaced(part: Piece, box: Box, *, wide: bool) -> Box:
    """A sign with more room around it than on one line: what is aligned has gaps of its own."""
    if part == DOT:
        return text(SPACED, part)
    return text(f" {part} ", part) if wide and part in (" + ", f" {MINUS} ") else box


# A row that is too long


def broken(part: Piece, setter: Setter, columns: int) -> Box | None:
    """A piece over as many rows as it needs, broken before its signs; None where a part of it is too wide."""
    rows: list[list[Box]] = [[]]
    room = columns
    for words in _unbreakable(part):
        box = beside(map(setter, words))
        if box.width > columns:
            return None
        if box.width > room and rows[-1]:
            rows.append([])
            room = columns
        rows[-1].append(box)
        room -= box.width
    made = [beside(each) for each in rows]
    return stacked(made, made[0].baseline, left=True)


def _unbreakable(part: Piece) -> Iterator[list[Piece]]:
    """A row's parts, each sign with what follows it."""
    group: list[Piece] = []
    for each in _flattened(part):
        if each.kind == "text" and each.startswith(" ") and each.endswith(" ") and group:
            yield group
            group = []
        group.append(each)
    yield group


def _flattened(part: Piece) -> Iterator[Piece]:
    if part.kind not in ("row", "sum"):
        yield part
        return
    for each in part.parts:
        yield from _flattened(each)


def flowing(part: Piece, columns: int) -> Box:
    """A piece on one line after another, broken at spaces, and where there is none anywhere."""
    lines: list[list[Ink]] = [[]]
    room = columns
    for word in _words(part):
        if lines[-1] and _width(word) > room:
            lines.append([])
            room = columns
        for words, of in word:
            for shown in _cut_up(words, columns):
                if lines[-1] and cell_len(shown.rstrip()) > room:
                    lines.append([])
                    room = columns
                lines[-1].append(Ink(shown, of))
                room -= cell_len(shown)
    return stacked([_line(inks) for inks in lines], 0, left=True)


def _line(inks: list[Ink]) -> Box:
    """Texts one after the other, without the space at the end."""
    if inks:
        inks = [*inks[:-1], inks[-1]._replace(text=inks[-1].text.rstrip())]
    return beside(Box(cell_len(ink.text), 1, 0, (), ink) for ink in inks)


def _width(word: list[tuple[str, Piece]]) -> int:
    return cell_len("".join(words for words, _ in word).rstrip())


def _cut_up(words: str, columns: int) -> Iterator[str]:
    """A text in parts that fit."""
    while cell_len(words.rstrip()) > columns:
        part = set_cell_size(words, columns).rstrip()
        yield part
        words = words[len(part) :]
    yield words


def _words(part: Piece) -> Iterator[list[tuple[str, Piece]]]:
    """Words, each up to and with the space after it, and whose their texts are."""
    word: list[tuple[str, Piece]] = []
    for leaf in part.flat():
        for text in re.findall(r"\S+\s*|\s+", safe(leaf)):
            word.append((text, leaf))
            if text.endswith(" "):
                yield word
                word = []
    if word:
        yield word
