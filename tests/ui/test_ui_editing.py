"""Editing with keys only: the dialog, the nudge, undo, and the marks that edits leave."""

from __future__ import annotations

import re

import larger
import pytest
from textual import events

from bptui.tui.screens.dialogs import EditDialog, Place


def values(reader, label):
    """A cell's line in the values pane, after its label."""
    line = next(
        line[:45] for line in reader.lines() if line.startswith((f"   {label} ", f" {label} ")) and "@" not in line[:20]
    )
    return line[16:].split()


def operation(reader, number):
    """An operation's line in the program pane."""
    return next(line[:45].rstrip() for line in reader.lines() if line[3:6].strip() == str(number))


async def retype(reader, text):
    await reader.press("e")
    await reader.type(text)


async def test_an_edit_before_the_second_layer_changes_the_prediction_when_stepped(app):
    async with app("article") as reader:
        await reader.press("n")
        await retype(reader, "0.2")
        await reader.press("enter")
        assert "w5 0.14 → 0.2 at 0:1; u takes it back" in reader.text()
        assert "set w5 = 0.2  at 0:1" in reader.text()  # a marked row in the listing
        assert "0.2420" not in reader.text()
        await reader.press("n")
        assert operation(reader, 2).endswith("+0.2420")
        assert "= 0.85 · 0.2 + 0.48 · 0.15" in reader.inside("#formula")
        await reader.press("u")
        assert "undone: set w5 = 0.2 at 0:1; prediction 0.242 → 0.191; U gives" in reader.text()
        assert operation(reader, 2).endswith("+0.1910")
        await reader.press("U")
        assert operation(reader, 2).endswith("+0.2420")


async def test_a_nudge_at_the_end_moves_prediction_loss_and_gradients_at_once(app):
    async with app("article") as reader:
        await reader.press("i")
        before, first = reader.cells_but_for("#loss"), {k: operation(reader, k) for k in range(1, 10)}
        await reader.press("plus")
        after = {k: operation(reader, k) for k in range(1, 10)}
        assert reader.position == "0:9"
        assert after[2].endswith("+0.1995°")
        assert after[3].endswith("+0.3204°")
        # In the row of 8, W1's update, no digit that there is room for has moved.
        assert all(after[k] != first[k] for k in (2, 3, 4, 5, 6, 7, 9))
        assert after[1] == first[1]
        assert "E 0.3204" in reader.lines()[0]
        await reader.press("plus", "plus")
        said = "w5 0.14 → 0.17 (3 nudges) at 0:0; prediction 0.191 → 0.2165, E 0.3272 → 0.3069; u takes them back"
        assert said in reader.text()
        await reader.press("u")  # a run of nudges is one edit
        assert "undone: nudge w5 to 0.17" in reader.text()
        assert {k: operation(reader, k) for k in range(1, 10)} == first
        await reader.press("n", "N")
        assert reader.cells_but_for("#loss") == before


async def test_minus_takes_the_nudge_back(app):
    async with app("article") as reader:
        await reader.press("n", "n", "plus", "minus", "minus")
        assert operation(reader, 2).endswith("+0.1825")
        assert values(reader, "w5")[0] == "+0.1300"


async def test_the_dialog_refuses_a_bad_number_and_keeps_the_old_one(app):
    async with app("article") as reader:
        for bad in ["abc", "1/0", "nan", "", "  ", "[1, 2]", "w5 > 0", "9" * 400]:
            await retype(reader, bad or "x")
            if not bad:
                await reader.press("backspace")
            await reader.press("enter")
            assert "w5 stays 0.14" in reader.inside("#edit"), bad
            await reader.press("escape")
            assert "stays" not in reader.text()
            assert reader.text().count("w5 = 0.14") == 1  # the status line
        await retype(reader, "oops")
        await reader.press("enter")
        await reader.press(*["backspace"] * 4)
        await reader.type("0.2")
        await reader.press("enter")
        assert values(reader, "w5") == ["+0.2000", "*", "·"]


async def test_the_dialog_takes_an_expression(app):
    async with app("article") as reader:
        await retype(reader, "w6 * 2")
        await reader.press("enter")
        assert values(reader, "w5")[0] == "+0.3000"


@pytest.mark.parametrize(
    "presses, place, prediction",
    [(0, "1:2", "+0.2557~"), (1, "0:9", "+0.2794"), (2, "0:0", None), (3, "1:2", "+0.2557~")],
)
async def test_choosing_from_when_an_edit_holds(app, presses, place, prediction):
    """From here: the prediction is outdated; from this iteration's start: it follows; from the very start: all follows."""
    async with app("article") as reader:
        await reader.press("i", "n", "n")
        assert reader.position == "1:2"
        await reader.press("e")
        assert "● from here, 1:2" in reader.text()
        await reader.press(*["down"] * presses)
        assert reader.text().count("●") == 2  # the other one is in the plot
        await reader.type("0.2")
        await reader.press("enter")
        assert f" → 0.2 at {place}" in reader.text()
        if prediction:
            assert operation(reader, 2).endswith(prediction)
        else:
            assert reader.session.debugger.evaluate("w5") != 0.2


async def test_the_dialog_says_whether_prediction_and_loss_will_follow(app):
    """Before it is set: from here they stay as they are, where they have read the number already."""
    async with app("article", (80, 24)) as reader:
        await reader.press("e")
        assert "● from the very start, 0:0 " in reader.text()  # nothing has read it yet
        await reader.press("escape", "n", "n", "e")
        assert "● from here, 0:2: prediction stays, marked ~" in reader.text()
        assert "○ from the very start, 0:0: it follows" in reader.text()
        await reader.press("escape", "i", "n", "n", "e")
        assert "● from here, 1:4: prediction and E stay, marked ~" in reader.text()
        assert "○ from the start of this iteration, 1:0: they follow" in reader.text()
        await reader.press("down")
        await reader.type("0.4")
        await reader.press("enter")
        assert re.search(r"w5 \S+ → 0.4 at 0:9; prediction \S+ → \S+, E \S+ → ", reader.text())
        await reader.command("goto 2:9")
        await reader.press("e")  # updated since: what was computed from it before is of the old weights already
        assert "marked ~" not in reader.text()


async def test_up_in_the_dialog_goes_the_other_way(app):
    async with app("article") as reader:
        await reader.press("i", "n", "e", "up")
        assert "● from the very start, 0:0" in reader.text()


async def test_a_computed_value_can_be_set_where_it_was_computed(app):
    async with app("article") as reader:
        await reader.press("n", "n", "n")
        await reader.press("2", "up", "up")
        assert "h1 = 0.85" in reader.text()
        await reader.press("e", "down")
        assert "● from where it was computed, 0:1" in reader.text()
        await reader.type("1")
        await reader.press("enter")
        assert operation(reader, 2).endswith("+0.2120")


async def test_a_cell_not_computed_yet_is_refused_with_the_operations_name(app):
    async with app("article") as reader:
        await reader.press("2", "right")
        await reader.press("e")
        assert "\n ∂E/∂w5 is not computed yet: operation 5 writes it\n" in reader.text()
        assert "from here" not in reader.text()
        await reader.press("plus")
        assert "operation 5" in reader.text()
        assert not reader.session.debugger.timeline.edits
        await reader.command("look loss")
        await reader.press("o")
        assert reader.lines()[-2].rstrip() == " E is not computed yet: operation 3 writes it"


async def test_undo_and_redo_at_nothing_say_so(app):
    async with app("article") as reader:
        await reader.press("u")
        assert "nothing to undo" in reader.text()
        await reader.press("U")
        assert "nothing to redo" in reader.text()


async def test_what_an_edit_from_here_outdates_is_marked_and_the_status_says_why(app):
    async with app("article") as reader:
        await reader.press("f", "f")  # to the loss
        await retype(reader, "0.2")
        await reader.press("enter")
        assert values(reader, "w5")[:2] == ["+0.2000", "*"]
        assert values(reader, "prediction")[:2] == ["+0.1910", "~"]
        assert values(reader, "E")[:2] == ["+0.3272", "~"]
        assert values(reader, "h1")[:1] == ["+0.8500"]
        assert "~" not in values(reader, "h1")
        assert "E ~0.3272" in reader.lines()[0]
        assert "w5 0.14 → 0.2 at 0:3; prediction and E as computed before it, marked ~; u takes" in reader.text()
        await reader.press("2", *["down"] * 2)
        assert "prediction = 0.191   ~ computed before set w5 = 0.2 at 0:3" in reader.text()
        outdated = [s for row in reader.cells() for c, s in row if "strike" in s]
        assert outdated  # struck through, too


async def test_after_the_updates_the_activations_are_marked_as_of_the_old_weights(app):
    async with app("article") as reader:
        await reader.press("n", "n", "n", "n", "n", "n", "n")
        assert "°" not in "".join(line[:45] for line in reader.lines())
        await reader.press("n", "n")
        assert values(reader, "prediction")[1] == "°"
        assert values(reader, "w5")[0] != "+0.1400"
        assert "°" not in values(reader, "w5")[:1]
        await reader.press("n")
        assert "°" not in "".join(values(reader, "h1")[:2])


async def test_the_learning_rate_is_a_number_like_another(app):
    async with app("article") as reader:
        await reader.command("set lr = 0.1")
        assert "lr 0.1 " in reader.lines()[0]
        assert values(reader, "lr")[:2] == ["+0.1000", "*"]


async def test_an_arrow_that_comes_before_the_dialog_has_anything_to_show(app):
    """Or when it no longer has: it is another place all the same."""
    places = [Place("from here, 0:0", None), Place("from the very start, 0:0", "0:0")]
    async with app("article") as reader:
        dialog = EditDialog("w5", "0.14", places, lambda text, at: None)
        opening = reader.app.push_screen(dialog)
        dialog.action_choose(1)
        await opening
        await reader.pilot.pause()
        assert "● from the very start" in reader.text()
        dialog.dismiss(False)
        dialog.dismiss(False)
        await reader.pilot.pause()
        assert "op 0 of 9" in reader.text()


# A whole array as text


async def paste(reader, text):
    event = events.Paste(text)
    event.set_sender(reader.app)
    reader.app._driver.send_message(event)
    await reader.settled(5)


async def rewrite(reader, text):
    """All that is in the editor, typed over."""
    await reader.press("f7", "delete")
    await paste(reader, text)
    await reader.press("ctrl+s")


@pytest.mark.parametrize("text", [
    "1 2\n3 4", "[[1, 2], [3, 4]]", "1 2; 3 4", r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "1,2\n3,4\n", "1\t2\r\n3\t4\r\n",
    "[[1, 2*i1 - 2],\n [3, 4]]",
])  # fmt: skip
async def test_a_whole_array_is_written_as_people_write_matrices_and_is_one_undo(app, text):
    async with app("article") as reader:
        before = reader.bits()
        await reader.command("look w1")
        await reader.press("E")
        assert "─ Set W1 ─" in reader.text()
        assert reader.inside("#whole-of") == "2×2"
        assert "0.11 0.12 0.21 0.08" in reader.inside("#whole-text")
        await rewrite(reader, text)
        assert "W1, 4 numbers, set at 0:0; u takes it back" in reader.text()
        assert reader.session.debugger.evaluate("W1").tolist() == [[1, 2], [3, 4]]
        await reader.press("u")
        assert reader.bits() == before


async def test_in_the_editor_ctrl_z_takes_back_what_was_typed(app):
    async with app("article") as reader:
        await reader.press("E", "9", "9")
        area = reader.app.screen.focused
        typed = area.text
        await reader.press("ctrl+z")
        assert "99" in typed and "99" not in area.text
        await reader.press("ctrl+y")
        assert area.text == typed


async def test_what_cannot_be_a_whole_array_names_row_and_column_and_stays_to_be_mended(app):
    wrong = {
        "1 2\n3 x": "'x' is no number: row 2, column 2", "[[1, 2], [3, x]]": "row 2, column 2", "[1 2; y 4]": "row 2, column 1",
        "1 2 3\n4 5 6": "2×3 numbers; W2 is 2×1", "1 2\n3": "row 2 has 1 numbers", "1\ninf": "inf is no finite number: row 2, column 1",
        "normal 0": "write normal MEAN DEVIATION", "": "no numbers; W2 is 2×1", "\x1b]0;x\x07": "row 1, column 1",
    }  # fmt: skip
    async with app("article", (80, 24)) as reader:
        await reader.press("i", "E")
        for text, said in wrong.items():
            await rewrite(reader, text)
            assert said in reader.inside("#edit-error"), text
            assert not reader.session.debugger.timeline.edits
        await rewrite(reader, "1\noops")
        await reader.press(*["backspace"] * 4, "5", "tab", "ctrl+s")
        assert "W2, 2 numbers, set at 0:0; prediction 0.191 → 3.25, E 0.3272 → 2.531" in reader.text()
        await reader.press("E")
        await rewrite(reader, "normal 0 0.1 seed 3")
        assert reader.session.debugger.timeline.edits[-1].text == "set W2 = normal 0 0.1 seed 3"
        await reader.press("E", "escape")
        assert "from here" not in reader.text()


async def test_many_numbers_that_are_pasted_open_the_editor_wherever_one_is(app):
    async with app("article") as reader:
        await paste(reader, "5\n6\n")  # the cursor is on w5
        await reader.press("ctrl+s")
        assert reader.session.debugger.evaluate("W2").tolist() == [[5], [6]]
        await reader.press("e")
        await paste(reader, "[[7], [8]]")
        await reader.press("ctrl+s")
        assert reader.session.debugger.evaluate("W2").tolist() == [[7], [8]]
        await reader.press("e")
        await paste(reader, "w6 * 2")
        await reader.press("enter")
        assert reader.session.debugger.evaluate("w5") == 16
        await paste(reader, "not a number")
        assert "E edits the array under the cursor" in reader.text()
        await reader.press("2", "right")
        await paste(reader, "1\n2")
        assert "W2.grad is not computed yet" in reader.text()


@pytest.mark.parametrize(
    "text", ["1 " * 50_000, "9" * 100_000, "a\n" * 50_000, "[" * 100_000, "\x1b[31m\x00\u202e\x9b\n" * 20_000]
)
async def test_a_hostile_paste_is_shown_refused_and_left(app, text):
    async with app("article", (80, 24)) as reader:
        for before in ((), ("e",), ("E",)):
            await reader.press(*before)
            await paste(reader, text)
            await reader.press("ctrl+s")
            assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", "".join(reader.lines()))
            await reader.press("escape", "escape")
        await reader.press("n")
        assert reader.position == "0:1"
        assert not reader.session.debugger.timeline.edits


async def test_of_a_large_tensor_the_slice_or_the_rows_around_the_cursor_are_edited(app):
    async with app(larger.wide()) as reader:
        await reader.command("look W1[311, 7]")
        await reader.press("E")
        assert "─ Set W1[304:312] ─" in reader.text()
        shown = reader.inside("#whole-of")
        assert shown == "8×512 of 784×512, around the cursor: at most 4096 numbers at once"
        number = f"{reader.session.debugger.evaluate('W1[311, 7]')!s}"
        await reader.press("shift+end", "delete")
        assert number not in reader.lines()[reader.app.cursor_position.y]
        await rewrite(reader, "ones")
        changed = reader.session.debugger.evaluate("W1")
        assert (changed[304:312] == 1).all()
        assert (changed == 1).sum() == 8 * 512
