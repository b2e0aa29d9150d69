"""The themes as Textual has them, with the names that the style sheet uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

from bptui.tui.drawing.look import Look
from bptui.tui.drawing.palette import THEMES, Palette

# The style sheet's name → the palette's.
_NAMES = {"ground": "ground", "bar": "bar", "edge": "edge", "words": "text", "quiet": "dim", "warn": "pos"}
_COLOURLESS = "terminal"


def themes() -> Iterator[Theme]:
    """One for each palette."""
    return (_theme(name, palette) for name, palette in THEMES.items())


def theme_of(look: Look) -> str:
    """The name of the theme of a look; without colours that which has none of its own."""
    return f"bptui-{look.theme if look.colours else _COLOURLESS}"


def _theme(name: str, palette: Palette) -> Theme:
    variables = {name: palette.colours[colour] for name, colour in _NAMES.items()}
    # What lies under a page shows through, where a colour can be mixed.
    variables["veil"] = palette.ground if palette.ansi else f"{palette.ground} 60%"
    if palette.ansi:
        usual = BUILTIN_THEMES["ansi-dark"]
        return replace(usual, name=f"bptui-{name}", variables=usual.variables | variables)
    return Theme(
        f"bptui-{name}",
        primary=palette.neg,
        foreground=palette.text,
        background=palette.ground,
        surface=palette.bar,
        panel=palette.edge,
        dark=palette.dark,
        variables=variables,
    )
