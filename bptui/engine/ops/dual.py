"""NumPy functions on numbers with an infinitesimal imaginary part, for a complex step.

Squire & Trapp 1998, "Using Complex Variables to Estimate Derivatives of Real Functions": f(x + ih) = f(x) + ih·f′(x)
for a tiny h, without the cancellation of a difference. Most of NumPy's functions do that by themselves; those here are
not analytic as NumPy has them on complex numbers, or lose the tiny part, and are given the derivative they have as
functions of a real number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bptui.engine.ops.functions import erf as real_erf

Array = npt.NDArray[Any]
_TWO_OVER_ROOT_PI = 1.1283791670955126


def _into(out: Array, value: Any) -> Array:
    np.copyto(out, value)
    return out


def absolute(x: Array, out: Array) -> Array:
    """|x|, with the sign of x as its derivative."""
    return _into(out, np.where(x.real < 0, -x, x))


def sign(x: Array, out: Array) -> Array:
    """The sign of the real part."""
    return _into(out, np.sign(x.real))


def floor(x: Array, out: Array) -> Array:
    """The floor of the real part."""
    return _into(out, np.floor(x.real))


def erf(x: Array, out: Array) -> Array:
    """The error function and its derivative 2/√π·exp(−x²)."""
    real = np.asarray(x.real, np.float64)
    return _into(out, real_erf(real) + 1j * (_TWO_OVER_ROOT_PI * np.exp(-real * real)) * np.imag(x))


def power(a: Array, b: Array, out: Array) -> Array:
    """The power a to the b, for a of either sign."""
    base, exponent = np.real(a), np.real(b)
    value = np.power(base, exponent)
    by_a = np.where(exponent == 0, 0, exponent * np.power(base, exponent - 1))
    by_b = np.where(base == 0, 0, value * np.log(np.where(base == 0, 1, base))) if np.any(np.imag(b)) else 0
    return _into(out, value + 1j * (by_a * np.imag(a) + by_b * np.imag(b)))


# In place of NumPy's functions of these names, in code that works on complex numbers.
DUAL = {"absolute": absolute, "sign": sign, "floor": floor, "erf": erf, "power": power}
