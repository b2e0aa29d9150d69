"""A list of networks to choose from, by where they are from."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.files.choices import Choice
from bptui.files.text import safe
from bptui.tui.drawing.lines import Line, cut, line, width, wrapped

_WIDEST = 34


def listed(found: Sequence[Choice], chosen: int, columns: int, rows: int) -> list[Line]:
    """A line for each under the words for its group, the chosen one in sight."""
    if not found:
        return [line((" nothing here is called so: enter opens a file of that name", "dim"))]
    wide = min(max(len(safe(choice.named)) for choice in found), _WIDEST)
    lines: list[Line] = []
    place, group = 0, ""
    for k, choice in enumerate(found):
        if choice.group != group:
            group = choice.group
            lines.append(line((f" {group}", "dim")))
        if k == chosen:
            place = len(lines)
        lines.append(_row(choice, wide, columns, here=k == chosen))
    # With the first of its group that group's words are in sight too.
    top = max(0, min(place - max(1, rows // 2), len(lines) - rows))
    return lines[top : top + rows]


def _row(choice: Choice, wide: int, columns: int, *, here: bool) -> Line:
    made = line((f"   {safe(choice.named):<{wide}}  ", "bold" if here else "plain"), (safe(choice.title), "dim"))
    if not here:
        return cut(made, columns)
    padded = (*made, (" " * max(0, columns - width(made)), "plain"))
    return tuple((text, f"{style}+cursor") for text, style in cut(padded, columns))


def mistakes(lines: Sequence[str], columns: int, rows: int) -> list[Line]:
    """What is wrong with a spec, as much as there is room for, and that nothing has changed."""
    made = [part for text in lines for part in wrapped(f" {safe(text)}", columns - 1, "plain", "   ")]
    if len(made) > rows - 2:
        made = [*made[: max(0, rows - 3)], line((f" … and {len(made) - rows + 3} lines more", "dim"))]
    return [*made, (), line((" the network that was open stays", "dim"))][:rows]
