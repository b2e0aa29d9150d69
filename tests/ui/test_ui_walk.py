"""Walking with keys only: what a reader does, and what the screen then shows."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from bptui.files import specs


async def test_200_on_and_200_back_is_the_first_screen_cell_for_cell_and_bit_for_bit(app):
    """But for the axis of time, which goes on showing how far one has been."""
    async with app("article") as reader:
        cells, bits = reader.cells_but_for("#loss"), reader.bits()
        for _ in range(10):
            await reader.press(*["n"] * 20)
        assert reader.position == "22:2"
        assert reader.cells_but_for("#loss") != cells
        for _ in range(10):
            await reader.press(*["N"] * 20)
        assert reader.position == "0:0"
        assert reader.cells_but_for("#loss") == cells
        assert reader.bits() == bits


@pytest.mark.parametrize(
    "spec, size", [("article", (80, 24)), ("mazur", (120, 40)), ("xor", (80, 24)), ("xor", (200, 60))]
)
async def test_every_screen_is_the_same_on_the_way_back(app, spec, size):
    async with app(spec, size) as reader:
        there = []
        for _ in range(11):
            there.append((reader.position, reader.cells(), reader.bits()))
            await reader.press("n")
        for position, cells, bits in reversed(there):
            await reader.press("N")
            assert reader.position == position
            assert reader.bits() == bits
            for y, (now, then) in enumerate(zip(reader.cells(), cells, strict=True)):
                assert now == then, (position, y)


@pytest.mark.parametrize("spec", ["article", "mazur", "xor"])
async def test_element_by_element_and_back_is_the_first_screen(app, spec):
    async with app(spec) as reader:
        cells, bits = reader.cells_but_for("#loss"), reader.bits()
        await reader.press(*["s"] * 30)
        assert reader.position != "0:0"
        await reader.press(*["S"] * 30)
        assert (reader.position, reader.bits()) == ("0:0", bits)
        assert reader.cells_but_for("#loss") == cells


async def test_s_shows_h1_done_and_h2_not_yet_in_three_panes(app):
    async with app("article") as reader:
        await reader.press("s")
        assert reader.position == "0:0.1"
        program = reader.line_with(" 1  h = x @ W1")[:45]
        assert program.rstrip().endswith("+0.8500 ·")
        values = [line[:45] for line in reader.lines()]
        assert any(line.startswith("   h1 ") and "+0.8500" in line for line in values)
        assert any(line.startswith("   h2 ") and "·" in line and "0.48" not in line for line in values)
        network = "\n".join(line[46:] for line in reader.lines()[1:17])
        assert "+0.8500" in network
        assert "0.4800" not in network
        assert "op 1 of 9, 1 of its 2 elements" in reader.lines()[0]
        await reader.press("s")
        assert "+0.8500 +0.4800" in reader.line_with(" 1  h = x @ W1")


async def test_back_at_the_very_start_says_so(app):
    async with app("article") as reader:
        await reader.press("n", "N")
        assert "this is the very start" not in reader.text()
        for key in ("N", "S", "I", "F"):
            await reader.press(key)
            assert "this is the very start" in reader.text(), key
            await reader.press("n", "N")


async def test_the_formula_follows_forward_backward_and_update(app):
    async with app("article") as reader:
        await reader.press("n", "n")
        assert "= 0.85 · 0.14 + 0.48 · 0.15" in reader.inside("#formula")
        assert "= 0.191" in reader.text()
        await reader.press(*["n"] * 5)
        assert reader.position == "0:7"
        assert "∂E/∂w1" in reader.text()
        assert "−0.22652" in reader.text()
        await reader.press("n")
        assert "0.11 − 0.05 · (−0.22652)" in reader.inside("#formula")
        assert "0.121326" in reader.text()


async def test_the_prediction_rises_from_iteration_to_iteration_and_the_loss_falls(app):
    async with app("article") as reader:
        await reader.press("n", "n")
        assert "+0.1910" in reader.line_with(" 2  prediction")
        await reader.press("i")
        assert reader.position == "1:2"
        assert "+0.2557" in reader.line_with(" 2  prediction")
        await reader.press(*["i"] * 19)
        await reader.press("n")
        assert reader.position == "20:3"
        assert "iteration 20" in reader.lines()[0]
        await reader.press("I")
        assert reader.position == "19:3"


async def test_f_and_F_go_by_phases(app):
    async with app("article") as reader:
        seen = []
        for _ in range(4):
            await reader.press("f")
            seen.append(reader.position)
        assert seen == ["0:2", "0:3", "0:7", "0:9"]
        for expected in ["0:7", "0:3", "0:2", "0:0", "0:0"]:
            await reader.press("F")
            assert reader.position == expected


async def test_t_and_T_run_to_the_operation_under_the_cursor(app):
    async with app("article") as reader:
        await reader.press("t")
        assert "choose an operation first" in reader.text()
        await reader.press("down", "down", "down")  # the first puts the cursor on the operation that comes next
        await reader.press("t")
        assert reader.position == "0:3"
        await reader.press("t")
        assert reader.position == "1:3"
        await reader.press("T")
        assert reader.position == "0:3"
        await reader.press("T")
        assert "was not done before here" in reader.text()
        assert reader.position == "0:3"


async def test_arrows_in_the_program_step(app):
    async with app("article") as reader:
        await reader.press("right", "right", "left")
        assert reader.position == "0:1"


async def test_arrows_in_the_time_pane_go_by_iterations(app):
    async with app("article") as reader:
        await reader.press("n", "5", "right", "right", "left")
        assert reader.position == "1:1"


async def test_c_runs_to_the_specs_end_and_C_back(app):
    async with app("article") as reader:
        await reader.press("c")
        await reader.until("stopped at the end: 30 iterations")
        assert reader.position == "29:9"
        await reader.press("c")
        assert "at the end (29:9), 30 iterations done: C goes back, :run 10 goes on" in reader.text()
        await reader.press("C")
        assert reader.position == "0:0"


def endless():
    """Mazur's network with so many iterations that no test sees their end."""
    return replace(specs.load("mazur"), iterations=10**8)


async def test_any_key_interrupts_a_run_and_does_nothing_else(app):
    async with app(endless(), (80, 24)) as reader:
        for key in ["n", "c", "space", "up", "j", "colon", "z", "tab", "2", "9", "enter", "escape", "ctrl+c", "x"]:
            await reader.tap("c")
            await reader.until("running; any key stops it")
            await reader.tap(key)
            stopped = reader.position
            await reader.press()
            assert "interrupted" in reader.text(), key
            assert stopped.endswith(":13"), key
            assert reader.position == stopped, key
            assert len(reader.app.screen_stack) == 2, key
            assert reader.app.screen.focused.number == 1, key
            await reader.tap("C")
            assert reader.position == "0:0", key


async def test_q_leaves_a_run(app):
    async with app(endless(), (80, 24)) as reader:
        await reader.tap("c")
        await reader.until("running; any key stops it")
        await reader.tap("q")
    assert reader.app.return_code == 0


async def test_the_line_runs_to_the_end_in_slices_too(app):
    async with app(endless(), (80, 24)) as reader:
        for key in ("colon", *"continue", "enter"):
            await reader.tap(key)
        await reader.until("running; any key stops it")
        await reader.tap("x")
        await reader.press()
        assert "interrupted" in reader.text()


async def test_mazur_runs_its_10000_iterations(app):
    async with app("mazur", (80, 24)) as reader:
        await reader.tap("c")
        await reader.until("stopped at the end: 10000 iterations", 60)
        assert reader.position == "9999:13"


async def test_space_plays_and_pauses(app):
    async with app("article") as reader:
        await reader.press("space")
        assert "playing; space pauses" in reader.text()
        await reader.until("op 2 of 9")
        await reader.press("space")
        assert "paused" in reader.text()
        paused = reader.position
        await reader.pilot.pause(0.8)
        assert reader.position == paused


async def test_another_verb_ends_playing(app):
    async with app("article") as reader:
        await reader.press("space", "n")
        here = reader.position
        await reader.pilot.pause(0.8)
        assert reader.position == here


async def test_load_opens_another_network(app):
    async with app("article") as reader:
        await reader.press("n")
        await reader.command("load mazur")
        assert reader.lines()[0].startswith(" mazur")
        assert reader.position == "0:0"
        assert "loaded mazur" in reader.text()
        await reader.press("n", "n")
        assert reader.position == "0:2"
        await reader.command("load nonesuch")
        assert reader.lines()[0].startswith(" mazur")
        assert "nonesuch" in reader.text()


class Held:
    """A clock for timers by which the process is made to wait, for longer than any takes, between any two looks at it."""

    def __init__(self) -> None:
        self.looks = itertools.count()

    def get_time(self) -> float:
        return next(self.looks) / 4


async def test_a_window_changed_while_the_process_was_made_to_wait_is_drawn_in_its_size(app, monkeypatch):
    async with app("article", (120, 40)) as reader:
        with monkeypatch.context() as patch:
            patch.setattr("textual.timer._time", Held())
            await reader.pilot.resize_terminal(80, 24)
            for _ in range(1000):
                if len(reader.lines()) == 24:
                    break
                await asyncio.sleep(0.001)
            assert len(reader.lines()) == 24
        await reader.pilot.resize_terminal(120, 40)
        await reader.press()
        assert len(reader.lines()) == 40


async def test_resizing_down_to_nothing_and_back_comes_to_the_same_screen(app):
    async with app("article", (120, 40)) as reader:
        await reader.press("n", "n")
        cells = reader.cells()
        for size in [(3, 2), (1, 1), (80, 24), (39, 13), (200, 60), (120, 40)]:
            await reader.pilot.resize_terminal(*size)
            await reader.press("n", "N")
            assert len(reader.lines()) == size[1]
            assert all(len(row) == size[0] for row in reader.lines())
        assert reader.position == "0:2"
        assert reader.cells() == cells


async def test_pages_of_the_small_screen(app):
    async with app("article", (80, 24)) as reader:
        assert "3 Network" in reader.text()
        assert "2 Values" not in reader.text()
        await reader.press("2")
        assert "2 Values" in reader.text()
        assert "3 Network" not in reader.text()
        assert "w5            +0.1400" in reader.text()
        await reader.press("5")
        assert "5 Time and loss" in reader.text()
        assert "2 Values" not in reader.text()
        await reader.press("escape")
        assert "3 Network" in reader.text()
        assert "5 Time" not in reader.text()
        for pane in ("3 Network", "4 Formula"):
            await reader.press("5", pane[0])
            assert pane in reader.text()
