"""The program's pane: folding, where one is, searching, marks; and what the mouse finds there."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptui.commands.session import Session
from bptui.explain.folds import Folds
from bptui.explain.parts import walk
from bptui.explain.words import left, sentence
from bptui.files import specs
from bptui.tui.drawing.lines import width
from bptui.tui.drawing.listing import Listing, in_sight
from bptui.tui.drawing.operation import Look, operation
from bptui.tui.screens.helping import scene_of

MOMENTS = {"article": ("0:0", "0:4", "0:9"), "lstm": ("0:0", "0:30", "0:300.5", "0:533", "1:510")}


@cache
def scene(name, place):
    session = Session(specs.load(name))
    session.execute(f"goto {place}")
    return scene_of(session, session.debugger.view(), ("x", 0), -1, looked=False, note="", compact=False)


@pytest.mark.parametrize("name", MOMENTS)
@settings(deadline=None)  # the first of each moment is gone to
@given(data=st.data())
def test_where_one_is_is_always_to_be_seen(name, data):
    """Whatever is folded, wherever the reader is, however small the window; and so is his own row."""
    made = scene(name, data.draw(st.sampled_from(MOMENTS[name])))
    program = made.view.program
    keys = [part.key for part in walk(program)]
    folds = Folds(
        data.draw(st.dictionaries(st.sampled_from(keys), st.booleans(), max_size=8)),
        data.draw(st.sampled_from([None, True, False])),
    )
    row = data.draw(st.integers(-1, len(program) - 1))
    heading = data.draw(st.sampled_from([None, *keys])) if row >= 0 else None
    row = heading[1] if heading else row
    made = replace(made, folds=folds, row=row, heading=heading, compact=data.draw(st.booleans()))
    listed = Listing(made, focused=True)
    rows, columns = data.draw(st.integers(1, 40)), data.draw(st.integers(12, 120))
    shown = listed.in_sight(rows)
    lines = ["".join(text for text, _ in made) for made in listed.lines(shown, columns)]
    mark = "›" if made.view.done is None else "▸"
    assert sum(line[1] == mark for line in lines) == 1
    assert len(lines) == min(rows, len(listed))
    assert all(width(made) <= columns for made in listed.lines(shown, columns))
    assert rows < 2 or listed.cursor < 0 or listed.cursor in shown


@given(st.integers(1, 300), st.data())
def test_a_window_shows_neighbours_and_one_row_from_afar_at_most(count, data):
    seen, here = (data.draw(st.integers(0, count - 1)) for _ in "ab")
    rows = data.draw(st.integers(1, 60))
    shown = in_sight(count, seen, here, rows)
    assert len(shown) == min(count, rows)
    assert here in shown
    assert shown == sorted(shown)
    assert sum(b - a != 1 for a, b in itertools.pairwise(shown)) <= 1


@settings(deadline=None)  # the first of each moment is gone to
@given(name=st.sampled_from(["article", "digits", "diverging"]), op=st.integers(0, 9), columns=st.integers(36, 120))
def test_no_row_loses_its_formula_or_its_value_without_a_sign(name, op, columns):
    """The whole formula or a sign that it is cut, two blanks, and a value of what is done, shortened where need be."""
    made = scene(name, f"0:{op}")
    program = made.view.program
    for k in range(9):
        text = "".join(part for part, _ in operation(made, k, Look(columns)))
        formula, value = re.fullmatch(rf".. +{k + 1}  (.*?)  +(\S.*)", text).groups()
        assert formula == sentence(program, program.instructions[k]) or formula.endswith("…")
        assert formula.startswith(left(program, program.instructions[k]))
        assert (value.strip() == "·") == (k >= op)
        assert k >= op or re.search(r"\d", value)


def test_a_formula_stays_beside_a_shorter_value():
    def drawn(name, op, columns):
        return "".join(text for text, _ in operation(scene(name, "0:9"), op - 1, Look(columns))).rstrip("° ")

    assert drawn("article", 4, 47) == " ✓  4  ∂E/∂prediction = prediction −…  −0.8090"
    assert drawn("article", 4, 44) == " ✓  4  ∂E/∂prediction = predictio…  −0.8090"
    assert drawn("article", 4, 32) == " ✓  4  ∂E/∂prediction …  −0.809"
    assert drawn("article", 5, 46).endswith("∂E/∂W2 = hᵀ @ ∂E/∂pr…  −0.6876 −0.3883")
    assert drawn("digits", 6, 46).endswith("loss = mean cross-entropy(z2,…  +2.626")
    assert drawn("diverging", 8, 46).endswith("∂loss/∂W2 = a1ᵀ @ ∂loss/∂z2   −0.529 …")


async def test_headings_open_and_fold_by_keys(app):
    """On a small screen: a part that holds where one is, folded, bears its mark; one opens, and folds from inside."""
    async with app("lstm", (80, 24)) as reader:
        await reader.command("next 30")
        assert "1 Program · forward › layer 1 › place 2 ━" in reader.text()
        await reader.press("1", "home", *["down"] * 3)
        assert "1 Program · forward ━" in reader.text()
        assert reader.lines()[6].startswith(" ▸  30  xW1_2")  # from afar
        await reader.press("enter")
        assert " ▸ ▹ forward  177 ops" in reader.text()
        assert "30  xW1_2" not in reader.text()
        await reader.press("down", "enter", "down", "down")
        assert "▹ loss  1 ops" in reader.text()
        assert "1 Program · backward" in reader.text()
        await reader.press("down", "enter", "down", "down")
        assert "1 Program · backward › layer 2 ━" in reader.text()
        await reader.press("backspace")
        assert "▹ layer 2  dense 25  3 ops" in reader.text()
        await reader.press("backspace")
        assert "▹ backward  326 ops" in reader.text()
        await reader.press("end")
        assert "↓" not in reader.line_with("1 Program")
        await reader.command("fold none")
        await reader.press("home", "pagedown")
        assert "↓ 5" in reader.line_with("1 Program")
        await reader.command("fold all")
        assert " ▸ ▹ forward" in reader.text()
        assert reader.position == "0:30"


async def test_slash_goes_to_operations_by_a_text(app):
    """What is folded opens; `/` and enter again goes on, and after the last comes the first; t runs to it."""
    async with app("lstm", (120, 40)) as reader:
        await reader.command("fold all")
        await reader.press("slash")
        await reader.type("U1.grad11")
        await reader.press("enter")
        await reader.until("1 of 2 operations: U1.grad11")
        assert " 455  ∂loss/∂U1" in reader.text()
        for found in ("2 of 2 operations", "1 of 2 operations"):
            await reader.press("slash", "enter")
            await reader.until(found)
        await reader.press("t")
        assert reader.position == "0:455"
        await reader.command("find nothing of the kind")
        assert "nothing in the program is called" in reader.text()


async def test_b_and_t_on_a_heading_mean_its_first_operation(app):
    async with app("lstm", (120, 40)) as reader:
        await reader.press("1", "home", *["down"] * 4, "b")
        assert "breakpoint 1: 3;" in reader.text()
        assert reader.line_with("▹ layer 1")[0] == "●"
        await reader.press("t")
        assert reader.position == "0:3"


async def test_edits_and_branches_are_rows_and_marks_where_they_are_folded_away(app):
    """Also what has been outdated, and what is not finite, are marks at the end of a row, of a heading too."""
    async with app("digits", (120, 40)) as reader:
        await reader.command("next 4")
        await reader.command("set b1[0] = 0.25 at 0:3")
        for row in ("* set b1[0] = 0.25  at 0:3", "┬ main leaves here, at 0:3"):
            assert row in reader.text()
        assert reader.line_with("3  z1 =")[:46].rstrip()[-1] == "~"
        await reader.command("next")
        await reader.command("fold forward")
        assert "leaves here, at 0:3" not in reader.text()
        assert reader.line_with("▹ forward")[:46].rstrip()[-1] == "*"
        await reader.command("set W2 = 1e308 at 0:0")
        assert reader.line_with("▹ forward")[:46].rstrip()[-1] == "!"


async def test_a_click_chooses_an_operation_and_folds_a_heading(app):
    async with app("lenet", (120, 40)) as reader:
        await reader.pilot.click("#program", offset=(8, 2))
        await reader.settled()
        assert reader.app.screen.scene.row == 0
        row = next(k for k, text in enumerate(reader.lines()) if "▾ forward" in text)
        await reader.pilot.click(offset=(10, row))
        await reader.settled()
        assert "▹ forward" in reader.text()
        await reader.press("2")
        reader.app.screen.query_one("#program").on_mouse_scroll_down()
        await reader.settled()
        assert reader.app.screen.focused.number == 1
        assert reader.app.screen.scene.row > 2
