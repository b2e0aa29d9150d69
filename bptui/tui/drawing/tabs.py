"""The views of a pane in its title: all that there is room for, the one that is seen marked."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.tui.drawing.lines import CUT, Line, line, width

_KEY = (" v ", "dim")
_MORE = (f" {CUT}", "dim")
# Fewer than this would be no list.
_LEAST = 3


def tabs(views: Sequence[str], shown: str, columns: int) -> Line:
    """The stretch of the list in which the view is that is seen; the next one alone where there is hardly any room."""
    for stretch in _stretches(views, columns - len(_KEY[0]) - 2 * len(_MORE[0])):
        if shown in stretch and len(stretch) >= min(_LEAST, len(views)):
            before, after = stretch[0] != views[0], stretch[-1] != views[-1]
            return line(_KEY, *[_MORE] * before, *(_tab(view, shown) for view in stretch), *[_MORE] * after)
    following = views[(views.index(shown) + 1) % len(views)]
    return line((f" v {following} ", "dim"))


def tab_at(title: Line, x: int, views: Sequence[str]) -> str:
    """The view whose name stands at a column of a title line, or ""."""
    for k, (text, _) in enumerate(title):
        if x < width(title[: k + 1]):
            return text.strip() if text.strip() in views else ""
    return ""


def _tab(view: str, shown: str) -> tuple[str, str]:
    return f" {view} ", "focus+bold" if view == shown else "dim"


def _stretches(views: Sequence[str], columns: int) -> list[list[str]]:
    """The list cut where it would be too long, each time at the same places; its last stretch as full as can be."""
    made: list[list[str]] = [[]]
    for view in views:
        if made[-1] and _room([*made[-1], view]) > columns:
            made.append([])
        made[-1].append(view)
    if len(made) > 1:
        left = len(views) - len(made[-1])
        while left and _room([views[left - 1], *made[-1]]) <= columns:
            left -= 1
            made[-1].insert(0, views[left])
    return made


def _room(views: Sequence[str]) -> int:
    return sum(len(view) + 2 for view in views)
