"""Drives the real app with keys and writes its screen as SVG and PNG.

    python screenshots/make.py            all of them
    python screenshots/make.py forward    one

PNG needs resvg-py (in the extra `dev`) and the font DejaVu Sans Mono.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import resvg_py

from bptui.commands.session import Session
from bptui.files import specs
from bptui.tui.app import BptuiApp

HERE = Path(__file__).parent
FONTS = [Path("/usr/share/fonts/truetype/dejavu"), Path("/Library/Fonts"), Path.home() / ".fonts"]
FONT = "DejaVu Sans Mono"
WIDTH = 1600


@dataclass(frozen=True)
class Picture:
    """A spec, a size in cells, and the keys that lead there, after some lines of the command language."""

    name: str
    spec: str
    size: tuple[int, int]
    keys: str
    lines: tuple[str, ...] = ()


# The walk of the README: from nan back to where the steps became too large, and what if they had not.
TO_THE_RATIO = ("break nan", "continue", "break ratio", "reverse-continue")
OTHERWISE = ("set lr = 0.05", "continue")

TO_X = "colon l o o k space x left_square_bracket 0 comma 0 right_square_bracket enter"
PICTURES_OF = "colon v i e w space p i c t u r e enter"

PICTURES = (
    Picture("forward", "article", (120, 40), "n n"),
    Picture("backward", "article", (120, 40), "n n n n n n n"),
    Picture("update", "article", (120, 40), "i i i i i f f f n"),
    Picture("edit", "article", (120, 40), "f f f f plus plus plus plus plus plus 2"),
    Picture("dialog", "article", (120, 40), "n e 0 . 2"),
    Picture("stale", "article", (120, 40), "f f e 0 . 2 enter 2"),
    Picture("mazur", "mazur", (120, 40), "f f n n n n n"),
    Picture("lenet", "lenet", (120, 40), "n n n n n"),
    Picture("transformer", "transformer", (120, 40), "n n n n n n n n n n n n n n n n n n n n"),
    Picture("stopped", "diverging", (120, 40), "d escape", (*TO_THE_RATIO, "watch abs(W1.grad).max()", "watch loss")),
    Picture("diff", "diverging", (120, 40), "colon d i f f space m a i n enter", (*TO_THE_RATIO, *OTHERWISE)),
    Picture("tree", "digits", (120, 40), "n n n x down down right down right", ()),
    Picture("surface", "article", (120, 40), "i i i i 5 v v v v v z"),
    Picture("boundary", "moons", (200, 60), "colon v i e w space b o u n d a r y enter", ("run 200",)),
    Picture("digits", "digits", (120, 40), f"n n n 2 {TO_X} {PICTURES_OF}"),
    Picture("heat", "digits", (120, 40), "f f f 2 v v"),
    Picture("small", "article", (80, 24), "n n n n n n n"),
    Picture("wide", "article", (200, 60), "i i i i i i i i i i i i f f f"),
)


async def _screen(picture: Picture) -> str:
    session = Session(specs.load(picture.spec))
    for line in picture.lines:
        session.execute(line)
    app = BptuiApp(session)
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause()
        await pilot.press(*picture.keys.split())
        await pilot.pause()
        return app.export_screenshot(title=f"bptui {picture.spec}")


def _own_font(svg: str) -> str:
    """One font that has every sign, and nothing fetched from elsewhere."""
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    return re.sub(r"font-family:\s*[^;}]*", f"font-family: {FONT}, monospace", svg)


def _fonts() -> list[str]:
    found = [str(path) for folder in FONTS for path in sorted(folder.glob("DejaVuSansMono*.ttf"))]
    if not found:
        sys.exit(f"{FONT} is not here: install it (Debian: fonts-dejavu-core)")
    return found


def make(names: Sequence[str]) -> None:
    """Write the pictures of those names, or all."""
    fonts = _fonts()
    for picture in PICTURES:
        if not names or picture.name in names:
            svg = re.sub(r"terminal-\d+", "terminal", _own_font(asyncio.run(_screen(picture))))
            (HERE / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
            png = resvg_py.svg_to_bytes(svg_string=svg, font_files=fonts, width=WIDTH)
            (HERE / f"{picture.name}.png").write_bytes(bytes(png))
            print(f"screenshots/{picture.name}.svg, .png")


if __name__ == "__main__":
    make(sys.argv[1:])
