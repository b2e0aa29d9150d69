"""What opens over the main screen: a page of text, and the dialog that edits a cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Offset
from textual.widgets import Input, Static

from bptui.debugger.expressions import ExpressionError
from bptui.files.matrices import several
from bptui.files.text import safe
from bptui.tui.drawing.equation import broken
from bptui.tui.screens.over import Over
from bptui.tui.widgets.field import Field
from bptui.tui.widgets.sheet import Sheet, foot

# A page of text is never wider; beside it are the border, a blank at each side, and the bar.
_WIDEST, _BESIDE = 110, 5


class TextPage(Over[None]):
    """Lines to read; any of the usual keys closes it, and → goes deeper where there is something to open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,space,question_mark,x,m", "dismiss", "close", id="page.close"),
        Binding("ctrl+c", "interrupt", "copy what is marked, else close", show=False, id="page.interrupt"),
        Binding("down,j", "scroll(1)", "down", show=False, id="page.down"),
        Binding("up,k", "scroll(-1)", "up", show=False, id="page.up"),
        Binding("pagedown", "scroll(10)", "page down", show=False, id="page.page_down"),
        Binding("pageup", "scroll(-10)", "page up", show=False, id="page.page_up"),
        Binding("home", "scroll(-100000)", "to the top", show=False, id="page.top"),
        Binding("end", "scroll(100000)", "to the end", show=False, id="page.end"),
        Binding("right,l", "deeper", "open it step by step", show=False, id="page.deeper"),
    ]

    def __init__(self, title: str, lines: list[str], deeper: Callable[[], object] | None = None) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._deeper = deeper

    def compose(self) -> ComposeResult:
        with Sheet(self._title, "page"):
            with VerticalScroll(id="page-body", can_focus=False):  # its own keys would scroll with an animation
                yield Static(id="page-text")
            deeper = [("→", "open it step by step")] if self._deeper else []
            yield foot((("↑ ↓", "scroll"), *deeper, ("esc", "close")), "page-keys")

    def on_resize(self, event: events.Resize) -> None:
        """The text is as wide as the page, and scrolls within what the title, the keys and the border leave."""
        columns = min(_WIDEST, int(event.size.width * 0.9)) - _BESIDE
        lines = [part for line in self._lines for part in broken(safe(line), columns)]
        for shown in self.query("#page-text").results(Static):
            shown.update(Content("\n".join(lines)))
        for body in self.query("#page-body"):  # none any more where it is being closed
            body.styles.max_height = max(1, int(event.size.height * 0.9) - 3)

    def action_interrupt(self) -> None:
        """Ctrl+C copies text marked with the mouse; with none it closes, as everywhere."""
        if self.get_selected_text():
            self.action_copy_text()
        else:
            self.dismiss()

    def action_deeper(self) -> None:
        """Close, and open what these lines were only the top of."""
        if self._deeper is not None:
            self.dismiss()
            self._deeper()

    def action_scroll(self, rows: int) -> None:
        """Up or down."""
        self.query_one("#page-body").scroll_relative(y=rows, animate=False, immediate=True)


@dataclass(frozen=True)
class Place:
    """From when an edit is to hold: what the reader sees, and the position as text (None: here)."""

    words: str
    at: str | None


# What sets a text, from a position on, or from here; raises ValueError.
Apply = Callable[[str, str | None], None]


class Dated(Over[bool]):
    """Asks for something, and from when that is to hold; what is refused stays, to be mended."""

    def __init__(self, places: Sequence[Place], apply: Apply) -> None:
        super().__init__()
        self._places = places
        self._apply = apply
        self._chosen = 0

    def ready(self) -> None:
        """Ready to type."""
        self._show_places()
        self.query(".edit-text").first().focus()

    def action_choose(self, by: int) -> None:
        """Another place in time."""
        self._chosen = (self._chosen + by) % len(self._places)
        self._show_places()

    def reader_place(self) -> Offset | None:
        """The moment that is chosen."""
        down = Offset(0, self._chosen)
        return next((places.region.offset + down for places in self.query("#edit-places")), None)

    def _try(self, text: str) -> None:
        """Set it, or say why not."""
        try:
            self._apply(text, self._places[self._chosen].at)
        except ValueError as error:
            self.query_one("#edit-error", Static).update(Content(safe(self._refusal(text, error))))
            return
        self.dismiss(True)

    def _refusal(self, text: str, error: ValueError) -> str:
        """Why not, in a line."""
        raise NotImplementedError

    def _show_places(self) -> None:
        lines = [f"{'●' if k == self._chosen else '○'} {place.words}" for k, place in enumerate(self._places)]
        # A key may come before there is anything to show it in, or when there no longer is.
        for places in self.query("#edit-places").results(Static):
            places.update(Content("\n".join(lines)))


class EditDialog(Dated):
    """Asks for a number; a bad one is refused with a word, and the old one stays.

    whole  takes a paste of several numbers, for the whole of what the number is of
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "leave it", priority=True, id="edit.leave"),
        Binding("ctrl+c", "dismiss(False)", "leave it", show=False, priority=True, id="edit.interrupt"),
        Binding("down", "choose(1)", "later", show=False, priority=True, id="edit.down"),
        Binding("up", "choose(-1)", "earlier", show=False, priority=True, id="edit.up"),
    ]

    def __init__(
        self, name: str, value: str, places: Sequence[Place], apply: Apply, whole: Callable[[str], object] | None = None
    ) -> None:
        super().__init__(places, apply)
        self._label = name
        self._number = value
        self._whole = whole

    def compose(self) -> ComposeResult:
        with Sheet(f"Set {self._label}", "edit", f"now {self._number}"):
            yield Field(value=self._number, id="edit-value", select_on_focus=True, classes="edit-text")
            yield Static(id="edit-places")
            yield Static("", id="edit-error")
            yield foot((("enter", "set"), ("↑ ↓", "from when"), ("esc", "leave it")), "edit-keys")

    def pasted(self, text: str) -> bool:
        """Several numbers are for the whole array."""
        if self._whole is None or not several(text):
            return False
        self.dismiss(False)
        self._whole(text)
        return True

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try it."""
        event.stop()
        self._try(event.value)
        self.app.post_message(Field.Read())

    def _refusal(self, text: str, error: ValueError) -> str:
        text = text.strip() or "nothing"
        word = f"{text[:20]} is no number" if isinstance(error, ExpressionError) else str(error)
        return f"{word}; {self._label} stays {self._number}"
