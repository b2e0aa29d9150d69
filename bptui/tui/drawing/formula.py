"""The formula pane: the formula of the operation and the cell at hand, the same seen in other ways, and a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bptui.explain.cells import ravelled, unravelled
from bptui.explain.formulas import Formula, formula
from bptui.explain.matrices import Equation, Matrix, equations
from bptui.explain.notation import Names, number
from bptui.explain.pieces import Cell, Piece, piece
from bptui.explain.reaching import sources
from bptui.tui.drawing.kept import Kept
from bptui.tui.drawing.lines import Line, line
from bptui.tui.drawing.maths import Box, Ink, beside, blank, broken, flowing, stacked, table, tall, text
from bptui.tui.drawing.numbers import colour
from bptui.tui.drawing.prose import story
from bptui.tui.drawing.setting import AUTO, LINE
from bptui.tui.drawing.ways import Ways, sign
from bptui.tui.scene import Hit, Scene

# What is said in other ways is set in two dimensions up to so many rows.
_TALLEST = 7
_TITLE = 15


@dataclass(frozen=True)
class Page:
    """What the pane shows: its lines, and the box that most of them are of."""

    scene: Scene
    box: Box
    lines: list[Line]

    def hit(self, x: int, y: int) -> Hit | None:
        """What a name or a number at a place is of."""
        found = self.box.at(x, y)
        return None if found is None else _hit(self.scene, found)

    def cells(self) -> list[tuple[str, int]]:
        """The cells of the formula in symbols, in reading order, each once."""
        assert self.scene.formula is not None
        made = _made(self.scene)
        found = [leaf.cell for leaf in (made.left, *made.rows[0].leaves()) if leaf.cell is not None]
        return [_flat(self.scene, cell) for cell in dict.fromkeys(found)]


def lines(scene: Scene, columns: int, rows: int, view: str, *, focused: bool) -> list[Line]:
    """What the pane shows; a moment that was seen lately is not worked out again."""
    key = scene.outlook, columns, rows, view, focused
    return _PAGES.get(key, lambda: page(scene, columns, rows, view, focused=focused).lines)


_PAGES: Kept[list[Line]] = Kept(256)


def page(scene: Scene, columns: int, rows: int, view: str = AUTO, *, focused: bool = False) -> Page:
    """As much as there is room for; the formula itself in any case."""
    said = story(scene, columns)
    room = rows - len(said)
    made = _made(scene)
    ways = Ways(made, columns)
    boxes = [ways.best(room, view), *_by_hand(scene)]
    room -= sum(box.height for box in boxes) + bool(said)
    left_out = False
    for extra in _extras(scene, made, columns, view):
        box = next((box for box in extra if box.height <= room), None)
        if box is None:
            left_out = True
        else:
            boxes.append(box)
            room -= box.height
        if room < 1:
            break
    if left_out and room > 0:
        boxes.append(text("  … x shows all of it", style="dim"))
    # Fractions under each other are told apart by a blank line, where there is room for that too.
    airy = ways.best(boxes[0].height + max(0, room), view, gap=1)
    if boxes[0].height < airy.height <= boxes[0].height + room:
        boxes[0] = airy
    box = stacked(boxes, 0, left=True)
    lines = box.lines(_Look(scene, made, focused=focused))
    gap = [line("")] if said and len(lines) < rows - len(said) else []
    return Page(scene, box, [*lines, *gap, *said])


def _made(scene: Scene) -> Formula:
    assert scene.formula is not None
    moment, cell = scene.formula
    return formula(scene.view.program, moment, cell, scene.digits)


def _by_hand(scene: Scene) -> list[Box]:
    """What the cell holds now, where a person has set it since."""
    assert scene.formula is not None
    moment, cell = scene.formula
    slot = scene.view.program.instructions[moment.index].writes
    here = moment.before.position.iteration == scene.position.iteration
    if not here or cell not in scene.view.edited.get(slot, ()) or scene.view.program.slots[slot].persistent:
        return []
    now = f"now {number(scene.view.number(slot, cell), scene.digits)}"
    return [beside([text("  set by hand  ", style="dim"), text(now, style="bold")])]


# The same in other ways


def _extras(scene: Scene, made: Formula, columns: int, view: str) -> Iterator[list[Box]]:
    """Each as it may be set, the best first."""
    assert scene.formula is not None
    program, (moment, cell) = scene.view.program, scene.formula
    for title, words in made.more:
        yield list(_titled(title, words, columns, view))
    found = equations(program, moment, scene.digits)
    read = set(sources(program, moment.index, cell)) if found else set()
    for equation in found:
        box = _equation(scene, equation, read)
        yield [box] if box.width <= columns else []


def _titled(title: str, words: Piece, columns: int, view: str) -> Iterator[Box]:
    head = text(f"  {title:<12} ", style="dim")
    room = max(8, columns - _TITLE - 1)
    if view != LINE:
        box = broken(words, tall, room)
        if box is not None and 1 < box.height <= _TALLEST:
            yield beside([head, box])
    yield beside([head, flowing(words, room)])


def _equation(scene: Scene, equation: Equation, read: set[tuple[str, int]]) -> Box:
    """Matrices with tall brackets, what the cell at hand is made of lit; signs at half height."""
    assert scene.formula is not None
    moment, cell = scene.formula
    written = {(scene.view.program.instructions[moment.index].writes, cell)}
    made: list[Box] = [text("  ")]
    for k, part in enumerate(equation.parts):
        lit = written if k == 0 else read
        made.append(sign(part) if isinstance(part, str) else _matrix(scene, part, lit, result=k == 0))
    box = beside(made)
    return stacked([blank(0), box], 0, left=True) if box.height > 1 else box


def _matrix(scene: Scene, matrix: Matrix, lit: set[tuple[str, int]], *, result: bool) -> Box:
    def cell(words: str) -> Box:
        part = piece(words)
        at_hand = part.cell is not None and _flat(scene, part.cell) in lit
        return text(part, part, "" if at_hand and not result else "now+bold" if at_hand else "dim")

    return cell(matrix.caption) if matrix.caption else table([[cell(words) for words in row] for row in matrix.rows])


# How it looks


class _Look:
    """The style of each piece: a name and its number look alike, here as in the other panes."""

    def __init__(self, scene: Scene, made: Formula, *, focused: bool) -> None:
        assert scene.formula is not None
        self._at = _cell(scene, *scene.cursor)
        self._made = made
        self._state = scene.formula[0].before
        self._cursor = "+cursor" if focused else "+under"

    def __call__(self, ink: Ink) -> str:
        part = ink.of
        here = part.cell == self._at
        # A line under a line would be another sign.
        return self._name(part) + self._cursor * (here and not (ink.is_bar and self._cursor == "+under"))

    def _name(self, part: Piece) -> str:
        if part is self._made.left:
            return "now+bold"
        if part.kind == "text":
            return "dim" if part.startswith("…") or part.strip() in ("if", "else", "otherwise") else "plain"
        value = self._value(part)
        if value is None:
            return "plain" if part.cell is None else "dim"
        gradient = part.kind == "derivative" or (part.cell is not None and ".grad" in part.cell[0])
        return colour(value) + "+italic" * gradient + "+bold+wash" * (part is self._made.rows[-1])

    def _value(self, part: Piece) -> float | None:
        """A number, or that of a name when the operation was carried out; None where it was not computed."""
        if part.value is not None or part.cell is None:
            return part.value
        slot, index = part.cell
        array, there = self._state.arrays[slot], self._state.computed[slot]
        return float(array[index]) if there == array.size or ravelled(index, array.shape) < there else None


def _cell(scene: Scene, slot: str, flat: int) -> Cell:
    return slot, unravelled(flat, scene.view.program.slots[slot].shape)


def _flat(scene: Scene, cell: Cell) -> tuple[str, int]:
    slot, index = cell
    return slot, ravelled(index, scene.view.program.slots[slot].shape)


def _hit(scene: Scene, part: Piece) -> Hit | None:
    """The cell, or what a derivative comes to."""
    said = f"{part} = {part.value!r}" if part.kind == "derivative" and part.value is not None else ""
    if part.cell is None:
        return Hit(text=said) if said else None
    slot, cell = _flat(scene, part.cell)
    view = scene.view
    if part.kind == "number" and not (view.is_computed(slot, cell) and view.number(slot, cell) == part.value):
        said = f"{Names(view.program).cell(*part.cell)} was {part.value!r}"
    return Hit(slot, cell, text=said, keep=True)
