"""Fills, `zeros` or `normal 0 0.1 seed 3`: what a whole array is filled with, in a word.

What is drawn depends on the seed, the array and the cell alone: two arrays of one shape get different numbers, and one
cell gets the number that it would get if the whole array were filled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bptui.debugger.expressions import ExpressionError
from bptui.engine.initial import generator
from bptui.engine.network import Array, nearest
from bptui.engine.program import Program, Target

SEED = 0
# No expression: a fill is the same wherever it is read.
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_PARTS = re.compile(r"[\s,()]+")
_MOST_DIGITS = 15

# A fill → the numbers that it takes; those that take some are drawn.
_TAKES: Mapping[str, tuple[str, ...]] = {
    "zeros": (),
    "ones": (),
    "identity": (),
    "normal": ("MEAN", "DEVIATION"),
    "uniform": ("LOW", "HIGH"),
}


def usage(word: str) -> str:
    """How a fill is written."""
    return f"{word} {' '.join(_TAKES[word])} [seed K]" if _TAKES[word] else word


# How each is written, for who types.
USAGES = tuple(map(usage, _TAKES))


@dataclass(frozen=True)
class Fill:
    """A word, its numbers, and the seed of what is drawn, or None."""

    word: str
    numbers: tuple[str, ...]
    seed: int | None

    @property
    def text(self) -> str:
        """How it is written in full, its seed named."""
        seed = () if self.seed is None else ("seed", str(self.seed))
        return " ".join((self.word, *self.numbers, *seed))


def read(program: Program, text: str) -> Fill | None:
    """The fill that a text is, or None where it is something else: a label goes before a fill of its name.

    Raises ExpressionError where it begins as one.
    """
    word, *rest = [part for part in _PARTS.split(text.strip()) if part] or [""]
    if word not in _TAKES or word in program.targets or word in program.slots:
        return None
    takes = _TAKES[word]
    numbers, ending = rest[: len(takes)], rest[len(takes) :]
    if len(numbers) < len(takes) or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise ExpressionError(f"write {usage(word)}, numbers for {' and '.join(takes)}")
    if not takes and ending:
        raise ExpressionError(f"{word} takes nothing: {' '.join(ending)[:40]!r}")
    return Fill(word, tuple(numbers), _seed(ending, usage(word)) if takes else None)


def _seed(ending: list[str], written: str) -> int:
    match ending:
        case []:
            return SEED
        case ["seed", number] if number.isdecimal() and len(number) <= _MOST_DIGITS:
            return int(number)
        case [other, *_] if other != "seed":
            raise ExpressionError(f"write {written}: {other[:40]!r} does not belong there{nearest(other, ['seed'])}")
    raise ExpressionError(f"write {written}: a seed is a whole number from 0 on")


def values(program: Program, target: Target, fill: Fill) -> Array:
    """The numbers for the cells of a target. Raises ExpressionError."""
    shape = program.slots[target.slot].shape
    first, second = (float(number) for number in (*fill.numbers, "0", "0")[:2])
    if fill.word == "identity" and (not target.whole or len(shape) != 2 or shape[0] != shape[1]):
        form = "×".join(map(str, shape)) or "one number"
        raise ExpressionError(f"identity needs a whole square array; {target.slot} is {form}")
    if fill.word == "normal" and second < 0:
        raise ExpressionError(f"a deviation is not negative: {fill.numbers[1]}")
    if fill.word == "uniform" and not first <= second:
        raise ExpressionError(f"uniform LOW HIGH: {fill.numbers[0]} is above {fill.numbers[1]}")
    try:
        made = _made(fill.word, generator(fill.seed or 0, "fill", target.slot), shape, (first, second))
    except OverflowError:
        raise ExpressionError(f"{fill.text}: these numbers are too large") from None
    return made.reshape(-1)[list(target.cells)]


def _made(word: str, rng: np.random.Generator, shape: tuple[int, ...], numbers: tuple[float, float]) -> Array:
    if word == "normal":
        return rng.normal(*numbers, shape)
    if word == "uniform":
        return rng.uniform(*numbers, shape)
    return np.eye(shape[0]) if word == "identity" else np.full(shape, float(word == "ones"))
