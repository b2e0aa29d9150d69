"""The page of everything that can be done, and that neither it nor help can leave out a row of the registry."""

from __future__ import annotations

import pytest
from keyboard import keys_of

from bptui.commands import registry
from bptui.commands.registry import COMMANDS, grouped
from bptui.tui.drawing.manual import manual
from bptui.tui.drawing.offers import listed, narrowed
from bptui.tui.screens.finding import offers
from bptui.tui.screens.manual import sections
from bptui.tui.widgets.network import NetworkPane
from bptui.tui.widgets.stops import StopsPane

PANES = [NetworkPane(3, "network"), StopsPane(6, "stops")]
ALL = offers(COMMANDS, PANES)


def text_of(lines):
    return ["".join(part for part, _ in line) for line in lines]


def test_every_row_is_in_a_group_and_in_help_with_its_key_or_its_word():
    groups = grouped()
    assert [command for rows in groups.values() for command in rows] == list(COMMANDS)
    assert set(groups) == set(registry._BEGINS.values())
    assert set(registry._BEGINS) <= {command.name for command in COMMANDS}
    shown = " ".join(" ".join(text_of(manual(sections(None, (), COMMANDS), 90))).split())
    for command in COMMANDS:
        keys = command.shown or " ".join(command.written)
        assert (f"{keys} {command.help}" if command.keys else f":{command.verb}") in shown
    extra = registry.Command("frobnicate", ("ctrl+f",), "what nobody has thought of")
    later = " ".join(text_of(manual(sections(None, (), (*COMMANDS, extra)), 90)))
    assert "what nobody has thought of" in later


@pytest.mark.parametrize("columns", [20, 60, 103, 108, 190])
def test_help_is_no_wider_than_there_is_room_and_tears_nothing_apart(columns):
    lines = text_of(manual(sections(PANES[1], (), COMMANDS), columns))
    assert max(map(len, lines)) <= columns
    if columns > 102:
        # Two columns, about as long as each other.
        assert len(lines) < 0.7 * len(manual(sections(PANES[1], (), COMMANDS), 50))


def test_every_row_is_offered_and_found_by_its_name():
    assert {offer.name for offer in ALL} >= {command.name for command in COMMANDS if command.name} - {"palette"}
    for offer in ALL:
        assert narrowed(ALL, offer.name)[0].offer.name == offer.name
    assert {"view " + view for view in PANES[0].views} <= {offer.name for offer in ALL}
    assert {"open mazur", "pane stops"} <= {offer.name for offer in ALL}


def test_letters_find_a_name_and_words_find_a_help():
    first = {
        "itb": "iteration-back",
        "rc": "reverse-continue",
        "brk": "break",
        "N": "next",
        "edit": "set",
        "largest": "describe",
        "active": "describe",
        "max": "print",
        "numeric": "check",
        "previous tensor": "previous-tensor",
    }
    for typed, name in first.items():
        assert name in [found.offer.name for found in narrowed(ALL, typed)[:2]], typed
    assert narrowed(ALL, "qqqq") == []
    assert [found.offer for found in narrowed(ALL, " ")] == ALL


@pytest.mark.parametrize("columns, rows", [(74, 17), (20, 3), (110, 30), (8, 1)])
@pytest.mark.parametrize("typed", ["", "e", "open", "qqqq", "\x1b[/]"])
def test_the_chosen_one_is_in_sight_and_nothing_is_too_wide(columns, rows, typed):
    found = narrowed(ALL, typed)
    for chosen in range(0, max(1, len(found)), 7):
        lines = listed(found, chosen, columns, rows).lines
        assert len(lines) <= max(rows, 1)
        assert all(len(text) <= columns or not found for text in text_of(lines))
        if found:
            assert sum(any("cursor" in style for _, style in line) for line in lines) == 1


async def test_what_is_chosen_is_done_as_its_key_would(app):
    async with app("article", (80, 24)) as reader:
        for typed, shown in [
            ("goto", "goto POSITION"), ("delete", "delete K, all or a NAME"), ("set", "from when"), ("list", "z1 = x @ W1"),
            ("zoom", "z shows all panes again"), ("pane stops", "6 Stops and watches ━"), ("help", "Keys that work here"),
        ]:  # fmt: skip
            await reader.press("ctrl+p")
            await reader.type(typed)
            await reader.press("enter")
            assert shown in reader.text(), typed
            await reader.press("escape", "escape", "1")
        await reader.press("ctrl+p", "down", "down", "up", "down", "enter")  # the third row: into the operation
        assert reader.position == "0:0.1"
        await reader.press("ctrl+p")
        await reader.type("break")
        await reader.press("tab")
        assert reader.inside("#line") == "break"
        await reader.press("escape", "ctrl+p")
        await reader.type("mazur")
        await reader.press("enter")
        assert "mazur" in reader.lines()[0]
        await reader.press("ctrl+p")
        await reader.type("quit")
        await reader.press("enter")
    assert reader.app.return_code == 0


async def test_keys_typed_faster_than_the_page_comes_are_for_it(app):
    async with app("article", (80, 24)) as reader:
        await reader.burst("n", "ctrl+p", *keys_of("set"), "enter", *keys_of("0.5"), "enter", "n")
        assert [edit.text for edit in reader.session.debugger.timeline.edits] == ["set w5 = 0.5"]
        assert reader.position == "0:2"
        await reader.burst("ctrl+p", *keys_of("goto"), "enter", *keys_of("3:1"), "enter", "ctrl+p", "escape", "n")
        assert reader.position == "3:2"
        await reader.burst("question_mark", "slash", *keys_of("undo"), "enter", "N")
        assert reader.position == "3:1"
        assert not reader.session.debugger.timeline.edits
