"""A list of networks to choose from, by where they are from."""

from __future__ import annotations

from collections.abc import Sequence

from bptui.files.choices import Choice
from bptui.files.text import safe
from bptui.tui.drawing.choices import HEADING, Choices, here, with_full
from bptui.tui.drawing.lines import Line, cut, line, wrapped

_WIDEST = 34


def listed(found: Sequence[Choice], chosen: int, columns: int, rows: int) -> Choices:
    """A line for each under the words for its group, the chosen one in sight, and in full below."""
    if not found:
        return Choices([line((" nothing here is called so: enter opens a file of that name", "dim"))])
    wide = min(max(len(safe(choice.named)) for choice in found), _WIDEST)
    lines: list[Line] = []
    of: list[int] = []
    group = ""
    for k, choice in enumerate(found):
        if choice.group != group:
            group = choice.group
            lines.append(line((f" {group}", "dim")))
            of.append(HEADING)
        made = line(
            (f"   {safe(choice.named):<{wide}}  ", "bold" if k == chosen else "plain"), (safe(choice.title), "dim")
        )
        lines.append(here(made, columns) if k == chosen else cut(made, columns))
        of.append(k)
    name, title = safe(found[chosen].named), safe(found[chosen].title)
    return with_full(Choices(lines, of), chosen, name, f"{name}: {title}", columns, rows)


def mistakes(lines: Sequence[str], columns: int, rows: int) -> list[Line]:
    """What is wrong with a spec, as much as there is room for, and that nothing has changed."""
    made = [part for text in lines for part in wrapped(f" {safe(text)}", columns - 1, "plain", "   ")]
    if len(made) > rows - 2:
        made = [*made[: max(0, rows - 3)], line((f" … and {len(made) - rows + 3} lines more", "dim"))]
    return [*made, (), line((" the network that was open stays", "dim"))][:rows]
