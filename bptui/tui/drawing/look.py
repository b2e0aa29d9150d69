"""How everything looks: a theme, whether there are colours, whether the signs are ASCII.

A style is named by words joined with `+`, such as `pos+bold`. `hot1` to `hot16` and `cold1` to `cold16` are the levels
of a heat map, for a letter, and with `on-` before them for the ground behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from bptui.explain.signs import Signs
from bptui.tui.drawing.lines import Line, Run, cut
from bptui.tui.drawing.palette import THEMES, Palette

LEVELS = 16
DEFAULT = "dark"
# How far from the ground the weakest level lies, of the way to the strongest.
_WEAKEST = 0.12


@dataclass(frozen=True)
class Look:
    """A choice that holds for the whole screen.

    theme    a name in `THEMES`
    colours  False where a person wants none, and everything is told by letters alone
    ascii    signs are ASCII, for terminals and fonts that have no others
    """

    theme: str = DEFAULT
    colours: bool = True
    ascii: bool = False

    @property
    def palette(self) -> Palette:
        """The theme's colours."""
        return THEMES[self.theme]

    @property
    def levels(self) -> int:
        """How many strengths of either sign the ground behind a letter can have; 0 where it says nothing."""
        return LEVELS if self.colours and not self.palette.ansi else 0

    def strip(self, runs: Iterable[Run], columns: int, base: Style) -> Strip:
        """A line as Textual draws it, exactly so many columns wide."""
        line = self.fitted(tuple(runs), columns)
        segments = [Segment(text, self.on(base, name)) for text, name in line]
        return Strip(segments).adjust_cell_length(columns, self.on(base, "plain"))

    def fitted(self, line: Line, columns: int) -> Line:
        """A line in the signs that are wanted, cut where it is longer than so many columns."""
        return self._signs.line(cut(self._signs.line(line), columns)) if self.ascii else cut(line, columns)

    def style(self, name: str) -> Style:
        """The style that a name stands for."""
        made = self._styles.get(name)
        if made is None:
            made = self._styles["plain"]
            for word in name.split("+"):
                made += self._styles[word]
            self._styles[name] = made
        return made

    def on(self, base: Style, name: str) -> Style:
        """That style over another."""
        key = (base, name)
        made = self._based.get(key)
        if made is None:
            made = self._based[key] = base + self.style(name)
        return made

    @cached_property
    def _based(self) -> dict[tuple[Style, str], Style]:
        return {}

    @cached_property
    def _signs(self) -> Signs:
        return Signs()

    @cached_property
    def _styles(self) -> dict[str, Style]:
        palette = self.palette
        words = {
            "plain": _ink(palette.text), "dim": _ink(palette.dim), "faint": _ink(palette.faint),
            "now": _ink(palette.now), "pos": _ink(palette.pos), "neg": _ink(palette.neg),
            "bold": Style(bold=True), "italic": Style(italic=True), "strike": Style(strike=True),
            "cursor": _ground(palette.cursor), "focus": _ground(palette.cursor), "wash": _ground(palette.wash),
            "under": Style(underline=True),
            **self._heat,
        }  # fmt: skip
        if self.colours and not palette.ansi:
            return words
        placed = Style(reverse=True)
        letters = {"faint": Style(dim=True), "cursor": placed, "focus": placed, "wash": Style(bold=True)}
        if self.colours:
            return words | letters
        # Without colours the accent is bold, and what is quiet is dim.
        bare = dict.fromkeys(words, Style())
        kept = {name: words[name] for name in ("bold", "italic", "strike", "under")}
        return bare | kept | letters | {"dim": Style(dim=True), "now": Style(bold=True)}

    @property
    def _heat(self) -> Mapping[str, Style]:
        made: dict[str, Style] = {}
        for name, colour in (("hot", self.palette.pos), ("cold", self.palette.neg)):
            for level in range(1, LEVELS + 1):
                shade = self._shade(colour, level)
                made[f"{name}{level}"] = _ink(shade)
                made[f"on-{name}{level}"] = _ground(shade) if self.levels else Style()
        return made

    def _shade(self, colour: str, level: int) -> str:
        """So much of a colour over the ground."""
        if self.palette.ansi:
            return colour
        share = _WEAKEST + (1 - _WEAKEST) * level / LEVELS
        ground, strong = Color.parse(self.palette.ground).get_truecolor(), Color.parse(colour).get_truecolor()
        mixed = (round(a + (b - a) * share) for a, b in zip(ground, strong, strict=True))
        return "#" + "".join(f"{part:02x}" for part in mixed)


def _ink(colour: str) -> Style:
    return Style(color=colour.removeprefix("ansi_"))


def _ground(colour: str) -> Style:
    return Style(bgcolor=colour.removeprefix("ansi_") or None)
