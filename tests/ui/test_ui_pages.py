"""What every page has: its title in its edge, its keys at its foot, and a bar where there is more than fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.equation import broken
from bptui.tui.drawing.keys import hints
from bptui.tui.drawing.lines import line, width

BAR = "▐"
# The keys that open a page → its title, and the key by which one leaves it.
PAGES = {
    "question_mark": "Keys that work here",
    "ctrl+p": "Everything that can be done",
    "ctrl+o": "Open another network",
    "n e": "Set w5   now 0.14",
    "E": "Set W2",
    "d": "Branches",
    "m": "Every update formula",
}


@pytest.mark.parametrize(("keys", "title"), PAGES.items())
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_page_says_in_its_edge_what_it_is_and_at_its_foot_how_one_leaves(app, keys, title, size):
    async with app("article", size) as reader:
        await reader.press(*keys.split())
        lines = reader.lines()
        top = next(row for row in lines if "╭─ " in row)
        assert f"╭─ {title} ─" in top
        bottom = next(k for k, row in enumerate(lines) if "╰" in row and row.index("╰") == top.index("╭"))
        assert any(" esc " in row for row in lines[bottom - 2 : bottom])


async def test_how_far_a_page_is_scrolled_is_seen(app):
    """The bar is at the top of its way, somewhere between, and at its foot."""
    async with app("article", (80, 24)) as reader:
        await reader.press("question_mark")
        seen = [[BAR in row for row in reader.lines()]]
        for key in ("down", "end"):
            await reader.press(key)
            seen.append([BAR in row for row in reader.lines()])
        first, second, last = (rows.index(True) for rows in seen)
        assert first < second < last


@given(st.integers(1, 30), st.integers(0, 500), st.integers(0, 500), st.integers(2, 40))
def test_the_bar_is_at_an_end_only_where_one_can_go_no_further(rows, above, below, columns):
    made = barred([line("some text that may be too long")] * rows, above, below, columns)
    marked = [bool(each) and each[-1][0] == BAR for each in made]
    assert any(marked) == bool(above + below)
    assert all(width(each) == columns for each, has in zip(made, marked, strict=True) if has)
    if rows > 2 and any(marked):
        assert marked[0] == (not above)
        assert marked[-1] == (not below)


def test_where_room_is_short_the_way_out_stays():
    keys = (("→", "open"), ("o", "go to where it was written"), ("esc", "leave"))
    assert "".join(text for text, _ in hints(keys, 80)) == "→ open  o go to where it was written  esc leave"
    assert "".join(text for text, _ in hints(keys, 30)) == "→ open  esc leave"
    assert "".join(text for text, _ in hints(keys, 5)) == "esc …"


@given(
    st.lists(st.lists(st.sampled_from(["h1·w5", "0.85·0.14", "∂E/∂h1 · w5"]), min_size=1), min_size=1),
    st.integers(0, 8),
    st.integers(30, 90),
)
def test_what_goes_on_of_an_equation_begins_with_a_sign_under_or_behind_the_first_one(sides, indent, columns):
    text = " " * indent + " = ".join(["x", *(" + ".join(side) for side in sides)])
    first, *more = broken(text, columns)
    column = first.index("=")
    assert all(len(each) <= columns for each in (first, *more))
    assert " ".join([first, *map(str.strip, more)]) == text
    assert all(each.startswith((" " * column + "= ", " " * (column + 2) + "+ ")) for each in more)


def test_a_long_left_side_is_broken_before_its_sign_and_no_matrix_is_torn():
    assert broken("  as matrices: [∂E/∂w1  ∂E/∂w3] = [i1; i2] · [∂E/∂h1  ∂E/∂h2]", 40) == [
        "  as matrices: [∂E/∂w1  ∂E/∂w3]",
        "      = [i1; i2] · [∂E/∂h1  ∂E/∂h2]",
    ]
    assert broken("that is:  a  and some words that are long", 20) == [
        "that is:  a  and",
        "    some words that",
        "    are long",
    ]


async def test_the_page_of_x_breaks_no_equation_into_others(app):
    """The rest of one stands under its sign of equality; both pictures as matrices have a name."""
    async with app("article", (80, 24)) as reader:
        await reader.command("goto 0:5")
        await reader.press("4", "x")
        lines = reader.lines()
        at = next(k for k, row in enumerate(lines) if "   prediction = " in row)
        column = lines[at].index("=")
        assert lines[at + 1][:column].strip(" │") == ""
        assert lines[at + 1][column:].startswith("= 0.119 + 0.072 = 0.191")
        assert reader.text().count("as matrices: ") == 1
        assert reader.text().count("in numbers: [−0.68765; ") == 1
