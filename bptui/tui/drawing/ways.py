"""The ways in which a formula can be set, of which the best is taken that there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, cached_property

from bptui.explain.formulas import Formula
from bptui.explain.pieces import piece
from bptui.tui.drawing.maths import (
    Box,
    Setter,
    aligned,
    beside,
    blank,
    brief,
    broken,
    flat,
    flowing,
    stacked,
    tall,
    text,
)
from bptui.tui.drawing.setting import AUTO, LINE, TWO

Rows = Sequence[Box]


class Ways:
    """The ways of setting a formula, the best first; each is worked out once, whether or not there is room for gaps."""

    def __init__(self, made: Formula, columns: int) -> None:
        self._made, self._columns = made, columns
        # At least a row and a result; a formula of one row is its own result.
        *self._rows, self._result = made.rows if len(made.rows) > 1 else (made.rows[0], piece(""))

    def best(self, rows: int, view: str, gap: int = 0) -> Box:
        """The first that there is room for; on as many lines as it needs where there is none."""
        ways = {AUTO: (self._in_two, self._on_lines), LINE: (self._on_lines,), TWO: (self._in_two,)}[view]
        for way in ways:
            for setter, boxes in way():
                width, height = self._size(setter, boxes, gap)
                if width <= self._columns and (height <= rows or view == TWO):
                    return self._under(setter, boxes, gap)
        return self._flowing

    def _in_two(self) -> Iterator[tuple[Setter, Rows]]:
        """With fractions, roots and powers: the more rows, the better it reads."""
        if self._brief is not None:
            result = flat(self._result)
            yield tall, [self._brief, *self._tall, result]
            yield tall, [self._brief, *self._long, result]
            yield tall, [self._brief, *self._long[1:], result]
            yield tall, [self._brief, result]
        yield from self._with_result(tall, self._tall)
        yield from self._with_result(tall, self._long)

    def _on_lines(self) -> Iterator[tuple[Setter, Rows]]:
        """A row a line, numbers under their names."""
        yield from self._with_result(flat, self._flat)

    def _with_result(self, setter: Setter, boxes: Rows) -> Iterator[tuple[Setter, Rows]]:
        """The result on a row of its own, or after the last."""
        if not self._result:
            yield setter, boxes
            return
        yield setter, [*boxes, flat(self._result)]
        yield setter, [*boxes[:-1], beside([boxes[-1], sign("="), flat(self._result)])]

    @cached_property
    def _tall(self) -> Rows:
        return aligned(self._rows, tall)

    @cached_property
    def _long(self) -> Rows:
        room = max(8, self._columns - tall(self._made.left).width - 4)
        return [broken(each, tall, room) or flowing(each, room) for each in self._rows]

    @cached_property
    def _flat(self) -> Rows:
        return aligned(self._rows, flat)

    @cached_property
    def _brief(self) -> Box | None:
        short = brief(self._rows[0])
        return None if short is None else tall(short)

    def _size(self, setter: Setter, boxes: Rows, gap: int) -> tuple[int, int]:
        """Columns and rows of the whole, without putting it together."""
        left, first = setter(self._made.left), boxes[0]
        above = max(left.baseline, first.baseline)
        below = max(left.height - left.baseline, first.height - first.baseline)
        heights = [above + below, *(box.height for box in boxes[1:])]
        gaps = sum(height > 1 for height in heights[:-1]) if gap else 0
        return left.width + len(_SIGNED) + max(box.width for box in boxes), sum(heights) + gaps

    def _under(self, setter: Setter, rows: Rows, gap: int) -> Box:
        """Rows under each other, their equals signs too; before the first what is computed; below fractions a gap."""
        left = setter(self._made.left)
        indent = blank(left.width + 1)
        boxes = _signed(self._made, [beside([text(" "), left]), *[indent] * (len(rows) - 1)], rows)
        if gap:
            last = boxes.pop()
            boxes = [*(part for box in boxes for part in (box, *[blank(0)] * (box.height > 1))), last]
        return stacked(boxes, 0, left=True)

    @cached_property
    def _flowing(self) -> Box:
        """Each row over as many lines as it needs; a name too long to stand before them has a line of its own."""
        left = beside([text(" "), flat(self._made.left)])
        indent = min(left.width, self._columns // 3)
        rows = [flowing(row, max(8, self._columns - indent - 3)) for row in self._made.rows]
        alone = left.width > indent
        gap = blank(indent)
        under = _signed(self._made, [gap if alone else left, *[gap] * (len(rows) - 1)], rows)
        return stacked([*[left] * alone, *under], 0, left=True)


_SIGNED = "  = "


def _signed(made: Formula, heads: Rows, rows: Rows) -> list[Box]:
    """Each row behind its head and a sign: what relates it to what is computed, or to the row before."""
    signs = [made.relation, *["="] * (len(rows) - 1)]
    return [beside([head, sign(each), row]) for head, each, row in zip(heads, signs, rows, strict=True)]


@cache
def sign(words: str) -> Box:
    """A sign between two parts, with a space on either side."""
    return text(f" {words} ", style="dim")
