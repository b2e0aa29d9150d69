"""Drives the real app with keys and writes its screen as PNG, and a walk through the article as a GIF.

    python screenshots/make.py            all of them
    python screenshots/make.py forward    one
    python screenshots/make.py walk       the walk

It needs the extra `dev` and the font DejaVu Sans Mono. The same app gives the same bytes.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import resvg_py

from bptui.commands.session import Session
from bptui.files import specs
from bptui.tui.app import BptuiApp
from bptui.tui.drawing.look import Look

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import shapes  # noqa: E402 - it lies beside this script
import walk  # noqa: E402

FONTS = [Path("/usr/share/fonts/truetype/dejavu"), Path("/Library/Fonts"), Path.home() / ".fonts"]
FONT = "DejaVu Sans Mono"
WIDTH = 1600


@dataclass(frozen=True)
class Picture:
    """A spec, a size in cells, and the keys that lead there, after some lines of the command language.

    shows  what is to be seen, for the list
    """

    name: str
    spec: str
    size: tuple[int, int]
    keys: str
    shows: str
    lines: tuple[str, ...] = ()
    look: Look = field(default_factory=Look)


def _typed(text: str) -> str:
    """The keys that type a line after `:`."""
    names = {" ": "space", "[": "left_square_bracket", "]": "right_square_bracket", ",": "comma"}
    return " ".join(["colon", *(names.get(letter, letter) for letter in text), "enter"])


# The walk of the README: from nan back to where the steps became too large, and what if they had not.
TO_THE_RATIO = ("break nan", "continue", "break ratio", "reverse-continue")
OTHERWISE = ("set lr = 0.05", "continue")
USUAL, SMALL, WIDE = (120, 40), (80, 24), (200, 60)
BACKWARD = "n n n n n n n"

PICTURES = (
    Picture("start", "article", SMALL, "", "The first screen, in 80×24"),
    Picture("forward", "article", USUAL, "n n", "An operation: symbols, numbers, and all of it written out"),
    Picture("backward", "article", USUAL, BACKWARD, "A gradient as the chain rule from the error down"),
    Picture("update", "article", USUAL, "i i i i i f f f n", "An update, after some iterations"),
    Picture("small", "article", SMALL, BACKWARD, "The same gradient in 80×24"),
    Picture("wide", "article", WIDE, "i i i i i i i i i i i i f f f", "… and in 200×60"),
    Picture("edit", "article", USUAL, "f f f f plus plus plus plus plus plus 2", "A weight nudged: everything follows"),
    Picture("dialog", "article", USUAL, "n e 0 . 2", "A number set, from here or from earlier"),
    Picture("whole", "article", USUAL, f"n {_typed('look W1')} E", "A whole array, written over as text"),
    Picture("stale", "article", USUAL, "f f e 0 . 2 enter 2", "What was computed before an edit is struck out"),
    Picture("predict", "article", USUAL, "n p 2 asterisk 0 . 1", "The next number, asked for before it is shown"),
    Picture("tour", "article", USUAL, f"{_typed('tour')} right", "The tour: a minute's walk, any key leaves it"),
    Picture("tree", "digits", USUAL, "n n n x down down right down right", "A number, opened down to what made it"),
    Picture("mazur", "mazur", USUAL, "f f n n n n n", "Biases and activations"),
    Picture("lenet", "lenet", USUAL, "n n n n n", "A convolution, window by window"),
    Picture("transformer", "transformer", USUAL, " ".join("n" * 20), "Attention: blocks beside their graph"),
    Picture("digits", "digits", USUAL, f"n n n 2 {_typed('look x[0,0]')} {_typed('view picture')}",
            "Data as pictures"),
    Picture("heat", "digits", USUAL, "f f f 2 v v", "A tensor as a heat map, with its histogram"),
    Picture("loss", "moons", USUAL, "5 z", "The loss over the iterations", ("run 300",)),
    Picture("log", "article", USUAL, "5 v z", "… and its logarithm", ("run 60",)),
    Picture("norms", "mazur", USUAL, f"{_typed('view norms')} 5 z", "How large each layer's gradient is", ("run 60",)),
    Picture("histogram", "iris", USUAL, f"{_typed('view histogram')} 5 z", "How weights are spread", ("run 60",)),
    Picture("weight", "article", USUAL, f"{_typed('view weight')} 5 z",
            "The loss over a weight, the gradient as its slope", ("goto 1:7",)),
    Picture("surface", "article", USUAL, f"i i i i {_typed('view surface')} 5 z",
            "The loss over two weights, and the way that training took"),
    Picture("boundary", "moons", USUAL, f"{_typed('view boundary')} 5 z",
            "A decision boundary; in brackets the row at hand", ("run 200",)),
    Picture("fit", "fit", USUAL, f"{_typed('view fit')} 5 z", "A curve through points", ("run 400",)),
    Picture("stopped", "diverging", USUAL, "d escape", "Where the steps became too large: a breakpoint, met going back",
            (*TO_THE_RATIO, "watch abs(W1.grad).max()", "watch loss")),
    Picture("watches", "mazur", USUAL, "f f f n 6", "Expressions that are watched, and breakpoints",
            ("watch abs(W1.grad).max()", "watch w5.grad / w5", "watch loss", "break loss < 0.01", "run 40")),
    Picture("branches", "diverging", USUAL, "d", "Timelines as a tree", (*TO_THE_RATIO, *OTHERWISE)),
    Picture("diff", "diverging", USUAL, _typed("diff main"), "Two runs side by side", (*TO_THE_RATIO, *OTHERWISE)),
    Picture("palette", "article", USUAL, "ctrl+p b r", "Every command, found by some of its letters"),
    Picture("help", "article", USUAL, "2 question_mark", "Help: the keys of the pane first"),
    Picture("open", "article", USUAL, "ctrl+o", "Another network"),
    Picture("restart", "moons", USUAL, f"{_typed('restart')} down", "… or this one anew, with other settings"),
    Picture("light", "article", USUAL, BACKWARD, "Themes: light", look=Look("light")),
    Picture("contrast", "article", USUAL, BACKWARD, "… high contrast", look=Look("contrast")),
    Picture("mono", "article", USUAL, BACKWARD, "… no colours (`NO_COLOR`)", look=Look(colours=False)),
    Picture("ascii", "article", USUAL, BACKWARD, "… signs in ASCII (`--ascii`)", look=Look(ascii=True)),
)  # fmt: skip


def _session(picture: Picture) -> Session:
    own = HERE / f"{picture.spec}.toml"
    session = Session(specs.load(str(own) if own.exists() else picture.spec))
    for line in picture.lines:
        session.execute(line)
    return session


async def _screen(picture: Picture) -> str:
    app = BptuiApp(_session(picture), picture.look)
    async with app.run_test(size=picture.size) as pilot:
        await pilot.pause()
        await pilot.press(*picture.keys.split())
        await pilot.pause(0.3)
        return _own(app.export_screenshot(title=f"bptui {picture.spec}"))


async def _frames(frames: Sequence[walk.Frame]) -> list[str]:
    """The screen after the keys of each."""
    app, made = BptuiApp(Session(specs.load("article"))), []
    async with app.run_test(size=walk.SIZE) as pilot:
        await pilot.pause()
        for frame in frames:
            await pilot.press(*frame.keys.split())
            await pilot.pause(0.1)
            made.append(_own(app.export_screenshot(title=frame.said)))
    return made


def _own(svg: str) -> str:
    """One font that has every sign which is not a shape, and nothing fetched from elsewhere."""
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    svg = re.sub(r"font-family:\s*[^;}]*", f"font-family: {FONT}, monospace", svg)
    return shapes.drawn(re.sub(r"terminal-\d+", "terminal", svg))


def _fonts() -> list[str]:
    found = [str(path) for folder in FONTS for path in sorted(folder.glob("DejaVuSansMono*.ttf"))]
    if not found:
        sys.exit(f"{FONT} is not here: install it (Debian: fonts-dejavu-core)")
    return found


def _png(svg: str, width: int) -> bytes:
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, font_files=_fonts(), skip_system_fonts=True, width=width))


def table() -> str:
    """The list of all pictures."""
    rows = [f"| ![{one.shows}]({one.name}.png) | {one.shows} | `{one.name}` |" for one in PICTURES]
    return "\n".join([
        "# What bptui looks like", "", "![A walk through the article](walk.gif)", "",
        "Made by `python screenshots/make.py`, which drives the real app with keys.", "",
        "| picture | shows | name |", "| --- | --- | --- |", *rows, "",
    ])  # fmt: skip


def make(names: Sequence[str] = (), folder: Path = HERE, frames: Sequence[walk.Frame] = walk.FRAMES) -> None:
    """Write the pictures of those names, or everything."""
    for picture in PICTURES:
        if not names or picture.name in names:
            svg = asyncio.run(_screen(picture))
            (folder / f"{picture.name}.png").write_bytes(walk.reduced(_png(svg, WIDTH)))
            print(f"screenshots/{picture.name}.png")
    if not names or "walk" in names:
        svgs = asyncio.run(_frames(frames))
        pngs = [_png(svg, walk.WIDTH) for svg in svgs]
        (folder / "walk.gif").write_bytes(
            walk.animation(pngs, [frame.seconds for frame in frames], list(Look().palette.colours.values()))
        )
        print("screenshots/walk.gif")
    (folder / "README.md").write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    make(sys.argv[1:])
