"""Numbers in columns: four significant digits of the largest, decimal points under each other, the sign a glyph."""

from __future__ import annotations

import math

import numpy as np

from bptui.engine.network import Array

UNSET = "·"
_MINUS = "−"


def decimals(array: Array, there: int, digits: int = 4) -> int:
    """How many decimals the first `there` numbers of an array get."""
    known = np.abs(array.reshape(-1)[:there])
    known = known[np.isfinite(known)]
    return places(float(known.max(initial=0.0)), digits)


def places(largest: float, digits: int = 4) -> int:
    """How many decimals numbers of at most that size get; −1 where only the exponent form can show them."""
    if largest == 0.0:
        return max(0, digits - 1)
    if not 1e-5 <= largest < 1e6:
        return -1
    return max(0, min(digits + 4, digits - 1 - math.floor(math.log10(largest))))


def signed(value: float, places: int, *, plus: bool = True) -> str:
    """`+0.1100`, `−0.2265`, in exponent form where the decimals would show nothing of it."""
    if not math.isfinite(value):
        return str(value)
    sign = _MINUS if value < 0 or (value == 0 and math.copysign(1, value) < 0) else "+" if plus else ""
    size = abs(value)
    if value == 0:
        return f"{' ' if plus else ''}{size:.{max(0, places)}f}"
    if places < 0 or size < 0.5 * 10.0**-places:
        return _power(value, 2)[0 if sign else 1 :]
    return f"{sign}{size:.{places}f}"


def fitted(value: float, places: int, shape: tuple[int, int]) -> str:
    """A number in its column: so many letters before the point, so many in all; an order of size where need be."""
    text = point_aligned(signed(value, places), *shape)
    if len(text) <= shape[1]:
        return text
    return _power(value, _digits(value, shape[1])).rjust(shape[1])


def shortened(value: float, places: int, room: int) -> str:
    """A number with as many of its digits as there is room for, in whichever form that is more of them."""
    text = signed(value, places)
    if len(text) <= room or not math.isfinite(value):
        return text
    if value == 0:
        return text[:room]
    fewer = next((one for one in range(places - 1, -1, -1) if len(signed(value, one)) <= room), -1)
    digits = _digits(value, room)
    plain = fewer >= 0 and fewer + math.floor(math.log10(abs(value))) >= digits
    return signed(value, fewer) if plain else _power(value, digits)


def _digits(value: float, room: int) -> int:
    """How many decimals the exponent form has room for, two at most."""
    return next((digits for digits in (2, 1) if len(_power(value, digits)) <= room), 0)


def _power(value: float, digits: int) -> str:
    text = f"{abs(value):.{digits}e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return f"{_MINUS if value < 0 else '+'}{text}"


def point_aligned(text: str, before: int, columns: int) -> str:
    """A number with its decimal point after `before` characters."""
    whole = text.partition(".")[0]
    return (" " * max(0, before - len(whole)) + text).ljust(columns)


def colour(value: float) -> str:
    """The style of a sign."""
    return "pos" if value > 0 else "neg" if value < 0 else "plain"
