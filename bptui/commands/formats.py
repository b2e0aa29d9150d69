"""Values as text for elsewhere: Python, NumPy, CSV, LaTeX; every number so that it reads back to the same bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bptui.commands.wording import number_text, value_text
from bptui.engine.network import Array

FORMATS: Mapping[str, str] = {"value": ".txt", "numpy": ".py", "csv": ".csv", "latex": ".tex"}


def written(value: Any, form: str) -> str:
    """A value in one of the formats."""
    return _WRITERS[form](np.asarray(value))


def rows(array: Array) -> list[list[str]]:
    """The rows of an array's last axis; of a number the only one."""
    flat = np.atleast_2d(array)
    return [[number_text(number) for number in row] for row in flat.reshape(-1, flat.shape[-1])]


def _numpy(array: Array) -> str:
    """What NumPy reads as the same array: of its shape, its dtype and its bits."""
    listed = value_text(array).replace("nan", "np.nan").replace("inf", "np.inf")
    if array.ndim > 1:
        listed = listed.replace("], [", "],\n          [")
    dtype = "" if array.dtype in (np.float64, np.bool_, np.int64) else f", dtype=np.{array.dtype.name}"
    lost = "" if array.size else f".reshape({array.shape})"
    return f"np.array({listed}{dtype}){lost}"


def _csv(array: Array) -> str:
    """A line for each row of the last axis; numbers hold nothing that would have to be quoted."""
    return "\n".join(",".join(row) for row in rows(array))


def _latex(array: Array) -> str:
    """A number, or a matrix for each plane of the last two axes."""
    if array.ndim == 0:
        return _latex_number(array[()])
    return "\n".join(_latex_planes(array))


def _latex_planes(array: Array) -> Iterator[str]:
    planes = np.atleast_2d(array)
    for index in np.ndindex(planes.shape[:-2]):
        if planes.ndim > 2:
            yield f"% [{', '.join(map(str, index))}]"
        lines = (" & ".join(map(_latex_number, row)) for row in planes[index])
        yield "\\begin{bmatrix}\n  " + " \\\\\n  ".join(lines) + "\n\\end{bmatrix}"


def _latex_number(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return f"\\mathrm{{{bool(value)}}}"
    if not math.isfinite(value):
        return "\\mathrm{nan}" if math.isnan(value) else "\\infty" if value > 0 else "-\\infty"
    mantissa, e, exponent = number_text(value).partition("e")
    return f"{mantissa} \\times 10^{{{int(exponent)}}}" if e else mantissa


_WRITERS: Mapping[str, Callable[[Array], str]] = {
    "value": value_text, "numpy": _numpy, "csv": _csv, "latex": _latex,
}  # fmt: skip
