"""Fewer bytes for the same picture: of each style only what is other than in the one before (ECMA-48, SGR)."""

from __future__ import annotations

import re
from functools import lru_cache

_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_RESET = "\x1b[0m"
# Each attribute and what takes it back; bold and dim have that in common.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
_DEFAULT_INK, _DEFAULT_GROUND = "39", "49"
# The codes of no style at all.
PLAIN = "0"
# How many parts a colour has after its 38 or 48: one of 256, or red, green and blue.
_PARTS = {"5": 2, "2": 4}

State = tuple[frozenset[str], str, str]
_BARE: State = (frozenset(), _DEFAULT_INK, _DEFAULT_GROUND)


def thrifty(data: str) -> str:
    """The same for the terminal, which is left in no style at the end as it was found in none."""
    parts = _SGR.split(data)
    if len(parts) == 1:
        return data
    made = [parts[0]]
    shown, wanted = PLAIN, PLAIN
    for k in range(1, len(parts), 2):
        wanted = parts[k]
        text = parts[k + 1]
        if text:
            if wanted != shown:
                made.append(change(shown, wanted))
                shown = wanted
            made.append(text)
    if shown != PLAIN:
        made.append(_RESET)
    return "".join(made)


@lru_cache(maxsize=65536)
def change(shown: str, wanted: str) -> str:
    """What leads from one style to another, each given in full."""
    before, after = _state(shown), _state(wanted)
    if after == _BARE:
        return _RESET
    if before == after:
        return ""
    codes = _attributes(before[0], after[0])
    codes += [now for was, now in zip(before[1:], after[1:], strict=True) if was != now]
    change = f"\x1b[{';'.join(codes)}m"
    whole = f"{_RESET}\x1b[{wanted}m"
    return min(change, whole, key=len)


def _attributes(before: frozenset[str], after: frozenset[str]) -> list[str]:
    off = {_OFF[code] for code in before - after}
    # What takes bold back takes dim back with it.
    again = [code for code in after if code not in before or _OFF[code] in off]
    return [*sorted(off), *sorted(again)]


def _state(codes: str) -> State:
    """A style as its attributes, its ink and its ground."""
    attributes, ink, ground = set[str](), _DEFAULT_INK, _DEFAULT_GROUND
    parts = codes.split(";")
    k = 0
    while k < len(parts):
        code = parts[k]
        taken = 1 + _PARTS.get(parts[k + 1] if k + 1 < len(parts) else "", 0) if code in ("38", "48") else 1
        whole = ";".join(parts[k : k + taken])
        if code in ("", "0"):
            attributes, ink, ground = set[str](), _DEFAULT_INK, _DEFAULT_GROUND
        elif code in _OFF:
            attributes.add(code)
        elif code[:1] == "3" or code[:1] == "9":
            ink = whole
        elif code[:1] == "4" or code[:2] == "10":
            ground = whole
        k += taken
    return frozenset(attributes), ink, ground
