"""The page of keys: those of the focused pane first, then every key of the registry, then the marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from bptui.commands.registry import Command, grouped
from bptui.tui.drawing.beyond import barred
from bptui.tui.drawing.lines import Line
from bptui.tui.drawing.manual import Section, manual
from bptui.tui.screens.over import Over
from bptui.tui.widgets.drawn import Drawn
from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.sheet import Sheet, foot

# The keys of every pane that its own sentence tells of.
_ARROWS = ("pane.left", "pane.down", "pane.up", "pane.right")
_MARKS = (
    ("▸ › ✓", "done last, next, done"),
    ("· ∂", "not computed yet; a gradient"),
    ("*", "set by hand"),
    ("~", "computed before an edit that it depends on"),
    ("°", "computed with the weights before their update"),
    ("!", "not finite"),
    ("▾ ▹", "a part of the program that is open, one that is folded"),
    ("● ◆", "a breakpoint, one with a condition; ○ ◇ disabled"),
    ("┴ ● * ┬ ▲", "on the axis of 5: a checkpoint, a breakpoint met, an edit, another branch leaves, here"),
)
_LINE = (
    ("", "Every word works after : and in plain mode, such as  goto 3:4   print W1.grad   set lr = 0.1   save my.toml"),
    ("tab →", "put in what is offered; take what is dim"),
    ("↑ ↓", "what was typed before that begins so"),
)
_MOUSE = (
    (
        "",
        "A click goes to a cell, an operation or a moment; a double click edits; the wheel moves; drag along the axis.",
    ),
)


def sections(pane: Pane | None, own: Iterable[Binding], commands: Sequence[Command]) -> list[Section]:
    """All that the page says. `own` are the bindings that only that pane has."""
    made: list[Section] = []
    if pane is not None:
        made.append(Section(f"Here, in pane {pane.number}: {pane.id}", tuple(_here(pane, list(own), commands))))
    for title, rows in grouped(commands).items():
        made.append(Section(title, tuple(_rows(rows))))
    made[bool(pane)] = Section("Time: lower case forward, upper case back", made[bool(pane)].rows)
    return [*made, Section("After :", _LINE), Section("Mouse", _MOUSE), Section("Marks", _MARKS)]


def _here(pane: Pane, own: Sequence[Binding], commands: Sequence[Command]) -> Iterable[tuple[str, str]]:
    yield "", pane.help_moves
    if letters := sorted(one.key for one in own if one.id in _ARROWS and len(one.key) == 1):
        yield " ".join(letters), "as the arrows"
    keys: dict[str, list[str]] = {}
    for binding in own:
        if binding.id not in _ARROWS:
            keys.setdefault(binding.description, []).append(binding.key)
    yield from ((" ".join(names), does) for does, names in keys.items())
    yield from _rows([command for command in commands if command.name in pane.commands and command.keys])
    turns = " ".join(command.key for command in commands if command.name in ("view", "view-back") and command.keys)
    if pane.views and turns:
        yield turns, f"its views: {', '.join(pane.views)}"


def _rows(commands: Sequence[Command]) -> Iterable[tuple[str, str]]:
    """Those with a key; the words alone in a line."""
    yield from ((command.shown or " ".join(command.written), command.help) for command in commands if command.keys)
    words = [command.verb for command in commands if command.verb and not command.keys]
    if words:
        yield "", f"words: {'  '.join(f':{word}' for word in words)}"


class HelpPage(Over[bool]):
    """The keys, scrolled. It gives True where the reader wants to look for something in the list of all commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,space,question_mark,f1,ctrl+c", "dismiss(False)", "close", id="help.close"),
        Binding("slash,ctrl+p", "dismiss(True)", "look for a command", id="help.find"),
        Binding("down,j", "scroll(1)", "down", show=False, id="help.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="help.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="help.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="help.page_up"),
        Binding("home", "scroll(-100000)", "to the top", show=False, id="help.top"),
        Binding("end", "scroll(100000)", "to the end", show=False, id="help.end"),
    ]

    def __init__(self, shown: Sequence[Section]) -> None:
        super().__init__()
        self._sections = shown
        self._top = 0

    def compose(self) -> ComposeResult:
        with Sheet("Keys that work here", "help-page"):
            yield Drawn(self._drawn, "help-view")
            yield foot((("↑ ↓", "scroll"), ("/", "look for a command"), ("esc", "close")), "help-keys")

    def _drawn(self, columns: int, rows: int) -> list[Line]:
        lines = manual(self._sections, columns - 1)
        self._top = max(0, min(self._top, len(lines) - rows))
        shown = lines[self._top : self._top + rows]
        return barred(shown, self._top, len(lines) - self._top - len(shown), columns)

    def action_scroll(self, by: int) -> None:
        """Up or down."""
        self._top = max(0, self._top + by)
        self.query_one(Drawn).redraw()

    def on_mouse_scroll_down(self) -> None:
        """A few lines at once."""
        self.action_scroll(3)

    def on_mouse_scroll_up(self) -> None:
        """The same, up."""
        self.action_scroll(-3)
