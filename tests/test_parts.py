"""The program as a tree of parts: nothing is lost in it, folding loses no place, and `fold` and `find` say what they did."""

from __future__ import annotations

import pytest
from conftest import run_bptui
from hypothesis import given
from hypothesis import strategies as st

from bptui.engine.build import build
from bptui.explain.folds import Folds, unfolded
from bptui.explain.parts import Part, around, named, parts, path, walk
from bptui.files import specs

PROGRAMS = {name: build(specs.load(name)) for name in ("article", "moons", "lenet", "transformer", "lstm")}
every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


def operations(items):
    """All operations in parts and beside them, in order."""
    for item in items:
        if isinstance(item, Part):
            yield from operations(item.items())
        else:
            yield item


@every_program
def test_the_parts_are_the_whole_program_in_order(program):
    assert list(operations(parts(program))) == list(range(len(program)))
    for part in walk(program):
        assert list(operations(part.items())) == list(part.ops)
        assert part in named(program, path(program, part))
    assert len({part.key for part in walk(program)}) == len(list(walk(program)))


@every_program
def test_a_part_is_of_one_phase_and_a_layer_holds_its_own_backward_pass(program):
    """A layer's gradients are where what they differentiate belongs, so that it is one part of the backward phase."""
    for part in walk(program):
        assert len({program.instructions[k].phase for k in part.ops}) == 1
        if part.kind == "layer" and part.name in ("att", "1", "2"):
            phase = program.instructions[part.ops.start].phase
            found = [one for one in walk(program) if one.kind == "layer" and one.name == part.name]
            assert sum(program.instructions[one.ops.start].phase == phase for one in found) == 1


def test_the_blocks_of_a_layer():
    lstm, transformer = PROGRAMS["lstm"], PROGRAMS["transformer"]
    assert [part.name for part in around(lstm, 30)] == ["forward", "1", "place 2"]
    assert [len(part.ops) for part in around(lstm, 30)] == [177, 176, 15]
    assert [part.name for part in named(transformer, "forward att")[0].parts] == [
        "queries", "keys", "values", "scores", "together",
    ]  # fmt: skip
    assert [part.name for part in named(PROGRAMS["moons"], "update layer 2")[0].parts] == ["W2", "b2"]


@st.composite
def folds(draw, program):
    keys = [part.key for part in walk(program)]
    chosen = draw(st.dictionaries(st.sampled_from(keys), st.booleans(), max_size=12))
    return Folds(chosen, draw(st.sampled_from([None, True, False])))


@every_program
@given(data=st.data())
def test_folding_and_opening_again_leaves_the_same_rows(program, data):
    state = data.draw(folds(program))
    part = data.draw(st.sampled_from(list(walk(program))))
    here = (data.draw(st.integers(0, len(program) - 1)),)
    before = state.opened(program, here)
    was = part.key in before
    there = state.put({part.key: not was})
    again = there.put({part.key: was}).opened(program, here)
    assert unfolded(program, again).entries == unfolded(program, before).entries
    shown = unfolded(program, there.opened(program, here)).entries
    hidden = set(unfolded(program, before).entries) ^ set(shown)
    assert all(set(operations([entry])) <= set(part.ops) for entry in hidden)
    assert not was or not any(isinstance(entry, int) and entry in part.ops for entry in shown)


@every_program
@given(data=st.data())
def test_every_operation_has_a_row_or_a_heading_that_hides_it(program, data):
    made = unfolded(program, data.draw(folds(program)).opened(program, (0,)))
    op = data.draw(st.integers(0, len(program) - 1))
    entry = made.entries[made.place(op)]
    assert entry == op or (op in entry.ops and entry.key not in made.opened)
    opened = data.draw(folds(program)).showing(program, op).opened(program, (op,))
    assert op in unfolded(program, opened).entries


FOLDED = """
all is folded
› data: operations 1 to 2
  forward: operations 3 to 5
  loss: operation 6
  backward: operations 7 to 13
  update: operations 14 to 35
open: update layer 2 b2
  update layer 1: operations 16 to 25
  update layer 2 W2: operations 26 to 30
"""
FOUND = """
2 operations: relu
   4 forward   a1 = maximum(z1, 0)
  11 backward  z1.grad = where(z1 > 0, a1.grad, 0)
2 operations: relu
1 operation: cross-entropy
"""


def test_fold_and_find_in_plain_mode():
    text = "fold all\nlist\nfold b2\nlist\nfold\nfind relu\nfind\nfind RELU\nfind cross-entropy\nfold nowhere\nfind nowhere\n"
    done = run_bptui("digits", "--plain", stdin=text)
    lines = done.stdout.splitlines()
    assert all(line in lines for line in [*FOLDED.strip().splitlines(), *FOUND.strip().splitlines()]), done.stdout
    assert sum(line == "2 operations: relu" for line in lines) == 2
    assert "2 operations: RELU" in lines
    assert sum(line.startswith("  31 update    b2.m =") for line in lines) == 1
    assert done.stderr.splitlines() == [
        "error: no part of the program is called 'nowhere'",
        "error: nothing in the program is called 'nowhere': find takes a name, an operation or a number",
    ]
    assert run_bptui("article", "--plain", stdin="fold all\n").stderr.endswith("short enough to be seen whole\n")
