"""Networks of every kind: nothing crashes, every slot can be reached, the operation at hand is always in sight."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import larger
import pytest
from pictures import compare
from rich.cells import cell_len

from bptui.commands.session import Session
from bptui.explain import words
from bptui.explain.cells import unravelled
from bptui.explain.folds import Folds
from bptui.explain.notation import Names
from bptui.tui.drawing import operation
from bptui.tui.drawing.layers import drawable, sizes
from bptui.tui.drawing.lines import width
from bptui.tui.drawing.listing import Listing
from bptui.tui.drawing.network.blocks import blocks
from bptui.tui.drawing.network.sight import Sight
from bptui.tui.drawing.table import shown_slots, table
from bptui.tui.screens.helping import scene_of

SIZES = [(80, 24), (120, 40), (200, 60)]
every_network = pytest.mark.parametrize("name", larger.ALL)
STORY = (
    "f n n s s f n N f n n i + - [ ] ] 2 down down right pageup pagedown left e escape x escape m escape",
    "1 down t T 3 left right up down 5 left right 4 down z z slash escape c",
)


def scene(session, op, cursor=None):
    session.execute(f"goto 0:{op}")
    view = session.debugger.view()
    cursor = cursor or (view.program.parameters[-1], 0)
    return scene_of(session, view, cursor, 0, looked=False, note="", compact=False)


def scenes(name, most=40):
    session = Session(larger.ALL[name]())
    count = session.debugger.count
    for op in range(1, count + 1, max(1, count // most)):
        yield scene(session, op)


def text(line):
    return "".join(part for part, _ in line)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        # Each network at one size in turn; at all of them in the long form, the longest programs on the largest screen too.
        pytest.param(name, size, id=f"{name}-{size[0]}x{size[1]}", marks=() if (k + 1) % 3 == j else pytest.mark.soak)
        for k, name in enumerate(larger.ALL)
        for j, size in enumerate(SIZES)
    ],
)
async def test_a_walk_through_every_key(app, name, size):
    async with app(larger.ALL[name](), size) as reader:
        for key in [key for keys in STORY for key in keys.split()]:
            await reader.press(
                {"+": "plus", "-": "minus", "[": "left_square_bracket", "]": "right_square_bracket"}.get(key, key)
            )
            assert reader.app._exception is None, key
            assert {cell_len(row) for row in reader.lines()} == {size[0]}, key
        await reader.press("escape", "escape")


@every_network
def test_what_is_written_is_always_in_sight(name):
    for seen in scenes(name):
        if drawable(seen.view.program):
            continue
        for rows in (3, 6, 11, 21):
            drawn = blocks(Sight(seen), 70, rows)
            assert len(drawn) <= rows
            assert all(width(row) <= 70 for row in drawn)
            assert sum("▸" in text(row) for row in drawn) == 1, (str(seen.position), rows)


@every_network
def test_the_table_is_as_long_as_it_says(name):
    for seen in scenes(name, most=14):
        made = table(seen, 60, focused=False)
        assert len(made) == sum(len(made._of(slot)) for slot in made.slots), str(seen.position)


@every_network
def test_every_slot_is_in_the_table(name):
    session = Session(larger.ALL[name]())
    seen = scene(session, 3)
    made = table(seen, 60, focused=False)
    for slot in session.debugger.program.slots.values():
        if slot.kind != "rows":
            assert made.place((slot.name, 0)) is not None, slot.name
    assert len(set(shown_slots(seen))) == len(shown_slots(seen))


@every_network
def test_the_cell_under_the_cursor_is_in_the_table(name):
    session = Session(larger.ALL[name]())
    for slot in list(session.debugger.program.slots.values())[::7]:
        for cell in {0, slot.size // 2, slot.size - 1}:
            if slot.kind != "rows":
                made = table(scene(session, 3, (slot.name, cell)), 60, focused=True)
                place = made.place((slot.name, cell))
                assert place is not None
                assert any("cursor" in style for _, style in made.row(place).line), (slot.name, cell)


async def test_the_cursor_goes_through_arrays_of_any_rank(app):
    async with app(larger.lenet(), (120, 40)) as reader:
        await reader.press("f", "2")
        reader.app.screen.point("x", 0)
        seen = []
        for _ in range(24):
            seen.append(reader.app.screen._cursor)
            await reader.press("down")
        assert seen[0][0] == "x"
        rows = [unravelled(cell, (2, 1, 8, 8)) for slot, cell in seen if slot == "x"]
        assert [(i, k) for i, _, k, _ in rows] == [(i, k) for i in range(2) for k in range(8)]
        assert seen[len(rows)][0] != "x"


def test_a_long_listing_writes_the_rows_in_sight_alone(monkeypatch):
    session = Session(larger.lstm())
    seen = scene(session, 500)
    written = []
    monkeypatch.setattr(operation.words, "sentence", lambda *a: written.append(a) or words.left(*a))
    made = Listing(replace(seen, folds=Folds(every=True)))
    start = made.place(499)
    assert len(made) > 800
    assert len(made.lines(range(start - 10, start + 10), 60)) == 20
    assert len(written) <= 20


@pytest.mark.parametrize("size", [(120, 40)])
async def test_a_key_costs_no_more_in_a_long_program(app, size):
    """A bound far above what it takes, so that only work proportional to the program shows."""
    async with app(larger.lstm(), size) as reader:
        begun = time.perf_counter()
        await reader.press(*["n"] * 10)
        assert time.perf_counter() - begun < 5


@every_network
def test_the_layers_in_the_header_fit(name):
    program = Session(larger.ALL[name]()).debugger.program
    for columns in (12, 20, 40, 80, 200):
        shown = sizes(program, columns)
        assert len(shown) <= max(columns, 10)
        assert shown


@every_network
def test_every_operation_has_words(name):
    program = Session(larger.ALL[name]()).debugger.program
    for instruction in program.instructions:
        said = words.sentence(program, instruction)
        assert re.match(r".+ [=←] .+", said)
        assert "None" not in said
        assert len(said) < 90, said


def test_a_gradient_and_an_optimizers_value_belong_to_their_slot():
    program = Session(larger.adam_mlp()).debugger.program
    names = Names(program)
    assert [names.base(name) for name in ("W1.grad", "W1.m", "W1.mhat", "W1.scaled", "W1", "t")] == ["W1"] * 5 + ["t"]
    assert [names.cell(name, (0, 1)) for name in ("W1.m", "W1.grad")] == ["w2.m", "∂loss/∂w2"]


async def test_the_header_names_the_optimizer_and_the_rate(app):
    async with app(larger.transformer(), (120, 40)) as reader:
        assert "adam  lr 0.001 " in reader.lines()[0]
    async with app(larger.lenet(), (120, 40)) as reader:
        assert re.search(r"lenet +1×8×8 → conv 4 3 relu → … → dense 4 · softmax-ce · sgd  lr 0.1 ", reader.lines()[0])


# Pictures


@pytest.mark.parametrize("size", SIZES[:2], ids=["80x24", "120x40"])
async def test_a_convolution(app, size):
    """z1 just done: the convolution's row open, its windows, kernels and bias lit; heat strips; a sum of products."""
    async with app(larger.lenet(), size) as reader:
        await reader.press("n", "n", "n")
        await compare(reader, "lenet-convolution", size)


@pytest.mark.parametrize("size", SIZES[1:], ids=["120x40", "200x60"])
async def test_attention(app, size):
    """The scores of two heads: the block's slots around them, the values with a heading for each head."""
    async with app(larger.transformer(), size) as reader:
        await reader.press(*["n"] * 15)
        await compare(reader, "transformer-scores", size)


@pytest.mark.parametrize("size", SIZES[1:2], ids=["120x40"])
async def test_adam(app, size):
    """An average of Adam moving: `w1.m ← 0.9·w1.m + 0.1·…`, its values at the end of the table."""
    async with app(larger.adam_mlp(), size) as reader:
        k = next(k for k, i in enumerate(reader.session.debugger.program.instructions) if i.writes == "W1.m")
        await reader.command(f"goto 0:{k + 1}")
        await compare(reader, "adam-average", size)


@pytest.mark.parametrize("size", SIZES[1:2], ids=["120x40"])
async def test_an_unrolled_network(app, size):
    """Deep in the backward pass of an LSTM: the listing, the block and the chain of one step."""
    async with app(larger.lstm(), size) as reader:
        await reader.command("goto 0:310")
        await compare(reader, "lstm-backward", size)
