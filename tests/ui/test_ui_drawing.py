"""What must be true of every picture, however it is drawn."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.cells import cell_len

from bptui.commands.session import Session
from bptui.files import specs
from bptui.tui.drawing.lines import CUT, cut, line, spread, width
from bptui.tui.drawing.look import Look
from bptui.tui.drawing.network.figure import figure, planned
from bptui.tui.drawing.network.parts import LINE
from bptui.tui.drawing.network.sight import Sight
from bptui.tui.drawing.numbers import decimals, shortened, signed
from bptui.tui.drawing.plot import Axes, Curve, plot
from bptui.tui.drawing.table import table
from bptui.tui.drawing.tabs import tab_at, tabs
from bptui.tui.screens.helping import scene_of

ACCENT = Look().palette.now
SPECS = ["article", "mazur", "xor"]
SIZES = [(80, 24), (120, 40), (200, 60)]
HOSTILE = (
    "\x1b[31mred\x1b]0;owned\x07 [/] [bold]b[/bold] \u202eevil\u200b \x9b2J \t tab [@click=app.quit]x[/] \u2028 end"
)


def scenes(name):
    """Every moment of the first iteration and the start of the next, by operation and by element."""
    session = Session(specs.load(name))
    for _ in range(session.debugger.count * 3):
        view = session.debugger.view()
        yield scene_of(session, view, (view.program.parameters[-1], 0), 0, looked=False, note="", compact=False)
        session.debugger.step()


@given(st.lists(st.text(max_size=12), max_size=5), st.integers(0, 30))
def test_a_line_is_never_cut_without_a_sign(texts, columns):
    whole = line(*texts)
    made = cut(whole, columns)
    assert width(made) <= columns
    if width(whole) <= columns:
        assert made == whole
    elif columns:
        assert made[-1][0] == CUT


numbers = st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0])


@given(arrays(float, st.integers(1, 700), elements=numbers), st.integers(1, 60), st.booleans())
def test_a_thinned_curve_keeps_its_heights_and_its_end(values, most, log):
    """Against all of it: what is left out lies between two that are kept."""
    whole = Curve.of(values, 3)
    thin = whole.thinned(most, log=log)
    a, b = (curve.finite(1.0, log=log) for curve in (whole, thin))
    assert len(thin.values) <= max(2 * most, 3 * (most + 1))
    assert bool(a.values.size) == bool(b.values.size)
    if a.values.size:
        assert (b.values.min(), b.values.max()) == (a.values.min(), a.values.max())
        assert (b.iterations[-1], b.values[-1]) == (a.iterations[-1], a.values[-1])
    assert set(thin.iterations) <= set(whole.iterations)


@given(st.text("ab", max_size=30), st.text("cd", max_size=20), st.integers(1, 40))
def test_two_ends_never_overlap(left, right, columns):
    made = spread(line(left), line(right), columns)
    assert width(made) <= columns
    text = "".join(part for part, _ in made)
    if len(left) + len(right) < columns:
        assert text.startswith(left)
        assert text.endswith(right)
    else:
        assert CUT in text or right in text


@pytest.mark.parametrize("name", SPECS)
def test_a_drawn_neuron_shows_its_whole_name_and_number(name):
    """Whatever the room, each number is there in full, but where there is room for dots or blocks alone."""
    for scene in list(scenes(name))[::13]:
        program = scene.view.program
        for columns in range(20, 140, 13):
            for rows in (3, 5, 8, 11, 16, 21):
                drawn = figure(Sight(scene), columns, rows)
                made = planned(Sight(scene), columns, rows)
                text = "\n".join("".join(part for part, _ in row) for row in drawn)
                assert len(drawn) <= rows
                assert all(width(row) <= columns for row in drawn)
                if made is None or made.form.level < LINE:
                    continue
                for slot in ["x", *(node.output for node in program.network.nodes)]:
                    array = scene.view.state.arrays[slot]
                    for cell in range(array.shape[1]):
                        if scene.view.is_computed(slot, cell):
                            number = signed(
                                scene.view.number(slot, cell), decimals(array, scene.view.state.computed[slot])
                            )
                            assert number in text, (slot, columns, rows, str(scene.position))


@pytest.mark.parametrize("name", SPECS)
def test_decimal_points_stand_in_one_column(name):
    for scene in scenes(name):
        for start, end in ((16, 26), (28, 38)):
            columns = set()
            for row in table(scene, 60, focused=False):
                text = "".join(part for part, _ in row.line)
                number = text[start:end]
                if row.cells and re.search(r"\d\.\d", number) and "e" not in number:
                    columns.add(number.index("."))
            assert len(columns) <= 1, (str(scene.position), start, columns)


@pytest.mark.parametrize("name", SPECS)
def test_the_numbers_of_a_slot_have_equally_many_decimals(name):
    for scene in scenes(name):
        seen = {}
        for row in table(scene, 60, focused=False):
            number = "".join(part for part, _ in row.line)[16:26].strip()
            if row.cells and re.fullmatch(r"[+−]?\d+\.\d+", number):
                seen.setdefault(row.slot, set()).add(len(number.partition(".")[2]))
        assert all(len(places) == 1 for places in seen.values()), (str(scene.position), seen)


def test_no_number_is_shown_as_zero_that_is_not_zero():
    for value in (1e-3, 4.9e-5, 1e-9, -3e-300, 0.00004):
        for places in (-1, 0, 3, 4):
            text = signed(value, places)
            assert float(text.replace("−", "-")) != 0.0
    assert signed(0.0, 4).strip() == "0.0000"


LIT = {
    "0:0": set(),
    "0:1": {"i1", "i2", "w1", "w2", "w3", "w4", "h1", "h2"},
    "0:2": {"h1", "h2", "w5", "w6", "prediction"},
    "0:3": {"prediction", "target", "E"},
    "0:4": {"prediction", "target"},
    "0:5": {"h1", "h2"},
    "0:6": {"w5", "w6"},
    "0:7": {"i1", "i2"},
    "0:8": {"w1", "w2", "w3", "w4", "lr"},
    "0:9": {"w5", "w6", "lr"},
}
ELEMENTS = {
    "0:0.1": {"i1", "i2", "w1", "w2", "h1"},
    "0:1": {"i1", "i2", "w3", "w4", "h2"},
}


def accented(reader):
    """The labels of the values pane, and the numbers of the listing's operations, that stand in the accent."""
    region = reader.app.screen.query_one("#values").region
    labels = set()
    for row in reader.cells()[region.y + 1 : region.bottom]:
        part = row[region.x : region.x + 15]
        text = "".join(c for c, _ in part).strip()
        if text and any(f"fg:{ACCENT} " in style for c, style in part if c != " "):
            labels.add(text)
    program = reader.app.screen.query_one("#program").region
    rows = [row[program.x : program.right] for row in reader.cells()[program.y + 1 : program.bottom]]
    operations = {
        "".join(c for c, _ in row)[3:6].strip() for row in rows if any(f"fg:{ACCENT} " in s for c, s in row if c != " ")
    }
    return labels, operations


async def test_the_accent_stands_on_what_the_operation_reads_and_writes_and_nowhere_else(app):
    async with app("article") as reader:
        for position, labels in LIT.items():
            assert reader.position == position
            shown, operations = accented(reader)
            assert shown == labels, position
            assert operations == ({position[2:]} if position != "0:0" else set())
            await reader.press("n")


async def test_inside_an_operation_the_accent_stands_on_one_element(app):
    async with app("article") as reader:
        await reader.press("s")
        assert accented(reader)[0] == ELEMENTS["0:0.1"]


async def test_every_cell_can_be_reached_and_seen_on_a_small_screen(app):
    """The values page is longer than the screen: its title says so, and the cursor brings every line in sight."""
    async with app("xor", (80, 24)) as reader:
        await reader.press("2")
        assert re.search(r"↓ \d+ more", reader.text())
        await reader.press(*["up"] * 80)
        assert "↑" not in reader.line_with("2 Values")
        seen = set()
        for _ in range(12):
            seen |= {part.split()[0] for part in reader.lines()[8:22] if part.split()}
            await reader.press(*["down"] * 6)
        assert {"i1⁽¹⁾", "w6", "c3", "h3⁽⁴⁾", "v3", "d", "E", "lr"} <= seen
        assert "↓" not in reader.line_with("2 Values")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SPECS)
async def test_title_lines_count_what_is_out_of_sight(app, name, size):
    async with app(name, size) as reader:
        for _ in range(3):
            await reader.press("n")
            for pane in reader.app.screen.query("Pane"):
                if not pane.region.area:
                    continue
                rows = pane.size.height - 1
                lines, _ = pane.content(pane.scene, pane.size.width, rows)
                title = reader.lines()[pane.region.y][pane.region.x : pane.region.right]
                above, below = ((re.search(rf"{sign} (\d+)", title) or [0, 0])[1] for sign in "↑↓")
                assert int(above) + min(rows, len(lines)) + int(below) == len(lines), (pane.id, title)


@pytest.mark.parametrize("size", SIZES[:2])
async def test_every_row_is_exactly_as_wide_as_the_screen(app, size):
    async with app("xor", size) as reader:
        for key in ["n", "n", "e", "escape", "question_mark", "escape", "colon", "escape", "2", "5"]:
            await reader.press(key)
            assert {cell_len(row) for row in reader.lines()} == {size[0]}, key


def hostile():
    """An article whose every text is hostile."""
    network = specs.load("article")
    return replace(network, name=HOSTILE, narration=dict.fromkeys([*network.narration], HOSTILE))


@pytest.mark.parametrize("size", SIZES[:2])
async def test_hostile_text_is_shown_and_not_obeyed(app, size):
    async with app(hostile(), size) as reader:
        for key in [
            "n",
            "n",
            "e",
            "escape",
            "x",
            "escape",
            "m",
            "escape",
            "question_mark",
            "escape",
            "i",
            "z",
            "z",
            "2",
            "3",
            "4",
            "5",
        ]:
            await reader.press(key)
            assert_clean(reader)
        await reader.press("colon")
        await reader.type("print [/][bold]")
        await reader.press("enter")
        assert_clean(reader)
        assert reader.app._exception is None


async def test_a_hostile_file_name_in_a_message_is_made_safe(app, tmp_path):
    async with app("article") as reader:
        await reader.press("colon")
        reader.app.screen.query_one("#line").value = f"load {tmp_path}/\u202e[/]\x9b2J.toml"
        await reader.press("enter")
        assert_clean(reader)
        assert "\\u202e[/]" in reader.text()


def assert_clean(reader):
    raw = "".join(reader.lines())
    assert not [hex(ord(c)) for c in raw if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u200b\u2028\u2066"]


@pytest.mark.parametrize("values", [
    [1e50] * 3, [-1e300, -1e300], [1e16, 1e16], [1e16, 1e16 + 2], [1.7e308, -1.7e308], [1.7e308] * 2, [0.0, 5e-324],
    [5e-324], [0.0], [-1e308, 1e308, 0.0], [1e250, 1e250], [1.7976931348623157e308],
], ids=str)  # fmt: skip
def test_a_plot_of_any_numbers(values):
    for axes in (Axes(), Axes(floor=None), Axes(log=True)):
        for rows in (1, 2, 12):
            curve = Curve.of(np.array(values), 1)
            with np.errstate(all="raise", under="ignore"):
                lines = plot([curve, Curve.of(np.array([1e305, -3.0]), 1)], 60, rows, axes=axes)
            assert len(lines) == max(rows, 2)


@given(st.integers(2, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))), st.integers(0, 120))
def test_the_views_in_a_title_fit_and_that_which_is_shown_or_the_next_is_among_them(which, columns):
    count, k = which
    views = [f"view{n:0{1 + n}}" for n in range(count)]
    made = tabs(views, views[k], columns)
    names = [text.strip() for text, style in made if text.strip() in views]
    if len(made) > 1:
        assert width(made) <= columns
        assert [text.strip() for text, style in made if "focus" in style] == [views[k]]
        assert names == views[views.index(names[0]) :][: len(names)]
        assert ((" …", "dim") in made) == (len(names) < count)
        assert {tab_at(made, x, views) for x in range(width(made))} == {"", *names}
    else:
        assert made == line((f" v {views[(k + 1) % count]} ", "dim"))


@pytest.mark.parametrize("value", [1.28e10, -2e10, 123456.7, 2.5e100, -1.193e-5, 0.123456, 9.9999e9])
@pytest.mark.parametrize("room", [7, 8, 9])
def test_a_number_for_which_there_is_little_room_takes_no_more(value, room):
    """And stays about the same."""
    text = shortened(value, 3, room)
    assert len(text) <= room, text
    assert float(text.replace("−", "-")) == pytest.approx(value, rel=0.2)
