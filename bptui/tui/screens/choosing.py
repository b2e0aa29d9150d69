"""A page from which another network is opened: what is typed narrows the list, or is a file's name itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from bptui.files.choices import Choice
from bptui.tui.drawing import choosing
from bptui.tui.drawing.choices import Choices
from bptui.tui.screens.over import Over
from bptui.tui.widgets.choices import ChoiceList
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.sheet import Sheet, foot


class OpenPage(Over[bool]):
    """Networks to choose from; one with mistakes says them, and the page stays.

    It gives whether the network that is open is to begin anew with other settings.
    open_  opens one by its name; gives what is wrong with it, line by line
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss", "close", priority=True, id="open.close"),
        Binding("down", "move(1)", "down", show=False, priority=True, id="open.down"),
        Binding("up", "move(-1)", "up", show=False, priority=True, id="open.up"),
        Binding("pagedown", "move(10)", "page down", show=False, priority=True, id="open.page_down"),
        Binding("pageup", "move(-10)", "page up", show=False, priority=True, id="open.page_up"),
    ]

    def __init__(self, found: Sequence[Choice], open_: Callable[[str], Sequence[str]]) -> None:
        super().__init__()
        self._all = found
        self._open = open_
        self._found = found
        # The first that is another network.
        self._chosen = next((k for k, one in enumerate(found) if not one.anew), 0)
        self._wrong: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        with Sheet("Open another network", "open-page"):
            named = "" if self.app.is_web else ", or the name of a file"  # from a browser none is opened
            yield Field(id="open-filter", placeholder=f"type to narrow the list{named}")
            yield ChoiceList(self._drawn, "open-view")
            yield foot((("enter", "open it"), ("↑ ↓", "choose"), ("esc", "close")), "open-keys")

    def ready(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()

    def _drawn(self, columns: int, rows: int) -> Choices:
        if self._wrong:
            return Choices(choosing.mistakes(self._wrong, columns, rows))
        return choosing.listed(self._found, self._chosen, columns, rows)

    def action_move(self, by: int) -> None:
        """Up or down; from mistakes back to the list."""
        if not self._wrong:
            self._chosen = max(0, min(len(self._found) - 1, self._chosen + by))
        self._show()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Those in which every word occurs."""
        words = event.value.lower().split()
        self._found = [one for one in self._all if all(word in f"{one.named} {one.title}".lower() for word in words)]
        self._chosen = 0
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Open what is chosen, else the file that was named."""
        event.stop()
        self._take(self._found[self._chosen] if self._found else Choice("", event.value.strip(), ""))
        self.app.post_message(Field.Read())

    def on_choice_list_turned(self, event: ChoiceList.Turned) -> None:
        """The wheel."""
        self.action_move(event.down)

    def on_choice_list_picked(self, event: ChoiceList.Picked) -> None:
        """A click opens it."""
        if event.choice < len(self._found):
            self._chosen = event.choice
            self._take(self._found[event.choice])

    def _take(self, chosen: Choice) -> None:
        """Open it; one with mistakes says them."""
        if chosen.anew:
            self.dismiss(True)
        elif chosen.named:
            wrong = self._open(chosen.named)
            if wrong:
                self._show(wrong)
            else:
                self.dismiss()

    def _show(self, wrong: Sequence[str] = ()) -> None:
        self._wrong = wrong
        for view in self.query(ChoiceList):  # none any more where it is being closed
            view.redraw()
