"""The colours: few, and each with one meaning. A theme is a row of the table.

Orange and blue survive colour blindness best; what a colour says is always said by a glyph too. The accent, both signs
and plain text are told apart by eyes of every kind: tests/ui/test_ui_looks.py reckons how well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Palette:
    """A theme's colours, as `#rrggbb`, or `ansi_…` for one of the terminal's own sixteen.

    ground  behind everything        bar   behind the lines at the top and the bottom, and behind pages
    edge    borders of pages         text  what is plainly said
    dim     what is said quietly     faint lines and what is hardly there
    now     the one accent: the operation at hand, what it reads and what it writes, and nothing else
    pos     positive numbers         neg   negative ones
    cursor  behind the reader's own place     wash  behind the cells of the operation at hand
    """

    dark: bool
    ground: str
    bar: str
    edge: str
    text: str
    dim: str
    faint: str
    now: str
    pos: str
    neg: str
    cursor: str
    wash: str

    @property
    def ansi(self) -> bool:
        """Whether it is made of the terminal's own colours."""
        return self.ground.startswith("ansi_")

    @property
    def colours(self) -> Mapping[str, str]:
        """Name → colour."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "dark"}


THEMES: Mapping[str, Palette] = {
    "dark": Palette(
        dark=True,
        ground="#0d1117", bar="#161b22", edge="#626b76", text="#c9d1d9", dim="#7d8590", faint="#484f58",
        now="#5afea5", pos="#e37e36", neg="#6f95f4", cursor="#20304d", wash="#1c2b21",
    ),
    "light": Palette(
        dark=False,
        ground="#ffffff", bar="#eef1f4", edge="#828a94", text="#1f2328", dim="#656d76", faint="#afb8c1",
        now="#620282", pos="#b74402", neg="#0060e6", cursor="#ffe9a0", wash="#f8effd",
    ),
    "contrast": Palette(
        dark=True,
        ground="#000000", bar="#1a1a1a", edge="#ffffff", text="#ffffff", dim="#c8c8c8", faint="#8c8c8c",
        now="#c1ffac", pos="#ff7a33", neg="#5db3ea", cursor="#0a2a5e", wash="#0a3d14",
    ),
    "contrast-light": Palette(
        dark=False,
        ground="#ffffff", bar="#ffffff", edge="#000000", text="#000000", dim="#3d3d3d", faint="#6e6e6e",
        now="#3b004d", pos="#8c3e08", neg="#034ec9", cursor="#ffe08a", wash="#efdcf7",
    ),
    "terminal": Palette(
        dark=True,
        ground="ansi_default", bar="ansi_default", edge="ansi_bright_black", text="ansi_default",
        dim="ansi_bright_black", faint="ansi_bright_black", now="ansi_bright_green",
        pos="ansi_yellow", neg="ansi_bright_blue", cursor="", wash="",
    ),
}  # fmt: skip
