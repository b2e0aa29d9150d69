"""The page of branches and the page of two timelines side by side, by keys."""

from __future__ import annotations

import pytest
from pictures import SIZES, compare, every_size

from bptui.tui.drawing.comparison import head, table
from bptui.tui.drawing.lines import width
from bptui.tui.screens.branching import BranchesPage, DiffPage

STORY = (
    "run 12", "goto 6:9", "set w5 = 0.4 at 2:9", "run 4", "goto 5:9", "set lr = 0.1", "run 6", "branch calm",
    "branch main", "set W1 = 0.2 at 0:9", "branch edit-2",
)  # fmt: skip


async def told(reader):
    """A session of five branches, at the end of iteration 11 of edit-2."""
    for line in STORY:
        await reader.command(line)
    assert reader.position == "11:9"


def rows(reader):
    """The rows of the tree, without what lies around."""
    return reader.inside("#branches-view")


async def test_d_shows_the_tree_and_enter_goes_to_a_branch(app):
    async with app("article") as reader:
        await told(reader)
        await reader.press("d")
        assert isinstance(reader.app.screen, BranchesPage)
        assert rows(reader).startswith("main reached 11:9 ├─ edit-3 left main at 0:9 reached 11:9 set W1 = 0.2")
        assert "└─ edit-1 left main at 2:9 reached 10:9 set w5 = 0.4" in rows(reader)
        assert "▸ └─ edit-2 left edit-1 at 5:9 reached 11:9 set lr = 0.1" in rows(reader)
        assert "└─ calm left edit-2 at 11:9 reached 11:9" in rows(reader)
        await reader.press("up", "enter")
        assert not isinstance(reader.app.screen, BranchesPage)
        assert reader.session.debugger.branches.name == "edit-1"
        assert "branch edit-1; edits go to it from now on" in reader.text()
        assert reader.position == "11:9"


async def test_escape_leaves_everything_as_it_was(app):
    async with app("article") as reader:
        await told(reader)
        cells, bits = reader.cells(), reader.bits()
        for leave in ("escape", "q"):
            await reader.press("d", "up", "down", "end", "home", leave)
            assert (reader.cells(), reader.bits()) == (cells, bits)
        await reader.press("d", "up", "d", "down", "end", "o", "escape")
        assert reader.bits() == bits


async def test_a_branch_is_forgotten_and_the_tree_stays_open(app):
    async with app("article") as reader:
        await told(reader)
        await reader.press("d", "end", "delete")
        assert isinstance(reader.app.screen, BranchesPage)
        assert "calm" not in rows(reader)
        await reader.press("delete", "escape")  # that is edit-2, which is looked at
        assert "edit-2 is the branch that is looked at; go to another first" in reader.text()
        assert set(reader.session.debugger.branches.all) == {"main", "edit-1", "edit-2", "edit-3"}


async def test_side_by_side_says_where_they_part_and_what_differs(app):
    async with app("article") as reader:
        await told(reader)
        await reader.press("d", "up", "equals_sign")
        assert isinstance(reader.app.screen, DiffPage)
        shown = reader.inside("#diff-view")
        assert shown.startswith("edit-2 beside edit-1 at 11:9")
        assert "only edit-2: set lr = 0.1 at 5:9" in shown
        assert "they part at 6:8 W1 ← W1 − lr · ∂E/∂W1" in shown
        found = reader.session.debugger.diff("edit-1")
        largest = max((row for row in found.rows if row.slot != "loss"), key=lambda row: row.largest)
        listed = shown.partition("difference ")[2].split()
        assert listed[0] == "E"
        assert listed[4] == reader.session.debugger.program.name(largest.slot)
        await reader.press("o")
        assert reader.inside("#diff-view").partition("difference ")[2].startswith("lr +0.1000 +0.0500 −0.05000")
        await reader.press("end")
        assert "the same on both sides" in reader.inside("#diff-view")


async def test_the_line_takes_diff_and_branches_too(app):
    async with app("article") as reader:
        await told(reader)
        await reader.command("diff main")
        assert "edit-2 beside main at 11:9" in reader.text()
        await reader.press("escape")
        await reader.command("branches")
        assert isinstance(reader.app.screen, BranchesPage)
        await reader.press("escape")
        await reader.command("diff edit-2")
        assert not isinstance(reader.app.screen, DiffPage)
        assert "edit-2 is the branch that is looked at: name another, or a network" in reader.text()
        await reader.command("diff nonesuch")
        assert not isinstance(reader.app.screen, DiffPage)
        assert "is no branch (main, edit-1, edit-2, calm, edit-3)" in reader.text()


async def test_beside_another_network(app):
    async with app("article") as reader:
        await reader.command("run 2")
        await reader.command("diff mazur")
        assert "article" in reader.text()
        assert "main beside mazur" in reader.text()


@pytest.mark.parametrize("size", SIZES)
async def test_every_line_of_the_comparison_fits_and_can_be_reached(app, size):
    async with app("xor", size) as reader:
        await reader.command("run 3")
        await reader.command("set W1 = 0.5 at 0:0")
        await reader.command("diff main")
        page = reader.app.screen
        region = page.query_one("#diff-view").region
        found = reader.session.debugger.diff("main")
        program = reader.session.debugger.program
        fixed = head(found, program, region.width, region.height)
        assert all(width(line) <= region.width for line in fixed)
        assert region.height - len(fixed) >= 4
        seen, here = "", reader.inside("#diff-view")
        while here not in seen:
            seen += f" {here}"
            await reader.press("down", "down", "down")
            here = reader.inside("#diff-view")
        for line in table(found, program, region.width, largest_first=True):
            assert " ".join("".join(text for text, _ in line).split()) in seen
        await reader.press("home")
        assert "E" in reader.inside("#diff-view")


async def test_in_a_small_window_no_difference_is_cut(app):
    """Of how many cells it is goes first."""
    async with app("digits", (80, 24)) as reader:
        await reader.command("run 2")
        await reader.command("set lr = 0.5 at 0:0")
        await reader.command("diff main")
        shown = [line for line in reader.inside("#diff-view").split() if line]
        assert "difference" in shown
        assert not any(len(word) > 1 and word.endswith("…") for word in shown)


@pytest.mark.parametrize("size", SIZES[::2])
async def test_pages_follow_the_size(app, size):
    async with app("article", (100, 30)) as reader:
        await told(reader)
        await reader.press("d")
        await reader.pilot.resize_terminal(*size)
        await reader.press("up")
        assert "├─ edit-3" in rows(reader)
        await reader.press("d")
        await reader.pilot.resize_terminal(40, 14)
        await reader.press("down")
        await reader.pilot.resize_terminal(*size)
        await reader.press("up")
        assert "edit-2 beside" in reader.text()


@every_size
async def test_the_tree(app, size):
    """Five branches under each other, the present one lit, the cursor on its parent, whose edits stand beside it."""
    async with app("article", size) as reader:
        await told(reader)
        await reader.press("d", "up")
        await compare(reader, "branches-tree", size)


@every_size
async def test_side_by_side(app, size):
    """Both losses on one plot, one drawn through and one in dashes; where they part on its axis; what differs below."""
    async with app("article", size) as reader:
        await told(reader)
        await reader.command("diff main")
        await compare(reader, "branches-diff", size)
