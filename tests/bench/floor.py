"""The least that an app of this toolkit can do for a key: change one `Static`. What everything else is measured against."""

from __future__ import annotations

import os

os.environ.setdefault("TEXTUAL_FPS", "120")

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static


class Floor(App[None]):
    """Counts keys on one line; q leaves."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("0 keys", markup=False)

    def on_mount(self) -> None:
        self._keys = 0

    def on_key(self, event: events.Key) -> None:
        if event.key == "q":
            self.exit()
            return
        self._keys += 1
        self.query_one(Static).update(f"{self._keys} keys", layout=False)


if __name__ == "__main__":
    Floor().run()
