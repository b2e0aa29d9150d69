"""Numbers and arrays as they are said: small ones in full, row by row, large ones as what one wants to know of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from bptui.engine.network import Array

MOST_NUMBERS = 32
UNSET = "not computed"
_EXPONENT = re.compile(r"(?<![\w.])([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)e([+-]?)0*(\d+)\b", re.IGNORECASE)


def number(value: Any, digits: int | None = None) -> str:
    """`minus 0.191`, `1.2 times 10 to the minus 5`, `infinity`, `true`; all digits, or so many significant ones."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value)).replace("-", "minus ", 1)
    if np.isnan(value):
        return "not a number"
    if np.isinf(value):
        return "infinity" if value > 0 else "minus infinity"
    text = repr(float(value)) if digits is None else f"{float(value):.{digits}g}"
    return powers(text).replace("-", "minus ", 1)


def powers(text: str) -> str:
    """`1e-05` and the like as powers of ten."""
    return _EXPONENT.sub(_power, text)


def _power(match: re.Match[str]) -> str:
    mantissa, sign, exponent = match.groups()
    return mantissa if exponent == "0" else f"{mantissa} times 10 to the {'minus ' * (sign == '-')}{exponent}"


def shape(array: Array) -> str:
    """`64 by 10`."""
    return " by ".join(map(str, array.shape))


def inline(value: Any, digits: int | None = None, there: int | None = None) -> str:
    """A value within a sentence: `0.191`, `0.85, 0.48`, `row 1: 0.11, 0.12; row 2: 0.21, 0.08`, or a summary.

    there  how many cells are computed; None: all
    """
    array = np.asarray(value)
    there = array.size if there is None else there
    if array.size and not there:
        return UNSET
    if array.size > MOST_NUMBERS:
        return summary(array, digits, there)
    return "; ".join(rows(array, digits, there)) or "empty"


def rows(array: Array, digits: int | None, there: int) -> Iterator[str]:
    """Each row with its number, counted from 1; one row, or one column, is nothing but its numbers."""
    cells = [number(v, digits) if k < there else UNSET for k, v in enumerate(array.reshape(-1))]
    width = array.shape[-1] if array.ndim else 1
    if array.size and (array.size == width or array.size == array.shape[0]):
        yield ", ".join(cells)
        return
    for k in range(array.size // width if width else 0):
        outer = np.unravel_index(k, array.shape[:-1])
        part = f"part {', '.join(str(n + 1) for n in outer[:-1])}, " if len(outer) > 1 else ""
        yield f"{part}row {outer[-1] + 1}: {', '.join(cells[k * width : (k + 1) * width])}"


def summary(array: Array, digits: int | None = None, there: int | None = None) -> str:
    """`64 by 10, 640 numbers: smallest minus 0.9, largest 1.2, mean 0.01`, and how many are not finite or not there."""
    known = array.reshape(-1)[:there].astype(float)
    finite = known[np.isfinite(known)]
    said = [f"{shape(array)}, {array.size} numbers"]
    if there is not None and there < array.size:
        said.append(f"{there} of them computed")
    if finite.size:
        with np.errstate(all="ignore"):
            least, most, mean = finite.min(), finite.max(), finite.mean()
        digits = digits or 4
        said.append(f"smallest {number(least, digits)}, largest {number(most, digits)}, mean {number(mean, digits)}")
    if finite.size < known.size:
        said.append(f"{known.size - finite.size} not finite")
    return "; ".join(said)
