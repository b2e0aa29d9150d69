"""The form with which a network begins anew: its settings as they are, to be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Input, Static

from bptui.engine.ops import LOSSES
from bptui.engine.optimizers import OPTIMIZERS
from bptui.files.text import safe
from bptui.tui.screens.over import Over
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.sheet import Sheet, foot

_HELP = {
    "optim": f"one of {', '.join(OPTIMIZERS)}; another one brings its usual lr and options unless lr is changed too",
    "loss": f"one of {', '.join(LOSSES)}",
    "seed": "of the first weights, the order of the rows and the masks; the data stay",
    "batch": "rows at a time, or all",
    "iterations": "so many are run by c",
    "lr": "the learning rate",
}
# The share of the screen that the form takes at most, and its lines that are no settings.
_SHARE, _BESIDE = 0.9, 7


class SettingsPage(Over[None]):
    """Asks for all settings; what is refused stays, to be mended.

    known    the name of each setting → what it is
    restart  begins anew with what was changed, `lr=0.1 seed=3`; why not, or ""
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "dismiss", "leave it", priority=True, id="settings.leave"),
        Binding("down,tab", "move(1)", "down", show=False, priority=True, id="settings.down"),
        Binding("up,shift+tab", "move(-1)", "up", show=False, priority=True, id="settings.up"),
    ]

    def __init__(self, known: Mapping[str, str], restart: Callable[[str], str]) -> None:
        super().__init__()
        self._known = known
        self._restart = restart
        self._at = 0

    def compose(self) -> ComposeResult:
        with Sheet("Restart with other settings", "settings"):
            with VerticalScroll(id="settings-rows", can_focus=False):
                yield from self._rows()
            yield Static("", id="edit-error")
            yield Static("", id="settings-help")
            yield foot((("enter", "restart"), ("↑ ↓", "choose"), ("esc", "leave it")), "settings-keys")

    def _rows(self) -> Iterator[Widget]:
        for name, value in self._known.items():
            field = Field(value=value, name=name, classes="settings-value", select_on_focus=True)
            yield Horizontal(Static(Content(safe(name)), classes="settings-name"), field, classes="settings-row")

    def ready(self) -> None:
        """Ready to type."""
        self.action_move(0)

    def on_resize(self, event: events.Resize) -> None:
        """The settings scroll within what everything else leaves."""
        for rows in self.query("#settings-rows"):  # none any more where it is being closed
            rows.styles.max_height = max(1, int(event.size.height * _SHARE) - _BESIDE)

    def action_move(self, by: int) -> None:
        """To another setting."""
        fields = list(self.query(Field))
        if fields:
            self._at = (self._at + by) % len(fields)
            self.set_focus(fields[self._at])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What may stand there."""
        fields = list(self.query(Field))
        if event.widget in fields:
            self._at = fields.index(event.widget)
            said = _HELP.get(event.widget.name or "", "of the optimizer")
            self.query_one("#settings-help", Static).update(Content(said))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Begin anew with what was changed."""
        event.stop()
        for field in self.query(Field):
            field.put()  # letters may come just before the enter
        changed = {field.name or "": field.value.strip() for field in self.query(Field)}
        line = " ".join(f"{name}={value}" for name, value in changed.items() if value != self._known[name])
        if wrong := self._restart(line):
            self.query_one("#edit-error", Static).update(Content(safe(wrong)))
        else:
            self.dismiss()
        self.app.post_message(Field.Read())

    def reader_place(self) -> Offset | None:
        """Nowhere but where one types."""
        return None
