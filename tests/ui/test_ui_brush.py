"""What is written straight to the terminal: the picture is the one that the compositor would have made."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style
from test_ui_terminal import Terminal
from textual.geometry import Offset, Size
from textual.strip import Strip

from bptui.tui.brush import Brush
from bptui.tui.drawing.difference import Difference
from bptui.tui.drawing.lines import Line, even, width
from bptui.tui.drawing.look import Look
from bptui.tui.driver import TolerantDriver

BASE = Style(color="#c9d1d9", bgcolor="#0d1117")
WIDE = 30
names = st.sampled_from(
    ["plain", "dim", "now+bold", "pos", "neg+italic", "plain+cursor", "neg+cursor", "pos+wash", "dim+strike", "on-hot3"]
)
runs = st.tuples(st.text(st.sampled_from("ab −∂⣿─ "), min_size=1, max_size=9), names)
lines = st.lists(runs, max_size=8).map(tuple)
odd_lines = st.lists(st.tuples(st.text(st.sampled_from("a漢é "), min_size=1, max_size=5), names), max_size=4).map(tuple)


class Screen:
    """A terminal's, that a brush paints on."""

    def __init__(self, look: Look) -> None:
        self.screen = pyte.Screen(WIDE + 4, 3)
        self.frames: list[str] = []
        self.look = look
        app = SimpleNamespace(
            get_line_filters=list,
            console=SimpleNamespace(color_system="truecolor"),
            screen=SimpleNamespace(outer_size=Size(WIDE + 4, 3)),
            cursor_position=Offset(1, 2),
        )
        self.brush = Brush(app)
        self.brush.onto(self)

    def put(self, frame: str) -> None:
        self.frames.append(frame)
        pyte.Stream(self.screen).feed(frame)

    def paint(self, was: Line, now: Line) -> None:
        async def painted() -> None:
            self.brush.paint(self.look, BASE, Offset(2, 1), WIDE, [(0, was, now)])
            await asyncio.sleep(0)

        asyncio.run(painted())

    def whole(self, now: Line) -> None:
        """As the compositor writes a row: all of it."""
        row = [
            Strip.render_style(style, text, ColorSystem.TRUECOLOR)
            for text, style, _ in self.look.strip(now, WIDE, BASE)
        ]
        self.put("\x1b[2;3H" + "".join(row))

    def seen(self) -> list[object]:
        """Every cell; the ink of a blank is not seen."""
        cells = [self.screen.buffer[y][x] for y in range(3) for x in range(WIDE + 4)]
        return [
            cell._replace(fg="", bold=False, italics=False) if cell.data == " " and not cell.reverse else cell
            for cell in cells
        ]


@pytest.mark.parametrize(
    "look", [Look(), Look("light"), Look("terminal"), Look(colours=False), Look(ascii=True)], ids=str
)
@given(was=lines | odd_lines, now=lines | odd_lines)
def test_a_row_is_changed_into_any_other(look, was, now):
    there, other = Screen(look), Screen(look)
    there.whole(was)
    there.paint(was, now)
    other.whole(now)
    assert there.seen() == other.seen()


@given(was=lines, now=lines)
def test_only_what_differs_is_written(was, now):
    letters = "".join(text for text, _ in was).ljust(WIDE)
    cells = [name for text, name in was for _ in text] + ["plain"] * WIDE
    end = -1
    for x, text, name in Difference(Look()).parts(was, now, WIDE):
        # What follows another run at once may be there to save going further.
        assert x == end or text[0].isspace() or (letters[x], cells[x]) != (text[0], name)
        assert end <= x
        end = x + len(text)
        assert end <= WIDE


@given(st.text(max_size=4))
def test_letters_that_are_taken_for_even_are_one_column_wide(text):
    if even(((text, "plain"),)):
        assert width(((text, "plain"),)) == len(text)


class Queue:
    """Where a driver leaves what is to be written."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)


def test_a_frame_goes_before_what_is_drawn_after_it():
    """Of a window that has another size everything is drawn at once, with no turn of the loop before it."""

    async def drawn() -> None:
        there.brush.paint(there.look, BASE, Offset(2, 1), WIDE, [(0, (), (("painted", "plain"),))])
        driver.write("all of it")
        await asyncio.sleep(0)
        there.brush.paint(there.look, BASE, Offset(2, 1), WIDE, [(0, (), (("after the end", "plain"),))])
        there.brush.leave()
        there.brush.flush()

    there, queue, driver = Screen(Look()), Queue(), TolerantDriver.__new__(TolerantDriver)
    vars(driver).update(_app=SimpleNamespace(brush=there.brush), _writer_thread=queue)
    there.brush.onto(driver)
    asyncio.run(drawn())
    assert [word for text in queue.written for word in ("painted", "all of it", "after the end") if word in text] == [
        "painted", "all of it", "after the end",
    ]  # fmt: skip
    assert not there.brush.ready


def test_a_frame_that_fails_is_not_the_last():
    there, failed = Screen(Look()), []

    async def drawn() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
        for place in (None, Offset(1, 2)):
            there.brush._app.cursor_position = place
            there.brush.paint(there.look, BASE, Offset(2, 1), WIDE, [(0, (), (("painted", "plain"),))])
            await asyncio.sleep(0)

    asyncio.run(drawn())
    assert len(failed) == len(there.frames) == 1


@pytest.mark.parametrize("keys", ["q", "cq", "\x03", "?\x11"])
def test_nothing_is_drawn_on_the_screen_of_the_shell(keys):
    """A pane that loses the keyboard on the way out has another heading; a run would have another frame."""
    with Terminal("xor", "--no-session") as terminal:
        terminal.until("iteration 0")
        terminal.send(keys)
        terminal.ended()
        _, after = terminal.written.split(b"\x1b[?1049l")
        assert not re.search(rb"\x1b\[\d+;\d+H", after), after


def quiet(terminal: Terminal) -> None:
    """Read until nothing more comes."""
    before = -1
    while len(terminal.written) != before:
        before = len(terminal.written)
        assert terminal.read()


def picture(terminal: Terminal) -> dict[tuple[int, int], object]:
    """Row and column → its cell; of a blank the ink is not seen."""
    screen = terminal.screen
    return {
        (y, x): cell._replace(fg="", bold=False, italics=False) if cell.data == " " and not cell.reverse else cell
        for y in range(screen.lines)
        for x, cell in ((x, screen.buffer[y][x]) for x in range(screen.columns))
    }


@pytest.mark.parametrize(
    ("size", "options", "env"),
    [
        ((120, 40), (), {}),
        ((80, 24), ("--ascii",), {}),
        ((80, 24), (), {"NO_COLOR": "1"}),
        ((80, 24), (), {"COLORTERM": "", "TERM": "xterm"}),
    ],
    ids=["dark", "ascii", "no-color", "sixteen"],
)
def test_after_a_walk_the_screen_is_as_if_drawn_anew(size, options, env):
    """Steps, elements, iterations, an edit, cursors, views and a plot: then a page is opened, and closed again."""
    columns, rows = size
    with Terminal("article", "--no-session", *options, columns=columns, rows=rows, **env) as terminal:
        terminal.until("iteration 0")
        for keys in ("nnsssQ", "nnnNNZ", "iiW", "2jjl+++R", "3hjQ", "5vZ", "1nnW", "uUR", "4jlQ", "InnZ"):
            # The last key belongs to nothing, and is said to: then all of them have been read.
            terminal.send(keys)
            terminal.until(f" {keys[-1]} does nothing here")
            quiet(terminal)
            seen = picture(terminal)
            terminal.send("?")
            terminal.until("esc close")
            quiet(terminal)
            terminal.send("\x1b")
            terminal.until(lambda text: "esc close" not in text, "the page to close")
            quiet(terminal)
            anew = picture(terminal)
            differ = [place for place, cell in anew.items() if cell != seen[place]]
            assert not differ, f"{keys}: {differ[0]} {anew[differ[0]]} {seen[differ[0]]}"
