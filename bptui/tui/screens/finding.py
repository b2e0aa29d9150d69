"""A page of everything that can be done: what is typed narrows it, enter does what is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from bptui.commands.registry import COMMANDS, Command, grouped
from bptui.files.examples import examples
from bptui.tui.drawing.choices import Choices
from bptui.tui.drawing.offers import Offer, listed, narrowed
from bptui.tui.screens.over import Over
from bptui.tui.widgets.choices import ChoiceList
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.pane import Pane
from bptui.tui.widgets.sheet import Sheet, foot

# What is chosen, and whether its word is wanted on the command line rather than done.
Chosen = tuple[Offer, bool]
_KEYS = (("enter", "do it"), ("tab", "write it after :"), ("↑ ↓", "choose"), ("esc", "close"))


def offers(commands: Sequence[Command], panes: Sequence[Pane]) -> list[Offer]:
    """Every command, every pane, every view of one, and every example."""
    made: list[Offer] = []
    for group, rows in grouped(commands).items():
        made += [_offer(command, group) for command in rows if command.called != "palette" and command.name]
    made += [_pane(pane) for pane in panes]
    made += [_view(pane, view) for pane in panes for view in pane.views]
    made += [Offer(f"open {name}", title, "Examples", line=f"open {name}") for name, title in examples()]
    return made


def _offer(command: Command, group: str) -> Offer:
    # Whatever key a person wants it to have, it is known by its first.
    press = "" if command.verb else next(one.keys[0] for one in COMMANDS if one.called == command.called)
    return Offer(command.name, command.help, group, command.usage, command.key, command.verb, press=press,
                 needs=command.needs and not command.keys)  # fmt: skip


def _pane(pane: Pane) -> Offer:
    number = str(pane.number)
    return Offer(f"pane {pane.id}", f"focus pane {number}", "Panes", key=number, press=number)


def _view(pane: Pane, view: str) -> Offer:
    return Offer(f"view {view}", f"a view of pane {pane.number}, {pane.id}", "Panes", line=f"view {view}")


class FindPage(Over[Chosen]):
    """All that can be done. It gives what was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+p", "dismiss", "close", priority=True, id="find.close"),
        Binding("enter", "choose(False)", "do it", priority=True, id="find.do"),
        Binding("tab", "choose(True)", "write it on the command line", priority=True, id="find.write"),
        Binding("down", "move(1)", "down", show=False, priority=True, id="find.down"),
        Binding("up", "move(-1)", "up", show=False, priority=True, id="find.up"),
        Binding("pagedown", "move(10)", "page down", show=False, priority=True, id="find.page_down"),
        Binding("pageup", "move(-10)", "page up", show=False, priority=True, id="find.page_up"),
    ]

    def __init__(self, offered: Sequence[Offer]) -> None:
        super().__init__()
        self._all = offered
        self._found = narrowed(offered, "")
        self._narrowed_by = ""
        self._chosen = 0

    def compose(self) -> ComposeResult:
        with Sheet("Everything that can be done", "find-page"):
            yield Field(
                id="find-typed", placeholder="what is to be done? some letters of its name, or a word of its help"
            )
            yield ChoiceList(self._drawn, "find-view")
            yield foot(_KEYS, "find-keys")

    def ready(self) -> None:
        """Ready to type."""
        self.query_one(Field).focus()

    def _drawn(self, columns: int, rows: int) -> Choices:
        return listed(self._found, self._chosen, columns, rows)

    def _narrow(self) -> None:
        """By what is typed now: a key may come before the letters that it follows were shown."""
        for field in self.query(Field):
            field.put()
            if field.value != self._narrowed_by:
                self._narrowed_by, self._chosen = field.value, 0
                self._found = narrowed(self._all, field.value)

    def on_input_changed(self) -> None:
        """Others fit."""
        self._narrow()
        self._show()

    def action_move(self, by: int) -> None:
        """Up or down."""
        self._narrow()
        self._chosen = max(0, min(len(self._found) - 1, self._chosen + by))
        self._show()

    def action_choose(self, write: bool) -> None:  # noqa: FBT001 - an action's arguments have no names
        """Leave for what is chosen."""
        self._narrow()
        if self._found:
            self.dismiss((self._found[self._chosen].offer, write))

    def on_choice_list_turned(self, event: ChoiceList.Turned) -> None:
        """The wheel."""
        self.action_move(event.down)

    def on_choice_list_picked(self, event: ChoiceList.Picked) -> None:
        """A click does it."""
        self.action_move(event.choice - self._chosen)
        self.action_choose(write=False)

    def _show(self) -> None:
        for view in self.query(ChoiceList):  # none any more where it is being closed
            view.redraw()
