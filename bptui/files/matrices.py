r"""Arrays of numbers as text, to be read: pasted from wherever people have them.

Python lists, NumPy's and PyTorch's repr and str, MATLAB, LaTeX, and rows of numbers between which there are commas,
tabs or blanks. Nothing is evaluated: a text is numbers, brackets and what parts them, or it is refused.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from bptui.engine.network import Array
from bptui.files.text import quoted

MOST_CHARACTERS = 2**24
_DEEPEST = 8
# No single number, nor an expression that a person writes, has so many characters.
_AT_A_GLANCE = 100_000
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])|[-+]?(?:nan|inf(?:inity)?)(?![\w.])"
_CELL = re.compile(_NUMBER, re.IGNORECASE)
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<open>[\[({{])|(?P<close>[\])}}])|(?P<row>;)|(?P<cell>[,&])|(?P<blank>\s+)"
    r"|(?P<other>[^\s,;&\[\](){}]+)",
    re.IGNORECASE,
)
_PAIRS = ("[]", "()", "{}")
# What may stand around numbers, in one language or another, and says nothing of them.
_NAMED = re.compile(r"\A\\?[A-Za-z_][\w.^{}]*\s*=(?!=)\s*")
_CALLED = re.compile(r"\A(?:Parameter containing:\s*)?(?:\w+\.)?(?:array|asarray|matrix|tensor)\s*\(")
_OPTION = re.compile(r",\s*(?:dtype|device|requires_grad|grad_fn)\s*=[^,\[\]]*?(?=[,)])")
_COMMENT = re.compile(r"^[ \t]*[#%].*$", re.MULTILINE)
_LATEX = re.compile(
    r"\\begin\{\w+\*?\}(?:\{[lcr|]*\})?|\\end\{\w+\*?\}|\\(?:left|right) ?[\[\](){}|.]|\\[\[\]]|\\hline|\$"
)
_POWER = re.compile(r" ?\\(?:times|cdot) ?10 ?\^ ?\{?([-+]?\d+)\}?")
_SIGNS = str.maketrans({"−": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", '"': " ", "'": " ", "\r": "\n"})
_ELIDED = re.compile(r"\.\.\.|…|\\[cdlv]?dots")


class MatrixError(ValueError):
    """A text that is no array of numbers, or one of another shape; one line."""


def read(text: str) -> Array:
    """The numbers of a text in their shape. Raises MatrixError."""
    if len(text) > MOST_CHARACTERS:
        raise MatrixError(f"this is too much: at most {MOST_CHARACTERS >> 20} MB of text are read")
    if _ELIDED.search(text):
        raise MatrixError("numbers are left out (…): print it in full first")
    bare = _bare(text)
    return _array(_lists(bare) if re.search(r"[\[({]", bare) else _rows(bare))


def shaped(array: Array, shape: tuple[int, ...], name: str) -> Array:
    """Numbers in the shape that is needed. Raises MatrixError with what was expected."""
    size = math.prod(shape)
    in_rows = (math.prod(shape[:-1]), shape[-1]) if shape else ()
    lines = _is_line(array.shape) and _is_line(shape)
    if array.shape in (shape, in_rows) or (array.size == size and (size == 1 or lines)):
        return array.reshape(shape)
    have, want = (_form(one) for one in (array.shape, shape))
    turned = " (it is transposed)" if array.ndim > 1 and array.T.shape == shape else ""
    raise MatrixError(f"{have} numbers{turned}; {name} is {want}")


def _is_line(shape: tuple[int, ...]) -> bool:
    """Whether numbers stand in a row or a column."""
    return len(shape) == 1 or (len(shape) > 1 and shape.count(1) >= len(shape) - 1)


def _form(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"


def _bare(text: str) -> str:
    """The text without what names the numbers, or lays them out."""
    bare = text.replace("\r\n", "\n").translate(_SIGNS).replace("\\\\", ";")
    bare = _POWER.sub(r"e\1", _LATEX.sub(" ", _COMMENT.sub("", bare))).strip()
    bare = _NAMED.sub("", bare)
    if called := _CALLED.match(bare):
        bare = _OPTION.sub("", bare[called.end() :]).rstrip("; \n").removesuffix(")")
    return bare.strip("; \n")


# Brackets


def _lists(bare: str) -> Any:
    """Lists within lists. Raises MatrixError where brackets do not fit, or something is no number."""
    stack: list[list[Any]] = [[]]
    opened: list[str] = []
    last = before = "open"  # the piece before, and the one before that but for blanks
    for found in _TOKEN.finditer(bare):
        kind, text = found.lastgroup or "", found[0]
        if kind == "other" or (kind == last == "number"):
            raise MatrixError(f"{quoted(text)} is no number, or runs into another: {_place(stack)}")
        if kind == "cell" and before in ("cell", "open"):
            raise MatrixError(f"a number is missing before a comma: {_place(stack)}")
        if kind == "open":
            opened.append(text)
            stack.append([])
            if len(opened) > _DEEPEST:
                raise MatrixError(f"brackets within {_DEEPEST} others are too many")
        elif kind == "close":
            if not opened or opened.pop() + text not in _PAIRS:
                raise MatrixError(f"{text!r} closes nothing that is open")
            done = _in_rows(stack.pop())
            stack[-1].append(done)
        elif kind in ("number", "row"):
            stack[-1].append(float(text) if kind == "number" else None)
        last, before = kind, before if kind == "blank" else kind
    if opened:
        raise MatrixError(f"{opened[-1]!r} is not closed")
    top = _in_rows(stack[0])
    return top[0] if len(top) == 1 else top


def _place(stack: list[list[Any]]) -> str:
    """The row and the column that come next, as a person counts them."""
    listed = stack[-1]
    rows = listed.count(None)
    before = listed[len(listed) - listed[::-1].index(None) :] if rows else listed
    outside = len(stack[-2]) if len(stack) > 1 and not rows else 0
    return f"row {rows + outside + 1}, column {len(before) + 1}"


def several(text: str) -> bool:
    """Whether a text is more than one number or expression: many lines, or an array."""
    if len(text) > _AT_A_GLANCE or len([line for line in text.splitlines() if line.strip()]) > 1:
        return True
    try:
        return read(text).size > 1
    except MatrixError:
        return False


def _in_rows(listed: list[Any]) -> list[Any]:
    """What MATLAB writes with semicolons, as rows."""
    if None not in listed:
        return listed
    rows: list[list[Any]] = [[]]
    for one in listed:
        if one is None:
            rows.append([])
        else:
            rows[-1].append(one)
    return [row for row in rows if row]


# Rows


def _rows(bare: str) -> list[list[float]]:
    """A list for each row. Raises MatrixError."""
    return [_row(line, k) for k, line in enumerate(_lines(bare), 1)]


def _lines(bare: str) -> list[str]:
    """The rows as they are written, with commas between the cells if anything but blanks is."""
    lines = [line.strip().rstrip(";").strip() for line in bare.split("\n") if line.strip("; \t")]
    if len(lines) == 1 or "&" in bare or not any(";" in line for line in lines):
        return [row.strip() for line in lines for row in line.split(";") if row.strip()]
    if "," in bare:
        raise MatrixError("commas and semicolons both: write numbers with points, and part them with commas")
    return [line.replace(";", ",") for line in lines]


def _row(line: str, k: int) -> list[float]:
    parted = next((mark for mark in ",&\t" if mark in line), None)
    cells = [cell.strip() for cell in line.split(parted)]
    if len(cells) > 1 and not cells[-1]:
        cells.pop()
    wrong = next((j for j, cell in enumerate(cells) if not _CELL.fullmatch(cell)), None)
    if wrong is not None:
        what = quoted(cells[wrong]) if cells[wrong] else "nothing"
        raise MatrixError(f"{what} is no number: row {k}, column {wrong + 1}")
    return [float(cell) for cell in cells]


def _array(listed: Any) -> Array:
    """Lists as an array. Raises MatrixError where they are not of one length."""
    try:
        array = np.array(listed, np.float64)
    except (ValueError, TypeError):
        raise MatrixError(_ragged(listed)) from None
    if not array.size:
        raise MatrixError("there are no numbers here")
    return array


def _ragged(listed: list[Any]) -> str:
    if not all(isinstance(row, list) for row in listed):
        return "numbers and rows of numbers are mixed"
    lengths = [len(row) for row in listed]
    odd = next((k for k, length in enumerate(lengths) if length != lengths[0]), None)
    if odd is None:
        return "rows of different lengths"
    return f"row {odd + 1} has {lengths[odd]} numbers, row 1 has {lengths[0]}"
