"""Breakpoints, watches and running, by keys: what a reader does, and what the screen then shows."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from keyboard import keys_of
from pictures import compare, every_size

from bptui.commands.session import Session
from bptui.files import specs
from bptui.tui.drawing.look import Look
from bptui.tui.screens import running

ACCENT = Look().palette.now


def listed(reader):
    """The rows of the program with their marks."""
    return [line[:45] for line in reader.lines() if re.match(r".[▸›✓ ]  ?\d+  ", line)]


def stops(reader):
    """The text of the pane of stops."""
    return reader.inside("#stops")


async def test_b_makes_a_breakpoint_at_the_cursor_and_takes_it_away(app):
    async with app("article") as reader:
        assert "Stops and watches" not in reader.text()
        await reader.press("down", "down", "down", "b")
        assert [row[0] for row in listed(reader)] == [" ", " ", "●", *" " * 6]
        assert "● 3 " not in stops(reader)
        assert "● 1 3 E met 0×" in stops(reader)
        await reader.press("c")
        await reader.until("stopped at breakpoint 1: 3")
        assert reader.position == "0:3"
        await reader.press("b")
        assert "deleted breakpoint 1" in reader.text()
        assert [row[0] for row in listed(reader)] == [" "] * 9
        assert "Stops and watches" not in reader.text()


async def test_what_can_be_done_with_the_chosen_stop_is_said_where_there_is_room(app):
    async with app("article", (80, 24)) as reader:
        await reader.command("break if loss < 0.1")
        await reader.command("watch w5")
        await reader.press("6")
        assert stops(reader).endswith("enter switches it off, backspace forgets it; b and w add more")
        await reader.press("enter")
        assert "enter switches it on," in stops(reader)
        await reader.press("down")
        assert "enter draws its curve," in stops(reader)
        await reader.press("enter", "6")
        assert "enter draws the loss again," in stops(reader)
        await reader.press("backspace", "backspace")
        assert "No breakpoints and no watches yet" in stops(reader)
        assert "enter" not in stops(reader)


@pytest.mark.parametrize("pane", ["2", "3", "4", "5", "6"])
async def test_b_asks_where_from_elsewhere(app, pane):
    async with app("article") as reader:
        await reader.press("down", pane, "b")
        assert reader.inside("#line") == "break"
        await reader.type("if loss < 0.1")
        await reader.press("enter")
        assert "◆ 1 if loss < 0.1 met 0×" in stops(reader)
        assert [row[0] for row in listed(reader)] == [" ", " ", "◆", *" " * 6]
        assert reader.app.screen.focused.number == int(pane)


async def test_the_breakpoint_that_stopped_is_lit_until_one_goes_on(app):
    async with app("article") as reader:
        await reader.command("break backward")
        await reader.command("break if loss < 0.1")
        await reader.press("c")
        await reader.until("stopped at breakpoint 1: backward")
        assert reader.position == "0:4"
        assert any(
            text.startswith("▸● 1 backward") for text in map(" ".join, map(str.split, reader.styled(color=ACCENT)))
        )
        await reader.press("n")
        assert "▸●" not in stops(reader)
        await reader.press("C")
        await reader.until("stopped at breakpoint 1: backward")
        assert "▸● 1 backward met 2×" in stops(reader)
        assert "◆ 2 if loss < 0.1 met 0×" in stops(reader)


async def test_rows_are_chosen_switched_off_and_deleted(app):
    async with app("article") as reader:
        for line in ("break 2", "break 4", "watch w5"):
            await reader.command(line)
        await reader.press("B", "down", "enter")
        assert "○ 2 4 ∂E/∂prediction disabled met 0×" in stops(reader)
        assert [row[0] for row in listed(reader)] == [" ", "●", " ", "○", *" " * 5]
        await reader.press("c")
        await reader.until("stopped at breakpoint 1: 2")
        await reader.press("c")
        await reader.until("stopped at breakpoint 1: 2")
        assert reader.position == "1:2"
        await reader.press("enter")
        assert "● 2 4 ∂E/∂prediction met 0×" in stops(reader)
        await reader.press("up", "up", "delete")
        assert "deleted breakpoint 1: 2" in reader.text()
        await reader.press("down", "down", "down", "backspace")
        assert "no longer watched: w5" in reader.text()
        assert stops(reader).endswith("● 2 4 ∂E/∂prediction met 0×")


async def test_ignored_ones_and_those_for_once_say_so(app):
    async with app("article") as reader:
        for line in ("break loss once", "break update", "ignore 2 3"):
            await reader.command(line)
        assert "● 1 loss once met 0×" in stops(reader)
        assert "● 2 update ignored 3× met 0×" in stops(reader)
        await reader.press("c")
        await reader.until("stopped at breakpoint 1: loss once")
        assert "loss once met" not in stops(reader)
        await reader.press("c")
        await reader.until("stopped at breakpoint 2: update")
        assert reader.position == "3:8"
        assert "● 2 update met 4×" in stops(reader)


async def test_w_suggests_the_cell_under_the_cursor(app):
    async with app("article") as reader:
        await reader.press("2", "up", "w")
        assert reader.inside("#line") == "watch h2"
        await reader.press("enter")
        assert "= 1 h2 ·" in stops(reader)
        await reader.press("n")
        assert "= 1 h2 +0.4800" in stops(reader)
        await reader.press("w")
        await reader.type("abs(W1.grad).max()")
        await reader.press("enter")
        assert "= 2 abs(W1.grad).max() ·" in stops(reader)


async def test_a_watch_says_how_it_changed_since_the_stop_before(app):
    async with app("article") as reader:
        for expression in ("w5", "loss < 0.3", "W1", "prediction"):
            await reader.command(f"watch {expression}")
        await reader.press("i")
        assert len(reader.app.screen_stack) == 2  # however many there are, a move opens no page
        assert "= 1 w5 +0.1744 (+0.03438)" in stops(reader)
        assert "= 2 loss < 0.3 False" in stops(reader)
        assert "= 3 W1 +0.0982 … +0.2270 (+0.01820)" in stops(reader)
        await reader.press("n", "n")
        assert "= 4 prediction +0.2557" in stops(reader)


async def test_the_row_of_watches_takes_none_of_the_networks_gradients(app):
    async with app("article", (80, 24)) as reader:
        await reader.press(*["n"] * 6)
        before = reader.inside("#network")
        assert "∂ −0.1133" in before
        await reader.command("watch w5*2")
        assert "w5*2 +0.2800" in reader.text()
        assert reader.inside("#network") == before


async def test_a_watch_takes_the_place_of_the_loss_and_gives_it_back(app):
    async with app("article") as reader:
        await reader.command("watch w5")
        await reader.command("watch W1")
        await reader.press(*["i"] * 6, "6", "enter")
        assert "5 Time and w5 · iteration 5" in reader.text()
        debugger = reader.session.debugger
        iterations, values = debugger.plotted(1)
        assert list(iterations) == list(range(6))
        assert [float(debugger.look(type(debugger.position)(t, 9)).arrays["W2"][0, 0]) for t in range(6)] == list(
            values
        )
        highest = f"{values.max():.4g}"
        assert highest in reader.inside("#loss")
        assert "▸= 1 w5" in stops(reader)
        await reader.press("down", "enter")
        assert "4 numbers are no curve" in reader.inside("#loss")
        await reader.press("enter")
        assert "5 Time and loss" in reader.text()
        await reader.press("enter", "delete")
        assert "5 Time and loss" in reader.text()


async def test_a_small_curve_follows_a_watch_where_there_is_room(app):
    async with app("article", (200, 60)) as reader:
        await reader.command("watch loss")
        await reader.press(*["i"] * 4)
        assert re.search(r"= 1 loss \+0\.\d+ \(−0\.\d+\) █▆▃▁$", stops(reader)), stops(reader)


async def test_6_opens_a_hint_where_there_is_nothing_and_escape_closes_it(app):
    for size in [(80, 24), (120, 40), (200, 60)]:
        async with app("article", size) as reader:
            cells = reader.cells()
            await reader.press("6")
            assert "No breakpoints and no watches yet" in reader.text()
            assert "w watches an expression" in stops(reader)
            await reader.press("up", "down", "enter", "delete")
            await reader.press("escape")
            assert reader.cells() == cells


async def test_the_small_screen_has_a_page_of_stops_and_a_line_of_watches(app):
    async with app("article", (80, 24)) as reader:
        await reader.command("break 3")
        assert "Stops and watches" not in reader.text()
        await reader.command("watch w5")
        await reader.command("watch loss")
        await reader.press("i")
        assert reader.lines()[-3].rstrip() == " w5 +0.1744 (+0.03438)  loss +0.3272"
        await reader.press("6")
        assert "● 1 3 E met 0×" in stops(reader)
        assert "3 Network" not in reader.text()
        await reader.press("escape")
        assert "3 Network" in reader.text()


async def test_the_pane_is_there_at_every_size_after_resizing(app):
    async with app("article", (120, 40)) as reader:
        await reader.command("break 3")
        await reader.command("watch w5")
        await reader.press("n", "N")
        cells = reader.cells()
        for size in [(200, 60), (80, 24), (10, 5), (100, 30), (120, 40)]:
            await reader.pilot.resize_terminal(*size)
            await reader.press("n", "N")
            if size[0] >= 100:
                assert "● 1 3 E met 0×" in stops(reader), size
                assert "= 1 w5" in stops(reader), size
        assert reader.cells() == cells


async def test_hostile_words_reach_the_screen_harmless(app):
    async with app("article") as reader:
        await reader.command("watch w5 + 0")
        await reader.tap("colon")
        reader.app.screen.query_one("#line").value = "watch w5 \x1b[31m\u202e[/]"
        await reader.press("enter")
        assert "\x1b" not in reader.text()
        assert "\u202e" not in reader.text()


# The axis of time


async def test_the_axis_shows_where_breakpoints_were_met_and_branches_leave(app):
    async with app("article", (200, 60)) as reader:
        for line in ("run 12", "set w5 = 0.4 at 5:9", "break 3 once", "goto 8:0"):
            await reader.command(line)
        await reader.press("c")
        await reader.until("stopped at breakpoint 1")
        lines = [line[:105].rstrip() for line in reader.lines()[-4:-2]]
        axis, names = lines
        assert axis.lstrip().startswith("└")
        assert axis.index("*") == names.index("main leaves")  # where the edit made the branch
        assert axis.rstrip("╌").endswith("●")
        assert names.split() == [
            "0",
            "main",
            "leaves",
            "10",
            "11",
        ]  # as far as one has been; no number stands where a name does
        await reader.press("n")
        assert reader.lines()[-4][:105].rstrip().rstrip("╌").endswith("●")
        await reader.press("i", "i")
        assert reader.lines()[-4][:105].rstrip().rstrip("╌").endswith("▲")
        assert reader.lines()[-4][:105].count("●") == 1
        told = reader.lines()[reader.app.screen.query_one("#loss").region.y + 1]
        assert "┬ branch leaves  * edit  ● breakpoint met" in told


async def test_the_curve_of_another_branch_lies_behind(app):
    async with app("article", (200, 60)) as reader:
        await reader.command("run 12")
        await reader.command("goto 4:9")
        plain = reader.inside("#loss")
        await reader.command("set w5 = 0.4 at 1:9")
        await reader.command("branch main")
        assert reader.inside("#loss") != plain
        losses, every = reader.session.debugger.curve("edit-1")
        assert (len(losses), every) == (5, 1)
        await reader.command("delete edit-1")
        assert reader.inside("#loss") == plain


# Running


def endless():
    """Mazur's network with so many iterations that no test sees their end."""
    return replace(specs.load("mazur"), iterations=10**8)


async def test_a_run_says_how_far_how_fast_and_what_for(app):
    async with app(endless(), (120, 40)) as reader:
        await reader.command("break if loss < 0")
        await reader.command("watch loss")
        await reader.tap("c")
        await reader.until("running; any key stops it")
        status = reader.lines()[-2]
        found = re.search(r"iteration (\d+) of 100000000, 0 %, \d+ iterations/s, until if loss < 0", status)
        assert found, status
        while reader.session.debugger.position.iteration < 20_000:  # enough for a frame on the way back
            await reader.pilot.pause(0.02)
        assert any("⠀" < sign <= "⣿" for sign in reader.inside("#loss"))
        await reader.tap("x")
        await reader.press()
        assert "interrupted" in reader.text()
        assert reader.position.endswith(":13")
        stopped = reader.position
        await reader.tap("C")
        await reader.until("looking back; any key stops it")
        assert re.search(r"down to iteration \d+, \d+ iterations/s, until if loss < 0", reader.lines()[-2])
        await reader.tap("x")
        await reader.press()
        assert reader.position == stopped


@pytest.mark.parametrize("line", ["run 9000000", "iteration 9000000", "goto 9000000:3", "until loss < 0"])
async def test_every_word_that_runs_on_is_broken_off_by_any_key(app, line):
    async with app(endless(), (120, 40)) as reader:
        await reader.press("colon")
        await reader.type(line)
        await reader.tap("enter")
        await reader.until("running; any key stops it")
        await reader.tap("N")
        await reader.press()
        assert reader.lines()[-2].strip() == "interrupted"
        stopped = reader.position
        assert stopped.endswith(":13")
        await reader.press("n")
        assert reader.position == f"{int(stopped.split(':')[0]) + 1}:1"


async def test_when_is_broken_off_where_it_began(app):
    async with app(endless(), (120, 40)) as reader:
        await reader.command("goto 30000:4")
        await reader.press("colon")
        await reader.type("when if loss < 0")
        await reader.tap("enter")
        await reader.until("looking back; any key stops it")
        await reader.tap("x")
        await reader.press()
        assert reader.position == "30000:4"
        # What is shown on the way is not where one is when nothing was found.
        await reader.command("when if loss < 0")
        assert "if loss < 0 did not happen before here" in reader.text()
        assert reader.position == "30000:4"
        assert "iteration 30000   op 4 of 13" in reader.lines()[0]


async def test_until_that_never_comes_true_leaves_one_where_one_was(app):
    async with app(replace(specs.load("mazur"), iterations=20_000), (120, 40)) as reader:
        await reader.command("goto 3:2")
        await reader.command("until loss < 0")
        assert "loss < 0 does not come true within 20000 iterations" in reader.text()
        assert reader.position == "3:2"
        assert "iteration 3   op 2 of 13" in reader.lines()[0]


@pytest.mark.parametrize(
    ("line", "place"), [("run 9000", "9000:2"), ("goto 9000:1", "9000:3"), ("until loss < 1e-4", None)]
)
async def test_what_was_typed_on_is_for_what_comes_after_the_run(app, line, place):
    async with app("mazur", (120, 40)) as reader:
        await reader.burst("colon", *keys_of(line), "enter", "n", "n")
        await reader.arrived()
        if place is None:
            there = reader.session.debugger
            assert not there.evaluate("loss < 1e-4") or there.position.iteration > 1000
            place = reader.position
            await reader.press("N", "N")
            assert reader.session.debugger.evaluate("loss") < 1e-4
        else:
            assert reader.position == place


async def test_a_key_pressed_since_breaks_it_off_and_what_waited_comes_then(app):
    async with app(endless(), (120, 40)) as reader:
        await reader.burst("colon", *keys_of("run 9000000"), "enter", "n", "n")
        await reader.until("running; any key stops it")
        await reader.tap("x")
        await reader.press()
        assert reader.position.endswith(":2")
        assert reader.session.debugger.position.iteration > 0


async def test_a_sweep_says_how_far_it_is_and_any_key_breaks_it_off(app):
    async with app(endless(), (120, 40)) as reader:
        before = threading.active_count()
        await reader.press("colon")
        await reader.type("sweep lr=0.1,0.2 iterations 9000000")
        await reader.tap("enter")
        await reader.until("0 % of 18000000 iterations")
        await reader.tap("n")
        await reader.press()
        assert "the sweep was broken off; nothing was changed" in reader.text()
        assert reader.position == "0:0"
        while threading.active_count() > before:
            await reader.pilot.pause(0.02)


async def test_a_sweep_comes_as_a_page_that_holds_all_of_it(app):
    async with app("article", (80, 24)) as reader:
        await reader.command("sweep lr=log:0.001..0.1:50 iterations 30")
        assert "╭─ sweep lr=log:0.001..0.1:50 iterations 30 ─" in reader.text()
        await reader.press("end")
        assert "50 forks from 0:0: stacked in one process" in reader.text()
        await reader.press("escape")
        await reader.command("sweep lr=0.1 iterations x")
        assert "is no number of iterations" in reader.text()
        await reader.press("escape")
        await reader.command("goto 5:2")
        await reader.command("sweep lr=0.1,0.2 iterations 3")
        assert "5:2 is past the end, 3 iterations counted from 0:0" in reader.text()


async def test_what_was_visited_is_leapt_over_where_nothing_is_looked_for(app):
    async with app("mazur", (80, 24)) as reader:
        await reader.command("goto 9000:13")
        await reader.command("goto 0:0")
        run = reader.session.debugger.run()
        while run.portion(10**9) is None:
            pass
        assert run.examined <= 10000 - 9000 + 64
        assert str(reader.session.debugger.run(back=True).portion(1).position) == "0:0"


# Pictures


@every_size
async def test_stopped_at_a_breakpoint(app, size):
    """The breakpoint that stopped is lit; its mark in the listing; watches with their changes; ● on the axis of time."""
    async with app("article", size) as reader:
        for line in ("break if loss < 0.1", "break 7", "disable 2", "watch w5", "watch abs(W1.grad).max()", "watch W1"):
            await reader.command(line)
        await reader.press("c")
        await reader.until("stopped at breakpoint 1")
        await compare(reader, "stops-stopped", size)


@every_size
async def test_the_pane_of_stops_in_focus(app, size):
    """The cursor on the second watch, which is drawn over the iterations in place of the loss."""
    async with app("article", size) as reader:
        for line in ("break update", "ignore 1 2", "watch w5", "watch loss", "run 8"):
            await reader.command(line)
        await reader.press("6", "down", "down", "enter")
        await compare(reader, "stops-pane", size)


def test_a_key_does_not_wait_for_frames_that_take_long(monkeypatch):
    """A drawing of a second leaves a run two until the next one: in between the loop sees to the keys all the same."""
    passed = [0.0]

    def clock():
        passed[0] += 0.001
        return passed[0]

    def drawn(note):
        del note
        passed[0] += 1.0

    monkeypatch.setattr(running.time, "monotonic", clock)
    session = Session(specs.load("article"))
    begun = session.begin("run 1000000")
    one = running.Running(session.debugger, begun, SimpleNamespace(glance=drawn, show=drawn), print)
    for _ in range(3):
        before = passed[0]
        one.slice()
        assert (passed[0] - before) % 1.0 < 0.2
    one.stop()
