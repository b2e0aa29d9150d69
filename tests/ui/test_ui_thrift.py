"""Fewer bytes for the same picture, on a terminal's screen."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

from bptui.tui.thrift import thrifty

colours = st.none() | st.sampled_from(["red", "bright_blue", "default", "color(93)", "#5afea5", "#0d1117"])
flag = st.none() | st.booleans()
styles = st.builds(
    lambda ink, ground, bold, dim, italic, under, reverse, strike: Style(
        color=ink, bgcolor=ground, bold=bold, dim=dim, italic=italic, underline=under, reverse=reverse, strike=strike
    ),
    colours, colours, flag, flag, flag, flag, flag, flag,
)  # fmt: skip
pieces = st.lists(st.tuples(st.text(st.sampled_from("ab −∂⣿"), max_size=4), styles), max_size=12)


def screen(data: str) -> list[object]:
    """Every cell with its style, and what a letter would look like that is typed next."""
    terminal = pyte.Screen(40, 4)
    pyte.Stream(terminal).feed(data + "x")
    return [cell for y in range(4) for cell in (terminal.buffer[y][x] for x in range(40))]


def sent(runs: list[tuple[str, Style]], system: ColorSystem = ColorSystem.TRUECOLOR) -> str:
    return "".join(Strip.render_style(style, text, system) for text, style in runs)


@given(pieces, st.sampled_from([ColorSystem.TRUECOLOR, ColorSystem.STANDARD]))
def test_the_screen_is_the_same(runs, system):
    data = "\x1b[2;1H".join(sent([run], system) for run in runs)
    assert screen(thrifty(data)) == screen(data)
    assert len(thrifty(data)) <= len(data)


def test_a_style_is_said_once():
    bold = Style(color=Color.parse("#5afea5"), bgcolor="#0d1117", bold=True)
    plain = Style(color="#c9d1d9", bgcolor="#0d1117")
    assert thrifty(sent([("a", bold), ("b", bold), ("c", plain)])) == (
        "\x1b[1;38;2;90;254;165;48;2;13;17;23mab\x1b[22;38;2;201;209;217mc\x1b[0m"
    )


def test_what_has_no_styles_is_left_alone():
    for data in ("", "abc", "\x1b[?2026h", "\x1b[3;4Hx"):
        assert thrifty(data) == data
