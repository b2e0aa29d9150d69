"""Every key from every focus, the command line, and the pages."""

from __future__ import annotations

import re

import pytest
from keyboard import keys_of

from bptui.commands.registry import COMMANDS
from bptui.files import keys as keyboard
from bptui.tui.screens.manual import sections

PANES = ["1", "2", "3", "4", "5"]
TITLES = {
    "1": "1 Program", "2": "2 Values", "3": "3 Network", "4": "4 Formula", "5": "5 Time and loss",
    "6": "6 Stops and watches",
}  # fmt: skip


def focused_title(reader):
    """The pane whose title line is the strong one."""
    return next(n for n, title in TITLES.items() if re.search(rf" {title}[^━─\n]* ━", reader.text()))


@pytest.mark.parametrize(
    "pane, size", [*((pane, (80, 24)) for pane in [*PANES, "6"]), *((pane, (120, 40)) for pane in "26")]
)
async def test_every_key_does_its_work_from_every_pane(app, size, pane):
    """One story that presses every key of the registry while a given pane has the focus."""
    pressed = set()

    async with app("article", size) as reader:

        async def press(*keys):
            pressed.update(keys)
            await reader.press(*keys)

        async def at(key, position):
            pressed.add(key)
            await reader.tap(key)
            assert reader.position == position, key
            assert reader.app.screen.focused.number == int(pane), key

        async def opens(key, text, leave="escape"):
            await press(key)
            assert text in reader.text(), key
            await reader.press(leave, pane)

        await press("1", "down", "down", "down", pane)  # the row cursor, for t
        assert reader.app.screen.focused.number == int(pane)
        for key, position in [
            ("n", "0:1"), ("N", "0:0"), ("s", "0:0.1"), ("S", "0:0"), ("f10", "0:1"), ("N", "0:0"), ("f11", "0:0.1"), ("f", "0:2"),
            ("F", "0:0"), ("i", "0:9"), ("I", "0:0"), ("t", "0:3"), ("i", "1:3"), ("o", "0:9"), ("T", "0:3"), ("plus", "0:3"),
            ("minus", "0:3"), ("u", "0:3"), ("U", "0:3"), ("u", "0:3"),
            ("left_square_bracket", "0:3"), ("right_square_bracket", "0:3"),
            ("left_curly_bracket", "0:3"), ("right_curly_bracket", "0:3"), ("v", "0:3"), ("V", "0:3"), ("y", "0:3"),
        ]:  # fmt: skip
            await at(key, position)
        await opens("g", "┃goto")
        await opens("slash", "┃find")
        await opens("w", "┃watch w5")
        await opens("d", "main")
        await press("B")
        assert reader.app.screen.focused.number == 6
        await press(pane)
        for key in ("b", "f9"):
            await press(key)
            status = reader.lines()[-2].strip(" ┃")
            assert "breakpoint 1" in status if pane == "1" else status == "break", key
            await reader.press("escape", pane)
        await opens("colon", "a command, such as")
        await opens("ctrl+p", "what is to be done?")
        await press("p")
        assert "what is " in reader.lines()[-4]
        await reader.press("escape", "N", pane)
        await opens("e", "enter set  ↑ ↓ from when  esc leave it")
        await opens("E", "ctrl+s set  tab from when  ctrl+z undo  esc leave it")
        if pane == "6":
            await press("enter")  # that of the row, where there is one
        else:
            await opens("enter", "enter set  ↑ ↓ from when  esc leave it")
        await opens("x", " comes from", ["escape", "q", "enter", "space", "x", "m"][int(pane) - 1])
        await opens("m", "w1 ← w1 − lr")
        await opens("equals_sign", "esc close")
        await opens("ctrl+o", "Open another network")
        pressed.add("=")  # another name of the same key
        await opens("question_mark", "Keys that work here")
        await opens("f1", "Keys that work here")
        assert reader.position == "0:3"
        await press("z")
        assert TITLES[pane] in reader.text()
        assert sum(title in reader.text() for title in TITLES.values()) == 1
        await at("n", "0:4")
        await press("z")
        assert sum(title in reader.text() for title in TITLES.values()) > 1
        await press("space")
        assert "playing" in reader.text()
        await press("space")
        assert "paused" in reader.text()
        await press("c")
        await reader.until("stopped at the end")
        await at("C", "0:0")
        await press("f5")
        await reader.until("stopped at the end")
        await press("tab")
        assert reader.app.screen.focused.number == (1 if pane == "6" else int(pane) % 5 + 1)
        await press("4", "3", "2", "1", "5", "6", pane)
        assert {key for command in COMMANDS for key in command.keys} - pressed == {"q"}
        await reader.press("q")
    assert reader.app.return_code == 0


@pytest.mark.parametrize("spec, size", [("article", (80, 24)), ("article", (3, 2))])
async def test_no_key_at_any_size_brings_it_down(app, spec, size):
    keys = [key for command in COMMANDS for key in command.keys if key not in ("q", "c", "f5")]
    keys += ["up", "down", "left", "right", "h", "j", "k", "l", "pageup", "pagedown", "home", "end", "insert", "delete", "a",
             "ctrl+a", "f12", "0", "9", "6", "shift+tab", "backspace", "ctrl+p", "ctrl+l"]  # fmt: skip
    async with app(spec, size) as reader:
        for k, key in enumerate(keys):
            for pressed in (list(TITLES)[k % 6], key):
                await reader.tap(pressed)
            await reader.press("escape", "escape")
            assert reader.app._exception is None, key
        assert reader.app.return_code is None


async def test_a_key_that_nothing_belongs_to_says_where_all_are(app):
    async with app("article", (80, 24)) as reader:
        for key, shown in (("Q", "Q"), ("f7", "f7"), ("percent_sign", "%")):
            await reader.press(key)
            assert reader.lines()[-2].startswith(f" {shown} does nothing here; ? shows every key"), key
        await reader.press("n")
        assert "does nothing" not in reader.text()


async def test_another_network_is_seen_from_its_beginning(app):
    """Not from the page that one had open, of which it has nothing yet."""
    async with app("article", (80, 24)) as reader:
        await reader.press("i", "5", "z")
        await reader.command("load moons")
        assert "1 Program" in reader.text() and "3 Network" in reader.text()
        assert reader.app.screen.focused.number == 1


async def test_a_person_has_other_keys(app):
    """What a person's settings say: the old key is free, and the screen names the new one."""
    keys = {"next": ("+", "f10"), "nudge": ("n",), "zoom": ("Z",)}
    async with app("article", (120, 40), keys=keys) as reader:
        await reader.press("plus", "plus")
        assert reader.position == "0:2"
        await reader.press("n")
        assert reader.position == "0:2" and "w5 0.14 → 0.15" in reader.text()
        assert reader.lines()[-1].startswith(" + next  N back")
        await reader.press("z")
        assert "3 Network" in reader.text()
        await reader.press("Z")
        assert "3 Network" not in reader.text()
        await reader.press("question_mark")
        assert "+ f10  one operation on" in reader.text()


async def test_keys_typed_on_the_line_are_text(app):
    async with app("article") as reader:
        await reader.press("colon")
        await reader.type("nNsqixm+-?/[]125z cC")
        assert reader.position == "0:0"
        assert "nNsqixm+-?/[]125z cC" in reader.text()
        await reader.press("f10", "f11", "f5", "f1", "tab")
        assert reader.position == "0:0"
        await reader.press("escape")
        assert "nNsqixm" not in reader.text()
        await reader.press("n")
        assert reader.position == "0:1"


async def test_the_line_speaks_plain_modes_words(app):
    async with app("article") as reader:
        await reader.command("next 2")
        assert reader.position == "0:2"
        await reader.command("set w5 = 0.2 at 0:0")
        assert "set w5: 0.14 -> 0.2 at 0:0" in reader.text()
        assert "+0.2420" in reader.text()
        await reader.command("print W1")
        assert "W1 = [[0.11, 0.12], [0.21, 0.08]]" in reader.text()
        await reader.command("p prediction * 2")
        assert "prediction * 2 = 0.484" in reader.text()
        await reader.command("goto 1:0")
        assert reader.position == "0:9"
        await reader.command("print h2")
        assert "h2 = 0.48" in reader.text()
        await reader.command("undo")
        assert "undone: set w5 = 0.2" in reader.text()
        await reader.command("list")
        assert "z1 = x @ W1" in reader.text()
        await reader.press("escape")
        await reader.command("help")
        assert "goto POSITION" in reader.text()
        await reader.press("escape")
        await reader.command("help goto")
        assert "any position" in reader.text()
        await reader.command("i 3")
        assert reader.position == "3:9"
        await reader.command("   ")
        await reader.command("# a comment")
        assert reader.position == "3:9"
        await reader.command("quit")
    assert reader.app.return_code == 0


BAD_LINES = (
    "frobnicate", "goto", "goto 9:99", "goto -1:0", "set", "set w5", "set w9 = 1", "set w5 = nan", "print", "print 1/", "next 0", "next x",
    "nudge", "find", "find abc", "look", "look w9", "look W1[9, 9]", "to 99", "until", "until w5 >", "explain q", "run", "save", "load", "load /", "undo now",
    "help nonsense", "x" * 300, "set w5 = 0.1 at 99999999999999999999:0", "\u202e[/]",
)  # fmt: skip


async def test_a_bad_line_says_why_stays_to_be_mended_and_changes_nothing(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("n")
        before = reader.bits()
        for line in BAD_LINES:
            await reader.tap("colon")
            reader.app.screen.query_one("#line").value = line
            await reader.press("enter")
            assert len(reader.app.screen_stack) == 2, line  # no page over the main screen
            said, _, typed, _ = reader.lines()[-4:]
            assert said.startswith(" error: "), line
            assert len(said.strip()) > 14, line
            assert "\u202e" not in said
            assert typed.strip(" ┃") == line[-76:].strip() or len(line) > 70 or "\u202e" in line
            assert (reader.position, reader.bits()) == ("0:1", before), line
            await reader.press("escape", "n", "N")
            assert reader.lines()[-2].strip() == "w5 = 0.14"


async def test_a_refused_line_is_mended_and_what_was_typed_on_is_for_it(app):
    async with app("article", (80, 24)) as reader:
        await reader.command("goto 3:44")
        assert "3:44" in reader.lines()[-4]
        assert "error: " in reader.lines()[-4]
        await reader.press("backspace")
        assert "goto POSITION" in reader.lines()[-4]
        await reader.press("enter")
        assert reader.position == "3:4"
        await reader.burst("colon", *keys_of("when sign(w5)"), "enter", *keys_of("n"), "escape", "n")
        await reader.arrived()
        assert reader.position == "3:5"
        assert "did not happen" not in reader.lines()[-2]
        assert reader.session.history.lines == ["goto 3:44", "goto 3:4", "when sign(w5)"]


async def test_tab_completes_and_goes_through_what_fits(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("colon")
        await reader.type("se")
        assert reader.inside("#line") == "set"  # the rest is dim
        await reader.press("tab")
        help_of_both = "edit a value; key: the cell under the cursor"
        assert f"set TARGET = VALUE [at POSITION]   {help_of_both}" in reader.lines()[-4]
        assert reader.lines()[-3].split()[:3] == ["w5", "h", "prediction"]  # the cell under the cursor first
        await reader.press("tab", "tab", "tab", "shift+tab")
        assert reader.inside("#line") == "set h"
        await reader.type("1")
        await reader.press("backspace", "backspace")
        await reader.type("w6 ")
        await reader.press("tab")
        assert reader.inside("#line") == "set w6 = 0.15"
        await reader.press("right", "backspace")
        await reader.type("7")
        await reader.press("enter")
        assert "set w6: 0.15 -> 0.17 at 0:0" in reader.lines()[-2]
        await reader.burst("colon", *keys_of("lo"), "tab", *keys_of("xo"), "tab", "enter", "n")
        assert "xor" in reader.lines()[0]
        assert reader.position == "0:1"
        await reader.press("colon")
        await reader.type("look W1.g")
        await reader.press("tab")
        assert reader.inside("#line") == "look W1.grad"


async def test_arrows_bring_back_what_was_typed(app):
    async with app("article", (80, 24)) as reader:
        for line in ("next", "goto 0:3", "print w5", "goto 0:5"):
            await reader.command(line)
        await reader.press("colon", "up")
        assert reader.inside("#line") == "goto 0:5"
        await reader.press("up", "up", "up", "up", "down")
        assert reader.inside("#line") == "goto 0:3"
        await reader.press("escape", "g", "up", "up")  # of those that begin so
        assert reader.inside("#line") == "goto 0:3"
        await reader.press("down", "down", "down")
        assert reader.inside("#line") == "goto"
        await reader.press("up", "enter")
        assert reader.position == "0:5"


async def test_g_takes_a_position(app):
    async with app("article") as reader:
        await reader.press("g")
        await reader.type("3:4.1")
        await reader.press("enter")
        assert reader.position == "3:4.1"
        await reader.press("g", "escape", "n")
        assert reader.position == "3:5"


async def test_slash_finds_a_number_by_what_the_screen_shows(app):
    async with app("article") as reader:
        await reader.press("n", "slash")
        await reader.type("0.85")
        await reader.press("enter")
        assert "h1 = 0.85  at 0:1, z1 = x @ W1" in reader.text()


async def test_help_begins_with_what_works_in_the_focused_pane(app):
    async with app("article", (80, 60)) as reader:
        for pane, moves in [
            ("1", "t, T and b"),
            ("2", "enter edits it"),
            ("3", "along a line to the next layer"),
            ("4", "scroll"),
            ("5", "one iteration"),
            ("6", "delete backspace  forget"),
        ]:
            await reader.press(pane, "question_mark")
            here, _, after = reader.inside("#help-page").partition("Time: lower case forward")
            assert f"Here, in pane {pane}" in here
            assert " ".join(moves.split()) in here
            assert "one operation on" in after
            await reader.press("escape")


@pytest.mark.parametrize("pane", [*PANES, "6"])
async def test_the_keys_that_help_has_for_a_pane_are_those_that_work_there(app, pane):
    """Every key that only this pane has is listed, and every one that is listed is one that something belongs to."""
    async with app("article", (120, 60)) as reader:
        await reader.press("n", pane)
        focused = reader.app.screen.focused
        active = {key: one for key, one in reader.app.screen.active_bindings.items() if one.node is focused}
        own = [one.binding for one in active.values()]
        _, *rows = sections(focused, own, COMMANDS)[0].rows
        listed = {keyboard.name(key) for keys, _ in rows for key in keys.split()}
        assert listed >= set(active) - {"up", "down", "left", "right"}
        assert pane != "2" or listed >= {"left_curly_bracket", "right_curly_bracket"}
        for key in sorted(listed):
            await reader.press(key)
            assert "does nothing here" not in reader.text(), key
            await reader.press("escape", pane)


async def test_every_line_of_help_can_be_reached_on_a_small_screen_and_a_command_looked_for_from_it(app):
    async with app("article", (80, 24)) as reader:
        await reader.press("question_mark")
        assert "esc close" in reader.text()
        seen = reader.inside("#help-page")
        for _ in range(12):
            await reader.press("pagedown")
            seen += reader.inside("#help-page")
        assert all(" ".join(command.help.split(",")[0].split()[:5]) in seen for command in COMMANDS if command.keys)
        assert "another branch leaves, here" in reader.inside("#help-page")
        await reader.press("home", "end", "up", *["pageup"] * 14)
        assert "Here, in pane 1" in reader.text()
        await reader.press("slash")
        await reader.type("opp")
        await reader.press("escape", "n")
        assert reader.position == "0:1"


async def test_x_opens_a_number_down_to_inputs_and_weights(app):
    async with app("article") as reader:
        await reader.press("n", "n", "2", "down", "down")
        assert "prediction = 0.191" in reader.text()
        await reader.press("x")
        assert "Where prediction comes from" in reader.text()
        for part in ("h1", "i1", "w1", "w5", "0.191"):
            assert part in reader.text()


async def test_x_explains_what_the_formula_pane_shows(app):
    """The operation at hand, until the reader goes to a cell."""
    async with app("article") as reader:
        await reader.press("n", "n", "x")
        assert "Where prediction comes from" in reader.text()
        await reader.press("escape", "2", "up", "x")
        assert "Where h2 comes from" in reader.text()
        await reader.press("escape", "1", "n", "x")
        assert "Where E comes from" in reader.text()


async def test_m_shows_all_six_update_formulas_and_the_matrices(app):
    async with app("article") as reader:
        await reader.press("m")
        for k in range(1, 7):
            assert f"w{k} ← w{k} − lr · (prediction − target)" in reader.text()
        assert "⎡w1  w3⎤ ← ⎡w1  w3⎤ − lr · ⎡∂E/∂w1  ∂E/∂w3⎤" in reader.text()
        await reader.press("escape")
        await reader.press("i", "m")
        assert "0.121326" in reader.text()


async def test_the_cursor_in_the_values_and_by_tensor(app):
    async with app("article") as reader:
        names = []
        for _ in range(9):
            await reader.press("right_square_bracket")
            names.append(reader.lines()[-2].split()[0])
        assert len(set(names)) >= 8
        assert names[-1] == names[0] or names[8] == names[0]
        await reader.press("left_square_bracket")
        assert reader.lines()[-2].split()[0] == names[-2]
        await reader.press("2", *["up"] * 30)
        assert "i1 = 2.0" in reader.text()
        await reader.press(*["down"] * 30)
        assert "lr = 0.05" in reader.text()


async def test_tab_goes_round_and_numbers_focus(app):
    async with app("article") as reader:
        seen = []
        for _ in range(6):
            seen.append(focused_title(reader))
            await reader.press("tab")
        assert seen == ["1", "2", "3", "4", "5", "1"]
        for pane in PANES:
            await reader.press(pane)
            assert focused_title(reader) == pane


async def test_q_quits_with_code_0(app):
    async with app("article") as reader:
        await reader.press("q")
    assert reader.app.return_code == 0


async def test_a_word_that_has_no_key_can_be_given_one(app):
    """It is carried out, or waits on the command line for what has to follow."""
    async with app("article", keys={"run": ("f6",), "list": ("f7",)}) as reader:
        await reader.press("f6", "3", "enter")
        assert reader.position == "2:9"
        await reader.press("f7")
        assert "prediction = h @ W2" in reader.text() and "esc" in reader.text()
