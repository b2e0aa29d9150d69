"""How numbers, cells, products, quotients and sums are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bptui.engine.program import Program
from bptui.explain.pieces import Piece, bracketed, called, fraction, joined, piece, row
from bptui.explain.series import series

MINUS = "−"
DOT = "·"
SPACED = " · "
MOST_TERMS = 6
_OPENING, _CLOSING = frozenset("([⌊"), frozenset(")]⌋")
_BRACKET = re.compile(r"([()\[\]⌊⌋|])")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int | None = None) -> str:
    """A number as a person writes it: 7 significant digits unless told, no zeros at the end, a real minus sign."""
    text = f"{value:.{digits or 7}g}"
    if text in ("-0", "0"):
        return "0"
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def figure(value: float, digits: int | None = None, cell: tuple[str, tuple[int, ...]] | None = None) -> Piece:
    """The same as a part of a formula, of a cell where it is one's."""
    return Piece(number(value, digits), "number", cell=cell, value=value)


@dataclass(frozen=True)
class Names:
    """What a reader calls the cells of a program."""

    program: Program

    def cell(self, slot: str, index: tuple[int, ...]) -> Piece:
        """`w5`, `h1`, `h1⁽²⁾` in the second row of a batch, `∂E/∂w5`, `w5.m`, or `W1[0,1]` where there is no label."""
        if ".grad" in slot:
            return self._gradient(slot, index)
        return Piece(self._name(slot, index), "symbol", cell=(slot, index))

    def _name(self, slot: str, index: tuple[int, ...]) -> str:
        names = self.program.cell_names.get(slot)
        if names is not None:
            return names[self._flat(slot, index)] + self._row(slot, index)
        base = self.base(slot)
        if base != slot and base in self.program.cell_names and self._fits(slot, base):
            return f"{self.cell(base, index)}.{slot.partition('.')[2]}"
        if not index:
            return self.program.name(slot)
        return f"{self.program.name(slot)}[{','.join(map(str, index))}]"

    def slot(self, name: str) -> str:
        """`h`, or `∂E/∂W1` for a gradient."""
        if ".grad" in name:
            return f"∂{self.program.name('loss')}/∂{self.slot(self.program.slots[name].of)}{self._part(name)}"
        return self.program.name(name)

    def base(self, slot: str) -> str:
        """What a gradient, or an optimizer's value (`W1.m`), is of; else the slot itself."""
        of = self.program.slots[slot].of or slot.partition(".")[0]
        return of if of in self.program.slots else slot

    def _gradient(self, slot: str, index: tuple[int, ...]) -> Piece:
        of = self.program.slots[slot].of
        if not self._fits(slot, of):
            return Piece(f"{self.slot(slot)}[{','.join(map(str, index))}]", "symbol", cell=(slot, index))
        above, below, part = self.program.name("loss"), self.cell(of, index), self._part(slot)
        return Piece(f"∂{above}/∂{below}{part}", "derivative", (above, below, part), cell=(slot, index))

    def _fits(self, slot: str, of: str) -> bool:
        """Whether a slot has a cell for each cell of what it belongs to; a gradient not yet summed has more."""
        return self.program.slots[slot].shape == self.program.slots[of].shape

    def _flat(self, slot: str, index: tuple[int, ...]) -> int:
        return int(np.ravel_multi_index(index, self.program.slots[slot].shape)) if index else 0

    def _part(self, slot: str) -> str:
        """A gradient that is only one part of a sum says so."""
        part = slot.partition(".grad")[2]
        return f" ({part.lstrip('_').replace('_', ', ')})" if part else ""

    def _row(self, slot: str, index: tuple[int, ...]) -> str:
        """Which row of the batch, where there is more than one."""
        shape = self.program.slots[slot].shape
        by_row = self.program.slots[slot].kind in ("value", "data") and len(shape) == 2 and shape[0] > 1
        return f"⁽{str(index[0] + 1).translate(_SUPERSCRIPT)}⁾" if by_row else ""


# What kind of text it is


def _outside(text: str) -> str:
    """A text with all that stands in brackets or bars left out."""
    depth, bars, kept = 0, False, []
    for part in _BRACKET.split(text):
        bars ^= part == "|"
        depth += (part in _OPENING) - (part in _CLOSING)
        if depth == 0 and not bars:
            kept.append(part)
    return "".join(kept)


def is_sum(text: str) -> bool:
    """Whether a text needs brackets before it can be a factor."""
    if " + " not in text and f" {MINUS} " not in text:
        return False
    outside = _outside(text)
    return " + " in outside or f" {MINUS} " in outside


def is_quotient(text: str) -> bool:
    """Whether a text is a division."""
    return " / " in text and " / " in _outside(text)


def tight(text: str) -> Piece:
    """A text to divide by, or to take a power or a root of: in brackets unless it is one number, name or call."""
    loose = any(mark in _outside(text) for mark in (" ", DOT, "^", "²", "√"))
    return bracketed(text) if loose or text.startswith((MINUS, "½")) else piece(text)


# Arithmetic


def factor(text: str, *, first: bool = False) -> Piece:
    """A text as a factor: in brackets if it is a sum, or negative and not the first."""
    return bracketed(text) if is_sum(text) or (text.startswith(MINUS) and not first) else piece(text)


def product(parts: Iterable[str], dot: str = DOT) -> Piece:
    """Factors multiplied."""
    made = list(parts)
    if len(made) == 1:
        return piece(made[0])
    return joined(dot, (factor(part, first=k == 0) for k, part in enumerate(made)))


def times(a: str, b: str) -> Piece:
    """Two factors of any kind; a quotient gets brackets, so that nobody asks what is divided by what."""
    return product(bracketed(part) if is_quotient(part) else part for part in (a, b))


def quotient(a: str, b: str) -> Piece:
    """A division."""
    return fraction(f"{factor(a, first=True)} / {tight(b)}", a, b)


def difference(a: str, b: str) -> Piece:
    """A subtraction."""
    return row(a, f" {MINUS} ", factor(b))


def negative(text: str) -> Piece:
    """A factor with its sign turned."""
    return row(MINUS, factor(text))


def power(base: str, exponent: str) -> Piece:
    """`x²`, `0.9^t`, `e^(−z)`."""
    base = bracketed(base) if base.endswith("⁾") else tight(base)
    if exponent == "2":
        return squared(base)
    return Piece(f"{base}^{tight(exponent)}", "power", (base, exponent))


def squared(base: str) -> Piece:
    """A square of what needs no brackets."""
    return Piece(f"{base}²", "power", (base, "²"))


def total(parts: list[str]) -> Piece:
    """Terms added up; a long sum shows its beginning and its end, and says how many terms it has."""
    return summed(len(parts), parts.__getitem__)


def summed(count: int, term: Callable[[int], str]) -> Piece:
    """The same for terms that are written only if they are shown."""
    made = (bracketed(part) if k and part.startswith(MINUS) else part for k, part in enumerate(shown(count, term)))
    return joined(" + ", made, "sum", (lambda: series(count, term)) if count > MOST_TERMS else None)


def shown(count: int, term: Callable[[int], str]) -> list[str]:
    """The terms of a long row that are written: all, or the beginning, how many are left out, and the end."""
    if count <= MOST_TERMS:
        return [term(k) for k in range(count)] or ["0"]
    return [*(term(k) for k in range(3)), f"… ({count - 4} more) …", term(count - 1)]


def averaged(count: int, term: Callable[[int], str]) -> Piece:
    """A mean: `(a + b) / 2`."""
    return piece(term(0)) if count == 1 else quotient(summed(count, term), str(count))


# Functions

_SIGNS = {
    "less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "equal": "==", "not_equal": "≠",
    "logical_and": "and", "logical_or": "or",
}  # fmt: skip
_INFIX: Mapping[str, Callable[[str, str], Piece]] = {
    "add": lambda a, b: total([a, b]),
    "subtract": difference,
    "multiply": times,
    "divide": quotient,
    "power": power,
}
_PREFIX: Mapping[str, Callable[[str], Piece]] = {
    "negative": negative,
    "square": lambda x: power(x, "2"),
    "exp": lambda x: power("e", x),
    "expm1": lambda x: difference(power("e", x), "1"),
    "log": lambda x: called("ln", _argument(x)),
    "log1p": lambda x: called("ln", total(["1", x])),
    "sqrt": lambda x: Piece(f"√{tight(x)}", "root", (x,)),
    "absolute": lambda x: bracketed(x, "||"),
    "floor": lambda x: bracketed(x, "⌊⌋"),
}
_SHORT = {"maximum": "max", "minimum": "min"}


def applied(function: str, parts: list[str]) -> Piece:
    """A NumPy function of texts, in the notation of the field; a comparison is 1 or 0: `[z > 0]`."""
    if function in _SIGNS:
        return bracketed(joined(f" {_SIGNS[function]} ", map(bare, parts)), "[]")
    if function in _INFIX:
        return _INFIX[function](*parts)
    if function in _PREFIX:
        return _PREFIX[function](*parts)
    return called(_SHORT.get(function, function), *map(_argument, parts))


def _argument(text: str) -> Piece:
    """A text without brackets around all of it: those of the function will do."""
    return _inside(text, "(", ")")


def bare(text: str) -> Piece:
    """A comparison without its brackets, as a condition."""
    return _inside(text, "[", "]")


def _inside(text: str, opening: str, closing: str) -> Piece:
    whole = piece(text)
    if not text.startswith(opening) or _outside(text) != closing:
        return whole
    return whole.inside or Piece(text[1:-1])
