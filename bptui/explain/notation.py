"""How numbers, cells, products and sums are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bptui.engine.program import Program

MINUS = "−"
DOT = "·"
SPACED = " · "
MOST_TERMS = 6
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int | None = None) -> str:
    """A number as a person writes it: 7 significant digits unless told, no zeros at the end, a real minus sign."""
    text = f"{value:.{digits or 7}g}"
    if text in ("-0", "0"):
        return "0"
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


@dataclass(frozen=True)
class Names:
    """What a reader calls the cells of a program."""

    program: Program

    def cell(self, slot: str, index: tuple[int, ...]) -> str:
        """`w5`, `h1`, `h1⁽²⁾` in the second row of a batch, `∂E/∂w5`, or `W1[0,1]` where there is no label."""
        if slot.endswith(".grad") or ".grad" in slot:
            of = self.program.slots[slot].of
            return f"∂{self.program.name('loss')}/∂{self.cell(of, index)}{self._part(slot)}"
        flat = int(np.ravel_multi_index(index, self.program.slots[slot].shape)) if index else 0
        names = self.program.cell_names.get(slot)
        if names is not None:
            return names[flat] + self._row(slot, index)
        if not index:
            return self.program.name(slot)
        return f"{self.program.name(slot)}[{','.join(map(str, index))}]"

    def slot(self, name: str) -> str:
        """`h`, or `∂E/∂W1` for a gradient."""
        if ".grad" in name:
            return f"∂{self.program.name('loss')}/∂{self.slot(self.program.slots[name].of)}{self._part(name)}"
        return self.program.name(name)

    def _part(self, slot: str) -> str:
        """A gradient that is only one part of a sum says so."""
        part = slot.partition(".grad")[2]
        return f" ({part.lstrip('_')})" if part else ""

    def _row(self, slot: str, index: tuple[int, ...]) -> str:
        """Which row of the batch, where there is more than one."""
        shape = self.program.slots[slot].shape
        by_row = self.program.slots[slot].kind in ("value", "data") and len(shape) == 2 and shape[0] > 1
        return f"⁽{str(index[0] + 1).translate(_SUPERSCRIPT)}⁾" if by_row else ""


def is_sum(text: str) -> bool:
    """Whether a text needs brackets before it can be a factor."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0 and k and text[k - 1 : k + 2] in (" + ", f" {MINUS} "):
            return True
    return False


def factor(text: str, *, first: bool = False) -> str:
    """A text as a factor: in brackets if it is a sum, or negative and not the first."""
    return f"({text})" if is_sum(text) or (text.startswith(MINUS) and not first) else text


def product(parts: Iterable[str], dot: str = DOT) -> str:
    """Factors multiplied."""
    return dot.join(factor(part, first=k == 0) for k, part in enumerate(parts))


def total(parts: list[str]) -> str:
    """Terms added up; a long sum shows its beginning and its end, and says how many terms it has."""
    shown = [f"({part})" if k and part.startswith(MINUS) else part for k, part in enumerate(parts)]
    if len(shown) > MOST_TERMS:
        shown = [*shown[:3], f"… ({len(parts) - 4} more) …", shown[-1]]
    return " + ".join(shown)
