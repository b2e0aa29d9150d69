"""What a formula is made of: texts that know their parts.

A piece is the text on one line, and is used as any text is. Beside it stands what it was made of, for those who set it
in two dimensions, or ask which number is whose. The notation makes both at once, so that there is no second copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Self

Cell = tuple[str, tuple[int, ...]]
# text        signs and words; parts in a row are read one after the other
# symbol      the name of a cell, or of a part of a line
# derivative  ∂above/∂below: the parts are what stands after each ∂, and what is said behind it
# number      a number, of a cell or of none
# row         parts one after the other, the signs between them included
# sum         likewise; of a long one the beginning and the end
# series      a sum by what its terms have in common: from, to, a term with the letter k in it
# brackets    an opening sign, what is inside, a closing sign
# fraction    what is divided, what it is divided by, both without brackets that only one line needs
# power       a base, with its brackets, and an exponent without
# root        what is under the root
# cases       this, if that holds, else the other
Kind = Literal[
    "text", "symbol", "derivative", "number", "row", "sum", "series", "brackets", "fraction", "power", "root", "cases"
]


class Piece(str):
    """A text that knows its parts.

    cell   (slot, index) whose name or number it is
    value  the number it stands for, where it stands for one
    brief  of a sum that is not shown whole, what makes the same as a series, if its terms have a form in common
    """

    __slots__ = ("brief", "cell", "kind", "parts", "value")

    kind: Kind
    parts: tuple[Piece, ...]
    cell: Cell | None
    value: float | None
    brief: Callable[[], Piece | None] | None

    def __new__(
        cls,
        text: str,
        kind: Kind = "text",
        parts: Iterable[str] = (),
        *,
        cell: Cell | None = None,
        value: float | None = None,
        brief: Callable[[], Piece | None] | None = None,
    ) -> Self:
        """A text of some kind."""
        self = super().__new__(cls, text)
        self.kind, self.cell, self.value, self.brief = kind, cell, value, brief
        self.parts = tuple(piece(part) for part in parts)
        return self

    @property
    def inside(self) -> Piece | None:
        """What stands in brackets that are around all of it."""
        return self.parts[1] if self.kind == "brackets" else None

    def flat(self) -> Iterator[Piece]:
        """The same text as leaves and the signs between them, one after the other."""
        if not self.parts or self.kind == "derivative":
            yield self
            return
        at = 0
        for k, part in enumerate(self.parts):
            # The last stands at the end, but for a bracket: what is before it may hold the same text.
            last = k == len(self.parts) - 1 and k > 0
            start = self.rfind(part) if last else self.index(part, at)
            if start > at:
                yield Piece(self[at:start])
            yield from part.flat()
            at = start + len(part)
        if at < len(self):
            yield Piece(self[at:])

    def leaves(self) -> Iterator[Piece]:
        """The pieces that have no parts, from left to right; a derivative is one."""
        if not self.parts or self.kind == "derivative":
            yield self
        else:
            for part in self.parts:
                yield from part.leaves()


def piece(text: str) -> Piece:
    """A text as a piece; plain text is of one part."""
    return text if isinstance(text, Piece) else Piece(text)


def row(*parts: str) -> Piece:
    """Texts one after the other."""
    return Piece("".join(parts), "row", [part for part in parts if part])


def joined(
    sign: str, parts: Iterable[str], kind: Kind = "row", brief: Callable[[], Piece | None] | None = None
) -> Piece:
    """Texts with a sign between them."""
    made: list[str] = []
    for part in parts:
        made += [sign, part] if made else [part]
    if len(made) == 1:
        return piece(made[0])
    return Piece("".join(made), kind, made, brief=brief)


def bracketed(text: str, pair: str = "()") -> Piece:
    """A text in brackets."""
    return Piece(f"{pair[0]}{text}{pair[1]}", "brackets", (pair[0], text, pair[1]))


def fraction(text: str, above: str, below: str) -> Piece:
    """A division, and how it is written on one line."""
    return Piece(text, "fraction", (above, below))


def called(function: str, *arguments: str) -> Piece:
    """`max(a, b)`."""
    return row(function, bracketed(joined(", ", arguments)))


def cases(this: str, condition: str, other: str) -> Piece:
    """`(this if condition else other)`."""
    return bracketed(Piece(f"{this} if {condition} else {other}", "cases", (this, condition, other)))
