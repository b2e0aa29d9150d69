"""One tensor, seen: what is said of all its cells is what NumPy says, and what lies at a place is what is drawn there."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache

import larger
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rich.cells import cell_len

from bptui.commands.session import Session
from bptui.engine.network import Network
from bptui.files import specs
from bptui.tui.drawing.lines import width
from bptui.tui.drawing.look import LEVELS
from bptui.tui.drawing.numbers import signed
from bptui.tui.drawing.table import shown_slots, table
from bptui.tui.drawing.tensor import marks
from bptui.tui.drawing.tensor.albums import album
from bptui.tui.drawing.tensor.header import bars
from bptui.tui.drawing.tensor.heat import Map
from bptui.tui.drawing.tensor.pictures import Pictures
from bptui.tui.drawing.tensor.plane import VIEWS, beside, plane, tensor_beside
from bptui.tui.drawing.tensor.seen import Seen
from bptui.tui.drawing.tensor.summary import BINS, Held, summary
from bptui.tui.drawing.tensor.views import view_of
from bptui.tui.screens.helping import scene_of

HOSTILE = [0.0, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"), 1e-9, -3.25, 7.0]
ordinary = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60).map(lambda made: np.array(made) / 1000)


def scene_at(name, position="0:6", cursor=None):
    session = Session(larger.lstm() if name == "unrolled" else specs.load(name))
    session.execute(f"goto {position}")
    view = session.debugger.view()
    cursor = cursor or (view.program.parameters[-1], 0)
    return scene_of(session, view, cursor, 0, looked=True, note="", compact=False)


@cache
def kept(name, slot):
    return scene_at(name, "0:30", (slot, 0))


def with_values(scene, slot, numbers):
    """The scene with other numbers in a slot, as many as it takes."""
    state = scene.view.state
    array = np.resize(np.array(numbers, float), state.arrays[slot].shape)
    other = replace(state, arrays={**state.arrays, slot: array})
    timeline = replace(scene.view.timeline)  # another: what is known of the numbers of this one is no longer true
    return replace(scene, view=replace(scene.view, state=other, timeline=timeline))


def text(line):
    return "".join(part for part, _ in line)


# What is said of all cells


@given(ordinary)
def test_the_header_says_what_numpy_says(array):
    found = summary(Held(array), array.size)
    assert (found.low, found.high) == (array.min(), array.max())
    assert found.mean == pytest.approx(array.mean(), rel=1e-12, abs=1e-9)
    assert found.norm == pytest.approx(np.linalg.norm(array), rel=1e-12)
    assert found.zeros == np.sum(array == 0)
    assert found.odd == 0
    if np.ptp(array):
        scaled = array / np.abs(array).max()
        assert found.bars == tuple(np.histogram(scaled, BINS)[0])
    assert sum(found.bars) == array.size


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=40), st.integers(0, 40))
def test_the_header_of_numbers_of_any_size(numbers, there):
    array = np.array(numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = summary(Held(array), min(there, len(array)))
    known = array[:there]
    finite = known[np.isfinite(known)]
    assert (found.count, found.odd) == (len(known), len(known) - len(finite))
    assert found.zeros == np.sum(known == 0)
    if len(finite):
        assert (found.low, found.high) == (finite.min(), finite.max())
        assert found.low <= found.mean <= found.high or found.mean == pytest.approx(found.low)
        # The norm of numbers near the end of the range is beyond it; of the smallest it is not 0.
        assert found.norm >= found.largest * (1 - 1e-12)
        assert sum(found.bars) == len(finite)
    assert len(bars(found)) == BINS


def test_a_large_arrays_histogram_is_that_of_a_fair_sample():
    """Columns that differ show as what they are, which a stride over the rows would miss."""
    array = np.tile(np.repeat(np.arange(8.0), 64), (784, 1))
    found = np.array(summary(Held(array), array.size).bars)
    whole = np.histogram(array, BINS)[0]
    assert found / found.sum() == pytest.approx(whole / whole.sum(), abs=0.02)
    assert summary(Held(array), array.size) is summary(Held(array), array.size)
    assert summary(Held(copy := array.copy()), copy.size) is not summary(Held(array), array.size)


def test_a_key_keeps_no_array():
    array = np.zeros(3)
    key = Held(array)
    assert key == Held(array)
    assert key != Held(np.zeros(3))
    del array
    assert key != key


@pytest.mark.parametrize("name", ["article", "sequential", "digits"])
def test_what_is_kept_of_an_array_is_true_of_it_wherever_one_goes(name):
    """A walk with steps, elements, edits, branches and undo: arrays that count as the same are the same to the bit."""
    session = Session(specs.load(name))
    kept = {}
    walk = (
        "next 2", "step", "step", "next 3", "set W1[0, 0] = 0.5", "back 2", "next 9", "iteration", "set W1[0, 0] = 0.7 at 0:0",
        "next 4", "undo", "finish", "set lr = 0.3", "iteration 2", "step 3", "iteration-back", "branch other", "nudge W2[0, 0]",
        "next 3", "goto 0:0", "iteration 3", "branch main", "next", "finish", "finish", "finish", "finish", "start", "step", "step",
    )  # fmt: skip
    equal = 0
    for line in walk:
        session.execute(line)
        view = session.debugger.view()
        scene = scene_of(session, view, (view.program.parameters[-1], 0), 0, looked=False, note="", compact=False)
        for slot, array in view.state.arrays.items():
            key = (scene.held(slot), view.state.computed[slot])
            equal += key in kept
            assert kept.setdefault(key, array.tobytes()) == array.tobytes(), (line, slot)
    assert equal > 100


# Marks


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.floats(0.1, 1e3))
def test_marks_are_the_darker_the_larger_and_never_lose_a_sign(numbers, largest):
    array = np.array(numbers)
    found = marks.codes(array, largest).astype(int)
    assert np.array_equal(np.sign(found), np.sign(array))
    order = np.argsort(np.abs(array))
    assert np.all(np.diff(np.abs(found)[order]) >= 0)
    assert np.abs(found).max() <= LEVELS
    letters = [marks.mark(code)[0] for code in found]
    for value, letter in zip(array, letters, strict=True):
        assert letter in (marks.POSITIVE if value > 0 else marks.NEGATIVE if value < 0 else " ")


def test_what_is_no_number_has_a_mark_of_its_own():
    found = marks.codes(np.array([np.nan, np.inf, -np.inf, -0.0, 1e308]), 5e-324)
    assert [marks.mark(int(code))[0] for code in found] == ["!", "!", "!", " ", "█"]


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 13), st.integers(1, 13)), elements=st.floats(-9, 9)),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
)
def test_a_block_is_its_largest_number(array, block):
    found = marks.pooled(Held(array), array.shape, 0, array.size, block)
    for (i, j), value in np.ndenumerate(found):
        part = array[i * block[0] : (i + 1) * block[0], j * block[1] : (j + 1) * block[1]]
        assert abs(value) == np.abs(part).max()
        assert value in part


def test_a_number_that_is_none_is_not_lost_in_a_block():
    array = np.ones((6, 6))
    for value in (np.nan, np.inf, -np.inf):
        array[4, 5] = value
        copy = array.copy()
        found = marks.pooled(Held(copy), (6, 6), 0, 36, (3, 3))
        assert np.isfinite(found).tolist() == [[True, True], [True, False]]


# Whatever the tensor, the view and the room


@pytest.mark.parametrize("name", ["article", "lenet", "transformer", "unrolled"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_slot_fits_and_what_is_drawn_at_a_place_is_what_lies_there(name, view):
    """Every view of every tensor in every room; and its numbers are where `at` says they are."""
    scene = scene_at(name, "0:1" if name == "unrolled" else "1:4")
    program = scene.view.program
    slots = list(program.slots)
    for k, slot in enumerate(slots[:: max(1, len(slots) // 50)]):
        columns, rows = ((44, 21), (78, 14), (117, 52), (30, 6))[k % 4]
        for at in (0, program.slots[slot].size - 1):
            seen = Seen(replace(scene, cursor=(slot, at)), (slot, at), focused=True, fine=k % 2 == 0)
            sheet = view_of(seen, view, columns, rows)
            assert len(sheet.lines) <= rows
            for y, line in enumerate(sheet.lines):
                assert width(line) <= columns, (slot, text(line))
                assert cell_len(text(line)) == len(text(line))
                for x in range(0, columns, 3):
                    found = sheet.at(x, y)
                    if found is not None:
                        assert found[0] in seen.slots
                        assert plane(program, found) == seen.plane or view == "picture"
            for step in ((1, 0), (-1, 0), (0, 1), (0, -1), (10**9, 10**9), (-(10**9), 0)):
                name_, cell = sheet.moved(*step)
                assert 0 <= cell < program.slots[name_].size


@pytest.mark.parametrize("slot", ["W1", "W2", "x", "z1", "b1", "y"])
def test_each_number_stands_where_a_click_finds_it(slot):
    scene = scene_at("digits", "0:12", (slot, 5))
    seen = Seen(scene, (slot, 5), focused=True)
    sheet = view_of(seen, "numbers", 78, 22)
    found = {}
    for y in range(len(sheet.lines) - 1):
        for x in range(78):
            cell = sheet.at(x, y)
            if cell is not None:
                found.setdefault(cell, []).append((x, y))
    assert (slot, 5) in found
    assert len(found) > 10
    for (name, cell), places in found.items():
        (x, y), last = places[0], places[-1][0]
        shown = text(sheet.lines[y])[x : last + 1].strip(" °")
        there = scene.view.is_computed(name, cell)
        assert shown == (signed(scene.view.number(name, cell), scene.places(name)).strip() if there else "·")


def test_a_map_that_is_a_little_too_high_for_its_pane_takes_lines_of_what_is_said_above_it():
    """Attention from 16 places to 16 in a pane of 21 lines: each weight has a mark, and the name is always there."""
    seen = Seen(scene_at("transformer", "0:32", ("p_att", 0)), ("p_att", 0))
    for rows, every in ((24, True), (21, True), (20, True), (19, False)):
        lines = [text(line) for line in view_of(seen, "heat", 45, rows).lines]
        assert len(lines) <= rows
        assert lines[0].startswith(" p_att[0, 0, :, :]")
        assert lines[-1].startswith(" p_att[0, 0, 0, 0] +1.000")
        assert any(line.startswith(" 15 ") for line in lines) == every
        assert any("norm" in line for line in lines) == (rows != 20), "what is said is not cut in vain"


@pytest.mark.parametrize("slot", ["W1", "W2", "x", "b1"])
def test_each_mark_stands_for_the_cells_that_a_click_finds(slot):
    """The strongest mark of a map is where the largest number is, and a click there comes near it."""
    scene = scene_at("digits", "0:6", (slot, 0))
    rng = np.random.default_rng(3)
    scene = with_values(scene, slot, rng.uniform(0.1, 0.2, scene.view.program.slots[slot].size))
    array = scene.view.state.arrays[slot]
    array.reshape(-1)[37] = -9.0
    seen = Seen(scene, (slot, 0))
    drawn = Map(seen, slot, 40, 15, titled=False)
    sheet = drawn.sheet()
    y = next(y for y, line in enumerate(sheet.lines[:-1]) if marks.NEGATIVE[-1] in text(line))
    x = text(sheet.lines[y]).index(marks.NEGATIVE[-1])
    _, cell = sheet.at(x, y)
    assert drawn.place(cell) == drawn.place(37)
    assert sheet.at(x + 1, y) == (slot, cell)
    assert sheet.at(0, y) is None or x < 3


@pytest.mark.parametrize("values", [[v] for v in HOSTILE] + [HOSTILE, [np.nan, 1.0]])
@pytest.mark.parametrize("view", VIEWS)
def test_numbers_of_any_size_are_drawn(values, view):
    """nan, infinities, −0, the largest and the smallest: no warning, no crash, nothing wider than its room."""
    for name, slot in (("digits", "W1"), ("lenet", "a1"), ("digits", "b1"), ("digits", "lr")):
        scene = with_values(kept(name, slot), slot, values)
        for fine in (False, True):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                sheet = view_of(Seen(scene, (slot, 0), focused=True, fine=fine), view, 61, 18)
            assert all(width(line) <= 61 for line in sheet.lines)
            shown = "\n".join(map(text, sheet.lines))
            assert ("!" in shown) >= (view == "heat" and not np.isfinite(values).all() and slot != "lr")


def test_what_is_not_computed_is_a_dot_and_half_done_is_half_dots():
    scene = scene_at("lenet", "0:6.30", ("z1", 0))
    for view in VIEWS:
        sheet = view_of(Seen(scene, ("z1", 0)), view, 60, 30)
        shown = "\n".join(map(text, sheet.lines))
        assert "·" in shown
        assert "nan" not in shown.replace("nan/inf", "")
        assert "!" not in shown
    sheet = view_of(Seen(scene, ("z3", 0)), "heat", 60, 30)
    assert "not computed yet" in "\n".join(map(text, sheet.lines))


# Pictures


def test_a_picture_shows_its_pixels():
    """The colours of a digit's letters, read back, are the data: the upper pixel in the ink, the lower in the ground."""
    scene = scene_at("digits", "0:3", ("x", 0))
    seen = Seen(scene, ("x", 0), focused=True, fine=True)
    held = album(scene.view.program, "x")
    sheet = Pictures(seen, held, 45, 20).sheet()
    pixels = scene.view.state.arrays["x"][0].reshape(8, 8)
    wanted = np.ceil(pixels * LEVELS).astype(int)
    for k in range(4):
        read = [(letter, style) for part, style in sheet.lines[1 + k][1:] for letter in part][:8]
        for column, (letter, style) in enumerate(read):
            ink, _, ground = style.partition("+on-")
            level = int(ink.removeprefix("hot") or 0) if ink.startswith("hot") else 0
            under = int(ground.removeprefix("hot") or 0)
            upper, lower = {"▀": (level, under), "▄": (0, level), " ": (0, 0)}[letter]
            assert (upper, lower) == (wanted[2 * k, column], wanted[2 * k + 1, column])


def test_captions_of_digits_are_told_as_soon_as_there_is_a_guess():
    for position, told in (("0:2", False), ("0:35", True)):
        seen = Seen(scene_at("digits", position, ("x", 0)), ("x", 0), focused=True, fine=True)
        last = Pictures(seen, album(seen.scene.view.program, "x"), 100, 20).sheet().lines[-1]
        assert ("class→guess, bold: wrong" in "".join(text for text, _ in last)) is told


@pytest.mark.parametrize("name", ["digits", "lenet", "transformer"])
def test_pictures_know_their_cells_both_ways(name):
    """A picture's cells are the tensor's: the numbers it shows are those that its places name."""
    scene = scene_at(name, "0:20")
    program = scene.view.program
    kinds = set()
    for slot in program.slots:
        held = album(program, slot)
        if held is None:
            continue
        kinds.add((held.turned, len(held.lead)))
        array = scene.view.state.arrays[slot]
        numbers = held.cells(array, 0, held.count)
        assert numbers.shape == (held.count, held.height, held.width)
        for picture in {0, held.count // 2, held.count - 1}:
            for place in {0, held.size // 2, held.size - 1}:
                cell = held.cell(picture, place)
                assert held.place(cell) == (picture, place)
                assert np.array_equal(array.reshape(-1)[cell], numbers[picture].reshape(-1)[place], equal_nan=True)
    assert {turned for turned, _ in kinds} == ({True, False} if name == "digits" else {False})


def test_weights_that_look_at_pictures_are_pictures_and_others_are_none():
    program = scene_at("digits").view.program
    assert album(program, "W1").turned
    assert album(program, "W1.grad") == album(program, "W1.m") == album(program, "W1")
    assert all(album(program, slot) is None for slot in ("W2", "b1", "z1", "loss", "lr", "y"))
    assert album(scene_at("article").view.program, "W1") is None


def test_weights_behind_a_flatten_layer_are_pictures_for_each_channel():
    nodes = (larger.layer("flatten", "1", "x"), larger.networks.dense("2", "1", 3))
    network = Network(nodes, larger.numbers(4, 2, 5, 4), np.eye(3)[[0, 1, 2, 0]], loss="softmax-ce")
    scene = scene_of(
        *(session := Session(network), session.debugger.view()), ("W2", 0), 0, looked=False, note="", compact=False
    )
    held = album(scene.view.program, "W2")
    assert (held.height, held.width, held.lead, held.turned) == (5, 4, (3, 2), True)
    weights = scene.view.state.arrays["W2"]
    assert np.array_equal(held.cells(weights, 3, 4)[0], weights[20:, 1].reshape(5, 4))  # unit 1, channel 1
    assert (held.cell(3, 7), held.place((20 + 7) * 3 + 1)) == ((20 + 7) * 3 + 1, (3, 7))
    shown = "\n".join(text(line) for line in view_of(Seen(scene, ("W2", 0)), "picture", 60, 24).lines)
    assert "2,1" in shown


def test_an_update_says_how_far_it_moved_what():
    scene = scene_at("article", "0:9", ("W1", 2))
    shown = "\n".join(text(line) for line in view_of(Seen(scene, ("W1", 2)), "heat", 80, 20).lines)
    assert "moved by up to 0.0182" in shown  # w4, by lr · 0.364
    assert " w2 +0.2270  ∂ −0.3398  was +0.2100 (+0.017)" in shown


# From slice to slice


@pytest.mark.parametrize("name", ["lenet", "transformer", "article", "unrolled"])
def test_slices_lead_through_all_tensors_and_back(name):
    """Every plane of every tensor is met once on the way round, and the way back is the same."""
    scene = scene_at(name)
    program, order = scene.view.program, shown_slots(scene)
    total = sum(np.prod(program.slots[slot].shape[:-2], dtype=int) for slot in order)
    cursor = start = (order[0], 0)
    seen = set()
    for _ in range(min(total, 700)):
        before, cursor = cursor, beside(program, order, cursor, 1)
        assert plane(program, beside(program, order, cursor, -1)) == plane(program, before)
        assert plane(program, cursor) not in seen
        seen.add(plane(program, cursor))
    assert cursor == start or total > 700
    assert tensor_beside(program, order, tensor_beside(program, order, start, 1), -1) == start


def test_the_list_knows_where_its_numbers_are():
    """Of a list and of a grid: each number stands where a click finds its cell."""
    for name, slot in (("article", "W1"), ("digits", "W1"), ("lenet", "z1")):
        scene = scene_at(name, "0:6" if name != "article" else "0:9", (slot, 3))
        for row in table(scene, 60, focused=True):
            line = text(row.line)
            for x in range(16 if len(row.cells) <= 2 else 4, min(len(line), 28)):
                found = row.at(x)
                if found and scene.view.is_computed(*found) and line[x].isdigit() and line[x - 1] != "×":
                    number = signed(scene.view.number(*found), scene.places(found[0])).strip()
                    assert number in line


# In the app


async def test_views_are_gone_through_and_pictures_only_where_there_are_some(app):
    async with app("digits") as reader:
        await reader.press("f", "f", "2", "left_curly_bracket")
        seen = []
        for _ in range(5):
            await reader.press("v")
            seen.append(reader.app.screen.query_one("#values").shown)
        assert seen == ["numbers", "heat", "both", "list", "numbers"]
        await reader.command("look x[3, 4]")
        await reader.press("v", "v", "v")
        assert reader.app.screen.query_one("#values").shown == "picture"
        assert "12 of 64, each 8×8" in reader.text()
        assert "x[3, 4] = 0.875" in reader.lines()[-2]
        await reader.press("right", "down")
        assert "x[8, 4] =" in reader.lines()[-2]
        await reader.command("look W2[3, 4]")  # no pictures there
        assert "as a heat map" in reader.text()


async def test_look_goes_to_any_cell_and_slices_are_gone_through(app):
    async with app("lenet", (80, 24)) as reader:
        await reader.press("f", "f")
        await reader.command("look z1[3, 2, 1, 4]")
        assert reader.app.screen.focused.id == "values"
        assert "z1[3, 2, 1, 4] =" in reader.lines()[-2]
        await reader.command("view heat")
        assert " z1[3, 2, :, :]  64×6×8×8  float64" in reader.text()
        await reader.press("right_square_bracket")
        assert "z1[3, 3, 1, 4] =" in reader.lines()[-2]
        await reader.press("left_square_bracket", "left_square_bracket")
        assert "z1[3, 1, 1, 4] =" in reader.lines()[-2]
        await reader.press("right_curly_bracket")
        assert "a1[0, 0, 0, 0] =" in reader.lines()[-2]
        await reader.press("left_square_bracket")
        assert "z1[63, 5, 0, 0] =" in reader.lines()[-2]
        await reader.command("look nothing")
        assert "no slot or label is called" in reader.text()


async def test_arrows_home_end_and_pages_in_numbers_and_from_values_to_gradients(app):
    async with app("digits", (120, 40)) as reader:
        await reader.press("f", "f", "f", "f")
        await reader.command("look W2[20, 3]")
        await reader.command("view numbers")
        for keys, cell in [
            ("right", "W2[20, 4]"), ("end", "W2[20, 9]"), ("right", "∂loss/∂W2[20, 0]"), ("end", "∂loss/∂W2[20, 9]"), ("home", "∂loss/∂W2[20, 0]"),
            ("left", "W2[20, 9]"), ("ctrl+end", "W2[63, 9]"), ("ctrl+home", "W2[0, 0]"), ("up", "W2[0, 0]"), ("j", "W2[1, 0]"), ("pageup", "W2[0, 0]"),
        ]:  # fmt: skip
            await reader.press(keys)
            spelled = cell.replace("∂loss/∂W2", "W2.grad")
            assert reader.lines()[-2].strip().startswith((cell, spelled)), (keys, reader.lines()[-2])


async def test_a_click_in_each_view_goes_to_what_is_there(app):
    async with app("digits", (120, 40)) as reader:
        await reader.press("f", "f", "f", "f")
        await reader.command("look W1[0, 0]")
        pane = reader.app.screen.query_one("#values")
        for view in ("numbers", "heat", "both", "picture", "list"):
            await reader.command(f"view {view}")
            rows = pane.size.height
            spot = next(
                (x, y) for y in range(rows - 3, 3, -1) for x in (12, 22) if pane.hit(pane.scene, x, y - 1) is not None
            )
            hit = pane.hit(pane.scene, spot[0], spot[1] - 1)
            await reader.pilot.hover("#values", offset=spot)
            await reader.settled()
            full = reader.lines()[-2].strip()
            await reader.pilot.click("#values", offset=spot)
            await reader.settled()
            assert reader.app.screen._cursor == (hit.slot, hit.cell)
            assert full.endswith(repr(pane.scene.view.number(hit.slot, hit.cell)))
            await reader.pilot.hover("#header")


async def test_the_list_follows_the_cursor_until_the_next_step(app):
    async with app("digits") as reader:
        await reader.press("f", "f")
        await reader.command("look W2[50, 3]")
        await reader.press("1")
        assert " 50 " in reader.inside("#values").replace("‹", " ")
        await reader.press("n")
        assert " 50 " not in reader.inside("#values").replace("‹", " ")
