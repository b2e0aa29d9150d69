"""What opens over another screen, and closes once."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

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

    def action_command(self) -> None:
        """Close it, and open the command line of the main screen, where a typed key is not meant for it."""
        self.dismiss()
        for screen in self.app.screen_stack:
            if isinstance(screen, WithLine):
                self.app.call_next(screen.open_line, "")

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close it. A second key that was on its way already would close the screen below too."""
        return super().dismiss(result) if self.is_current else AwaitComplete()
