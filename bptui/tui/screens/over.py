"""What opens over another screen, and closes once."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget

Result = TypeVar("Result")


@runtime_checkable
class WithLine(Protocol):
    """A screen with a command line."""

    def open_line(self, text: str, suggestion: str = "") -> None:
        """Open it with a text; what is suggested after it is typed over."""


class Over(ModalScreen[Result]):
    """A screen over another one; `:` closes it for the command line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "type a command", show=False, id="over.command"),
    ]

    class There(Message):
        """To the app: it is there, and what was typed since it was opened may go to it."""

    _asked: tuple[Result | None] | None = None

    def action_command(self) -> None:
        """Close it, and open the command line of the main screen, where a typed key is not meant for it."""
        self.dismiss()
        for screen in self.app.screen_stack:
            if isinstance(screen, WithLine):
                screen.open_line("")  # at once: the next key is for it

    def on_mount(self) -> None:
        """It is there, unless the app is leaving: now it can be closed, if that has been asked for before."""
        if self.children:
            self.ready()
        self.call_later(self._begin)

    def ready(self) -> None:
        """What is in it is there."""

    def _begin(self) -> None:
        if self._asked is not None:
            self.dismiss(*self._asked)
        self.app.post_message(self.There())

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close it. A second key that was on its way already would close the screen below too.

        A screen that is taken away before it is there leaves whoever waits for it waiting for good.
        """
        if self.is_current and not self.is_mounted:
            self._asked = (result,)
        elif self.is_current:
            return self._close(result)
        return AwaitComplete()

    def _close(self, result: Result | None) -> AwaitComplete:
        closing = super().dismiss(result)
        for widget in (self, *self.walk_children(Widget)):
            # Textual remembers a thousand of these (`StylesCache.get_inner_outer`), each with all that it has drawn.
            widget._styles_cache.clear()  # noqa: SLF001
        return closing
