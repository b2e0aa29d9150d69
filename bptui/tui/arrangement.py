"""Where everything on the main screen stands: a function of its size and of what is wanted in sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.geometry import Region

SMALLEST = (40, 14)
# Smaller screens show one thing after the other, larger ones three columns.
_MEDIUM, _WIDE = (100, 30), (160, 30)
_TALL = 38
# The small arrangement's listing is a strip of five operations; of three, where the network has no rows for gradients.
_STRIP, _LEAST_STRIP, _FIGURE = 6, 4, 9
_CAPTION = 3
# Rows for the numbers of a network of a few neurons.
_NUMBERS = 24
# What the pane of stops says where there are none.
_HINT = 8
# What a pane of the small arrangement takes as a page of its own.
PAGES = ("values", "loss", "stops")


@dataclass(frozen=True)
class Plan:
    """What is wanted in sight.

    page      a pane that is open as a page, in the small arrangement, or ""
    zoomed    a pane that stands alone, or ""
    typing    the command line is open
    listing   how many rows the program has
    stops     how many breakpoints and watches there are
    watches   whether watches are among them
    on_stops  the reader is in their pane
    touring   a tour is given: its caption stands at the bottom
    """

    page: str = ""
    zoomed: str = ""
    typing: bool = False
    listing: int = 14
    stops: int = 0
    watches: bool = False
    on_stops: bool = False
    touring: bool = False

    @property
    def stop_rows(self) -> int:
        """How many rows their pane would like; 0 where it is not there."""
        return self.stops + 1 if self.stops else _HINT * self.on_stops


def is_small(columns: int, rows: int) -> bool:
    """Whether a screen shows one thing after the other."""
    return columns < _MEDIUM[0] or rows < _MEDIUM[1]


def is_tiny(columns: int, rows: int) -> bool:
    """Whether there is no use in showing anything."""
    return columns < SMALLEST[0] or rows < SMALLEST[1]


def places(plan: Plan, columns: int, rows: int) -> Mapping[str, Region]:
    """Id → where it stands; what is not in it is not in sight."""
    if is_tiny(columns, rows):
        return {"small": Region(0, 0, columns, rows)}
    watched = plan.watches and is_small(columns, rows)
    below = _CAPTION if plan.touring else 2
    middle = Region(0, 1, columns, rows - 1 - below - watched)
    made = {"header": Region(0, 0, columns, 1)} | _panes(plan, middle, columns, rows)
    if watched:
        made["watched"] = Region(0, middle.bottom, columns, 1)
    if plan.touring:
        return made | {"caption": Region(0, rows - below, columns, below)}
    if plan.typing:
        made["hint"] = Region(0, rows - 4, columns, 2)
    last, lowest = ("line", "line-keys") if plan.typing else ("status", "keys")
    return made | {last: Region(0, rows - 2, columns, 1), lowest: Region(0, rows - 1, columns, 1)}


def _panes(plan: Plan, middle: Region, columns: int, rows: int) -> dict[str, Region]:
    if plan.zoomed:
        return {plan.zoomed: middle}
    if is_small(columns, rows):
        return _small(plan, middle)
    return _wide(plan, middle) if columns >= _WIDE[0] else _medium(plan, middle, tall=rows >= _TALL)


def _small(plan: Plan, middle: Region) -> dict[str, Region]:
    """The strip of operations above; below it a page, or the network and the formula."""
    spare = middle.height - _FIGURE - _STRIP
    strip, rest = middle.split_horizontal(max(_LEAST_STRIP, min(_STRIP, spare)))
    if plan.page:
        return {"program": strip, plan.page: rest}
    network, formula = rest.split_horizontal(-_STRIP)
    return {"program": strip, "network": network, "formula": formula}


def _medium(plan: Plan, middle: Region, *, tall: bool) -> dict[str, Region]:
    """What is done and its numbers at the left; the network, the formula and time at the right."""
    left, right = _columns(middle, 45)
    program, values = left.split_horizontal(min(15, plan.listing + 2))
    made = {"program": program, "values": values}
    if plan.stop_rows:
        values, stops = values.split_horizontal(-min(plan.stop_rows, 10 if tall else 6))
        made |= {"values": values.shrink((0, 0, 1, 0)), "stops": stops}
    network, below = right.split_horizontal(16 if tall else 11)
    formula, loss = below.split_horizontal(-(8 if tall else 6))
    return made | {"network": network, "formula": formula, "loss": loss}


def _wide(plan: Plan, middle: Region) -> dict[str, Region]:
    """The program beside the numbers, both over time; and the network over the formula."""
    program = max(46, min(60, middle.width * 27 // 100))
    left, right = _columns(middle, program + 1 + max(45, min(64, middle.width // 4)))
    # The listing takes what it needs, as long as it leaves time some room; the numbers of a small network find theirs.
    upper, loss = left.split_horizontal(min(max(plan.listing + 2, _NUMBERS) + plan.stop_rows, middle.height * 6 // 10))
    listing, values = _columns(upper.shrink((0, 0, 1, 0)), program)
    made = {"values": values, "loss": loss}
    if plan.stop_rows:
        listing, stops = listing.split_horizontal(-min(plan.stop_rows, 11, upper.height // 2))
        made["stops"] = stops
        listing = listing.shrink((0, 0, 1, 0))
    network, formula = right.split_horizontal(middle.height * 11 // 20)
    return made | {"program": listing, "network": network, "formula": formula}


def _columns(region: Region, width: int) -> tuple[Region, Region]:
    """A column of a width, and what is right of it; a blank column between."""
    left, right = region.split_vertical(width + 1)
    return left.shrink((0, 1, 0, 0)), right
