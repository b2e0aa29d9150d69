"""What opens over another screen, and closes once."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Over(ModalScreen[Result]):
    """A screen over another one."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close it. A second key that was on its way already would close the screen below too."""
        return super().dismiss(result) if self.is_current else AwaitComplete()
