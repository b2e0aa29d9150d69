"""Signs that are drawn rather than written: braille dots, lines of boxes and blocks.

No font has all of them in one width: dots would lie beside where a terminal has them, and lines would have gaps. As
shapes they fill their cell, and look the same whatever fonts there are.
"""

from __future__ import annotations

import html
import itertools
import re

# A cell of the SVG that Rich writes, and how far above the foot of its letters it begins.
WIDE, HIGH, RISE = 12.2, 24.4, 18.5
_LIGHT, _HEAVY, _DOT, _ROUND = 1.6, 3.2, 2.0, 5.0
# Where lines go from the middle of a cell: left, right, up, down; 1 light, 2 heavy.
_LINES = {
    "─": (1, 1, 0, 0), "│": (0, 0, 1, 1), "┌": (0, 1, 0, 1), "┐": (1, 0, 0, 1), "└": (0, 1, 1, 0), "┘": (1, 0, 1, 0),
    "├": (0, 1, 1, 1), "┤": (1, 0, 1, 1), "┬": (1, 1, 0, 1), "┴": (1, 1, 1, 0), "┼": (1, 1, 1, 1), "━": (2, 2, 0, 0),
    "┃": (0, 0, 2, 2),
}  # fmt: skip
# Rounded corners: to which side and which way up or down they lead.
_CORNERS = {"╭": (1, 1), "╮": (-1, 1), "╰": (1, -1), "╯": (-1, -1)}
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75, "█": 1.0}
_EIGHTHS = "▁▂▃▄▅▆▇"
_HALF = "▐"
_BLOCKS = _EIGHTHS + _HALF
_TEXT = re.compile(
    r'<text class="([\w-]+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+" (clip-path="[^"]+")>([^<]*)</text>'
)


def drawn(svg: str) -> str:
    """The same picture with those signs as shapes."""
    return _TEXT.sub(_redrawn, svg)


def _redrawn(found: re.Match[str]) -> str:
    style, x, y, clip, text = found.groups()
    parts, column = [], 0
    for (opacity, block), letters in itertools.groupby(html.unescape(text), _kind):
        run = "".join(letters)
        left = float(x) + column * WIDE
        if opacity:
            path = "".join(_path(sign, left + k * WIDE, float(y) - RISE) for k, sign in enumerate(run))
            crisp = ' shape-rendering="crispEdges"' * block  # no seams between cells
            parts.append(f'<path class="{style}" fill-opacity="{opacity:g}"{crisp} d="{path}"/>')
        elif run.strip("\xa0 "):
            said = html.escape(run).replace("\xa0", "&#160;")
            parts.append(
                f'<text class="{style}" x="{left:.4g}" y="{y}" textLength="{len(run) * WIDE:.4g}" {clip}>{said}</text>'
            )
        column += len(run)
    return "".join(parts)


def _kind(sign: str) -> tuple[float, bool]:
    """How opaque a sign's shape is, and whether it is a block; 0 where it is a letter for a font."""
    shape = "\u2800" <= sign <= "\u28ff" or sign in _LINES or sign in _CORNERS or sign in _BLOCKS
    return _SHADES.get(sign, 1.0 if shape else 0.0), sign in _SHADES or sign in _BLOCKS


def _path(sign: str, x: float, y: float) -> str:
    if sign in _SHADES:
        return _box(x, y, WIDE, HIGH)
    if sign == _HALF:
        return _box(x + WIDE / 2, y, WIDE / 2, HIGH)
    if sign in _EIGHTHS:
        high = (_EIGHTHS.index(sign) + 1) / 8 * HIGH
        return _box(x, y + HIGH - high, WIDE, high)
    if sign in _CORNERS:
        return _corner(x + WIDE / 2, y + HIGH / 2, *_CORNERS[sign])
    return _lines(x, y, _LINES[sign]) if sign in _LINES else _dots(x, y, ord(sign) - 0x2800)


def _box(x: float, y: float, wide: float, high: float) -> str:
    return f"M{x:.2f} {y:.2f}h{wide:.2f}v{high:.2f}h{-wide:.2f}z"


def _lines(x: float, y: float, arms: tuple[int, int, int, int]) -> str:
    thick = _HEAVY if 2 in arms else _LIGHT
    left, right, up, down = arms
    middle, centre = x + (WIDE - thick) / 2, y + (HIGH - thick) / 2
    across = _box(x if left else middle, centre, WIDE if left and right else (WIDE + thick) / 2, thick)
    upright = _box(middle, y if up else centre, thick, HIGH if up and down else (HIGH + thick) / 2)
    return (across if left or right else "") + (upright if up or down else "")


def _corner(x: float, y: float, right: int, down: int) -> str:
    """A line from a side to the middle, and from there up or down, around a quarter of a circle."""
    half, inner, outer = _LIGHT / 2, _ROUND - _LIGHT / 2, _ROUND + _LIGHT / 2
    sweep = int(right * down > 0)
    far, end = x + right * WIDE / 2, y + down * HIGH / 2
    turn_x, turn_y = x + right * _ROUND, y + down * _ROUND
    return (
        f"M{x - right * half:.2f} {end:.2f}V{turn_y:.2f}A{outer} {outer} 0 0 {sweep} {turn_x:.2f} {y - down * half:.2f}"
        f"H{far:.2f}V{y + down * half:.2f}H{turn_x:.2f}"
        f"A{inner} {inner} 0 0 {1 - sweep} {x + right * half:.2f} {turn_y:.2f}V{end:.2f}z"
    )


# Bit → column and row of a dot.
_PLACES = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


def _dots(x: float, y: float, bits: int) -> str:
    made = []
    for bit, (column, row) in enumerate(_PLACES):
        if bits >> bit & 1:
            left, middle = x + WIDE / 4 + column * WIDE / 2 - _DOT, y + HIGH / 8 + row * HIGH / 4
            made.append(f"M{left:.2f} {middle:.2f}a{_DOT} {_DOT} 0 1 1 {2 * _DOT} 0a{_DOT} {_DOT} 0 1 1 {-2 * _DOT} 0z")
    return "".join(made)
