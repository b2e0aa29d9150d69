"""Products of many pairs of small matrices at once, exactly as `dot` gives each of them.

Where a quick way might round otherwise in some lane (a product that vanishes, 0 times infinity), it notices, and all
is done lane by lane. So it is where anything is not finite, for the sake of the flags that `dot` raises, or does not:
that depends on NumPy's version. `matmul` raises them always; a flag too many only has to be looked into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bptui.engine.network import Array

Dot = tuple[Callable[[Array, Array], object], Array, Array]
Copy = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Lanewise:
    """The products of one lane after the other, with `dot`.

    before, after  (to, from): copies of operands and of the result, where these don't lie as `dot` takes them
    """

    dots: Sequence[Dot]
    before: Sequence[Copy] = ()
    after: Sequence[Copy] = ()

    def __call__(self) -> None:
        """Do them all."""
        for to, source in self.before:
            np.copyto(to, source)
        for dot, right, out in self.dots:
            dot(right, out)
        for to, source in self.after:
            np.copyto(to, source)


def sums(value: Array, ones: Array, twice: Array, out: Array) -> None:
    """Sums over the rows, as a product with two columns of ones: so BLAS adds in the order of the rows.

    A product begins with 0 + the first row, a sum with the row itself, which tells 0.0 from -0.0. Where a sum is 0, or
    not finite, it is done once more as NumPy does it.

    value (lanes, rows, columns), twice (lanes, columns, 2), out (lanes, columns)
    """
    with np.errstate(all="ignore"):
        np.matmul(value.swapaxes(1, 2), ones, twice)
    np.copyto(out, twice[..., 0])
    if not (out.all() and np.isfinite(out).all()):
        np.add.reduce(value, axis=1, out=out)


def outer(left: Array, right: Array, out: Array, zero: Array, lanewise: Lanewise) -> None:
    """Columns times rows, cell by cell, each product added to 0 as BLAS does it.

    A fused multiply-add gives another zero where a product vanishes, and 0 times infinity is 0 in some of BLAS.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore", under="raise"):
            np.multiply(left, right, out)
    except FloatingPointError:
        lanewise()
        return
    np.add(out, zero, out)
    if not np.isfinite(out).all():
        lanewise()


@dataclass(frozen=True, eq=False)
class Pairs:
    """Products whose inner axis is 2, as the imaginary part of a complex product.

    NumPy multiplies complex numbers with a fused multiply-add where the processor has one: (b + ai)(c + di) has the
    imaginary part b·d + a·c, of which a·c is rounded and b·d is not, as in BLAS.

    parts  (to, from): the parts of both sides, and where they go
    """

    parts: Sequence[Copy]
    left: Array
    right: Array
    product: Array
    out: Array
    lanewise: Lanewise

    def __call__(self) -> None:
        """Do them all."""
        for to, source in self.parts:
            np.copyto(to, source)
        with np.errstate(all="ignore"):
            np.multiply(self.left, self.right, self.product)
        np.copyto(self.out, self.product.imag)
        # BLAS begins with 0, which tells 0.0 from -0.0 where all that is added is 0.
        if not (self.out.all() and np.isfinite(self.out).all()):
            self.lanewise()
