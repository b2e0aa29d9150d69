"""Where everything stands, for any size and whatever is wanted in sight."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from bptui.tui.arrangement import PAGES, Plan, is_small, is_tiny, places

PANES = ("program", "values", "network", "formula", "loss", "stops")
plans = st.builds(
    Plan,
    page=st.sampled_from(("", *PAGES)),
    zoomed=st.sampled_from(("", *PANES)),
    typing=st.booleans(),
    listing=st.integers(2, 600),
    stops=st.integers(0, 40),
    watches=st.booleans(),
    on_stops=st.booleans(),
    touring=st.booleans(),
)


@given(plans, st.integers(1, 300), st.integers(1, 120))
def test_nothing_lies_outside_or_over_another(plan, columns, rows):
    where = places(plan, columns, rows)
    screen = Region(0, 0, columns, rows)
    assert all(region in screen and region.area > 0 for region in where.values()), where
    standing = {name: region for name, region in where.items() if name != "hint"}
    for (one, a), (other, b) in itertools.combinations(standing.items(), 2):
        assert not a.overlaps(b), (one, other)


@given(plans, st.integers(1, 300), st.integers(1, 120))
def test_what_is_wanted_is_in_sight(plan, columns, rows):
    where = places(plan, columns, rows)
    if is_tiny(columns, rows):
        assert set(where) == {"small"}
        return
    assert {"header", "caption" if plan.touring else "line" if plan.typing else "status"} <= set(where)
    if plan.zoomed:
        assert set(PANES) & set(where) == {plan.zoomed}
    elif is_small(columns, rows):
        assert set(PANES) & set(where) == ({"program", plan.page} if plan.page else {"program", "network", "formula"})
    else:
        assert {"program", "values", "network", "formula", "loss"} <= set(where)
        assert ("stops" in where) == bool(plan.stops or plan.on_stops)
        assert all(where[name].height >= 2 + (name != "stops") for name in PANES if name in where)
        assert all(where[name].width >= 40 for name in PANES if name in where)
