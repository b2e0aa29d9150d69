"""The plots of the time pane: what is drawn is what is computed, at every moment, in every size, without a wait."""

from __future__ import annotations

import itertools
import re
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptui.commands.session import Session
from bptui.debugger.probing.probe import Probe
from bptui.files import specs
from bptui.tui.drawing import facts, plots
from bptui.tui.drawing.canvas import Canvas
from bptui.tui.drawing.frame import Frame, crossings
from bptui.tui.drawing.lines import width
from bptui.tui.drawing.norms import decades
from bptui.tui.drawing.numbers import fitted
from bptui.tui.drawing.plot import Course, Curve, plot
from bptui.tui.drawing.slope import heights
from bptui.tui.drawing.spread import limits
from bptui.tui.drawing.surface import levels
from bptui.tui.drawing.ticks import ticks
from bptui.tui.drawing.timeline import furthest
from bptui.tui.screens.helping import scene_of
from bptui.tui.screens.plotting import Plotting, beside


class Drawn:
    """A session's plots, drawn without a screen."""

    def __init__(self, spec, *lines):
        self.session = Session(specs.load(spec) if isinstance(spec, str) else spec)
        self.plotting = Plotting(self.session, lambda: None)
        for line in lines:
            self.session.execute(line)

    def scene(self, cursor):
        made = scene_of(self.session, self.session.debugger.view(), cursor, 0, looked=False, note="", compact=False)
        return replace(made, plotting=partial(self.plotting, passing=False))

    def lines(self, view, cursor, size=(79, 13)):
        """The lines of a view, once all of it is computed."""
        scene = self.scene(cursor)
        made = plots.drawn(scene, view, *size)
        for _ in range(1000):
            if self.plotting.pending:
                self.plotting.go_on()
                made = plots.drawn(scene, view, *size)
        assert not self.plotting.pending
        assert plots.title(scene, view)
        return made

    def hit(self, view, place, cursor=("W1", 0), size=(79, 13)):
        return plots.hit(self.scene(cursor), view, size, *place)

    def place(self, view, glyph):
        """Where a glyph stands first."""
        rows = self.text(view, ("W2", 0)).splitlines()
        return next((row.index(glyph), y) for y, row in enumerate(rows) if glyph in row[:50])

    def text(self, view, cursor, size=(79, 13)):
        return "\n".join("".join(text for text, _ in line) for line in self.lines(view, cursor, size))


def cursors(program):
    """Cells of every kind, whatever is thought of them."""
    slots = [
        program.parameters[0],
        program.parameters[-1],
        "x",
        "y",
        "z1",
        "lr",
        "loss",
        f"{program.parameters[-1]}.grad",
    ]
    return [(slot, program.slots[slot].size - 1) for slot in slots if slot in program.slots]


@pytest.mark.parametrize("spec", ["article", "xor", "iris", "diverging"])
def test_every_view_is_drawn_of_every_cell_at_every_moment_in_every_size(spec):
    drawn = Drawn(spec)
    program = drawn.session.debugger.program
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for line, size in (("goto 0:0", (9, 2)), (f"goto 2:{len(program) - 1}", (74, 5)), ("goto 60:1", (79, 13))):
            drawn.session.execute(line)
            for view, cursor in itertools.product(plots.VIEWS, cursors(program)):
                made = drawn.lines(view, cursor, size)
                assert made
                assert len(made) <= size[1], (view, cursor, size)
                assert size[0] < 20 or all(width(line) <= size[0] for line in made), (view, cursor, size)


def test_the_slope_of_the_article_is_told_and_the_update_foretold():
    drawn = Drawn("article", "goto 0:3")
    assert "∂E/∂w5 is not computed yet" in drawn.text("weight", ("W2", 0))
    drawn.session.execute("goto 0:5")
    said = drawn.text("weight", ("W2", 0))
    for part in ("● w5 +0.1400  E +0.3272", "∂E/∂w5 −0.6876", "○ the update: +0.1744", "lowest E 0.000 at +1.092"):
        assert part in said.replace("0.0000", "0.000"), said
    drawn.session.execute("set w5 = 0.9")
    said = drawn.text("weight", ("W2", 0))
    assert "* set to +0.9000 since" in said
    assert "~ ∂E/∂w5 −0.6876" in said  # that of the value it was taken at, which is where the point is
    drawn.session.execute("set w5 = 0.2 at 0:0")
    assert "● w5 +0.2000" in drawn.text("weight", ("W2", 0))
    assert "E after the update over lr" in plots.title(drawn.scene(("lr", 0)), "weight")
    assert "the loss itself" in drawn.text("weight", ("loss", 0))


@pytest.mark.parametrize("columns", [50, 60, 79, 118])
@pytest.mark.parametrize("length", [3, 20, 36, 50])
def test_words_stand_clear_of_the_plot_beside_them_and_of_the_edge(columns, length):
    drawn = facts.beside(
        lambda wide, high: [(("#" * wide, "plain"),)] * high, [(("w" * length, "plain"),)], columns, 12
    )
    told = next(row for row in ("".join(text for text, _ in line) for line in drawn) if "w" in row)
    assert len(told) < columns
    assert re.fullmatch("(#{38,}  )?w+…?", told), told
    assert ("…" in told) == (length > (36 if "#" in told else columns - 1))


def test_every_sign_of_a_plot_is_told():
    drawn = Drawn("article", "goto 3:5", "set w5 = 0.4 at 0:0")
    pictured = [text[:50] for text in drawn.text("surface", ("W2", 0), (79, 30)).splitlines()]
    told = " ".join(text[50:] for text in drawn.text("surface", ("W2", 0), (79, 30)).splitlines())
    assert all(sign in told for sign in "●∙▼" if any(sign in row for row in pictured)), told
    told = Drawn("moons", "run 1").text("boundary", ("W2", 0))
    for said in ("● 1 in the data", "○ 0 in the data", "+ 1 comes out", "− 0 comes out", "[ ] the row at hand"):
        assert said in told, told
    assert "−x[1]" not in told, "the name of the axis stands clear of the signs of the plane"


@pytest.mark.parametrize("size", [(67, 7), (79, 13), (118, 36)])
def test_a_histogram_says_what_its_axes_its_columns_and_its_rows_are(size):
    drawn = Drawn("iris", "run 60")
    lines = drawn.text("histogram", ("W2", 0), size).splitlines()
    told = "\n".join(lines)
    for said in ("█ now, 48 cells", "at most 9 in a column", "a column is 0.25 wide", "▒ the ends of iterations"):
        assert said in told, told
    labels = [row[:7].strip() for row in lines]
    first = labels.index("9")
    assert labels[:first] == [str(t) for t in range(59 - first, 59)], "an iteration a row, the latest at the bottom"
    assert "cells now ↑" in lines[first]
    assert labels[-2] == "0"
    for said in ("└−2 ", " 0 ", " 2"):
        assert said in lines[-1], lines[-1]


def test_only_what_is_new_is_computed(monkeypatch):
    begun = []
    begin = Probe.begin
    monkeypatch.setattr(Probe, "begin", lambda *given: begun.append(1) or begin(*given))
    drawn = Drawn("article")
    for line in ("goto 1:0", "next", "next 5", "back 2"):
        drawn.session.execute(line)
        drawn.lines("weight", ("W2", 0))
        drawn.lines("weight", ("W2", 0), (50, 20))
    assert len(begun) == 2  # 1:0 is the end of iteration 0
    drawn.session.execute("nudge w5 0.1")
    drawn.lines("weight", ("W2", 0))
    drawn.lines("weight", ("W2", 1))
    assert len(begun) == 4


def test_a_running_mean_moves_the_boundary(tmp_path):
    """What comes out of a network that normalizes depends on more than what is trained."""
    spec = tmp_path / "normal.toml"
    spec.write_text(
        'data = { use = "moons", batch = 20 }\nlayers = ["dense 4", "batch-norm", "dense 1 sigmoid"]\nloss = "bce"\nlr = 0.1\n',
        encoding="utf-8",
    )
    drawn = Drawn(str(spec), "run 1")
    before = drawn.lines("boundary", ("W1", 0))
    drawn.session.execute("set mean2 = 5")
    assert drawn.lines("boundary", ("W1", 0)) != before
    drawn.session.execute("undo")
    assert drawn.lines("boundary", ("W1", 0)) == before


def test_both_classes_and_the_side_they_lie_on_are_seen():
    drawn = Drawn("xor", "run 900")
    rows = drawn.text("boundary", ("W1", 0)).splitlines()
    points = {(x, y): sign for y, row in enumerate(rows[:12]) for x, sign in enumerate(row[:52]) if sign in "●○"}
    assert sorted(points.values()) == ["○", "○", "●", "●"]
    bracketed = [(x, y) for x, y in points if rows[y][x - 1] + rows[y][x + 1] == "[]"]
    assert [drawn.hit("boundary", place).cell for place in bracketed] == [0]
    later = replace(drawn.scene(("W1", 0)), sample=2)
    shown = ["".join(text for text, _ in line) for line in plots.drawn(later, "boundary", 79, 13)]
    ((x, y),) = [(x, y) for x, y in points if shown[y][x - 1] + shown[y][x + 1] == "[]"]
    assert (drawn.hit("boundary", (x, y)).slot, drawn.hit("boundary", (x, y)).cell) == ("x", 4)
    for (x, y), sign in points.items():
        said = drawn.hit("boundary", (x, y)).text
        assert f"wanted {'+1.000' if sign == '●' else '0.000'}" in said
        around = rows[y][max(8, x - 4) : x + 5]
        assert ("+" if sign == "●" else "−") in around, around
        assert ("−" if sign == "●" else "+") not in around, around


def test_the_heights_on_a_surface_are_those_of_the_lines_that_they_stand_on():
    """E = ½(0.85·w5 + 0.48·w6 − 1)² where the mouse reads w5 and w6; a small picture has no numbers on its lines."""
    drawn, size = Drawn("article", "goto 0:5"), (119, 37)
    found = []
    for y, row in enumerate(drawn.text("surface", ("W2", 0), size).splitlines()[:-1]):
        for number in re.finditer(r"(?<=[⠀-⣿ ] )\d[\d.e−]*(?= )", row[9:90]):
            x = 9 + (number.start() + number.end()) // 2
            w5, w6 = (
                float(word.split()[1].replace("−", "-"))
                for word in drawn.hit("surface", (x, y), ("W2", 0), size).text.split(":")[0].split("   ")
            )
            found.append((float(number[0].replace("−", "-")), 0.5 * (0.85 * w5 + 0.48 * w6 - 1) ** 2))
    assert len(found) >= 5
    assert sorted(found) == sorted(found, key=lambda pair: pair[1])
    for written, there in found:
        assert np.sqrt(written) == pytest.approx(np.sqrt(there), abs=0.15)
    assert not re.search(r" 0\.327 ", drawn.text("surface", ("W2", 0), (119, 15)))


def test_the_mouse_reads_a_plot_as_one_would_with_a_ruler():
    drawn = Drawn("article", "goto 0:5")
    x, y = drawn.place("weight", "●")
    said = drawn.hit("weight", (x, y), ("W2", 0)).text
    w5, loss = map(float, said.removeprefix("w5 ").split(": E "))
    assert abs(w5 - 0.14) < 0.07
    assert loss == pytest.approx((0.85 * w5 + 0.48 * 0.15 - 1) ** 2 / 2, rel=0.01)
    x, y = drawn.place("surface", "●")
    name, first, second, w6, _, loss = drawn.hit("surface", (x, y), ("W2", 0)).text.split()
    assert (name, second) == ("w5", "w6")
    assert abs(float(first) - 0.14) < 0.07
    assert abs(float(w6.rstrip(":")) - 0.15) < 0.3
    assert float(loss) == pytest.approx(0.3272, rel=0.5)
    bars = drawn.text("norms", ("W1", 0)).splitlines()
    row = next(k for k, text in enumerate(bars) if text.startswith(" ∂E/∂W1"))
    assert drawn.hit("norms", (9, row)).slot == "W1.grad"
    drawn.text("histogram", ("W1", 0))
    counted = [found.text for found in (drawn.hit("histogram", (x, 1)) for x in range(79)) if found]
    assert all(text.startswith("W1: ") for text in counted)
    assert sum(int(text.split()[1]) for text in dict.fromkeys(counted)) == 4
    for view in plots.VIEWS:
        assert drawn.hit(view, (500, 300)) is None or view in plots.CURVES


def test_a_dead_layer_is_seen():
    drawn = Drawn("mazur", "set W2 = 0 at 0:0", "run 1")
    said = drawn.text("norms", ("W1", 0), (79, 5))
    assert "dead: every gradient is 0" in next(row for row in said.splitlines() if "∂E" in row or "W1" in row)


# Pure


@pytest.mark.parametrize("radius", [0.5, 1.5])
def test_contours_go_through_places_of_one_height(radius):
    xs, ys = np.linspace(-2, 2, 41), np.linspace(-2, 2, 31)
    strokes = crossings((xs, ys), xs[None, :] ** 2 + ys[:, None] ** 2, radius**2)
    distances = [np.hypot(*place) for stroke in strokes for place in stroke]
    assert len(distances) > 40
    assert np.abs(np.array(distances) - radius).max() < 0.01
    angles = {round(np.arctan2(place[1], place[0])) for stroke in strokes for place in stroke}
    assert angles == {-3, -2, -1, 0, 1, 2, 3}


near = st.floats(-10, 10)


@given(st.tuples(near, near), st.tuples(near, near))
def test_no_line_leaves_its_frame(start, end):
    canvas = Canvas(40, 12)
    Frame(canvas, 30, 11, (-2, 3), (-1, 4)).stroke(start, end, "plain")
    for y, row in enumerate("".join(text for text, _ in line) for line in canvas.lines()):
        for x, character in enumerate(row):
            assert character == " " or (8 <= x < 38 and y < 11)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1))
def test_the_point_is_always_in_sight(low, more, share):
    high = low + more
    here = low + share * more
    bottom, top = heights(low, high, here)
    assert bottom <= here <= top * (1 + 1e-12)
    assert bottom < top


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1), st.integers(3, 40))
def test_levels_lie_within_and_one_goes_through_the_point(low, more, share, rows):
    high, here = low + more, low + share * more
    found = levels(low, high, here, rows)
    assert all(low < level < high for level in found)
    assert len(found) <= 11
    if 1e-6 < share < 0.99:
        assert any(abs(level - here) <= 1e-9 * more for level in found)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_limits_hold_all(values):
    low, high = limits(min(values), max(values))
    assert low <= min(values)
    assert max(values) <= high
    assert low < high


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(0, 9), st.booleans())
def test_ticks_lie_within_at_round_numbers_equally_far_apart(low, more, most, whole):
    high = low + more
    found = ticks(low, high, most, whole=whole)
    assert len(found) <= most
    assert all(low < value < high for value in found)
    steps = {f"{b - a:.6g}" for a, b in itertools.pairwise(found)}
    assert len(steps) <= 1
    assert all(step.strip("0.").split("e")[0].strip("0.") in ("1", "2", "5") for step in steps)
    assert not whole or all(value == round(value) for value in found)
    assert most == 0 or whole or more < 1e-9 * max(abs(low), abs(high)) or found or most < 3


def test_the_axes_have_round_numbers_where_there_is_room():
    drawn = Drawn("article", "run 60")
    tall = drawn.text("loss", ("W2", 0), (100, 36))
    assert [label for label in ("0.1┤", "0.2┤", "0.3┤") if label in tall.replace(" ", "")] == ["0.1┤", "0.2┤", "0.3┤"]
    below = tall.splitlines()[next(k for k, row in enumerate(tall.splitlines()) if "└" in row) + 1]
    assert below.split() == ["0", "20", "40", "59"]
    assert "┤" not in drawn.text("loss", ("W2", 0), (70, 7))
    powers = drawn.text("log", ("W2", 0), (100, 36)).replace(" ", "")
    assert "1e-10┤" in powers


def test_the_axis_of_time_is_always_laid_out_alike_and_marks_where_one_is():
    for moves in ("run 12", "run 12; goto 5:3", "run 12; set w5 = 0.4 at 3:9", "run 12; goto 0:4"):
        drawn = Drawn("article", *moves.split("; "))
        high, low = (drawn.text("loss", ("W2", 0), (70, rows)).splitlines() for rows in (12, 5))
        assert [row.lstrip()[0] for row in high[-2:]] == ["└", "0"], moves
        assert high[-2].count("▲") == low[-1].count("▲") == 1, moves
        assert re.match(r" {9}└[─▲]0", low[-1]), moves
        scene = drawn.scene(("W2", 0))
        column = int(Course(69, furthest(scene)).column(scene.position.iteration))
        assert high[-2][column] == low[-1][column] == "▲", moves


def test_another_branch_gives_no_scale_and_a_name_stands_at_the_end_of_its_curve():
    own, other = (Curve.of(np.array(values), 1, name=name) for values, name in (([3.0, 2, 1], "own"), ([3, 50.0], "b")))
    rows = ["".join(text for text, _ in row) for row in plot([own, replace(other, aside=True)], 60, 12)]
    assert rows[0].strip().startswith("3 │")
    assert any(" b " in row for row in rows[:3])  # where it leaves the picture
    assert "own" in "".join(rows)


def test_the_name_along_an_axis_takes_the_place_of_no_number():
    for columns in (60, 100):
        frame = Frame.filling(columns, 8, (-2.0, 2.0), (0.0, 1.0))
        frame.axes("w5 →")
        axis = "".join(text for text, _ in frame.canvas.lines()[-1]).replace("─", " ").split()
        assert axis[:1] == ["└−2"]
        assert axis[-3:] == ["w5", "→", "2"]
        assert "0" in axis


def test_a_number_too_long_for_its_column_keeps_what_digits_it_can():
    assert [fitted(0.0005206, 7, (2, columns)) for columns in (10, 9, 8, 7, 6, 5)] == [
        "+0.0005206", " +5.21e-4", "+5.21e-4", "+5.2e-4", " +5e-4", "+5e-4",
    ]  # fmt: skip
    assert fitted(-1.5e-300, -1, (2, 8)) == "−2e-300 ".rstrip().rjust(8)


def test_decades_hold_what_is_above_0():
    assert decades(np.array([[0.0, np.nan, np.inf]])) == (-1, 0)
    assert decades(np.array([[3e-4, 0.2]])) == (-4, 0)
    assert decades(np.array([[1.0]])) == (0, 1)


@pytest.mark.parametrize(
    "cell, other",
    [
        ((("W2", 0)), ("W2", 1)),
        (("W2", 1), ("W2", 0)),
        (("W1", 0), ("W1", 2)),
        (("W1", 2), ("W1", 1)),
        (("lr", 0), ("W1", 0)),
    ],
)
def test_the_second_cell_is_the_next_as_people_count(cell, other):
    assert beside(Session(specs.load("article")).debugger.program, *cell) == other


# In the app


async def test_a_teacher_turns_w5_and_the_picture_follows(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("f", "f", "f", "5")
        await reader.command("view weight")
        assert "5 E over w5 · iteration 0" in reader.text()
        assert "● w5 +0.1400 E +0.3272" in reader.inside("#loss")
        await reader.press("plus", "plus")
        assert "● w5 +0.1600 E +0.3136" in reader.inside("#loss")
        assert "∂E/∂w5 −0.6732" in reader.inside("#loss")
        await reader.press("v")
        assert "5 E over w5 and w6" in reader.text()
        assert ":mark another cell for ↑" in reader.inside("#loss")
        await reader.command("mark w1")
        assert "5 E over w5 and w1" in reader.text()
        assert ":mark" not in reader.inside("#loss")
        await reader.command("mark w1")
        assert "5 E over w5 and w6" in reader.text()
        await reader.command("mark nothing")
        assert "nothing" in reader.line_with("nothing")
        await reader.press("escape", "5", "i", "i")
        await reader.until("the last 2 iterations")
        # A cell elsewhere, chosen in the values.
        await reader.press("2", "home")
        await reader.press("right_square_bracket", "5", "V")
        assert "5 E over" in reader.text()


async def test_what_takes_long_is_drawn_when_it_is_there_and_no_key_waits(app):
    async with app("transformer", (120, 40)) as reader:
        await reader.press("5")
        await reader.command("view weight")
        await reader.press("i")
        assert reader.position == "0:194"
        await reader.until("the update: ")
        await reader.settled()
        assert not reader.app.screen._plotting.pending


async def test_views_that_a_network_has_not_are_passed_over_and_say_why(app):
    async with app("iris", (80, 24)) as reader:
        await reader.press("5")
        seen = []
        for _ in range(6):
            seen.append(reader.app.screen.query_one("#loss").shown)
            await reader.press("v")
        assert seen == ["loss", "log", "norms", "histogram", "weight", "surface"]
        assert reader.app.screen.query_one("#loss").shown == "loss"
        await reader.command("view boundary")
        assert "only for networks of one or two inputs" in reader.inside("#loss")
        await reader.command("view watch")
        assert "nothing is watched" in reader.text()
        await reader.command("watch loss")
        await reader.press("V", "v")
        assert "5 Time and loss" in reader.text()


@pytest.mark.parametrize("value", [25438.0, 2.5438e17, 1.23456e-9, 9.99999e99])
def test_no_number_at_the_axis_is_wider_than_its_margin(value):
    rows = plot([Curve.of(np.array([value, value / 2]), 1)], 60, 8)
    edge = {text.index("│") for text in ("".join(part for part, _ in row) for row in rows) if "│" in text}
    assert edge == {9}
    assert all(
        len(text.partition("│")[0].strip()) <= 8 for text in ("".join(part for part, _ in row) for row in rows[:1])
    )
