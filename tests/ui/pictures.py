"""Pictures of the app kept as text, in every look: what is shown, in which styles, and what is shown in ASCII alone.

`BPTUI_UPDATE_SNAPSHOTS=1 pytest tests/ui/test_ui_snapshots.py` writes them anew: look at the difference before keeping it.
A file has three parts: the lines; for each cell a letter of the styles it has in the dark and the light theme and with no
colours at all, blank where it is plain; and the lines in ASCII. What the letters mean is in `snapshots/styles.txt`.
"""

from __future__ import annotations

import fcntl
import os
from functools import cache
from pathlib import Path

import pytest
from rich.color import Color
from rich.style import Style

from bptui.tui.drawing.look import LEVELS, Look

FOLDER = Path(__file__).parent / "snapshots"
LEGEND = FOLDER / "styles.txt"
SIZES = [(80, 24), (120, 40), (200, 60)]
every_size = pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40", "200x60"])
small_sizes = pytest.mark.parametrize("size", SIZES[:2], ids=["80x24", "120x40"])

DARK, LIGHT, COLOURLESS, ASCII = Look("dark"), Look("light"), Look(colours=False), Look(ascii=True)
PLAIN = "text on ground"
FLAGS = ("bold", "dim", "italic", "underline", "strike", "reverse")
# What shows on a cell without a letter.
_SHOWS_ON_BLANK = ("underline", "strike", "reverse")
# What stands for a style: single-width, and each unlike the others.
LETTERS = "".join(chr(code) for span in ((0x21, 0x7F), (0xA1, 0xAD), (0xAE, 0x180), (0x391, 0x3A2), (0x3A3, 0x3D0), (0x400, 0x480), (0x48A, 0x500)) for code in range(*span))  # fmt: skip
WRITES = os.environ.get("BPTUI_UPDATE_SNAPSHOTS") == "1"


async def compare(reader, name, size):
    """The picture in every look against the one that is kept."""
    path = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
    lines, dark = reader.text(), _cells(reader, DARK)
    in_ascii, light, colourless = [await _dressed(reader, look) for look in (ASCII, LIGHT, COLOURLESS)]
    shown = "\n".join([lines, "--- styles", *_styles(dark, light, colourless), "--- ascii", in_ascii, ""])
    if WRITES:
        path.write_text(shown, encoding="utf-8", newline="\n")
        return
    assert path.exists(), f"no snapshot {path.name}: BPTUI_UPDATE_SNAPSHOTS=1 writes it"
    assert shown.splitlines() == path.read_text(encoding="utf-8").splitlines(), f"{path.name} differs"


async def _dressed(reader, look):
    """What the app shows at the same moment in another look."""
    reader.app.dress(look)
    # What lies under a page shows through it, and is dressed in its own time.
    for screen in reader.app.screen_stack:
        await reader.settled(screen=screen)
        screen.refresh()
    await reader.settled()
    return reader.text() if look.ascii else _cells(reader, look)


def _styles(*looks: list[list[str]]) -> list[str]:
    """A line of letters for each line of the screen."""
    rows = [[_together(*styles) for styles in zip(*row, strict=True)] for row in zip(*looks, strict=True)]
    legend = _legend({style for row in rows for style in row})
    return ["".join(legend[style] for style in row).rstrip() for row in rows]


def _together(dark: str, light: str, colourless: str) -> str:
    """What the light theme makes of it is said where that is something else."""
    return f"{dark} | {colourless}" if dark == light else f"{dark} or {light} | {colourless}"


def _cells(reader, look: Look) -> list[list[str]]:
    """The style of each cell."""
    return [
        [_said(segment.style or Style(), character.isspace(), look) for segment in strip for character in segment.text]
        for strip in reader.app.screen._compositor.render_strips()
    ]


@cache
def _said(style: Style, blank: bool, look: Look) -> str:
    """A style by the palette's names; of a blank only what shows."""
    flags = [flag for flag in FLAGS if getattr(style, flag) and (not blank or flag in _SHOWS_ON_BLANK)]
    if not look.colours:
        return " ".join(flags)
    ink = "text" if blank and not flags else _name(style.color, look)
    return " ".join([f"{ink} on {_name(style.bgcolor, look)}", *flags])


def _name(colour: Color | None, look: Look) -> str:
    """What the palette calls a colour, or its number where it is a mixture."""
    if colour is None:
        return "none"
    number = colour.get_truecolor().hex
    return _names(look).get(number, number)


@cache
def _names(look: Look) -> dict[str, str]:
    heat = [(f"{sign}{level}", look.style(f"{sign}{level}").color) for sign in ("hot", "cold") for level in range(1, LEVELS + 1)]  # fmt: skip
    return {colour.get_truecolor().hex: name for name, colour in heat} | {
        number: name for name, number in look.palette.colours.items()
    }


def _legend(styles: set[str]) -> dict[str, str]:
    """The letter of each style; where pictures are written anew, new ones are added."""
    known = _kept()
    if missing := sorted(styles - set(known)):
        if WRITES:
            return _added(missing)
        known |= dict.fromkeys(missing, "?")
    return known


def _kept() -> dict[str, str]:
    lines = LEGEND.read_text(encoding="utf-8").splitlines() if LEGEND.exists() else []
    return {f"{PLAIN} | ": " "} | {line[2:]: line[0] for line in lines}


def _added(styles: list[str]) -> dict[str, str]:
    FOLDER.mkdir(exist_ok=True)
    with LEGEND.open("a", encoding="utf-8", newline="\n") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = _kept()
        for style in styles:
            if style not in known:
                known[style] = next(letter for letter in LETTERS if letter not in known.values())
                file.write(f"{known[style]} {style}\n")
    return known
